"""The findings of every case in SQL: the cases that a batch touches are judged again, and no others.

Touched is a case that got an entry, one that leans on a stream of an agency, of staff or of a source that got one, and
one whose time to look has come (fold.py). Where the registry adopts a pack, every case of the shard is. So the work for
a batch is linear in the entries of the cases that it touches, and a ledger that has adopted nothing pays for nothing.

What the tables hold depends on the entries alone, and not on how they came in batches: each case stands as it is
judged from all its entries at the newest `sequenced`."""

from __future__ import annotations

import datetime as dt
import marshal
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from ledger.kernel.canonical import parse_time
from ledger.kernel.entry import Entry
from ledger.rules.proof import Adoption
from projections.conformance.basis import Basis, Resolve
from projections.conformance.fold import case_findings, contact_days, references
from projections.conformance.model import CaseFindings, Cell, Told
from projections.engine.views import Batch

_ADOPTED: Final = "duecourse.ledger.pack_adopted.v1"
_COUNTED: Final = "duecourse.source.counted.v1"
# Cases judged and written at once.
_AT_ONCE: Final = 500
# Entries of cases that are kept in memory between batches: some 150,000 of them. Those of others are read again.
_REMEMBERED_BYTES: Final = 64 << 20
# What rules read of an event.
_READ: Final = ("id", "type", "time", "recordedtime", "subject", "actorid", "actorcapacity", "data")

# Told, inside the batch's transaction, what is counted of each of some cases from now on.
Sink = Callable[[Batch, Mapping[int, Mapping[Cell, int]]], None]


def _no_sink(_batch: Batch, _counts: Mapping[int, Mapping[Cell, int]]) -> None:
    pass


