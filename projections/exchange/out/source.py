"""What is written out: the events of the cases that were asked for, case by case, as the views hold them.

Protected members never come this way: the views hold their names and nothing else. The order is that of the
ledger (shards by number, cases as they began, events as they were entered), so that one state of the ledger
is written in one way. Memory holds one case at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_uuid
from ledger.kernel.event import short_type
from projections.engine.store import applied

_COLUMNS: Final = (
    "t.seq, t.idx, t.event, t.type, t.time, t.recordedtime, t.sequenced, t.actor, t.role, t.capacity,"
    " t.producer, t.codes, t.protected, t.corrects"
)
_SHORT: Final[dict[str, str]] = {}


@dataclass(slots=True)
class OutEvent:
    """One event of a case. `entry` is its index in the ledger of its shard, `id` the event's own.

    `data` is the payload without its protected members, whose names stand in `protected`. `standing` says
    whether the event counts in today's reading. `corrected_by` is the entry of the last correction, or None;
    `corrects` the entry that this one corrects (-1: none that the case has), or None."""

    shard: int
    case: str
    seq: int
    entry: int
    id: str
    type: str
    time: str
    recordedtime: str
    sequenced: str
    actor: str
    role: str
    capacity: str
    producer: str
    data: dict[str, Any]
    protected: str
    standing: bool = True
    corrected_by: int | None = None
    corrects: int | None = None


@dataclass(slots=True)
class OutCase:
    """The events of one case in the order of the ledger: at least one."""

    shard: int
    case: str
    events: list[OutEvent]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases, and how they are read. Both filters together mean both. `every_entry` keeps what was
    corrected and voided, and the corrections themselves, each marked; without it every event stands once, in
    its place, as it was last corrected."""

    cases: tuple[str, ...] = ()
    stage: str | None = None
    every_entry: bool = False


class Source:
    """One selection from the views of a ledger. `name` is the ledger's, `shards` how many it has."""

    def __init__(
        self, db: sqlite3.Connection, name: str, shards: int, selection: Selection | None = None
    ) -> None:
        self._db = db
        self.name = name
        self.shards = shards
        self.selection = selection or Selection()
        self._streams = self._chosen()

    # -- what there is ---------------------------------------------------------------------------------------

    def state(self) -> dict[str, int]:
        """By origin, how many entries of the ledger this was read from."""
        return dict(sorted(applied(self._db).items()))

    def total(self) -> int:
        """How many cases there are to write."""
        if self._streams is not None:
            return len(self._streams)
        row = self._db.execute("SELECT COUNT(*) FROM streams WHERE subject >= 'case/' AND subject < 'case0'")
        return int(row.fetchone()[0])

    def types(self) -> list[str]:
        """The types of event that may come, short and in order: all of the ledger's where everything was
        asked for, those of the cases otherwise. None that comes is missing."""
        if self._streams is None:
            found = {kind for (kind,) in self._db.execute("SELECT DISTINCT type FROM timeline")}
        else:
            found = set()
            for stream, _, _ in self._streams:
                rows = self._db.execute("SELECT DISTINCT type FROM timeline WHERE stream = ?", (stream,))
                found.update(kind for (kind,) in rows)
        return sorted(map(short_type, found))

    # -- cases -----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[OutCase]:
        every = self.selection.every_entry
        for shard, subject, rows in self._rows():
            case = subject.removeprefix("case/")
            events = _events(shard, case, rows)
            if not every:
                events = as_read(events)
            if events:
                yield OutCase(shard, case, events)

    def _rows(self) -> Iterator[tuple[int, str, list[tuple[Any, ...]]]]:
        if self._streams is not None:
            for stream, shard, subject in self._streams:
                rows = self._db.execute(
                    f"SELECT {_COLUMNS} FROM timeline t WHERE t.stream = ? ORDER BY t.seq", (stream,)
                )
                yield shard, subject, rows.fetchall()
            return
        for shard in range(self.shards):
            # CROSS JOIN keeps SQLite from turning the loops round: streams by number, the rows of each behind.
            rows = self._db.execute(
                f"SELECT s.id, s.subject, {_COLUMNS} FROM streams s CROSS JOIN timeline t ON t.stream = s.id"
                " WHERE s.shard = ? AND s.subject >= 'case/' AND s.subject < 'case0' ORDER BY s.id, t.seq",
                (shard,),
            )
            at, subject = -1, ""
            kept: list[tuple[Any, ...]] = []
            for row in rows:
                if row[0] != at:
                    if kept:
                        yield shard, subject, kept
                    at, subject, kept = row[0], row[1], []
                kept.append(row[2:])
            if kept:
                yield shard, subject, kept

    def _chosen(self) -> list[tuple[int, int, str]] | None:
        """(stream, shard, subject) of what was asked for, in the order of the ledger; None for everything."""
        asked = self.selection
        if asked.cases:
            found: list[tuple[int, int, str]] = []
            for case in dict.fromkeys(one.removeprefix("case/") for one in asked.cases):
                if not is_uuid(case):
                    raise ConfigurationError(f"{case!r} is no case id")
                rows = self._db.execute(
                    "SELECT id, shard, subject FROM streams WHERE subject = ?", (f"case/{case}",)
                ).fetchall()
                if not rows:
                    raise ConfigurationError(f"there is no case {case} in this ledger")
                found += rows
            if asked.stage is not None:
                found = [row for row in found if self._in_stage(row[0], asked.stage)]
        elif asked.stage is not None:
            found = self._db.execute(
                "SELECT s.id, s.shard, s.subject FROM case_state c JOIN streams s ON s.id = c.stream"
                " WHERE c.stage = ?",
                (asked.stage,),
            ).fetchall()
        else:
            return None
        return sorted(found, key=lambda row: (row[1], row[0]))

    def _in_stage(self, stream: int, stage: str) -> bool:
        row = self._db.execute("SELECT stage FROM case_state WHERE stream = ?", (stream,)).fetchone()
        return row is not None and row[0] == stage


