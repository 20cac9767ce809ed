"""fsck: is a whole shard what it should be? Every record of its log, every tile, and the checkpoint, read again from
the stored bytes with nothing believed but the log's key (formats 4.1, 4.2, 5, 6).

A report without findings says: every accepted entry is what 4.2 asks, in order, each once; every seal holds the true
map root; every checkpoint is the log's over its own tree; tiles, bundles and published checkpoint are made of just
these bytes. It does not say that nothing was cut off the end: hold the checkpoint against a witness's for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import DuecourseError, LogDamaged, Refused
from ledger.kernel.acceptance import Acceptance, Dead, Evidence
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.entry import Entry
from ledger.kernel.note import VerifierKey
from ledger.kernel.registry import Registry
from ledger.kernel.submission import CheckSchema
from ledger.kernel.tiles import unpack_entries
from ledger.kernel.validation import Validation
from ledger.log.port import Record, ShardLog
from ledger.sequencer.publish import WIDTH, TileTree256
from ledger.tilestore.port import TileReader

READ_RECORDS = 1000
FINDINGS_MAX = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `index` is the entry it concerns, None where it is about no entry of its own."""

    where: str
    code: str
    detail: str
    index: int | None = None

    def value(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, "index": self.index, "where": self.where}


@dataclass(slots=True)
class FsckReport:
    """What was read and what was found. `entries` counts the accepted entries that were validated; `dead` the records
    that count for nothing, by reason (they harm nobody); `first_damage` is the lowest index that a finding names."""

    origin: str
    entries: int = 0
    sealed: int = 0
    records: int = 0
    tiles: int = 0
    published: int | None = None
    dead: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    findings_left_out: int = 0
    # What the shard's administrative entries come to, for comparing it with the ledger's other shards (formats 5).
    registry: Registry | None = None

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def first_damage(self) -> int | None:
        indexes = [one.index for one in self.findings if one.index is not None]
        return min(indexes) if indexes else None

    def add(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.findings_left_out += 1

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "dead": dict(sorted(self.dead.items())),
            "entries": self.entries,
            "findings": [one.value() for one in self.findings],
            "findings_left_out": self.findings_left_out,
            "first_damage": self.first_damage,
            "ok": self.ok,
            "origin": self.origin,
            "published": self.published,
            "records": self.records,
            "sealed": self.sealed,
            "tiles": self.tiles,
        }


def fsck(
    log: ShardLog,
    tiles: TileReader | None,
    origin: str,
    log_key: VerifierKey,
    check_event: CheckSchema,
    progress: Callable[[int], None] | None = None,
) -> FsckReport:
    """Reads everything. Never raises for damage: it is in the report, by index. `LogUnavailable` where the log does
    not answer. `progress` is told how many records were read."""
    report = FsckReport(origin)
    checker = _Checker(report, tiles, origin, log_key, check_event)
    cursor = 0
    for complaint in log.check():
        report.add(Finding("log", "E_INCOMPLETE", complaint))
    while True:
        try:
            records = log.records(cursor, READ_RECORDS)
        except LogDamaged as error:
            report.add(
                Finding(
                    "log", "E_INCOMPLETE", f"the log does not read on: {error}", checker.acceptance.next_index
                )
            )
            break
        if not records:
            break
        cursor = records[-1].cursor + 1
        checker.records(records)
        if progress is not None:
            progress(report.records)
        if checker.stopped:
            break
    checker.finish()
    return report


class _Checker:
    """The state of one check."""

    def __init__(
        self,
        report: FsckReport,
        tiles: TileReader | None,
        origin: str,
        log_key: VerifierKey,
        check_event: CheckSchema,
    ) -> None:
        self.report = report
        self.acceptance = Acceptance(origin, log_key)
        self.stopped = False
        self._validation = Validation(origin, log_key, check_event)
        self._fault: Refused | None = None
        self._open: list[bytes] = []
        self._compare = _Compare(report, tiles, log_key)

    def records(self, records: Iterable[Record]) -> None:
        report, acceptance = self.report, self.acceptance
        for record in records:
            report.records += 1
            outcome = acceptance.apply(record.kind, record.value)
            if isinstance(outcome, Dead):
                report.dead.update(outcome.reasons)
            elif isinstance(outcome, Evidence):
                self._contradicted(outcome)
                return
            elif outcome.entry is not None:
                self._entry(outcome.entry)
                if acceptance.final == acceptance.next_index:
                    self._seal()
            elif outcome.term is not None:
                self._cut(acceptance.next_index)
            elif outcome.kind == "late":
                report.dead["repeat"] += 1
            if self.stopped:
                return

    def _contradicted(self, evidence: Evidence) -> None:
        """A checkpoint of the log's own says otherwise. Where it covers more than stands here, the log was damaged or
        cut short after it was signed."""
        self.stopped = True
        stands = self.acceptance.next_index
        size = open_statement(evidence.note, self.acceptance.log_key, Checkpoint).size
        if size > stands:
            found = Finding("checkpoint", "E_TRUNCATED", f"signed for {size} entries, {stands} stand", stands)
        else:
            found = Finding("checkpoint", "E_INCONSISTENT", evidence.contradicts)
        self.report.add(found)

    def _entry(self, entry: Entry) -> None:
        self._open.append(entry.raw)
        if self._fault is not None:
            return
        try:
            self._validation.apply(entry)
        except Refused as error:
            self._fault = error

    def _cut(self, index: int) -> None:
        del self._open[index - self.acceptance.final :]
        if index <= self._validation.next_index:
            self._validation.rollback(index)
            self._fault = None

    def _seal(self) -> None:
        if self._fault is not None:
            # What stands on it cannot be judged, and nothing can cut it off.
            self._say_fault(self._fault, "a sealed entry does not validate")
            self.stopped = True
            return
        self._validation.settle(self.acceptance.final)
        self._compare.extend(self._open)
        self._open = []

    def _say_fault(self, fault: Refused, what: str) -> None:
        self.report.add(Finding("entry", fault.code, f"{what}: {fault.detail}", self._validation.next_index))

    def finish(self) -> None:
        acceptance, report = self.acceptance, self.report
        if self._fault is not None and not self.stopped:
            self._say_fault(
                self._fault, "an entry that no seal covers does not validate; the next term cuts it off"
            )
        report.registry = self._validation.registry
        report.entries = self._validation.next_index
        report.sealed = acceptance.sealed
        # Where the log is damaged, what stands before the damage is no longer sealed by what stands behind it.
        self._compare.extend(self._open[: report.entries - acceptance.final])
        self._compare.finish(acceptance)


