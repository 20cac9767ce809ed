"""What an outbox's rows say of each other: every row is bound to the one before it under the outbox key.

Whoever has no tenant key cannot change, remove, add or reorder a row unseen. What this cannot tell: that the whole
file is an older copy of itself."""

from __future__ import annotations

import hmac
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ledger.errors import OutboxCorrupt
from ledger.kernel import digest
from ledger.sdk.outboxfile import SEQ_BITS

_ROW: Final = struct.Struct(">32sIQI")
_FEED: Final = struct.Struct(">IQ32s32sQ32s32s")
_SEQ_MASK: Final = (1 << SEQ_BITS) - 1


@dataclass(frozen=True, slots=True)
class Feed:
    """Where one shard's feed stands. Rows `base_seq` to `next_seq - 1` are in the outbox; `head` is the digest of
    the last event, `base_head` of the one before `base_seq`; `receipt` is the signed note that covers it."""

    shard: int
    next_seq: int = 0
    head: bytes = digest.ZERO
    chain: bytes = digest.ZERO
    base_seq: int = 0
    base_head: bytes = digest.ZERO
    base_chain: bytes = digest.ZERO
    receipt: bytes = b""


class Row(NamedTuple):
    """One event as it stands in the outbox, with the header of the keys that travel with it."""

    seq: int
    event: bytes
    wrapped: bytes
    chain: bytes


def place(shard: int, seq: int) -> int:
    """Where an event stands in the table."""
    return shard << SEQ_BITS | seq


class Rows:
    """Reads and checks the rows of one outbox. Raises `OutboxCorrupt` with the first place that does not check."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key

    def row_mac(self, chain: bytes, shard: int, seq: int, wrapped: bytes, event: bytes) -> bytes:
        message = _ROW.pack(chain, shard, seq, len(wrapped)) + wrapped + event
        return hmac.digest(self._key, message, "sha256")

    def feed_mac(self, feed: Feed) -> bytes:
        packed = _FEED.pack(
            feed.shard,
            feed.next_seq,
            feed.head,
            feed.chain,
            feed.base_seq,
            feed.base_head,
            feed.base_chain,
        )
        return hmac.digest(self._key, b"feed" + packed + feed.receipt, "sha256")

    def bookmark_mac(self, name: str, value: bytes) -> bytes:
        return hmac.digest(self._key, f"bookmark {name}\n".encode() + value, "sha256")

    def load(self, connection: sqlite3.Connection, *, every_row: bool) -> dict[int, Feed]:
        """The state of every feed, compared with the rows that there are; with `every_row` each row is checked."""
        feeds: dict[int, Feed] = {}
        rows = connection.execute(
            "SELECT shard, next_seq, head, chain, base_seq, base_head, base_chain, receipt, mac FROM feeds"
        ).fetchall()
        for *values, mac in rows:
            feed = Feed(*values)
            if not hmac.compare_digest(self.feed_mac(feed), mac):
                raise OutboxCorrupt(f"{self._path}: the state of feed {feed.shard} was changed. NOT recorded")
            feeds[feed.shard] = feed
        counted = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        if counted != sum(feed.next_seq - feed.base_seq for feed in feeds.values()):
            self._complain_of_count(connection, feeds, counted)
        if every_row:
            for feed in feeds.values():
                self._check_feed(connection, feed)
        return feeds

    def _complain_of_count(
        self, connection: sqlite3.Connection, feeds: dict[int, Feed], counted: int
    ) -> None:
        for feed in feeds.values():
            places = connection.execute(
                "SELECT place FROM events WHERE place >= ? AND place < ? ORDER BY place",
                (place(feed.shard, 0), place(feed.shard + 1, 0)),
            )
            for seq in range(feed.base_seq, feed.next_seq):
                if next(places, (None,))[0] != place(feed.shard, seq):
                    raise self.missing(feed.shard, seq)
        raise OutboxCorrupt(
            f"{self._path}: there are {counted} events, more than were recorded. NOT recorded, NOT sent"
        )

    def _check_feed(self, connection: sqlite3.Connection, feed: Feed) -> None:
        chain, head, seq = feed.base_chain, feed.base_head, feed.base_seq
        for row in stored(connection, feed.shard, feed.base_seq, -1):
            self.check_row(feed.shard, row, seq, chain)
            chain, seq = row.chain, seq + 1
            head = digest.leaf_hash(row.event) if seq == feed.next_seq else head
        if (seq, chain, head) != (feed.next_seq, feed.chain, feed.head):
            raise self.missing(feed.shard, seq)

    def check_row(self, shard: int, row: Row, seq: int, chain: bytes) -> None:
        """The row stands at `seq`, follows the row with `chain`, and is as it was recorded."""
        if row.seq != seq:
            raise self.missing(shard, seq)
        if not hmac.compare_digest(self.row_mac(chain, shard, row.seq, row.wrapped, row.event), row.chain):
            raise OutboxCorrupt(
                f"{self._path}: event {seq} of shard {shard} was changed after it was recorded. NOT sent"
            )

    def checked(self, feed: Feed, found: list[Row], seq: int, count: int) -> list[Row]:
        """The `count` rows from `seq` on, out of `found`, which begins one earlier where the outbox does."""
        chain = feed.base_chain
        if seq > feed.base_seq:
            if not found or found[0].seq != seq - 1:
                raise self.missing(feed.shard, seq - 1)
            chain = found.pop(0).chain
        for expected, row in enumerate(found, seq):
            self.check_row(feed.shard, row, expected, chain)
            chain = row.chain
        if len(found) != count:
            raise self.missing(feed.shard, seq + len(found))
        return found

    def missing(self, shard: int, seq: int) -> OutboxCorrupt:
        return OutboxCorrupt(f"{self._path}: event {seq} of shard {shard} is missing. NOT recorded, NOT sent")


def stored(connection: sqlite3.Connection, shard: int, seq: int, limit: int) -> Iterator[Row]:
    """The rows of a shard from `seq` on, in order, unchecked; at most `limit`, or all with -1."""
    for where, event, wrapped, chain in connection.execute(
        "SELECT place, event, wrapped, chain FROM events WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
        (place(shard, seq), place(shard + 1, 0), limit),
    ):
        yield Row(where & _SEQ_MASK, event, wrapped, chain)
