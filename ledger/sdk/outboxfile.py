"""The file under an outbox: made once, locked by one process, and never silently begun anew.

Three files: `outbox.db` (SQLite), `outbox.db.marker` (which outbox belongs here) and `outbox.db.lock`. A marker
without its database means that events were lost, and is refused. Trusted for durability: SQLite in WAL with
`synchronous=FULL`, both read back after they are set, on a disk that honours a flush."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from ledger.errors import (
    ConfigurationError,
    NotRecorded,
    OutboxBusy,
    OutboxCorrupt,
    OutboxFull,
    OutboxUnwritable,
)

FORMAT: Final = "duecourse outbox 1"
# The place of an event in the table: its shard above, its seq below. A feed has room for 10^12 events.
SEQ_BITS: Final = 40
# Pages of WAL before they are moved into the database: about 8 MB, a few milliseconds' work.
CHECKPOINT_PAGES: Final = 2000

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE feeds (
    shard INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL, head BLOB NOT NULL, chain BLOB NOT NULL,
    base_seq INTEGER NOT NULL, base_head BLOB NOT NULL, base_chain BLOB NOT NULL,
    receipt BLOB NOT NULL, mac BLOB NOT NULL
) STRICT;
CREATE TABLE events (
    place INTEGER PRIMARY KEY, event BLOB NOT NULL, wrapped BLOB NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE TABLE bookmarks (name TEXT PRIMARY KEY, value BLOB NOT NULL, mac BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE cursors (shard INTEGER PRIMARY KEY, cursor INTEGER NOT NULL) STRICT;
CREATE TABLE rejections (
    place INTEGER PRIMARY KEY, code TEXT NOT NULL, event BLOB NOT NULL, wrapped BLOB NOT NULL,
    handed INTEGER NOT NULL
) STRICT;
CREATE TABLE alarms (
    number INTEGER PRIMARY KEY, raised TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    note BLOB NOT NULL, UNIQUE (kind, detail, note)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose outbox it is. An outbox belongs to one epoch of one producer in one ledger."""

    producerid: str
    epoch: int
    ledger: str
    shards: int
    tenant_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An outbox file held by this process alone, until `release`."""

    path: Path
    outbox_id: str
    connection: sqlite3.Connection
    lock: int


def marker_path(path: Path) -> Path:
    return path.with_name(path.name + ".marker")


def lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def wal_path(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def translate(error: sqlite3.Error, path: Path) -> NotRecorded:
    """What SQLite said, as an error that tells the caller what became of the event."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return OutboxFull(f"{path}: no room on the disk. NOT recorded; try again when there is room")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutboxBusy(f"{path}: another program holds the file ({name}). NOT recorded")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT):
        return OutboxCorrupt(f"{path}: the file does not read as it was written ({name}). NOT recorded")
    if primary == sqlite3.SQLITE_ERROR:
        return OutboxCorrupt(f"{path}: the file lacks a table of an outbox ({name}). NOT recorded")
    return OutboxUnwritable(f"{path}: cannot be written ({name}). NOT recorded; mend it and open again")


