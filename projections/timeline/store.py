"""The timeline of every case in one table: a row an entry, written once, but for the mark of a later
correction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from ledger.kernel.entry import Entry
from projections.engine.views import Batch
from projections.timeline.fold import row

# In `corrects`: a correction of nothing that stands in this case.
_UNKNOWN = -1


class TimelineView:
    name = "timeline"
    version = 1
    tables: Sequence[str] = ("timeline",)

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        # Ordered by case, and cases by when they began: the rows of one case lie together, and a batch of new
        # ones lands at the end.
        db.execute(
            f"CREATE TABLE {tables['timeline']} (stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
            " idx INTEGER NOT NULL, event TEXT NOT NULL, type TEXT NOT NULL, time TEXT NOT NULL,"
            " recordedtime TEXT NOT NULL, sequenced TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,"
            " capacity TEXT NOT NULL, producer TEXT NOT NULL, codes TEXT NOT NULL, protected TEXT NOT NULL,"
            " corrects INTEGER, corrected_by INTEGER, voided INTEGER NOT NULL,"
            " PRIMARY KEY (stream, seq)) STRICT, WITHOUT ROWID"
        )

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute("DROP VIEW IF EXISTS timeline")
        db.execute(f"CREATE VIEW timeline AS SELECT * FROM {tables['timeline']}")

    def apply(self, batch: Batch) -> None:
        table = batch.tables["timeline"]
        rows: list[tuple[Any, ...]] = []
        corrections: list[tuple[int, Entry]] = []
        for placed in batch.placed:
            entry = placed.entry
            event = entry.event
            if not event["subject"].startswith("case/"):
                continue
            made = row(placed.stream, entry)
            corrects = "corrects" in event
            rows.append(
                (*made[:12], orjson.dumps(made[12]).decode(), made[13], _UNKNOWN if corrects else None)
            )
            if corrects:
                corrections.append((placed.stream, entry))
        batch.db.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0)", rows
        )
        for stream, entry in corrections:
            _mark(batch.db, table, stream, entry)

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        return db.execute(
            "SELECT s.shard, s.subject, t.seq, t.idx, t.event, t.type, t.time, t.recordedtime, t.sequenced,"
            " t.actor, t.role, t.capacity, t.producer, t.codes, t.protected, t.corrects, t.corrected_by, t.voided"
            f" FROM {tables['timeline']} t JOIN {tables['streams']} s ON s.id = t.stream"
            " ORDER BY s.shard, s.subject, t.seq"
        )


def _mark(db: sqlite3.Cursor, table: str, stream: int, correction: Entry) -> None:
    """Leads a correction to the event whose place it takes: the first of a chain of corrections."""
    event = correction.event
    found = db.execute(
        f"SELECT idx, corrects FROM {table} WHERE stream = ? AND event = ? AND type = ? AND idx < ?",
        (stream, event["corrects"], event["type"], correction.index),
    ).fetchone()
    if found is None or found[1] == _UNKNOWN:
        return
    original = found[0] if found[1] is None else found[1]
    db.execute(
        f"UPDATE {table} SET corrected_by = ?, voided = ? WHERE stream = ? AND idx = ?",
        (correction.index, event["data"].get("void") is True, stream, original),
    )
    db.execute(
        f"UPDATE {table} SET corrects = ? WHERE stream = ? AND idx = ?", (original, stream, correction.index)
    )
