"""What a view is to the engine: a few tables, filled from sealed entries in order, that can be thrown away.

A view is a pure function of the entries: no clock, no chance, nothing but the batch, its own tables and the
earlier entries of the same stream. So a rebuild gives what the live view holds, and their digests are
equal."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from ledger.kernel.entry import Entry


@dataclass(slots=True)
class Placed:
    """A sealed entry, its cursor in the log, and the small number under which its stream is filed in the
    views."""

    entry: Entry
    cursor: int
    stream: int = -1


@dataclass(slots=True)
class Batch:
    """What a view is given: entries in index order, a cursor inside the one transaction of the batch, and
    where the tables are. `history(stream, index)` reads the earlier entries of a stream, those below `index`,
    in order."""

    db: sqlite3.Cursor
    shard: int
    tables: Mapping[str, str]
    placed: Sequence[Placed]
    history: Callable[[int, int], list[Entry]]


class View(Protocol):
    """`name` and `version` say which reading this is: a view of another version is rebuilt, never
    continued."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def tables(self) -> Sequence[str]:
        """Names of its tables; the engine says under which physical name each stands."""
        ...

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        """Makes the empty tables."""
        ...

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        """Makes the SQL views under which readers find the tables of the current generation."""
        ...

    def apply(self, batch: Batch) -> None:
        """Brings the tables up to the last entry of the batch. Whatever it raises undoes the whole batch."""
        ...

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        """Everything the view says, in one canonical order that does not depend on how it was filled."""
        ...


def digest(rows: Iterable[Sequence[Any]]) -> str:
    """SHA-256, hex, over rows in their canonical order; blobs count as hex."""
    state = hashlib.sha256()
    for row in rows:
        state.update(orjson.dumps([v.hex() if isinstance(v, bytes) else v for v in row]))
        state.update(b"\n")
    return state.hexdigest()
