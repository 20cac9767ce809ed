"""The access log in one table: a row for each `data.handled`, written once, but for the mark of a later correction.

It shows what was recorded. That everybody who looks records it is for those who open fields to see to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from ledger.kernel.entry import Entry
from projections.engine.views import Batch

_HANDLED: Final = "duecourse.data.handled.v1"


class AccessLogView:
    name = "access_log"
    version = 1
    tables: Sequence[str] = ("access_log",)

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(
            f"CREATE TABLE {tables['access_log']} (stream INTEGER NOT NULL, idx INTEGER NOT NULL,"
            " event TEXT NOT NULL, time TEXT NOT NULL, sequenced TEXT NOT NULL, actor TEXT NOT NULL,"
            " role TEXT NOT NULL, capacity TEXT NOT NULL, producer TEXT NOT NULL, action TEXT NOT NULL,"
            " purpose TEXT NOT NULL, fields TEXT NOT NULL, records TEXT NOT NULL, recipient TEXT NOT NULL,"
            " about TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL, requester INTEGER NOT NULL,"
            " corrects INTEGER, corrected_by INTEGER, voided INTEGER NOT NULL,"
            " PRIMARY KEY (stream, idx)) STRICT, WITHOUT ROWID"
        )
        db.execute(f"CREATE INDEX {tables['access_log']}_actor ON {tables['access_log']} (actor)")

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute("DROP VIEW IF EXISTS access_log")
        db.execute(f"CREATE VIEW access_log AS SELECT * FROM {tables['access_log']}")

    def apply(self, batch: Batch) -> None:
        table = batch.tables["access_log"]
        for placed in batch.placed:
            if placed.entry.event["type"] == _HANDLED:
                marks = ", ".join("?" * 21)
                batch.db.execute(
                    f"INSERT INTO {table} VALUES ({marks})",
                    _row(batch.db, table, placed.stream, placed.entry),
                )

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        return db.execute(
            "SELECT s.shard, s.subject, a.idx, a.event, a.time, a.sequenced, a.actor, a.role, a.capacity, a.producer,"
            " a.action, a.purpose, a.fields, a.records, a.recipient, a.about, a.request, a.answer, a.requester,"
            f" a.corrects, a.corrected_by, a.voided FROM {tables['access_log']} a"
            f" JOIN {tables['streams']} s ON s.id = a.stream ORDER BY s.shard, s.subject, a.idx"
        )


def _row(db: sqlite3.Cursor, table: str, stream: int, entry: Entry) -> tuple[Any, ...]:
    event = entry.event
    data = event["data"]
    corrects = None
    if "corrects" in event:
        corrects = _mark(db, table, stream, entry)
    touched = [next(iter(record.values())) for record in data.get("records", ()) if record]
    return (
        stream,
        entry.index,
        event["id"],
        event["time"],
        entry.sequenced,
        event["actorid"],
        event["actorrole"],
        event["actorcapacity"],
        event["producerid"],
        data["action"],
        data["purpose"],
        ",".join(data["fields"]),
        orjson.dumps(touched).decode(),
        data.get("recipient_agency", ""),
        data.get("about", ""),
        data.get("request", ""),
        data.get("answer", ""),
        "requester" in data,
        corrects,
        None,
        0,
    )


def _mark(db: sqlite3.Cursor, table: str, stream: int, correction: Entry) -> int | None:
    """Leads a correction to the event whose place it takes, the first of a chain of corrections; None where it
    corrects nothing that stands in this case."""
    event = correction.event
    found = db.execute(
        f"SELECT idx, corrects FROM {table} WHERE stream = ? AND event = ?", (stream, event["corrects"])
    ).fetchone()
    if found is None:
        return None
    original: int = found[0] if found[1] is None else found[1]
    db.execute(
        f"UPDATE {table} SET corrected_by = ?, voided = ? WHERE stream = ? AND idx = ?",
        (correction.index, event["data"].get("void") is True, stream, original),
    )
    return original
