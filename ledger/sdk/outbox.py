"""The durable outbox: an event is on this machine's disk before `append` returns, until a signed receipt
covers it.

Promises: what was confirmed survives `kill -9`, a crash and a power cut, as far as the disk honours a
flush; each feed's seqs have no hole; an edited, removed or added row is found on opening and before sending
(`rows.py`). An older copy of the whole file looks whole: only receipts tell (`delivery.py`).

Threads that record at the same moment share one transaction and one flush of the disk. A process that
forked after opening is refused."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, TypeVar

from ledger.custody.wrapping import WrappedKey, encode_header
from ledger.errors import (
    NotRecorded,
    OutboxBusy,
    OutboxClosed,
    OutboxCorrupt,
    OutboxFull,
    OutboxUnwritable,
)
from ledger.kernel import digest
from ledger.sdk.ids import derive_outbox_key
from ledger.sdk.outboxfile import Identity, connect, is_io_failure, open_file, translate, wal_path
from ledger.sdk.rows import Feed, Row, Rows, place, stored

T = TypeVar("T")

# Threads that wait for the disk together share a transaction of at most so many events.
GROUP_EVENTS_MAX: Final = 2048
# Rows removed in one transaction: some milliseconds, in which record() waits.
RELEASE_ROWS: Final = 1000
# 45 events/s for six hours of outage; at 1 kB each about a gigabyte on disk.
EVENTS_MAX: Final = 1_000_000

# Connections that a forked child inherited: never used there, nor closed. SQLite's locks are the parent's.
_inherited: list[sqlite3.Connection] = []
_open_outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()


class TravellingKey(Protocol):
    """A protecting key that has to travel, wrapped, with the first event that uses it in a shard."""

    recorded_in: set[int]


@dataclass(slots=True, eq=False)
class Draft:
    """An event that is complete but for its place in the feed: `before` ends where the value of
    `producerprev` begins, `after` begins behind that of `producerseq`. `keys` are wrapped keys that must
    travel with it, unless an earlier event has them. `append` fills in `seq` and `digest`."""

    shard: int
    before: bytes
    after: bytes
    keys: Sequence[tuple[TravellingKey, WrappedKey]] = ()
    seq: int = -1
    digest: bytes = b""

    def event_bytes(self, head: bytes, seq: int) -> bytes:
        """The event in its place: behind the event with digest `head`, as number `seq`."""
        return b'%b%b","producerseq":"%020d%b' % (self.before, head.hex().encode(), seq, self.after)


@dataclass(slots=True, eq=False)
class _Job:
    drafts: Sequence[Draft]
    bookmark: tuple[str, bytes] | None
    error: NotRecorded | None = None
    done: bool = False


class Outbox:
    """The one writer of an outbox file. Any thread of the process that opened it may call any method."""

    def __init__(self, path: Path, identity: Identity, *, events_max: int = EVENTS_MAX) -> None:
        """Opens, or makes, the outbox at `path`, and checks every row. Errors: see `outboxfile.open_file`."""
        self._path = path
        # As text: they are looked at in every transaction, and a Path costs more than the look.
        self._names = (str(path), str(wal_path(path)))
        self._events_max = events_max
        self._pid = os.getpid()
        self._queue: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._failed: NotRecorded | None = None
        self._closed = False
        self._reader: sqlite3.Connection | None = None
        self._feeds: dict[int, Feed] = {}
        self._pending = 0
        self._data_version = 0
        self._files: tuple[tuple[int, int], ...] = ()
        self.on_append: Callable[[], None] | None = None

        held = open_file(path, identity)
        self._lock_handle = held.lock
        self._writer = held.connection
        self._rows = Rows(path, derive_outbox_key(identity.tenant_key, held.outbox_id))
        try:
            self._begin()
            self._reader = connect(path, read_only=True)
        except sqlite3.Error as error:
            self._release_files()
            raise translate(error, path) from error
        except BaseException:
            self._release_files()
            raise
        _open_outboxes.add(self)

    def __repr__(self) -> str:
        return f"Outbox({str(self._path)!r}, pending={self._pending})"

    @property
    def path(self) -> Path:
        return self._path

    @property
    def pending(self) -> int:
        """How many events no receipt covers yet."""
        return self._pending

    # -- opening, failing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Reads and checks everything, and proves that the file takes a write."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            self._load(every_row=True)
            self._writer.execute("UPDATE meta SET value = value WHERE name = 'format'")
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        self._data_version = self._writer.execute("PRAGMA data_version").fetchone()[0]
        self._files = self._identities()

    def _load(self, *, every_row: bool) -> None:
        feeds = self._rows.load(self._writer, every_row=every_row)
        self._feeds = feeds
        self._pending = sum(feed.next_seq - feed.base_seq for feed in feeds.values())

    def _identities(self) -> tuple[tuple[int, int], ...]:
        found = []
        for name in self._names:
            try:
                status = os.stat(name)  # noqa: PTH116 -- Path.stat is slower
            except OSError:
                found.append((0, 0))
            else:
                found.append((status.st_dev, status.st_ino))
        return tuple(found)

    def check_process(self) -> None:
        """Raises `OutboxBusy` in a process that forked after the outbox was opened."""
        if os.getpid() != self._pid:
            raise OutboxBusy(
                f"{self._path}: this process was forked after the outbox was opened. NOT recorded;"
                " open a recorder of its own in the child"
            )

    def _guard(self) -> None:
        self.check_process()
        if self._closed:
            raise OutboxClosed(f"{self._path}: the recorder is closed. NOT recorded")
        if self._failed is not None:
            raise type(self._failed)(str(self._failed)) from self._failed

    def fail(self, error: NotRecorded) -> None:
        """From here on nothing is recorded: the outbox contradicts itself or the ledger, or its disk
        fails."""
        if self._failed is None:
            self._failed = error

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One durable transaction, under `_lock`. On any error the heads are taken from the disk again."""
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA data_version").fetchone()[0] != self._data_version:
                # Another program wrote into the file: believe nothing until every row has been checked again.
                self._load(every_row=True)
                self._data_version = connection.execute("PRAGMA data_version").fetchone()[0]
            result = work(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._recover(error)
            raise translate(error, self._path) from error
        except BaseException as error:
            self._recover(error)
            raise
        if self._identities() != self._files:
            self.fail(
                OutboxCorrupt(
                    f"{self._path}: the file was removed or replaced while it was open. NOT recorded;"
                    " stop, and put the right file back"
                )
            )
            self._guard()
        return result

    def _recover(self, error: BaseException) -> None:
        """After an error: back to what the disk says. If it does not say, nothing more is recorded."""
        if isinstance(error, OutboxCorrupt):
            self.fail(error)
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error) and is_io_failure(error):
                # The commit may stand in the write-ahead log. Moving it into the database writes it anew.
                self._writer.close()
                self._writer = connect(self._path)
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._begin()
            else:
                self._writer.execute("BEGIN")
                self._load(every_row=False)
                self._writer.execute("COMMIT")
        except NotRecorded as second:
            self.fail(second)
        except sqlite3.Error:
            self.fail(OutboxUnwritable(f"{self._path}: the disk fails. NOT recorded; mend it and open again"))

    # -- recording -----------------------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft], bookmark: tuple[str, bytes] | None = None) -> None:
        """All of `drafts`, in order, and the bookmark: on disk when this returns, none if it raises."""
        self._guard()
        job = _Job(drafts, bookmark)
        self._queue.append(job)
        with self._lock:
            while not job.done:
                if not self._commit_group():
                    # Whoever had taken it was interrupted before it came to the disk.
                    job.error, job.done = NotRecorded(f"{self._path}: interrupted. NOT recorded"), True
        if job.error is not None:
            raise job.error
        if self.on_append is not None:
            self.on_append()

    def _commit_group(self) -> bool:
        """Takes what waits, in one transaction. False where nothing waited."""
        if not self._queue:
            return False
        jobs: list[_Job] = []
        count = 0
        while self._queue and (not jobs or count + len(self._queue[0].drafts) <= GROUP_EVENTS_MAX):
            job = self._queue.popleft()
            if self._pending + count + len(job.drafts) > self._events_max:
                job.error = OutboxFull(
                    f"{self._path}: {self._pending} events wait for the ledger, the limit is"
                    f" {self._events_max}. NOT recorded; try again when they are delivered"
                )
                job.done = True
            else:
                jobs.append(job)
                count += len(job.drafts)
        try:
            self._guard()
            if jobs:
                self._commit(jobs)
        except NotRecorded as error:
            for job in jobs:
                job.error = type(error)(str(error))
                job.error.__cause__ = error.__cause__ or error
        except BaseException:
            for job in jobs:
                if not job.done:
                    # The disk has been asked, and it did not land.
                    job.error = NotRecorded(f"{self._path}: interrupted. NOT recorded")
                    job.done = True
            raise
        for job in jobs:
            job.done = True
        return True

    def _commit(self, jobs: Sequence[_Job]) -> None:
        carried: list[tuple[TravellingKey, int]] = []
        after: dict[int, Feed] = {}

        def work(connection: sqlite3.Connection) -> None:
            rows = self._lay([draft for job in jobs for draft in job.drafts], after, carried)
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            for feed in after.values():
                self._store_feed(connection, feed)
            for job in jobs:
                if job.bookmark is not None:
                    mac = self._rows.bookmark_mac(*job.bookmark)
                    connection.execute(
                        "INSERT OR REPLACE INTO bookmarks VALUES (?, ?, ?)", (*job.bookmark, mac)
                    )

        try:
            self._write(work)
        except BaseException as error:
            # It may stand in spite of the error: opened again, checked, and written anew.
            landed = bool(after) and all(self._feeds.get(shard) == feed for shard, feed in after.items())
            if landed and self._failed is None:
                for job in jobs:
                    job.done = True
                if isinstance(error, NotRecorded):
                    return
            else:
                for key, shard in carried:
                    key.recorded_in.discard(shard)
            raise
        self._feeds.update(after)
        self._pending += sum(len(job.drafts) for job in jobs)

    def _lay(
        self,
        drafts: Sequence[Draft],
        after: dict[int, Feed],
        carried: list[tuple[TravellingKey, int]],
    ) -> list[tuple[int, bytes, bytes, bytes]]:
        """Gives each draft its seq, its `producerprev` and its row; `after` is where the feeds then stand."""
        rows = []
        heads: dict[int, tuple[int, bytes, bytes]] = {}
        row_mac = self._rows.row_mac
        for draft in drafts:
            shard = draft.shard
            state = heads.get(shard)
            if state is None:
                feed = self.feed(shard)
                state = (feed.next_seq, feed.head, feed.chain)
            seq, head, chain = state
            event = draft.event_bytes(head, seq)
            wrapped = b""
            if draft.keys:
                travelling = [pair for pair in draft.keys if shard not in pair[0].recorded_in]
                if travelling:
                    wrapped = encode_header([wrapped_key for _, wrapped_key in travelling])
                    for key, _ in travelling:
                        key.recorded_in.add(shard)
                        carried.append((key, shard))
            chain = row_mac(chain, shard, seq, wrapped, event)
            head = digest.leaf_hash(event)
            rows.append((place(shard, seq), event, wrapped, chain))
            draft.seq, draft.digest = seq, head
            heads[shard] = (seq + 1, head, chain)
        for shard, (seq, head, chain) in heads.items():
            old = self.feed(shard)
            after[shard] = Feed(
                shard, seq, head, chain, old.base_seq, old.base_head, old.base_chain, old.receipt
            )
        return rows

    def _store_feed(self, connection: sqlite3.Connection, feed: Feed) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO feeds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                feed.shard,
                feed.next_seq,
                feed.head,
                feed.chain,
                feed.base_seq,
                feed.base_head,
                feed.base_chain,
                feed.receipt,
                self._rows.feed_mac(feed),
            ),
        )

    # -- delivery ------------------------------------------------------------------------------------------

    def feeds(self) -> list[Feed]:
        """Where every feed stands, by shard."""
        # In a forked child the lock may be held for ever, by a thread that is not there.
        self.check_process()
        with self._lock:
            return sorted(self._feeds.values(), key=lambda feed: feed.shard)

    def feed(self, shard: int) -> Feed:
        """Where one feed stands."""
        return self._feeds.get(shard) or Feed(shard)

    def rows(self, shard: int, seq: int, limit: int) -> list[Row]:
        """At most `limit` events from `seq` on, each checked against the chain before it is handed out.
        Raises `OutboxCorrupt`, and from then on nothing is recorded or sent."""
        self._guard()
        feed = self.feed(shard)
        if not feed.base_seq <= seq <= feed.next_seq:
            raise ValueError(f"event {seq} is not in the outbox")
        count = min(limit, feed.next_seq - seq)
        if count <= 0:
            return []
        first = max(seq - 1, feed.base_seq)
        found = self.read(lambda connection: list(stored(connection, shard, first, seq - first + count)))
        if self.feed(shard).base_seq != feed.base_seq:
            # Receipts came in between, and rows went: what was read is judged by the state it was read under.
            return self.rows(shard, max(seq, self.feed(shard).base_seq), limit)
        try:
            return self._rows.checked(feed, found, seq, count)
        except OutboxCorrupt as error:
            self.fail(error)
            raise

    def release(self, shard: int, seq: int, receipt: bytes) -> int:
        """Removes the events up to `seq`, which a signed receipt covers; returns how many. The caller has
        checked that the receipt is for these very events."""
        self._guard()
        released = 0
        while True:
            with self._lock:
                self._guard()
                feed = self.feed(shard)
                until = min(seq + 1, feed.next_seq, feed.base_seq + RELEASE_ROWS)
                count = until - feed.base_seq
                if count <= 0:
                    return released
                self._feeds[shard] = self._write(_Removal(self, feed, until, receipt))
                self._pending -= count
                released += count
            # Whoever waits to record goes first.
            time.sleep(0)

    def _remove(self, connection: sqlite3.Connection, feed: Feed, until: int, receipt: bytes) -> Feed:
        last = connection.execute(
            "SELECT event, chain FROM events WHERE place = ?", (place(feed.shard, until - 1),)
        ).fetchone()
        removed = connection.execute(
            "DELETE FROM events WHERE place >= ? AND place < ?",
            (place(feed.shard, feed.base_seq), place(feed.shard, until)),
        ).rowcount
        if last is None or removed != until - feed.base_seq:
            raise self._rows.missing(feed.shard, until - 1)
        moved = replace(
            feed,
            base_seq=until,
            base_head=digest.leaf_hash(last[0]),
            base_chain=last[1],
            receipt=receipt,
        )
        self._store_feed(connection, moved)
        return moved

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One durable transaction for what stands beside the events: see `notices.py`."""
        self._guard()
        with self._lock:
            self._guard()
            return self._write(work)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Reads what is committed, beside whoever writes."""
        self._guard()
        try:
            with self._read_lock:
                if self._reader is None:
                    raise OutboxClosed(f"{self._path}: the recorder is closed. NOT recorded")
                return work(self._reader)
        except sqlite3.Error as error:
            raise translate(error, self._path) from error

    def bookmark(self, name: str) -> bytes | None:
        """The value last recorded under `name` together with events; None if there was never one."""
        row = self.read(
            lambda connection: connection.execute(
                "SELECT value, mac FROM bookmarks WHERE name = ?", (name,)
            ).fetchone()
        )
        if row is None:
            return None
        value, mac = row
        if not hmac.compare_digest(self._rows.bookmark_mac(name, value), mac):
            raise OutboxCorrupt(f"{self._path}: a bookmark was changed after it was recorded")
        return bytes(value)

    # -- closing, forking ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Closes the files and gives the outbox free. In a forked child it only lets go."""
        if self._closed:
            return
        self._closed = True
        if os.getpid() != self._pid:
            return
        with self._lock, self._read_lock:
            self._release_files()

    def _release_files(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
        self._reader = None
        if self._lock_handle >= 0:
            # Unlocked, and not only closed: a child that was forked a moment ago may hold the handle still.
            fcntl.flock(self._lock_handle, fcntl.LOCK_UN)
            os.close(self._lock_handle)
            self._lock_handle = -1

    def forget_in_child(self) -> None:
        """After a fork, in the child: keeps the connections from ever being used or closed there."""
        _inherited.extend(c for c in (self._reader, self._writer) if c is not None)
        # The lock is the parent's: the child drops its share, so that the lock ends with the parent.
        if self._lock_handle >= 0:
            os.close(self._lock_handle)
            self._lock_handle = -1


@dataclass(frozen=True, slots=True)
class _Removal:
    """One step of `release`, as work for a transaction."""

    outbox: Outbox
    feed: Feed
    until: int
    receipt: bytes

    def __call__(self, connection: sqlite3.Connection) -> Feed:
        return self.outbox._remove(connection, self.feed, self.until, self.receipt)


def _after_fork_in_child() -> None:
    for outbox in list(_open_outboxes):
        outbox.forget_in_child()
    _open_outboxes.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)