class ConformanceView:
    name = "conformance"
    version = 1
    tables: Sequence[str] = ("adoptions", "conformance", "findings", "judged_cases", "leans", "source_days")

    def __init__(self, resolve: Resolve, sink: Sink = _no_sink) -> None:
        self._resolve = resolve
        self._sink = sink
        self._basis: dict[int, Basis] = {}
        self._memory = _Memory()

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(
            f"CREATE TABLE {tables['adoptions']} (shard INTEGER NOT NULL, idx INTEGER NOT NULL,"
            " pack TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, binding TEXT NOT NULL,"
            " starts TEXT NOT NULL, at_hand INTEGER NOT NULL, PRIMARY KEY (shard, idx)) STRICT, WITHOUT ROWID"
        )
        db.execute(
            f"CREATE TABLE {tables['conformance']} (shard INTEGER PRIMARY KEY, as_of TEXT NOT NULL,"
            " basis TEXT NOT NULL) STRICT"
        )
        db.execute(
            f"CREATE TABLE {tables['findings']} (stream INTEGER NOT NULL, pack TEXT NOT NULL,"
            " rule TEXT NOT NULL, idx INTEGER NOT NULL, version TEXT NOT NULL, outcome TEXT NOT NULL,"
            " event TEXT NOT NULL, codes TEXT NOT NULL, rests TEXT NOT NULL, since TEXT NOT NULL,"
            " agency TEXT NOT NULL, product TEXT NOT NULL, week TEXT NOT NULL, owner TEXT NOT NULL,"
            " closed_by INTEGER, PRIMARY KEY (stream, pack, rule, idx, version)) STRICT, WITHOUT ROWID"
        )
        db.execute(
            f"CREATE TABLE {tables['judged_cases']} (stream INTEGER PRIMARY KEY, shard INTEGER NOT NULL,"
            " look_us INTEGER, too_large INTEGER NOT NULL) STRICT"
        )
        db.execute(
            f"CREATE INDEX {tables['judged_cases']}_look ON {tables['judged_cases']} (shard, look_us)"
            " WHERE look_us IS NOT NULL"
        )
        # What cases lean on: subjects of streams, and `day/<ordinal>` for the counts of sources.
        db.execute(
            f"CREATE TABLE {tables['leans']} (stream INTEGER NOT NULL, name TEXT NOT NULL,"
            " PRIMARY KEY (stream, name)) STRICT, WITHOUT ROWID"
        )
        db.execute(f"CREATE INDEX {tables['leans']}_name ON {tables['leans']} (name)")
        db.execute(
            f"CREATE TABLE {tables['source_days']} (shard INTEGER NOT NULL, day INTEGER NOT NULL,"
            " idx INTEGER NOT NULL, sequenced TEXT NOT NULL, event TEXT NOT NULL,"
            " PRIMARY KEY (shard, day, idx)) STRICT, WITHOUT ROWID"
        )

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        for name in ("adoptions", "conformance", "findings", "judged_cases"):
            db.execute(f"DROP VIEW IF EXISTS {name}")
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM {tables[name]}")

    def apply(self, batch: Batch) -> None:
        table, shard = batch.tables["adoptions"], batch.shard
        for placed in batch.placed:
            event = placed.entry.event
            if event["subject"] == "registry" and event["type"] == _ADOPTED:
                _adopt(batch, placed.entry)
            elif event["type"] == _COUNTED:
                _keep_count(batch, placed.entry)
        adopted = batch.db.execute(
            f"SELECT idx, pack, version, digest, binding, starts FROM {table} WHERE shard = ? ORDER BY idx",
            (shard,),
        ).fetchall()
        if adopted:
            self._judge(batch, adopted)

    def _judge(self, batch: Batch, adopted: Sequence[Any]) -> None:
        db, shard, tables = batch.db, batch.shard, batch.tables
        adoptions = [Adoption(row[1], row[2], row[3], tuple(orjson.loads(row[4])), row[5]) for row in adopted]
        basis = self._basis_of(shard, adoptions)
        row = db.execute(
            f"SELECT as_of, basis FROM {tables['conformance']} WHERE shard = ?", (shard,)
        ).fetchone()
        as_of, mark = row or ("", "")
        # The clock may be put back by an entry; what was late then stays late.
        counted = [placed.entry for placed in batch.placed if placed.entry.index >= adopted[0][0]]
        as_of = max([as_of, *(entry.sequenced for entry in counted)])
        db.execute(
            f"INSERT OR REPLACE INTO {tables['conformance']} VALUES (?, ?, ?)", (shard, as_of, basis.mark)
        )
        judging = _Judging(batch, basis, as_of, self._memory, self._sink)
        if mark != basis.mark:
            db.executemany(
                f"UPDATE {tables['adoptions']} SET at_hand = ? WHERE shard = ? AND idx = ?",
                [
                    (one.name in basis.packs, shard, row[0])
                    for one, row in zip(adoptions, adopted, strict=True)
                ],
            )
            judging.every_case()
        else:
            judging.touched()

    def _basis_of(self, shard: int, adoptions: Sequence[Adoption]) -> Basis:
        """What is adopted, with its packs. Those that were missing are looked for again."""
        kept = self._basis.get(shard)
        if kept is None or kept.adoptions != tuple(adoptions) or kept.missing:
            known = {} if kept is None else kept.packs
            kept = self._basis[shard] = Basis.of(adoptions, self._resolve, known)
        return kept

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        yield from db.execute(f"SELECT * FROM {tables['adoptions']} ORDER BY shard, idx")
        yield from db.execute(f"SELECT * FROM {tables['conformance']} ORDER BY shard")
        yield from db.execute(
            f"SELECT s.shard, s.subject, j.look_us, j.too_large FROM {tables['judged_cases']} j"
            f" JOIN {tables['streams']} s ON s.id = j.stream ORDER BY s.shard, s.subject"
        )
        yield from db.execute(
            "SELECT s.shard, s.subject, f.pack, f.rule, f.idx, f.version, f.outcome, f.event, f.codes, f.rests,"
            f" f.since, f.agency, f.product, f.week, f.owner, f.closed_by FROM {tables['findings']} f"
            f" JOIN {tables['streams']} s ON s.id = f.stream"
            " ORDER BY s.shard, s.subject, f.pack, f.rule, f.idx, f.version"
        )


def _adopt(batch: Batch, entry: Entry) -> None:
    one = Adoption.from_value(entry.event["data"])
    binding = orjson.dumps(one.binding).decode()
    batch.db.execute(
        f"INSERT INTO {batch.tables['adoptions']} VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (batch.shard, entry.index, one.pack, one.version, one.digest, binding, one.starts),
    )


