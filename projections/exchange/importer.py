"""Brings a log of somebody else's tool into the ledger: checked whole first, then recorded, and resumable.

Promised: nothing is recorded from a file with an error in it, or with an activity that the mapping does not
know. The events of one trace are recorded all together, with the importer's position in the same transaction
of the outbox; so an import that is killed at any moment goes on where it stood, and what was recorded is
recorded once. Within a case the order is the log's own. Not promised: that a *changed* file is recognised as
an older one."""

from __future__ import annotations

import marshal
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol, Self

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange.mapping import CaseContext, Mapped, Mapping, SourceEvent, Unmapped, WrongValue
from projections.exchange.xes import Trace, XesReader

# Events of one outbox transaction: large enough that its sync costs little, small enough to lose no time when
# killed.
BATCH_EVENTS: Final = 1024
PACK_TRACES: Final = 64
ACCOUNT_CHARS_MAX: Final = 200
PLACES_LISTED: Final = 3

Progress = Callable[
    [str, int, int], None
]  # ("check" or "record", done, total; total 0 where it is not known)
_LENGTH: Final = struct.Struct(">I")


class CaseEvents(NamedTuple):
    """The events of one trace, for one case, in order."""

    account: str
    events: list[Mapped]


class Sink(Protocol):
    """Where events go: the SDK's recorder, behind the few words that an importer needs.

    Trusted to keep batch and mark together: all of both durable on return, or neither."""

    def deriver(self, account: str) -> Callable[[str], str]:
        """Makes the uuids that mean something in this account's case only."""
        ...

    def mark(self, name: str) -> str | None: ...

    def record(self, cases: Sequence[CaseEvents], mark: tuple[str, str]) -> None:
        """Durable on return, in order. Raises `NotRecorded`, and then nothing of it is recorded."""
        ...


