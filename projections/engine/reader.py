"""Reads one shard of the log and hands out the entries that count: accepted, and below the newest checkpoint.

What it hands out is never taken back, stands at consecutive indexes, and is the same for every reader
(formats 4.1). Entries that no checkpoint covers yet wait in memory; where the log contradicts itself under
its own signature, it stops with `Misbehaviour`."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ledger.errors import ConfigurationError, Misbehaviour, Refused
from ledger.kernel.acceptance import Acceptance, Evidence
from ledger.kernel.note import VerifierKey
from ledger.log.port import ShardLog
from projections.engine.views import Placed

CHUNK_RECORDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Resume:
    """From where a reader can go on: acceptance as it stood right after a seal, and the cursor behind that
    seal. `index` is the number of entries up to there, all of them handed out before."""

    index: int
    cursor: int
    acceptance: str

    @staticmethod
    def start() -> Resume:
        return Resume(0, 0, "")


class Reader:
    """One reader of one shard. `position` is the index of the next entry to hand out: at or above
    `resume.index`."""

    def __init__(
        self,
        log: ShardLog,
        origin: str,
        log_key: VerifierKey,
        *,
        resume: Resume | None = None,
        position: int = 0,
    ) -> None:
        self._log = log
        self._resume = resume or Resume.start()
        if position < self._resume.index:
            raise ConfigurationError("the views' position lies before the place from where they could go on")
        self._cursor = self._resume.cursor
        try:
            self._acceptance = (
                Acceptance.restore(json.loads(self._resume.acceptance), origin, log_key)
                if self._resume.acceptance
                else Acceptance(origin, log_key)
            )
        except (Refused, ValueError) as error:
            raise ConfigurationError(f"the views' position is damaged ({error}): rebuild them") from error
        self.position = position
        # Entries from `position` or `resume.index` on, whichever is lower, in index order.
        self._waiting: deque[Placed] = deque()
        self._first = self._resume.index
        self._seals: deque[Resume] = deque()

    @property
    def cursor(self) -> int:
        """Behind the last record that was read."""
        return self._cursor

    @property
    def sealed(self) -> int:
        """How many entries count, as far as the log was read."""
        return self._acceptance.sealed

    def read(self, limit: int = CHUNK_RECORDS) -> int:
        """Reads up to `limit` records; returns how many there were. Raises what the log raises, and
        `Misbehaviour`."""
        records = self._log.records(self._cursor, limit)
        acceptance, waiting = self._acceptance, self._waiting
        for cursor, kind, value in records:
            outcome = acceptance.apply(kind, value)
            self._cursor = cursor + 1
            if outcome.kind == "entry":
                entry = outcome.entry
                assert entry is not None
                waiting.append(Placed(entry, cursor))
                if acceptance.final == acceptance.next_index:
                    snapshot = json.dumps(acceptance.snapshot(), separators=(",", ":"))
                    self._seals.append(Resume(acceptance.final, cursor + 1, snapshot))
            elif outcome.kind == "term":
                # Only entries above the last seal can be cut, and no checkpoint covers those.
                for _ in range(outcome.cut):
                    waiting.pop()
            elif isinstance(outcome, Evidence):
                raise Misbehaviour(outcome.note, outcome.contradicts)
        return len(records)

    def peek(self, limit: int) -> list[Placed]:
        """The next entries that count, at most `limit`, from `position` on."""
        while self._waiting and self._first < self.position:
            self._waiting.popleft()
            self._first += 1
        return list(islice(self._waiting, min(limit, max(self._acceptance.sealed - self._first, 0))))

    def advance(self, count: int) -> None:
        """The first `count` of what `peek` gave have been applied."""
        for _ in range(count):
            self._waiting.popleft()
        self._first += count
        self.position += count
        self._resume = self.resume_at(self.position)
        while self._seals and self._seals[0].index <= self.position:
            self._seals.popleft()

    def resume_at(self, position: int) -> Resume:
        """The newest place from where a reader could go on that has applied everything below `position`."""
        found = self._resume
        for seal in self._seals:
            if seal.index > position:
                break
            found = seal
        return found
