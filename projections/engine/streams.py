"""Streams: under which subject each entry stands, at which index, and where in the log. Everything else that
is kept about a case is filed under the small number that its stream is given here.

It is an index, not evidence: whoever takes an entry by it compares what comes back with what was asked
for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.errors import DuecourseError
from projections.engine.views import Batch

# Subjects remembered between batches: some 20 MB. What is not remembered is looked up.
REMEMBERED = 100_000


class Place(NamedTuple):
    """Where one entry of a stream is: its `stream_seq`, its index in the ledger, its cursor in the log."""

    seq: int
    idx: int
    cursor: int


class StreamsView:
    """The engine's own view, applied first: it fills in `Placed.stream` for the others."""

    name = "streams"
    version = 1
    tables: Sequence[str] = ("streams", "places")

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], int] = {}

    def forget(self) -> None:
        """After a transaction that was undone, or another generation: what is remembered may not be there."""
        self._known.clear()

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(
            f"CREATE TABLE {tables['streams']} (id INTEGER PRIMARY KEY, shard INTEGER NOT NULL,"
            " subject TEXT NOT NULL, UNIQUE (subject, shard)) STRICT"
        )
        # Numbers rise as cases begin, so that rows of one time land on the same pages.
        db.execute(
            f"CREATE TABLE {tables['places']} (stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
            " idx INTEGER NOT NULL, cursor INTEGER NOT NULL, PRIMARY KEY (stream, seq)) STRICT, WITHOUT ROWID"
        )

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        for name in self.tables:
            db.execute(f"DROP VIEW IF EXISTS {name}")
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM {tables[name]}")

    def apply(self, batch: Batch) -> None:
        known, shard, streams = self._known, batch.shard, batch.tables["streams"]
        if len(known) > REMEMBERED:
            known.clear()
        new: list[tuple[int, int, str]] = []
        places: list[tuple[int, int, int, int]] = []
        following = -1
        next_number = f"SELECT IFNULL(MAX(id), 0) + 1 FROM {streams}"
        for placed in batch.placed:
            entry = placed.entry
            subject = entry.subject
            number = known.get((shard, subject), -1)
            if number < 0:
                if entry.stream_seq:
                    number = self._look_up(batch, streams, subject)
                else:
                    if following < 0:
                        (following,) = batch.db.execute(next_number).fetchone()
                    number, following = following, following + 1
                    new.append((number, shard, subject))
                known[shard, subject] = number
            placed.stream = number
            places.append((number, entry.stream_seq, entry.index, placed.cursor))
        batch.db.executemany(f"INSERT INTO {streams} VALUES (?, ?, ?)", new)
        batch.db.executemany(f"INSERT INTO {batch.tables['places']} VALUES (?, ?, ?, ?)", places)

    def _look_up(self, batch: Batch, streams: str, subject: str) -> int:
        row = batch.db.execute(
            f"SELECT id FROM {streams} WHERE subject = ? AND shard = ?", (subject, batch.shard)
        ).fetchone()
        if row is not None:
            return int(row[0])
        raise DuecourseError(f"a stream goes on that never began: {subject}")

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        # Cursors are left out: another log, or the same one moved, holds the same entries at others.
        return db.execute(
            f"SELECT s.shard, s.subject, p.seq, p.idx FROM {tables['places']} p JOIN {tables['streams']} s"
            " ON s.id = p.stream ORDER BY s.shard, s.subject, p.seq"
        )


# -- queries, over the published names -----------------------------------------------------------------------


def stream_number(db: sqlite3.Connection, subject: str, shard: int) -> int | None:
    row = db.execute("SELECT id FROM streams WHERE subject = ? AND shard = ?", (subject, shard)).fetchone()
    return None if row is None else int(row[0])


def places(db: sqlite3.Connection, subject: str, shard: int, *, below: int | None = None) -> list[Place]:
    """The entries of a stream in order, those with an index below `below` if it is given. [] for no such
    stream."""
    rows = db.execute(
        "SELECT p.seq, p.idx, p.cursor FROM places p JOIN streams s ON s.id = p.stream"
        " WHERE s.subject = ? AND s.shard = ? ORDER BY p.seq",
        (subject, shard),
    )
    return [Place(*row) for row in rows if below is None or row[1] < below]


def heads(db: sqlite3.Connection, shard: int, below: int) -> Iterator[tuple[str, int, int]]:
    """(subject, count, index of the last entry) of every stream that has an entry below index `below`."""
    return db.execute(
        "SELECT s.subject, COUNT(*), MAX(p.idx) FROM streams s JOIN places p ON p.stream = s.id"
        " WHERE s.shard = ? AND p.idx < ? GROUP BY s.id",
        (shard, below),
    )
