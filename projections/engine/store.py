"""The views' database: one SQLite file that holds every view, how far each shard has been read, and nothing
that cannot be made again from the ledger.

Rows and position change in one transaction, through the eventsourcing library's tracking recorder, so an
entry is applied exactly once, whatever is killed. A rebuild fills tables of a new generation beside the old
ones and takes their place in one transaction: readers see the whole old reading or the whole new one.

Not trusted: whoever can write this file can show wrong readings, and changes nothing in the ledger. `digest`
of a rebuild tells."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTrackingRecorder,
)

from ledger.errors import ConfigurationError
from projections.engine.reader import Resume
from projections.engine.streams import StreamsView
from projections.engine.views import View, digest

PAGE_BYTES: Final = 8192
# 32 MiB of write-ahead log between checkpoints: a page that many batches touch is then written to the file
# once.
WAL_PAGES: Final = 4096
CACHE_KIB: Final = 65536
LOCK_TIMEOUT_S: Final = 30

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS generations (
        generation INTEGER PRIMARY KEY, current INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS readings (
        generation INTEGER NOT NULL, view TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (generation,
        view)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS progress (
        tracking TEXT PRIMARY KEY, generation INTEGER NOT NULL, position INTEGER NOT NULL,
        resume_index INTEGER NOT NULL, cursor INTEGER NOT NULL, acceptance TEXT NOT NULL
    ) STRICT;
"""


class Moved(Exception):
    """Somebody else brought these views forward, or rebuilt them: read the position again and go on from
    there."""


class OtherVersion(ConfigurationError):
    """The file holds other views, or other versions of them, than this program makes."""


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        cursor = connection.cursor()
        # What a power cut takes from a view is read from the ledger again: order matters here, not each
        # commit.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return connection