def _keep_count(batch: Batch, entry: Entry) -> None:
    day = _ordinal(entry.event["data"]["day"])
    event = orjson.dumps(entry.event).decode()
    batch.db.execute(
        f"INSERT INTO {batch.tables['source_days']} VALUES (?, ?, ?, ?, ?)",
        (batch.shard, day, entry.index, entry.sequenced, event),
    )


class _Memory:
    """Entries of the cases that were judged last, packed. Sealed entries never change, so what stands here is true
    even after a batch that was undone; a case is only ever read as far as it is asked for."""

    def __init__(self, bytes_max: int = _REMEMBERED_BYTES) -> None:
        self._held: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self._bytes = 0
        self._bytes_max = bytes_max

    def take(self, shard: int, subject: str, count: int) -> list[Told] | None:
        """The first `count` entries of a stream, or None where they are not here."""
        held = self._held.pop((shard, subject), None)
        if held is None:
            return None
        self._bytes -= len(held)
        # Only this process has ever held these bytes.
        told = [Told(*one) for one in marshal.loads(held)]  # noqa: S302
        return told[:count] if len(told) >= count else None

    def keep(self, shard: int, subject: str, told: Sequence[Told]) -> None:
        held = marshal.dumps([tuple(one) for one in told])
        self._held[shard, subject] = held
        self._bytes += len(held)
        while self._bytes > self._bytes_max:
            _, old = self._held.popitem(last=False)
            self._bytes -= len(old)


