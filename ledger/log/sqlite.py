"""The log in a directory: three SQLite files a shard, for one machine.

After `submit` or `append` returns, the batch survives `kill -9` and a power cut of this machine, if its
disk does what `fsync` asks (write-ahead log, `synchronous=FULL`, set and read back). It does not survive
the loss of the disk: keep a second copy.

    <path>/<shard>/submissions.db   what producers and registrars handed in; pruned after 14 days
    <path>/<shard>/ledger.db        the ledger partition; nothing is ever removed
    <path>/<shard>/receipts.db      newest receipt of each feed, and dead letters; can be made again

Any number of processes may write: SQLite serialises them. Each write transaction, with the checkpoint of
the write-ahead log that it may set off, also holds a lock on `<file>.lock`: SQLite before 3.51.3 could lose
a commit when one process checkpoints in the instant in which another writes. A lock on a file also wakes
the next writer sooner than SQLite's own waiting does.

Threads share two connections a file, one that writes and one that reads, each behind its own lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from ledger.errors import ConfigurationError, LogDamaged, LogDrifted, LogUnavailable
from ledger.log.config import LogConfig
from ledger.log.records import DeadLetter, Record, Role, Submission, Submitted, What, check_sizes

T = TypeVar("T")

APPLICATION_ID: Final = 0x64756563  # "duec"
FORMAT: Final = 1
PAGE_BYTES: Final = 8192
# 16 MiB of write-ahead log between checkpoints: a bulk import then writes each full page to the file about
# once.
WAL_PAGES: Final = 2048
DAY_US: Final = 86_400_000_000
SUBMISSIONS_KEPT_US: Final = 14 * DAY_US
DEAD_LETTERS_KEPT_US: Final = 30 * DAY_US
# A waiting reader looks this often: 0.2 ms after something moved, 5 ms when nothing does.
POLL_FIRST_S: Final = 0.0002
POLL_LAST_S: Final = 0.005

SCHEMAS: Final[dict[str, str]] = {
    "submissions": """
        CREATE TABLE submissions (
            position INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, arrived_us INTEGER NOT
            NULL, proof BLOB NOT NULL, wrapped_keys BLOB NOT NULL, value BLOB NOT NULL
        ) STRICT;
    """,
    "ledger": """
        CREATE TABLE records (position INTEGER PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL) STRICT;
    """,
    "receipts": """
        CREATE TABLE receipts (feed TEXT PRIMARY KEY, receipt BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE dead_letters (
            position INTEGER PRIMARY KEY, reason TEXT NOT NULL, put_us INTEGER NOT NULL, kind TEXT NOT NULL,
            subject TEXT NOT NULL, arrived_us INTEGER NOT NULL, proof BLOB NOT NULL, wrapped_keys BLOB NOT
            NULL, value BLOB NOT NULL
        ) STRICT;
    """,
}
META: Final = """
    CREATE TABLE log_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# Connections that came through a fork are the parent's. Closing them here could checkpoint under the
# parent's feet.
_inherited: list[sqlite3.Connection] = []


def _errors_meaning(error: sqlite3.Error, doing: str, cursor: int | None = None) -> Exception:
    """What a catcher should do about an error of SQLite's. The text is SQLite's own and holds no values."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LogDamaged(f"{doing}: {error}", cursor)
    hint = {
        sqlite3.SQLITE_FULL: "the disk is full: make room",
        sqlite3.SQLITE_IOERR: "the disk reported an error: look at the system's messages before going on",
        sqlite3.SQLITE_READONLY: "the file cannot be written: look at its owner and mode",
        sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: was it moved or deleted?",
        sqlite3.SQLITE_BUSY: "another process holds the file: is one stopped in the middle of a write?",
    }.get(primary if primary is not None else -1, "see the cause")
    return LogUnavailable(f"{doing}: {error}; {hint}")


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _File:
    """One SQLite file of a shard: one writing and one reading connection, opened when first needed."""

    def __init__(self, path: Path, shard: int, *, writable: bool, timeout_s: float) -> None:
        self.path = path
        self._shard = shard
        self._writable = writable
        self._timeout_s = timeout_s
        self._pid = os.getpid()
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._lock_handle = -1
        self._closed = False
        if not path.is_file():
            raise ConfigurationError(f"no log at {path}: make it with `duecourse init`, or mend log.path")

    # -- connections ---------------------------------------------------------------------------------------

    def _connect(self, *, writing: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=32,
        )
        try:
            self._configure(connection, writing=writing)
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: sqlite3.Connection, *, writing: bool) -> None:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA fullfsync=ON")
        connection.execute("PRAGMA checkpoint_fullfsync=ON")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES if writing else 0}")
        if not writing:
            connection.execute("PRAGMA query_only=ON")
        expected = {
            "application_id": APPLICATION_ID,
            "user_version": FORMAT,
            "journal_mode": "wal",
            "synchronous": 2,
            "query_only": 0 if writing else 1,
        }
        for name, value in expected.items():
            found = connection.execute(f"PRAGMA {name}").fetchone()[0]
            if found != value:
                raise LogDrifted(f"{self.path}: {name} is {found}, and must be {value}")
        row = connection.execute("SELECT value FROM log_meta WHERE name = 'shard'").fetchone()
        if row is None or row[0] != self._shard:
            found = "nothing" if row is None else row[0]
            raise LogDrifted(
                f"{self.path}: shard is {found}, and must be {self._shard}: were files exchanged?"
            )

    def _usable(self) -> None:
        if self._closed:
            raise LogUnavailable(f"{self.path}: this log is closed; open it again")
        if self._pid != os.getpid():
            raise LogUnavailable(f"{self.path}: opened before fork(); call reopen() in this process")

    def read(self, work: Callable[[sqlite3.Connection], T], cursor: int | None = None) -> T:
        """Runs `work` on the reading connection. One statement is one consistent look."""
        with self._read_lock:
            self._usable()
            try:
                if self._reader is None:
                    self._reader = self._connect(writing=False)
                return work(self._reader)
            except sqlite3.Error as error:
                self._drop_reader()
                raise _errors_meaning(error, f"reading {self.path}", cursor) from error

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in one transaction; committed and synced on return, or an error and a connection
        thrown away."""
        with self._write_lock:
            self._usable()
            if not self._writable:
                raise LogUnavailable(f"{self.path}: opened for reading only; open it in another role")
            with self._across_processes():
                try:
                    if self._writer is None:
                        self._writer = self._connect(writing=True)
                    connection = self._writer
                    connection.execute("BEGIN IMMEDIATE")
                    result = work(connection)
                    connection.execute("COMMIT")
                except sqlite3.Error as error:
                    self._drop_writer()
                    raise _errors_meaning(error, f"writing {self.path}") from error
                except BaseException:
                    self._drop_writer()
                    raise
                # From here the batch is safe: the write-ahead log was synced before COMMIT returned.
                return result

    @contextlib.contextmanager
    def _across_processes(self) -> Iterator[None]:
        if self._lock_handle < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            try:
                self._lock_handle = os.open(f"{self.path}.lock", flags, 0o600)
            except OSError as error:
                raise LogUnavailable(f"writing {self.path}.lock: {error.strerror}") from error
        deadline = time.monotonic() + self._timeout_s
        pause = 0.0001
        while True:
            try:
                fcntl.flock(self._lock_handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LogUnavailable(
                        f"{self.path}: another process has been writing for {self._timeout_s:g} s; is one"
                        " stopped?"
                    ) from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.002)
        try:
            yield
        finally:
            fcntl.flock(self._lock_handle, fcntl.LOCK_UN)

    def _drop_writer(self) -> None:
        connection, self._writer = self._writer, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _drop_reader(self) -> None:
        connection, self._reader = self._reader, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._pid != os.getpid():
            _inherited.extend(c for c in (self._writer, self._reader) if c is not None)
            self._writer = self._reader = None
        else:
            with self._read_lock:
                self._drop_reader()
            with self._write_lock:
                self._drop_writer()
        if self._lock_handle >= 0:
            os.close(self._lock_handle)
            self._lock_handle = -1


class SqliteLog:
    """`ledger.log.port.ShardLog` on three SQLite files. Cursors count from 0 without a gap."""

    def __init__(self, config: LogConfig, shard: int, role: Role) -> None:
        assert config.path is not None
        self._directory = config.path / str(shard)
        self._shard = shard
        self._role = role
        self._timeout_s = config.timeout_s
        self._must_reopen = False
        self._open()

    @property
    def shard(self) -> int:
        return self._shard

    def _open(self) -> None:
        def file(name: str, *writers: Role) -> _File:
            path = self._directory / f"{name}.db"
            return _File(path, self._shard, writable=self._role in writers, timeout_s=self._timeout_s)

        self._submissions = file("submissions", "producer", "sequencer")
        self._ledger = file("ledger", "sequencer")
        self._receipts = file("receipts", "sequencer")
        try:
            for one in (self._submissions, self._ledger, self._receipts):
                one.read(lambda connection: connection.execute("SELECT 1").fetchone())
        except BaseException:
            self.close()
            raise

    # -- submissions ---------------------------------------------------------------------------------------

    def submit(self, batch: Sequence[Submission]) -> None:
        check_sizes(len(s.value) + len(s.proof) + len(s.wrapped_keys) + len(s.subject) for s in batch)
        if not batch:
            return

        def work(connection: sqlite3.Connection) -> None:
            position = _next_submission(connection)
            # Taken inside the transaction: the order of arrival times is then, clock permitting, the order
            # of rows.
            now_us = time.time_ns() // 1000
            connection.executemany(
                "INSERT INTO submissions (position, kind, subject, arrived_us, proof, wrapped_keys, value)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (position + i, s.kind, s.subject, now_us, s.proof, s.wrapped_keys, s.value)
                    for i, s in enumerate(batch)
                ],
            )

        self._submissions.write(work)

    def submissions(self, cursor: int, limit: int) -> list[Submitted]:
        def work(connection: sqlite3.Connection) -> list[Submitted]:
            rows = connection.execute(
                "SELECT position, subject, value, proof, wrapped_keys, kind, arrived_us FROM submissions"
                " WHERE position >= ? ORDER BY position LIMIT ?",
                (cursor, limit),
            )
            return _readable(map(Submitted._make, rows))

        found = self._submissions.read(work, cursor)
        if not found:
            _check_beyond("submissions", cursor, self.submissions_end())
        return found

    def submissions_end(self) -> int:
        return self._submissions.read(_next_submission)

    # -- the ledger partition ------------------------------------------------------------------------------

    def append(self, records: Sequence[tuple[str, bytes]]) -> None:
        check_sizes(len(kind) + len(value) for kind, value in records)
        if self._must_reopen:
            raise LogUnavailable("an append failed before: call reopen(), and read back what is there")
        if not records:
            return

        def work(connection: sqlite3.Connection) -> None:
            position = _next_record(connection)
            connection.executemany(
                "INSERT INTO records (position, kind, value) VALUES (?, ?, ?)",
                [(position + i, kind, value) for i, (kind, value) in enumerate(records)],
            )

        try:
            self._ledger.write(work)
        except BaseException:
            self._must_reopen = True
            raise

    def records(self, cursor: int, limit: int) -> list[Record]:
        def work(connection: sqlite3.Connection) -> list[Record]:
            rows = connection.execute(
                "SELECT position, kind, value FROM records WHERE position >= ? ORDER BY position LIMIT ?",
                (cursor, limit),
            )
            return _readable(map(Record._make, rows))

        found = self._ledger.read(work, cursor)
        if not found:
            _check_beyond("ledger", cursor, self.end())
        elif found[0].cursor != cursor:
            raise LogDamaged(f"{self._ledger.path}: a row is missing at {cursor}", cursor)
        elif found[-1].cursor != cursor + len(found) - 1:
            # Hand out what is whole; the next call begins at the hole and says so.
            found = [record for i, record in enumerate(found) if record.cursor == cursor + i]
        return found

    def end(self) -> int:
        return self._ledger.read(_next_record)

    def wait(self, cursor: int, what: What, timeout_s: float) -> bool:
        file, query = (
            (self._ledger, _next_record) if what == "records" else (self._submissions, _next_submission)
        )
        deadline = time.monotonic() + timeout_s
        pause = POLL_FIRST_S
        while file.read(query) <= cursor:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, POLL_LAST_S)
        return True

    # -- receipts and dead letters -------------------------------------------------------------------------

    def put_receipts(self, receipts: Mapping[str, bytes]) -> None:
        check_sizes(len(feed) + len(receipt) for feed, receipt in receipts.items())
        if receipts:
            rows = list(receipts.items())
            self._receipts.write(
                lambda connection: connection.executemany(
                    "INSERT OR REPLACE INTO receipts VALUES (?, ?)", rows
                )
            )

    def receipts(self) -> dict[str, bytes]:
        return self._receipts.read(
            lambda connection: dict(connection.execute("SELECT feed, receipt FROM receipts").fetchall())
        )

    def receipt(self, feed: str) -> bytes | None:
        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT receipt FROM receipts WHERE feed = ?", (feed,)).fetchone()
            return None if row is None else bytes(row[0])

        return self._receipts.read(work)

    def put_dead_letter(self, submitted: Submitted, reason: str) -> None:
        s = submitted
        row = (
            s.cursor,
            reason,
            time.time_ns() // 1000,
            s.kind,
            s.subject,
            s.arrived_us,
            s.proof,
            s.wrapped_keys,
            s.value,
        )
        self._receipts.write(
            lambda connection: connection.execute(
                "INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )
        )

    def dead_letters(self, limit: int = 1000) -> list[DeadLetter]:
        def work(connection: sqlite3.Connection) -> list[DeadLetter]:
            rows = connection.execute(
                "SELECT reason, position, subject, value, proof, wrapped_keys, kind, arrived_us"
                " FROM dead_letters ORDER BY position LIMIT ?",
                (limit,),
            )
            return [DeadLetter(row[0], Submitted(*row[1:])) for row in rows]

        return self._receipts.read(work)

    def dead_letter_count(self) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return int(connection.execute("SELECT count(*) FROM dead_letters").fetchone()[0])

        return self._receipts.read(work)

    # -- upkeep --------------------------------------------------------------------------------------------

    def prune(self, now_us: int, below: int) -> int:
        def submissions(connection: sqlite3.Connection) -> int:
            # The next cursor must not fall back when the table is empty.
            connection.execute(
                "INSERT OR REPLACE INTO log_meta VALUES ('next_submission', ?)",
                (_next_submission(connection),),
            )
            return connection.execute(
                "DELETE FROM submissions WHERE position < ? AND arrived_us < ?",
                (below, now_us - SUBMISSIONS_KEPT_US),
            ).rowcount

        def dead_letters(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM dead_letters WHERE put_us < ?", (now_us - DEAD_LETTERS_KEPT_US,)
            ).rowcount

        return self._submissions.write(submissions) + self._receipts.write(dead_letters)

    def check(self) -> list[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            return [row[0] for row in connection.execute("PRAGMA quick_check").fetchall()]

        complaints: list[str] = []
        for file in (self._submissions, self._ledger, self._receipts):
            try:
                found = file.read(work)
            except LogDamaged as error:
                found = [str(error)]
            complaints += [f"{file.path.name}: {line}" for line in found if line != "ok"]
        return complaints

    def reopen(self) -> None:
        self.close()
        self._open()
        self._must_reopen = False

    def close(self) -> None:
        for file in (self._submissions, self._ledger, self._receipts):
            file.close()


def _readable(rows: Iterator[T]) -> list[T]:
    """As many rows as can be read before a damaged page; the error itself if there is none before it."""
    found: list[T] = []
    try:
        for row in rows:
            found.append(row)  # noqa: PERF402 - what was read before an error is kept
    except sqlite3.DatabaseError as error:
        if not found or getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
    return found


def _next_record(connection: sqlite3.Connection) -> int:
    last = connection.execute("SELECT max(position) FROM records").fetchone()[0]
    return 0 if last is None else int(last) + 1


def _next_submission(connection: sqlite3.Connection) -> int:
    last = connection.execute("SELECT max(position) FROM submissions").fetchone()[0]
    if last is not None:
        return int(last) + 1
    row = connection.execute("SELECT value FROM log_meta WHERE name = 'next_submission'").fetchone()
    return 0 if row is None else int(row[0])


def _check_beyond(name: str, cursor: int, end: int) -> None:
    if cursor > end:
        raise LogDrifted(
            f"{name}: the log ends at {end}, and {cursor} was already read from it: an older copy was put in"
            " its place"
        )


def create_sqlite_log(config: LogConfig) -> None:
    """Makes the directory (0700) and the files (0600) of every shard, synced with their directories."""
    assert config.path is not None
    try:
        config.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for shard in range(config.shards):
            directory = config.path / str(shard)
            directory.mkdir(mode=0o700, exist_ok=True)
            for name in SCHEMAS:
                if not (directory / f"{name}.db").exists():
                    _create_file(directory, name, shard)
            _sync_directory(directory)
        _sync_directory(config.path)
        _sync_directory(config.path.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot make the log at {config.path}: {error.strerror}") from error
    for shard in range(config.shards):
        SqliteLog(config, shard, "sequencer").close()


def _create_file(directory: Path, name: str, shard: int) -> None:
    """Written under another name and renamed when whole: a crash in between leaves no half file under its
    name."""
    fresh = directory / f".{name}.db.new"
    for leftover in directory.glob(f".{name}.db.new*"):
        leftover.unlink()
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection: Any = sqlite3.connect(fresh, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT}")
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMAS[name]} {META} COMMIT;")
        connection.execute("INSERT INTO log_meta VALUES ('shard', ?)", (shard,))
    except sqlite3.Error as error:
        raise ConfigurationError(f"cannot make {directory / name}.db: {error}") from error
    finally:
        connection.close()
    handle = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(directory / f"{name}.db")