def _events(shard: int, case: str, rows: Iterable[Sequence[Any]]) -> list[OutEvent]:
    """Every entry of a case, each marked with how it stands in today's reading: `as_read` goes by that."""
    short, loads = _SHORT, orjson.loads
    events: list[OutEvent] = []
    corrections = False
    for row in rows:
        kind = short.get(row[3])
        if kind is None:
            kind = short[row[3]] = short_type(row[3])
        corrects = row[13]
        if corrects is not None:
            corrections = True
        events.append(
            OutEvent(
                shard, case, row[0], row[1], row[2], kind, row[4], row[5], row[6], row[7], row[8], row[9], row[10],
                loads(row[11]), row[12], corrects is None, None, corrects,
            )
        )  # fmt: skip
    if corrections:
        _mark(events)
    return events


def _mark(events: Sequence[OutEvent]) -> None:
    """The last correction of an event stands in its place; a correction of nothing in the case does not."""
    last: dict[int, OutEvent] = {}
    for event in events:
        if event.corrects is not None and event.corrects >= 0:
            last[event.corrects] = event
    for event in events:
        correction = last.get(event.entry)
        if event.corrects is None and correction is not None:
            event.standing = False
            event.corrected_by = correction.entry
            correction.standing = correction.data.get("void") is not True


def as_read(events: Sequence[OutEvent]) -> list[OutEvent]:
    """Each event that stands, once and in its place: with the time and payload of its last correction, and
    with the actor who recorded it first. A voided event is not there."""
    by_entry = {event.entry: event for event in events}
    read: list[OutEvent] = []
    for event in events:
        if event.corrected_by is not None:
            correction = by_entry[event.corrected_by]
            if correction.standing:
                event.time, event.data, event.protected = (
                    correction.time,
                    correction.data,
                    correction.protected,
                )
                event.standing = True
        if event.standing and event.corrects is None:
            read.append(event)
    return read


def described(source: Source, counted: Mapping[str, int]) -> dict[str, Any]:
    """What a file says of itself, where its format has room: no clock, no host, no version of this program."""
    asked = source.selection
    value: dict[str, Any] = {"entries": source.state(), "ledger": source.name, **counted}
    if asked.cases:
        value["cases_asked_for"] = len(asked.cases)
    if asked.stage is not None:
        value["stage"] = asked.stage
    if asked.every_entry:
        value["every_entry"] = True
    return value
