"""The vault in one SQLite file, mode 0600, for one machine.

After `store` returns, the keys survive `kill -9` and a power cut, if the disk does what `fsync` asks
(write-ahead log, `synchronous=FULL`, set and read back). After `erase` returns, the wrapped bytes are in
neither the database nor its journals: deleted content is overwritten (`secure_delete`), the journal is
emptied, the file is written anew. Not promised: what a file system, an SSD or a backup kept of the blocks
before. A wrapped key that is found there still takes the vault key to open.

Threads share one connection behind a lock. Processes may share the file: a write holds `<file>.lock`,
because SQLite before 3.51.3 could lose a commit when another process empties the journal in the same
instant."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from ledger.custody.wrapping import WrappedKey
from ledger.errors import VaultError
from ledger.vault.port import StoredKey, VaultStatus

APPLICATION_ID: Final = 0x64756576  # "duev"
FORMAT: Final = 1
BUSY_TIMEOUT_S: Final = 10.0

# Name, what it is set to, and what SQLite says when it has taken it.
_SETTINGS: Final = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("temp_store", "MEMORY", 2),
    ("trusted_schema", "OFF", 0),
)
_SCHEMA: Final = (
    # `id` is the digest of a key's purpose and wrapped bytes: the same key twice is one row.
    """CREATE TABLE keys (
        place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, origin TEXT NOT NULL, producerid TEXT NOT NULL,
        key_id TEXT NOT NULL, stream TEXT NOT NULL, party TEXT NOT NULL, wrapped BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX keys_by_stream ON keys (stream, place)",
    # What was erased stays known by its digest, so that a submission that comes again brings nobody back.
    """CREATE TABLE erased (
        id BLOB PRIMARY KEY, stream TEXT NOT NULL, party TEXT NOT NULL, erased_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX erased_by_stream ON erased (stream)",
    # 1 from the moment in which keys were deleted until no byte of them is left in any file.
    "CREATE TABLE cleaning (pending INTEGER NOT NULL) STRICT",
    "INSERT INTO cleaning VALUES (0)",
)

# Connections that came through a fork are the parent's: closing them here would act under the parent's feet.
_inherited: list[sqlite3.Connection] = []


def _identity(stored: StoredKey) -> bytes:
    return hashlib.sha256(stored.info + stored.key.wrapped).digest()


class SqliteVault:
    """A `Vault` in the file `path`; made where it is missing, unless `create` is False."""

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True) -> None:
        self._path = Path(path)
        self._mutex = threading.RLock()
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = None
        if not create and not self._path.is_file():
            raise VaultError(f"there is no vault at {self._path}")
        with self._meaning("open the vault"):
            # SQLite gives its journals the mode of the database: nobody else ever reads a byte of them.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._lock_file = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._meaning("open the vault"):
                self._connection = self._connect()
            with self._writing("open the vault") as connection:
                self._prepare(connection)
            if self._read("SELECT pending FROM cleaning", ())[0][0]:
                self._clean()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            for name, value, wanted in _SETTINGS:
                self._set(connection, name, value, wanted)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set(self, connection: sqlite3.Connection, name: str, value: str, wanted: str | int) -> None:
        connection.execute(f"PRAGMA {name}={value}")
        if connection.execute(f"PRAGMA {name}").fetchone()[0] != wanted:
            raise VaultError(f"SQLite does not keep {name}={value} for {self._path}")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if (application, version) == (APPLICATION_ID, FORMAT):
            return
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] or application or version:
            raise VaultError(f"{self._path} is not a vault of this release")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT}")

    @contextlib.contextmanager
    def _meaning(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            # The text is that of SQLite or of the system: it names files and columns, never values.
            raise VaultError(f"could not {doing}: {error}") from error

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise VaultError("the vault is closed")
        if os.getpid() != self._process:
            raise VaultError("this vault was opened before a fork: open it again in each process")
        return self._connection

    @contextlib.contextmanager
    def _writing(self, doing: str) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing, durable when it has ended; the only writer meanwhile."""
        with self._mutex, self._meaning(doing):
            connection = self._open_connection()
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _read(self, query: str, values: Sequence[Any]) -> list[Any]:
        with self._mutex, self._meaning("read the vault"):
            return self._open_connection().execute(query, values).fetchall()

    def store(self, keys: Sequence[StoredKey]) -> int:
        """See `Vault.store`."""
        if not keys:
            return 0
        rows = [
            (_identity(s), s.origin, s.producerid, s.key.key_id, s.key.stream, s.key.party, s.key.wrapped)
            for s in keys
        ]
        with self._writing("store keys") as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO keys (id, origin, producerid, key_id, stream, party, wrapped)"
                " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM erased WHERE id = ?1)"
                " ON CONFLICT (id) DO NOTHING",
                rows,
            )
            return connection.total_changes - before

    def keys_of(self, stream: str) -> list[StoredKey]:
        """See `Vault.keys_of`."""
        rows = self._read(
            "SELECT origin, producerid, key_id, party, stream, wrapped FROM keys"
            " WHERE stream = ? ORDER BY place DESC",
            (stream,),
        )
        return [
            StoredKey(r[0], r[1], WrappedKey(key_id=r[2], party=r[3], stream=r[4], wrapped=r[5]))
            for r in rows
        ]

    def erased_of(self, stream: str) -> int:
        """See `Vault.erased_of`."""
        return int(self._read("SELECT count(*) FROM erased WHERE stream = ?", (stream,))[0][0])

    def erase(self, stream: str, party: str | None, erased_at: str) -> int:
        """See `Vault.erase`."""
        which, values = (
            ("stream = ?", (stream,)) if party is None else ("stream = ? AND party = ?", (stream, party))
        )
        with self._mutex:
            with self._writing("erase keys") as connection:
                connection.execute(
                    f"INSERT INTO erased (id, stream, party, erased_at) SELECT id, stream, party, ? FROM keys"
                    f" WHERE {which}",
                    (erased_at, *values),
                )
                destroyed = connection.execute(f"DELETE FROM keys WHERE {which}", values).rowcount
                connection.execute("UPDATE cleaning SET pending = 1")
            # From here the keys are gone for every reader; what is left of them in the files goes now, or,
            # should this process die, when the vault is opened next.
            self._clean()
        return destroyed

    def _clean(self) -> None:
        with self._mutex, self._meaning("clean the vault's files after an erasure"):
            connection = self._open_connection()
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                self._empty_journal(connection)
                connection.execute("VACUUM")
                self._empty_journal(connection)
                connection.execute("UPDATE cleaning SET pending = 0")
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _empty_journal(self, connection: sqlite3.Connection) -> None:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise VaultError("the keys are erased, but a reader holds the journal: end it, and call again")

    def status(self) -> VaultStatus:
        """See `Vault.status`."""
        keys, streams, parties, erased = self._read(
            "SELECT (SELECT count(*) FROM keys), (SELECT count(DISTINCT stream) FROM keys),"
            " (SELECT count(*) FROM (SELECT DISTINCT stream, party FROM keys)),"
            " (SELECT count(*) FROM erased)",
            (),
        )[0]
        return VaultStatus(keys=keys, erased=erased, streams=streams, parties=parties)

    def close(self) -> None:
        """See `Vault.close`."""
        with self._mutex:
            if self._connection is not None and os.getpid() == self._process:
                self._connection.close()
            elif self._connection is not None:
                _inherited.append(self._connection)
            self._connection = None
            if self._lock_file >= 0:
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqliteVault({str(self._path)!r})"