class _Compare:
    """The published directory against the entries of the log, as far as they are sealed."""

    def __init__(self, report: FsckReport, tiles: TileReader | None, log_key: VerifierKey) -> None:
        self._report = report
        self._tiles = tiles
        self._tree = TileTree256()
        self._size = 0
        self._checkpoint: Checkpoint | None = None
        self._unreadable = False
        if tiles is None:
            return
        note = tiles.checkpoint()
        if note is None:
            return
        try:
            self._checkpoint = open_statement(note, log_key, Checkpoint)
        except DuecourseError as error:
            self._unreadable = True
            report.add(
                Finding("checkpoint", "E_CHECKPOINT", f"the published checkpoint does not open: {error}")
            )
            return
        self._size = report.published = self._checkpoint.size

    def extend(self, entries: list[bytes]) -> None:
        """Entries that stand, in order."""
        if not self._size:
            return
        room = self._size - self._tree.size
        self._tree.extend(entries[: max(room, 0)])
        full, self._tree.full = self._tree.full, {}
        for name, data in full.items():
            self._check(name, data, WIDTH)

    def _check(self, name: str, data: bytes, width: int) -> None:
        """One resource as it should be against the one that is published."""
        assert self._tiles is not None
        self._report.tiles += 1
        kind, n, level = _parse(name)
        try:
            entries = kind == "entries"
            found = self._tiles.read_entries(n, width) if entries else self._tiles.read_tile(level, n, width)
        except LookupError as error:
            self._report.add(Finding(name, "E_MISSING_FILE", str(error), (n * WIDTH) << (8 * level)))
            return
        if found == data:
            return
        if kind == "entries":
            index = _differing_entry(found, data, n * WIDTH, width)
            if index is not None:
                self._report.add(
                    Finding(name, "E_LEAF_BINDING", "the bundle holds other bytes than the log", index)
                )
            return
        for at in range(0, len(data), 32):
            if found[at : at + 32] != data[at : at + 32]:
                index = (n * WIDTH + at // 32) << (8 * level)
                self._report.add(
                    Finding(name, "E_INCLUSION", "a hash is not the one of the log's entries", index)
                )
                return

    def finish(self, acceptance: Acceptance) -> None:
        report = self._report
        if self._checkpoint is None:
            if acceptance.sealed and self._tiles is not None and not self._unreadable:
                report.add(Finding("checkpoint", "E_MISSING_FILE", "no checkpoint is published"))
            return
        for name, data in self._tree.partial().items():
            bare, _, width = name.partition(".p/")
            self._check(bare, data, int(width))
        stands = self._tree.size
        if stands < self._size:
            what = f"{self._size} entries are published, {stands} of them stand in the log"
            report.add(Finding("checkpoint", "E_TRUNCATED", what, stands))
        elif self._tree.root() != self._checkpoint.root:
            report.add(Finding("checkpoint", "E_CHECKPOINT", "the published root is not the log's"))
        elif acceptance.sealed > self._size:
            what = f"published is {self._size}, the log has a checkpoint of {acceptance.sealed}: start the sequencer"
            report.add(Finding("checkpoint", "E_STALE", what))


def _parse(name: str) -> tuple[str, int, int]:
    """Kind, number and level of a resource's full name."""
    parts = name.split("/")
    n = 0
    for group in parts[2:]:
        n = n * 1000 + int(group.removeprefix("x"))
    return (parts[1], n, 0) if parts[1] == "entries" else ("tile", n, int(parts[1]))


def _differing_entry(found: bytes, data: bytes, base: int, width: int) -> int | None:
    """Index of the first entry that differs in two bundles; None where only entries beyond `width` do."""
    expected = unpack_entries(data)
    try:
        published = unpack_entries(found)
    except DuecourseError:
        # Lengths are damaged too: the first byte that differs tells.
        at = next(
            (i for i, (one, two) in enumerate(zip(found, data, strict=False)) if one != two), len(found)
        )
        end = 0
        for offset, raw in enumerate(expected):
            end += 2 + len(raw)
            if at < end:
                return base + offset
        return base + width - 1
    for offset, raw in enumerate(expected):
        if offset >= len(published) or published[offset] != raw:
            return base + offset
    return None