@dataclass(slots=True)
class Listed:
    """Something of the log that is not carried over: how often, and where it stands first."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        self.count += 1
        if len(self.places) < PLACES_LISTED:
            self.places.append(place)


@dataclass(slots=True)
class Report:
    """What the log holds and what became of it. `unmapped` by (activity, why); `left_out` by (activity, key):
    attributes that the mapping leaves out on purpose; `attributes`, by the same: those that are not carried
    over though nobody said so."""

    sha256: str = ""
    traces: int = 0
    source_events: int = 0
    events: int = 0
    activities: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    unmapped: dict[tuple[str, str], Listed] = field(default_factory=dict)
    attributes: dict[tuple[str, str], Listed] = field(default_factory=dict)
    recorded_traces: int = 0
    recorded_events: int = 0
    resumed_at: int = 0


class Checked:
    """A log that was read and mapped to its end without an error, waiting in a file that has no name."""

    def __init__(self, spool: BinaryIO, report: Report, mapping: Mapping) -> None:
        self._spool = spool
        self.report = report
        self.mapping = mapping

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._spool.close()

    def traces(self) -> Iterator[tuple[int, CaseEvents]]:
        """(ordinal, events) of each trace, in the order of the log."""
        self._spool.seek(0)
        while head := self._spool.read(_LENGTH.size):
            for number, account, events in marshal.loads(self._spool.read(_LENGTH.unpack(head)[0])):  # noqa: S302
                # Only this process has ever held the file: it was unlinked when it was made.
                yield number, CaseEvents(account, events)


def check_log(
    path: Path | str,
    mapping: Mapping,
    deriver: Callable[[str], Callable[[str], str]],
    *,
    skip_unmapped: bool = False,
    progress: Progress | None = None,
    spool_folder: Path | None = None,
) -> Checked:
    """Reads and maps the whole log, recording nothing.

    `ImportRefused` with line and column for what cannot be read, and for a value that is not what its
    attribute must be; and for events that the mapping has no place for, unless `skip_unmapped` says to leave
    those out. The report lists them either way."""
    reader = XesReader(path)
    total = reader.total_bytes()
    report = Report()
    spool = tempfile.TemporaryFile(dir=spool_folder, buffering=1 << 20)  # noqa: SIM115 - Checked closes it
    try:
        mapper = _Mapper(mapping, deriver, report, reader.where)
        pack: list[tuple[int, str, list[Mapped]]] = []
        for trace in reader:
            pack.append(mapper.trace(trace))
            if len(pack) >= PACK_TRACES:
                _spool(spool, pack)
                if progress is not None:
                    progress("check", reader.bytes_read, total)
        _spool(spool, pack)
        mapper.finish()
    except BaseException:
        spool.close()
        raise
    report.sha256 = reader.sha256
    if report.unmapped and not skip_unmapped:
        spool.close()
        raise ImportRefused(_unmapped_text(report), next(iter(report.unmapped.values())).places[0])
    return Checked(spool, report, mapping)  # type: ignore[arg-type]


def _spool(spool: object, pack: list[tuple[int, str, list[Mapped]]]) -> None:
    if pack:
        blob = marshal.dumps(pack)
        spool.write(_LENGTH.pack(len(blob)) + blob)  # type: ignore[attr-defined]
        pack.clear()


class _Mapper:
    """Maps trace after trace, and keeps the report."""

    def __init__(
        self, mapping: Mapping, deriver: Callable[[str], Callable[[str], str]], report: Report, file: str
    ) -> None:
        self._mapping = mapping
        self._deriver = deriver
        self._report = report
        self._file = file
        # Events of one activity mostly have the same attributes: what is not carried over is worked out once
        # for each such shape, and counted.
        self._shapes: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()

    def trace(self, trace: Trace) -> tuple[int, str, list[Mapped]]:
        mapping, report = self._mapping, self._report
        account = trace.attributes.get(mapping.case_key, "")
        if not account or len(account) > ACCOUNT_CHARS_MAX:
            raise ImportRefused(
                f"a trace needs {mapping.case_key}, of at most {ACCOUNT_CHARS_MAX} characters",
                self._place(trace.place),
            )
        case = CaseContext(trace.number, self._deriver(account))
        made: list[Mapped] = []
        for event, place in zip(trace.events, trace.places, strict=True):
            name = event.attributes.get(mapping.activity_key, "")
            if name in mapping.skip:
                report.skipped[name] += 1
                continue
            try:
                events = mapping.map_event(event, case)
            except Unmapped as reason:
                report.unmapped.setdefault((name, reason.args[0]), Listed()).add(self._place(place))
                continue
            except WrongValue as error:
                raise ImportRefused(str(error), self._place(place)) from error
            made += events
            report.activities[name] += 1
            for mapped in events:
                report.types[mapped[0]] += 1
            self._note(name, event, place)
        report.traces += 1
        report.source_events += len(trace.events)
        report.events += len(made)
        return trace.number, account, made

    def _note(self, name: str, event: SourceEvent, place: tuple[int, int]) -> None:
        """Counts what of the event is not carried over."""
        shape = (name, *event.attributes)
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = self._mapping.not_carried(event)
        self._seen[shape] += 1
        for key in known[1]:
            self._report.attributes.setdefault((name, key), Listed()).add(self._place(place))

    def finish(self) -> None:
        for shape, count in self._seen.items():
            for key in self._shapes[shape][0]:
                self._report.left_out[shape[0], key] += count

    def _place(self, place: tuple[int, int]) -> str:
        return f"{self._file}:{place[0]}:{place[1]}"


def _unmapped_text(report: Report) -> str:
    rows = [
        f"{name or '(none)'}: {why} ({listed.count} events, first at {listed.places[0]})"
        for (name, why), listed in report.unmapped.items()
    ]
    return (
        "nothing was imported, because the mapping has no place for "
        f"{sum(listed.count for listed in report.unmapped.values())} events: "
        + "; ".join(rows[:20])
        + ("; and more" if len(rows) > 20 else "")
        + ". Map them, name them in skip, or ask to leave out what is not mapped"
    )


def record_log(checked: Checked, sink: Sink, *, progress: Progress | None = None) -> Report:
    """Records what was checked, from where an earlier run of the same log stopped. Every event is durable in
    the outbox on return. `ConfigurationError` where the log was begun with another mapping."""
    report = checked.report
    name = f"xes:{report.sha256}"
    position = _position(sink.mark(name), checked.mapping)
    report.resumed_at = position
    batch: list[CaseEvents] = []
    size = last = 0

    def commit() -> None:
        nonlocal batch, size
        sink.record(batch, (name, f"{checked.mapping.digest}:{last}"))
        # From here these traces are recorded, and a killed import goes on behind them.
        report.recorded_traces += len(batch)
        report.recorded_events += size
        batch, size = [], 0
        if progress is not None:
            progress("record", last, report.traces)

    for number, case in checked.traces():
        if number <= position:
            continue
        batch.append(case)
        size += len(case.events)
        last = number
        if size >= BATCH_EVENTS:
            commit()
    if batch:
        commit()
    return report


def _position(mark: str | None, mapping: Mapping) -> int:
    if mark is None:
        return 0
    digest, _, number = mark.partition(":")
    if digest != mapping.digest:
        raise ConfigurationError(
            f"the import of this log was begun with another mapping (digest {digest[:16]}…):"
            " go on with that one, or the same events would stand in the ledger in two readings"
        )
    return int(number)