def is_io_failure(error: sqlite3.Error) -> bool:
    """True where it cannot be known from the error whether the transaction is on disk."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_IOERR


def sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with every setting that durability hangs on, set and read back."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=5.0,
        cached_statements=64,
    )
    try:
        _configure(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
        return
    if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
        raise OutboxUnwritable(f"{path}: SQLite cannot use its write-ahead log there; choose a local disk")
    for name, value in (
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ):
        connection.execute(f"PRAGMA {name}={value}")
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != value:
            raise OutboxUnwritable(f"{path}: SQLite did not take {name}={value}; nothing would be durable")


def hold_lock(path: Path) -> int:
    """One writer per outbox, over all processes and within one. Gone with the process, however it ends."""
    name = lock_path(path)
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutboxUnwritable(f"{name}: {error.strerror}. NOT recorded; mend it and open again") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise OutboxBusy(
            f"{path}: another recorder has it open. NOT recorded; give each process an outbox of its own"
        ) from error
    return handle


def open_file(path: Path, identity: Identity) -> OpenFile:
    """Locks and opens the outbox at `path`; makes it if there was never one.

    Raises `OutboxBusy`, `OutboxUnwritable`, `OutboxCorrupt`, or `ConfigurationError` where the outbox is another
    producer's or another epoch's."""
    if not path.parent.is_dir():
        raise ConfigurationError(f"outbox: there is no directory {path.parent}")
    lock = hold_lock(path)
    try:
        outbox_id = _settle(path, identity)
        connection = connect(path)
        try:
            _check_meta(connection, path, outbox_id, identity)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        os.close(lock)
        raise translate(error, path) from error
    except BaseException:
        os.close(lock)
        raise
    return OpenFile(path, outbox_id, connection, lock)


def _settle(path: Path, identity: Identity) -> str:
    """Decides whether there is an outbox, was one, or never was one. Returns its id."""
    marker = _read_marker(marker_path(path))
    if path.exists():
        if path.stat().st_size == 0:
            # Opening it would write a header into it, and what happened would be harder to see.
            raise OutboxCorrupt(f"{path}: the file is empty. NOT recorded; put the right file back")
        if marker is not None:
            return str(marker["outbox"])
        return _adopt_unmarked(path, identity)
    if marker is not None and int(str(marker["epoch"])) >= identity.epoch:
        raise OutboxCorrupt(
            f"{path}: the outbox of epoch {marker['epoch']} is gone, and with it events that may not have been"
            " delivered. NOT recorded; put the file back, or ask the registrars for a new epoch and set `epoch`"
        )
    for leftover in (wal_path(path), path.with_name(path.name + "-shm")):
        if leftover.exists():
            raise OutboxCorrupt(
                f"{leftover} is there without its database. NOT recorded; keep it, and see above"
            )
    return _create(path, identity)


def _create(path: Path, identity: Identity) -> str:
    outbox_id = str(uuid4())
    draft = path.with_name(path.name + ".new")
    for old in (draft, wal_path(draft), draft.with_name(draft.name + "-shm")):
        old.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA page_size=4096")
            connection.execute("PRAGMA synchronous=EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.executemany("INSERT INTO meta VALUES (?, ?)", _meta(outbox_id, identity))
            connection.execute("COMMIT")
        finally:
            connection.close()
        # The marker may be missing only while the outbox is empty: the database takes its place first.
        draft.rename(path)
        sync_directory(path.parent)
        _write_marker(path, outbox_id, identity)
    except OSError as error:
        raise OutboxUnwritable(f"{path}: {error.strerror}. NOT recorded; mend it and open again") from error
    return outbox_id


def _adopt_unmarked(path: Path, identity: Identity) -> str:
    """A database without a marker: creation was interrupted, or somebody removed the marker."""
    connection = connect(path, read_only=True)
    try:
        found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        used = connection.execute("SELECT count(*) FROM feeds").fetchone()[0]
    finally:
        connection.close()
    if used:
        raise OutboxCorrupt(
            f"{marker_path(path)} is missing: this may be a copy of an outbox that is used elsewhere."
            " NOT recorded; put the marker back beside the file it belongs to"
        )
    outbox_id = bytes(found.get("outbox", b"")).decode("ascii", "replace")
    _write_marker(path, outbox_id, identity)
    return outbox_id


def _meta(outbox_id: str, identity: Identity) -> Sequence[tuple[str, bytes]]:
    return (
        ("epoch", str(identity.epoch).encode()),
        ("format", FORMAT.encode()),
        ("ledger", identity.ledger.encode()),
        ("outbox", outbox_id.encode()),
        ("producer", identity.producerid.encode()),
        ("shards", str(identity.shards).encode()),
    )


def _check_meta(connection: sqlite3.Connection, path: Path, outbox_id: str, identity: Identity) -> None:
    found = {str(name): bytes(value) for name, value in connection.execute("SELECT name, value FROM meta")}
    if found.get("outbox") != outbox_id.encode():
        raise OutboxCorrupt(f"{path}: this is not the outbox that its marker names. NOT recorded")
    if found.get("format") != FORMAT.encode():
        raise ConfigurationError(f"{path}: written by another version of the SDK; this one reads {FORMAT!r}")
    for name, expected in _meta(outbox_id, identity):
        if found.get(name) != expected:
            there = found.get(name, b"").decode("utf-8", "replace")
            hint = "; a new epoch begins in a new outbox file" if name == "epoch" else ""
            raise ConfigurationError(
                f"{path}: this outbox is of {name} {there!r}, the settings say {expected.decode()!r}{hint}"
            )
    result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise OutboxCorrupt(f"{path}: SQLite finds the file damaged. NOT recorded; keep it as evidence")


def _read_marker(path: Path) -> dict[str, object] | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise OutboxUnwritable(f"{path}: cannot be read. NOT recorded; mend it and open again") from error
    try:
        marker = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OutboxCorrupt(f"{path}: the marker does not read as one. NOT recorded") from error
    if not isinstance(marker.get("outbox"), str) or not isinstance(marker.get("epoch"), int):
        raise OutboxCorrupt(f"{path}: the marker does not read as one. NOT recorded")
    return marker


def _write_marker(path: Path, outbox_id: str, identity: Identity) -> None:
    marker = marker_path(path)
    draft = marker.with_name(marker.name + ".new")
    text = (
        "# Says which outbox belongs here. Keep it beside the file; without it the outbox is refused.\n"
        f'outbox = "{outbox_id}"\nproducer = "{identity.producerid}"\nepoch = {identity.epoch}\n'
    )
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if marker.exists():
        # A lost outbox was confessed by a new epoch; its marker stays as a trace of it.
        with contextlib.suppress(OSError):
            marker.rename(marker.with_name(f"{marker.name}.before-epoch-{identity.epoch}"))
    draft.rename(marker)
    sync_directory(path.parent)