class _Judging:
    """One batch: which cases are judged again, and what is written of them."""

    def __init__(self, batch: Batch, basis: Basis, as_of: str, memory: _Memory, sink: Sink) -> None:
        self.batch, self.basis, self.as_of, self.memory, self.sink = batch, basis, as_of, memory, sink
        self.end = batch.placed[-1].entry.index + 1
        self.fresh: set[int] = set()
        self.others: dict[str, list[Told]] = {}
        self.leaning = bool(basis.leans)

    def every_case(self) -> None:
        """For a basis that is new: what the old one wrote is written anew."""
        self.leaning = True
        db, tables = self.batch.db, self.batch.tables
        cases = db.execute(
            f"SELECT id, subject FROM {tables['streams']} WHERE shard = ?"
            " AND subject > 'case/' AND subject < 'case0' ORDER BY id",
            (self.batch.shard,),
        ).fetchall()
        for start in range(0, len(cases), _AT_ONCE):
            part = cases[start : start + _AT_ONCE]
            self.write({stream: self.findings(stream, self.told(stream)) for stream, _ in part})

    def touched(self) -> None:
        batch, shard = self.batch, self.batch.shard
        new: dict[int, list[Entry]] = {}
        subjects: dict[int, str] = {}
        leaned: list[str] = []
        for placed in batch.placed:
            subject = placed.entry.subject
            if subject.startswith("case/"):
                new.setdefault(placed.stream, []).append(placed.entry)
                subjects[placed.stream] = subject
            elif placed.entry.event["type"] == _COUNTED:
                leaned += self._days(_ordinal(placed.entry.event["data"]["day"]))
            elif subject.startswith(("agency/", "staff/")):
                leaned.append(subject)
        done: dict[int, CaseFindings] = {}
        for stream, entries in new.items():
            first = entries[0].stream_seq
            told = self.memory.take(shard, subjects[stream], first) if first else []
            if told is None:
                told = _told(batch.history(stream, entries[0].index))
            if not first:
                self.fresh.add(stream)
            told += _told(entries)
            self.memory.keep(shard, subjects[stream], told)
            done[stream] = self.findings(stream, told)
            if len(done) >= _AT_ONCE:
                self.write(done)
                done = {}
        for stream in self._waiting(leaned) - new.keys():
            done[stream] = self.findings(stream, self.told(stream))
        self.write(done)

    def told(self, stream: int) -> list[Told]:
        return _told(self.batch.history(stream, self.end))

    def _days(self, day: int) -> list[str]:
        return [_day(other) for other in range(day, day + self.basis.reach)]

    def _waiting(self, leaned: Iterable[str]) -> set[int]:
        """Cases that no entry touched, but time or a stream beside them."""
        db, tables = self.batch.db, self.batch.tables
        now_us = parse_time(self.as_of)
        found = {
            stream
            for (stream,) in db.execute(
                f"SELECT stream FROM {tables['judged_cases']} WHERE shard = ? AND look_us <= ?",
                (self.batch.shard, now_us),
            )
        }
        for name in dict.fromkeys(leaned):
            rows = db.execute(
                f"SELECT l.stream FROM {tables['leans']} l JOIN {tables['judged_cases']} j ON j.stream = l.stream"
                " WHERE l.name = ? AND j.shard = ?",
                (name, self.batch.shard),
            )
            found.update(stream for (stream,) in rows)
        return found

    def findings(self, stream: int, case: Sequence[Told]) -> CaseFindings:
        kinds = self.basis.leans
        names: set[str] = set()
        others: list[Told] = []
        if kinds & {"agency", "staff"}:
            named = references(one.event for one in case)
            names = {name for name in named if name.partition("/")[0] in kinds}
            for name in sorted(names):
                others += self._stream(name)
        if "source" in kinds:
            days = contact_days(one.event for one in case)
            if days:
                others += self._counts(days)
                names.update(map(_day, days))
        if self.leaning:
            self._leans(stream, names)
        return case_findings(case, others, self.basis, as_of=self.as_of)

    def _leans(self, stream: int, names: Iterable[str]) -> None:
        db, table = self.batch.db, self.batch.tables["leans"]
        if stream not in self.fresh:
            db.execute(f"DELETE FROM {table} WHERE stream = ?", (stream,))
        db.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(stream, name) for name in names])

    def _stream(self, subject: str) -> list[Told]:
        """A stream beside the case, as of the end of the batch."""
        held = self.others.get(subject)
        if held is None:
            row = self.batch.db.execute(
                f"SELECT id FROM {self.batch.tables['streams']} WHERE subject = ? AND shard = ?",
                (subject, self.batch.shard),
            ).fetchone()
            held = self.others[subject] = self.told(row[0]) if row is not None else []
        return held

    def _counts(self, days: Iterable[int]) -> list[Told]:
        """What sources counted on the days that matter to these."""
        wanted = {day - back for day in days for back in range(self.basis.reach)}
        rows = self.batch.db.execute(
            f"SELECT day, idx, sequenced, event FROM {self.batch.tables['source_days']}"
            " WHERE shard = ? AND day BETWEEN ? AND ?",
            (self.batch.shard, min(wanted), max(wanted)),
        )
        return [
            Told(idx, sequenced, orjson.loads(event)) for day, idx, sequenced, event in rows if day in wanted
        ]

    def write(self, cases: Mapping[int, CaseFindings]) -> None:
        db, tables = self.batch.db, self.batch.tables
        old = [(stream,) for stream in cases if stream not in self.fresh]
        db.executemany(f"DELETE FROM {tables['findings']} WHERE stream = ?", old)
        db.executemany(
            f"INSERT OR REPLACE INTO {tables['judged_cases']} VALUES (?, ?, ?, ?)",
            [(stream, self.batch.shard, found.look_us, found.too_large) for stream, found in cases.items()],
        )
        db.executemany(
            f"INSERT INTO {tables['findings']} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    stream,
                    one.pack,
                    one.rule,
                    one.index,
                    one.version,
                    one.outcome,
                    one.event,
                    ",".join(one.codes),
                    orjson.dumps(one.rests).decode(),
                    one.since,
                    one.cell.agency,
                    one.cell.product,
                    one.cell.week,
                    one.owner,
                    one.closed_by,
                )
                for stream, found in cases.items()
                for one in found.found
            ],
        )
        self.sink(self.batch, {stream: found.counts for stream, found in cases.items()})


def _told(entries: Iterable[Entry]) -> list[Told]:
    return [Told(entry.index, entry.sequenced, _read(entry.event)) for entry in entries]


def _read(event: Mapping[str, Any]) -> dict[str, Any]:
    read = {name: event[name] for name in _READ}
    if "corrects" in event:
        read["corrects"] = event["corrects"]
    return read


def _day(day: int) -> str:
    return f"day/{day}"


def _ordinal(date: str) -> int:
    return dt.date.fromisoformat(date).toordinal()
