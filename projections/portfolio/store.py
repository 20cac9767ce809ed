"""The portfolio in SQL: a count for each key, and for each case how much it adds to which.

It is told, inside the transaction of a batch, what is counted of each case that was judged again (`take`), takes away
what the case added before, and adds what it adds now. It judges nothing itself."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from projections.engine.views import Batch

# SQLite takes at most so many values in one IN (…).
_LOOKED_UP: Final = 500
_KEY: Final = "pack, rule, outcome, agency, product, week"


class PortfolioView:
    name = "portfolio"
    version = 1
    tables: Sequence[str] = ("portfolio", "portfolio_cases")

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(
            f"CREATE TABLE {tables['portfolio']} (id INTEGER PRIMARY KEY, pack TEXT NOT NULL, rule TEXT NOT NULL,"
            " outcome TEXT NOT NULL, agency TEXT NOT NULL, product TEXT NOT NULL, week TEXT NOT NULL,"
            f" n INTEGER NOT NULL, UNIQUE ({_KEY})) STRICT"
        )
        db.execute(
            f"CREATE TABLE {tables['portfolio_cases']} (stream INTEGER NOT NULL, cell INTEGER NOT NULL,"
            " n INTEGER NOT NULL, PRIMARY KEY (stream, cell)) STRICT, WITHOUT ROWID"
        )

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        for name in self.tables:
            db.execute(f"DROP VIEW IF EXISTS {name}")
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM {tables[name]}")

    def apply(self, batch: Batch) -> None:
        """Nothing: what changes is told to `take`, as soon as it is known."""

    def take(self, batch: Batch, cases: Mapping[int, Mapping[Any, int]]) -> None:
        """From now on each of these streams adds this many findings to each key (a tuple in the order of `Key`)."""
        db, cells, rows = batch.db, batch.tables["portfolio"], batch.tables["portfolio_cases"]
        changed: Counter[int] = Counter()
        streams = list(cases)
        for start in range(0, len(streams), _LOOKED_UP):
            part = streams[start : start + _LOOKED_UP]
            marks = ", ".join("?" * len(part))
            old = db.execute(f"SELECT cell, n FROM {rows} WHERE stream IN ({marks})", part).fetchall()
            for cell, n in old:
                changed[cell] -= n
            if old:
                db.execute(f"DELETE FROM {rows} WHERE stream IN ({marks})", part)
        known: dict[Any, int] = {}
        added: list[tuple[int, int, int]] = []
        for stream, counts in cases.items():
            for key, n in counts.items():
                cell = known.get(key, -1)
                if cell < 0:
                    cell = known[key] = _cell(db, cells, key)
                added.append((stream, cell, n))
                changed[cell] += n
        db.executemany(f"INSERT INTO {rows} VALUES (?, ?, ?)", added)
        db.executemany(
            f"UPDATE {cells} SET n = n + ? WHERE id = ?", [(n, cell) for cell, n in changed.items() if n]
        )

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        # Cells are numbered as they first appear, which depends on the batches: numbers are left out.
        yield from db.execute(f"SELECT {_KEY}, n FROM {tables['portfolio']} WHERE n != 0 ORDER BY {_KEY}")
        yield from db.execute(
            f"SELECT s.shard, s.subject, {_KEY}, c.n FROM {tables['portfolio_cases']} c"
            f" JOIN {tables['streams']} s ON s.id = c.stream JOIN {tables['portfolio']} p ON p.id = c.cell"
            f" ORDER BY s.shard, s.subject, {_KEY}"
        )


def _cell(db: sqlite3.Cursor, table: str, key: Sequence[str]) -> int:
    found = db.execute(
        f"SELECT id FROM {table} WHERE pack = ? AND rule = ? AND outcome = ? AND agency = ? AND product = ?"
        " AND week = ?",
        key,
    ).fetchone()
    if found is not None:
        return int(found[0])
    made = db.execute(f"INSERT INTO {table} ({_KEY}, n) VALUES (?, ?, ?, ?, ?, ?, 0)", key).lastrowid
    assert made is not None
    return made
