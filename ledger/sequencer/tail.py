"""The end of the ledger partition, under one sequencer's hand: append, read back, compare (formats 4.2).

What `append` returned for was found in the log byte for byte, where every reader's acceptance takes it. When it
raises, nothing is known of what was appended: forget the head, reopen the log, and start again from what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ledger.errors import LogUnavailable, Misbehaviour, Superseded
from ledger.kernel.acceptance import Acceptance, Dead, Evidence
from ledger.log.port import Record, ShardLog
from ledger.sequencer.publish import Run

# A log that confirmed an append and does not show it is given this many looks before it is called unavailable.
LOOKS_MAX = 100
LOOK_S = 0.02


class Overtaken(Superseded):
    """A foreign entry stands where ours should. Start again: the next term cuts it off, unless it is valid."""


class Tail:
    """`acceptance` is the fold over all records before `cursor`; `dead` counts by reason what it did not accept."""

    def __init__(self, log: ShardLog, acceptance: Acceptance, cursor: int) -> None:
        self._log = log
        self.acceptance = acceptance
        self.cursor = cursor
        self.dead: Counter[str] = Counter()

    def append(self, records: Sequence[tuple[str, bytes]], leaves: Sequence[bytes] = ()) -> list[Run]:
        """Appends, reads back and folds in. `leaves` are the leaf hashes of plain entries where all the records are
        such. Gives where they stand, dead records between them left out.

        Raises `LogUnavailable`, `Superseded` (another holder's term note was accepted), `Overtaken`, `Misbehaviour`."""
        self._log.append(records)
        found = self._log.records(self.cursor, len(records))
        if (
            leaves
            and len(found) == len(records)
            and found[-1].cursor - found[0].cursor == len(found) - 1
            and [(record.kind, record.value) for record in found] == list(records)
        ):
            # From here every reader of the log has them: the chain goes on behind them.
            self.acceptance.extend_own(leaves)
            self.cursor = found[-1].cursor + 1
            return [Run(found[0].cursor, self.cursor, len(found))]
        return self._sift(list(records), found)

    def _sift(self, expected: list[tuple[str, bytes]], found: list[Record]) -> list[Run]:
        """The same, record by record, where others have written in between."""
        runs: list[Run] = []
        at = looks = 0
        while at < len(expected):
            for record in found:
                if self._judge(record, expected[at] if at < len(expected) else None):
                    at += 1
                    if record.kind == "entry":
                        _join(runs, record.cursor)
            if at < len(expected):
                if not found:
                    looks += 1
                    if looks > LOOKS_MAX:
                        raise LogUnavailable("the log confirmed an append and does not show it")
                    self._log.wait(self.cursor, "records", LOOK_S)
                found = self._log.records(self.cursor, len(expected))
        return runs

    def watch(self) -> None:
        """Looks at what others have written since; raises as `append` does."""
        while found := self._log.records(self.cursor, 1000):
            for record in found:
                self._judge(record, None)

    def _judge(self, record: Record, expected: tuple[str, bytes] | None) -> bool:
        """Folds one record in. True for the one that was expected."""
        self.cursor = record.cursor + 1
        ours = expected == (record.kind, record.value)
        outcome = self.acceptance.apply(record.kind, record.value)
        if isinstance(outcome, Evidence):
            raise Misbehaviour(outcome.note, outcome.contradicts)
        if isinstance(outcome, Dead):
            self.dead.update(outcome.reasons)
            if ours:
                raise Overtaken(f"what was appended is dead: {', '.join(outcome.reasons)}")
        elif outcome.kind == "term" and not ours:
            raise Superseded("another sequencer has taken the term")
        elif outcome.kind == "entry" and not ours:
            raise Overtaken("a foreign entry was slipped in")
        return ours


def _join(runs: list[Run], cursor: int) -> None:
    if runs and runs[-1].end == cursor:
        runs[-1] = Run(runs[-1].start, cursor + 1, runs[-1].entries + 1)
    else:
        runs.append(Run(cursor, cursor + 1, 1))


def runs_of(cursors: Sequence[int]) -> list[Run]:
    """Places of entries, ascending, as runs of neighbours."""
    runs: list[Run] = []
    for cursor in cursors:
        _join(runs, cursor)
    return runs