class ViewStore:
    """The database of all views of one ledger, opened for writing. Several processes may: they take turns."""

    def __init__(self, path: Path | str, views: Sequence[View]) -> None:
        self.path = Path(path)
        self.streams = StreamsView()
        self.views: tuple[View, ...] = (self.streams, *views)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with contextlib.closing(sqlite3.connect(self.path)) as fresh:
                fresh.execute(f"PRAGMA page_size={PAGE_BYTES}")
                fresh.execute("PRAGMA journal_mode=WAL")
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"cannot open the views at {self.path}: {error}") from error
        self._lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._datastore = SQLiteDatastore(str(self.path), lock_timeout=LOCK_TIMEOUT_S)
        self._datastore.pool.close()
        self._datastore.pool = _Pool(db_name=str(self.path), lock_timeout=LOCK_TIMEOUT_S)
        self._recorder = SQLiteTrackingRecorder(self._datastore)
        try:
            with self._exclusive():
                self._recorder.create_table()
            with self.transaction() as db:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
            self.generation = self._current()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._datastore.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def rebuilding(self) -> Iterator[None]:
        """Held by the one rebuild that may be at work. `ConfigurationError` where another is."""
        handle = os.open(f"{self.path}.rebuild.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise ConfigurationError("another rebuild of these views is at work: wait for it") from error
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        # One writer at a time, checkpoint included, across processes: SQLite before 3.51.3 could lose a
        # commit when one process checkpoints in the instant in which another writes.
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _tracked(self) -> Iterator[SQLiteCursor]:
        with self._exclusive(), self._datastore.transaction(commit=True) as cursor:
            yield cursor

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """All or nothing, one writer at a time."""
        with self._tracked() as cursor:
            yield cursor.sqlite_cursor

    # -- generations -----------------------------------------------------------------------------------------

    def tables(self, generation: int) -> dict[str, str]:
        return {table: f"{table}_{generation}" for view in self.views for table in view.tables}

    def _current(self) -> int:
        """The generation that readers see; made, if this is a new file. Refuses one of other views or
        versions."""
        wanted = {view.name: view.version for view in self.views}
        with self.transaction() as db:
            row = db.execute("SELECT generation FROM generations WHERE current = 1").fetchone()
            if row is None:
                self.create(db, 1)
                self.publish(db, 1)
                return 1
            found = dict(
                db.execute("SELECT view, version FROM readings WHERE generation = ?", tuple(row)).fetchall()
            )
        if found != wanted:
            raise OtherVersion(
                f"the views at {self.path} were made by another version of this program:"
                " remove the file, or rebuild it (they are read from the ledger again)"
            )
        return int(row[0])

    def reload(self) -> int:
        """The generation that readers see now, after somebody else may have rebuilt it."""
        self.streams.forget()
        self.generation = self._current()
        return self.generation

    def create(self, db: sqlite3.Cursor, generation: int) -> None:
        """Empty tables of a generation, in place of what an interrupted rebuild left under that number."""
        self.drop(db, generation)
        tables = self.tables(generation)
        for view in self.views:
            view.create(db, tables)
            db.execute("INSERT INTO readings VALUES (?, ?, ?)", (generation, view.name, view.version))
        db.execute("INSERT INTO generations VALUES (?, 0)", (generation,))

    def publish(self, db: sqlite3.Cursor, generation: int) -> None:
        db.execute("UPDATE generations SET current = (generation = ?)", (generation,))
        for view in self.views:
            view.publish(db, self.tables(generation))

    def drop(self, db: sqlite3.Cursor, generation: int) -> None:
        for table in self.tables(generation).values():
            db.execute(f"DROP TABLE IF EXISTS {table}")
        db.execute("DELETE FROM readings WHERE generation = ?", (generation,))
        db.execute("DELETE FROM generations WHERE generation = ?", (generation,))
        db.execute(
            "DELETE FROM tracking WHERE application_name IN"
            " (SELECT tracking FROM progress WHERE generation = ?)",
            (generation,),
        )
        db.execute("DELETE FROM progress WHERE generation = ?", (generation,))

    # -- positions -------------------------------------------------------------------------------------------

    @staticmethod
    def tracking_name(origin: str, generation: int) -> str:
        """Under which name the position of one shard is tracked. Its notification id is index + 1: how many
        entries were applied."""
        return f"{origin}@{generation}"

    def position(self, origin: str, generation: int) -> tuple[int, Resume]:
        """How many entries of a shard were applied, and from where a reader can go on."""
        name = self.tracking_name(origin, generation)
        with self.transaction() as db:
            row = db.execute(
                "SELECT position, resume_index, cursor, acceptance FROM progress WHERE tracking = ?", (name,)
            ).fetchone()
            if row is None:
                if (
                    db.execute("SELECT 1 FROM generations WHERE generation = ?", (generation,)).fetchone()
                    is None
                ):
                    raise Moved
                db.execute("INSERT INTO progress VALUES (?, ?, 0, 0, 0, '')", (name, generation))
                return 0, Resume.start()
        position, index, cursor, acceptance = row
        tracked = self._recorder.max_tracking_id(name) or 0
        if tracked != position:
            raise ConfigurationError(f"position and tracking of {self.path} disagree: rebuild the views")
        return position, Resume(index, cursor, acceptance)

    @contextlib.contextmanager
    def apply(
        self, origin: str, generation: int, old: int, new: int, resume: Resume
    ) -> Iterator[sqlite3.Cursor]:
        """The one transaction of a batch that takes a shard from `old` to `new` entries. `Moved` if it is not
        at `old` any more; on any other error everything is as it was."""
        name = self.tracking_name(origin, generation)
        with self._tracked() as cursor:
            db = cursor.sqlite_cursor
            changed = db.execute(
                "UPDATE progress SET position = ?, resume_index = ?, cursor = ?, acceptance = ?"
                " WHERE tracking = ? AND position = ?",
                (new, resume.index, resume.cursor, resume.acceptance, name, old),
            ).rowcount
            if changed != 1:
                raise Moved
            self._recorder._insert_tracking(cursor, Tracking(name, new))
            yield db

    # -- reading ---------------------------------------------------------------------------------------------

    def digests(self, generation: int | None = None) -> dict[str, str]:
        """One digest a view, over all its rows in canonical order: equal for equal readings, however they
        came."""
        tables = self.tables(self.generation if generation is None else generation)
        with contextlib.closing(connect(self.path)) as db:
            db.execute("BEGIN")
            return {view.name: digest(view.rows(db, tables)) for view in self.views}


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection for readers. `ConfigurationError` where there are no views yet."""
    try:
        connection = sqlite3.connect(
            f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
        connection.execute("SELECT 1 FROM generations").fetchone()
    except sqlite3.Error as error:
        raise ConfigurationError(f"no views at {path} yet: run the ledger once ({error})") from error
    return connection


def applied(db: sqlite3.Connection) -> Mapping[str, int]:
    """How many entries of each shard the current reading holds, by origin."""
    rows = db.execute(
        "SELECT p.tracking, p.position FROM progress p JOIN generations g ON g.generation = p.generation"
        " WHERE g.current = 1"
    )
    return {name.rpartition("@")[0]: position for name, position in rows}
