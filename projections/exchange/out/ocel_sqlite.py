"""Writes an OCEL 2.0 log as a SQLite database, with the tables and columns that the standard names.

Two writings of one state of a ledger by the same SQLite are the same bytes: rows come in one order, in one
transaction. The keys that the standard asks for are declared, so the database itself refuses an id or a
relation that stands twice."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError
from projections.exchange.out.columns import Column, Kind, members_of
from projections.exchange.out.objects import ATTRIBUTES, Thing, event_id, read
from projections.exchange.out.ocel import BEGINNING, attributes_of, values_of
from projections.exchange.out.source import Source

TYPE_NAMES: Final[dict[Kind, str]] = {
    "text": "TEXT",
    "int": "INTEGER",
    "bool": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "TEXT",
}
_BATCH_CASES: Final = 2000
_TABLES: Final = """
    CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL UNIQUE);
    CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL UNIQUE);
    CREATE TABLE event (
        ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
        FOREIGN KEY (ocel_type) REFERENCES event_map_type (ocel_type)
    ) WITHOUT ROWID;
    CREATE TABLE object (
        ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL,
        FOREIGN KEY (ocel_type) REFERENCES object_map_type (ocel_type)
    ) WITHOUT ROWID;
    CREATE TABLE event_object (
        ocel_event_id TEXT NOT NULL, ocel_object_id TEXT NOT NULL, ocel_qualifier TEXT NOT NULL,
        PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier),
        FOREIGN KEY (ocel_event_id) REFERENCES event (ocel_id),
        FOREIGN KEY (ocel_object_id) REFERENCES object (ocel_id)
    ) WITHOUT ROWID;
    CREATE TABLE object_object (
        ocel_source_id TEXT NOT NULL, ocel_target_id TEXT NOT NULL, ocel_qualifier TEXT NOT NULL,
        PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier),
        FOREIGN KEY (ocel_source_id) REFERENCES object (ocel_id),
        FOREIGN KEY (ocel_target_id) REFERENCES object (ocel_id)
    ) WITHOUT ROWID;
"""


def type_map(names: Iterable[str]) -> dict[str, str]:
    """For each type the end of its table's name: letters, digits and underscores, no two the same."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        made = base = re.sub(r"[^A-Za-z0-9_]", "_", name)
        number = 1
        while made.lower() in taken or f"event_{made}".lower() in _RESERVED:
            number += 1
            made = f"{base}_{number}"
        taken.add(made.lower())
        found[name] = made
    return found


_RESERVED: Final = frozenset({"event_map_type", "event_object", "object_map_type", "object_object"})


def write(source: Source, path: Path, progress: Callable[[int], None]) -> dict[str, int]:
    """Writes the file anew, and returns how many cases, events and objects it has."""
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            # Nobody sees the file before it is whole, so it needs no journal of its own.
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA page_size=8192")
            db.execute("PRAGMA cache_size=-131072")
            db.execute("PRAGMA temp_store=FILE")
            db.execute("BEGIN")
            counted = _Writer(db, source).write(progress)
            db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise ConfigurationError(f"cannot write {path.parent}: {error}") from error
    return counted


class _Writer:
    def __init__(self, db: sqlite3.Connection, source: Source) -> None:
        self._db = db
        self._source = source
        types = source.types()
        self._event_maps = type_map(types)
        self._object_maps = type_map(ATTRIBUTES)
        self._columns = {short: attributes_of(short) for short in types}
        self._rows: dict[str, list[Sequence[Any]]] = {}
        self._inserts: dict[str, str] = {}
        self._create()

    def _create(self) -> None:
        for statement in _TABLES.strip().split(";"):
            self._db.execute(statement)
        for table, width in (("event", 2), ("object", 2), ("event_object", 3), ("object_object", 3)):
            self._ready(table, width)
        for short, ending in self._event_maps.items():
            self._db.execute("INSERT INTO event_map_type VALUES (?, ?)", (short, ending))
            self._table("event", ending, "", self._columns[short])
        for name, ending in self._object_maps.items():
            self._db.execute("INSERT INTO object_map_type VALUES (?, ?)", (name, ending))
            columns = [Column(n, kind) for n, kind in ATTRIBUTES[name].items()]
            self._table("object", ending, ", ocel_changed_field TEXT", columns)

    def _table(self, of: str, ending: str, more: str, columns: Sequence[Column]) -> None:
        table = f"{of}_{ending}"
        own = "".join(f', "{column.name}" {TYPE_NAMES[column.kind]}' for column in columns)
        # An event has one row, an object one for each change.
        key = "PRIMARY KEY" if of == "event" else "NOT NULL"
        self._db.execute(
            f'CREATE TABLE "{table}" (ocel_id TEXT {key}, ocel_time TIMESTAMP NOT NULL{more}{own},'
            f" FOREIGN KEY (ocel_id) REFERENCES {of} (ocel_id))" + (" WITHOUT ROWID" if of == "event" else "")
        )
        self._ready(table, 2 + bool(more) + len(columns))

    def _ready(self, table: str, width: int) -> None:
        self._rows[table] = []
        self._inserts[table] = f'INSERT INTO "{table}" VALUES ({", ".join("?" * width)})'

    def write(self, progress: Callable[[int], None]) -> dict[str, int]:
        counted = {"cases": 0, "events": 0, "objects": 0}
        rows = self._rows
        agencies: dict[str, None] = {}
        for case in self._source:
            reading = read(case)
            for event, links in zip(case.events, reading.links, strict=True):
                number = event_id(event)
                values = values_of(event, members_of(event.type))
                rows["event"].append((number, event.type))
                rows["event_object"] += [(number, other, how) for other, how in links]
                rows[f"event_{self._event_maps[event.type]}"].append(
                    (number, event.time, *[values.get(c.name) for c in self._columns[event.type]])
                )
            for thing in reading.things.values():
                self._add(thing)
            agencies.update(reading.agencies)
            counted["cases"] += 1
            counted["events"] += len(case.events)
            counted["objects"] += len(reading.things)
            if counted["cases"] % _BATCH_CASES == 0:
                self._flush()
                progress(counted["cases"])
        for agency in sorted(agencies):
            self._add(Thing(agency, "agency"))
            counted["objects"] += 1
        self._flush()
        for ending in self._object_maps.values():
            # Behind the rows: sorting once is faster than finding the place of each.
            self._db.execute(f'CREATE INDEX "object_{ending}_id" ON "object_{ending}" (ocel_id)')
        return counted

    def _add(self, thing: Thing) -> None:
        names = ATTRIBUTES[thing.type]
        rows = self._rows
        table = rows[f"object_{self._object_maps[thing.type]}"]
        rows["object"].append((thing.id, thing.type))
        rows["object_object"] += [(thing.id, other, how) for other, how in thing.relations]
        table.append((thing.id, BEGINNING, None, *[thing.first.get(name) for name in names]))
        for changed, time, value in thing.changes:
            table.append((thing.id, time, changed, *[value if name == changed else None for name in names]))

    def _flush(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                self._db.executemany(self._inserts[table], rows)
                rows.clear()
