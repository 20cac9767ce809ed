"""The ordered log, as the rest of the ledger sees it: one shard, two partitions that only grow.

A log promises three things and no more. What it acknowledged is durable on return, as durable as its adapter
says (`sqlite.py`: synced to this machine's disk; `kafka.py`: on `min_insync` replicas). Every reader sees the
same records in the same order. A batch keeps its own order.

It does not promise that only the sequencer writes, that a failed append did not land, that a record stands
only once, or that cursors have no gaps. The acceptance function (formats 4.1) needs none of that.

Whoever can rewrite the log can hide what is in it from those who have seen no checkpoint; from those who
have, they cannot.

Every object here may be used by several threads. After `fork()` the child must call `reopen()` first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ledger.errors import ConfigurationError
from ledger.log.config import LogConfig
from ledger.log.records import (
    BATCH_RECORDS_MAX,
    RECORD_BYTES_MAX,
    DeadLetter,
    Record,
    Role,
    Submission,
    Submitted,
    What,
)

__all__ = [
    "BATCH_RECORDS_MAX",
    "RECORD_BYTES_MAX",
    "DeadLetter",
    "LogConfig",
    "Record",
    "Role",
    "ShardLog",
    "Submission",
    "Submitted",
    "What",
    "create_log",
    "open_log",
]


class ShardLog(Protocol):
    """One shard of the log.

    Every method may raise `LogUnavailable` (nothing confirmed; wait and try again), `LogDamaged` (the
    storage does not read; stop) or `LogDrifted` (the log is not what the ledger expects; stop). No call
    blocks for much longer than the configured `timeout_s`."""

    @property
    def shard(self) -> int: ...

    def submit(self, batch: Sequence[Submission]) -> None:
        """Puts a producer's batch at the end of the submissions, in order; all durable on return.

        On `LogUnavailable` any part of it may be there: send it again, the feeds absorb what is there twice.
        A record above `RECORD_BYTES_MAX` raises `Refused` (E_LIMIT), and nothing of the batch was sent."""

    def submissions(self, cursor: int, limit: int) -> list[Submitted]:
        """At most `limit` submissions from `cursor` on (inclusive), in order; fewer, or none, if no more
        are there. Does not wait. Begins with the oldest one kept where retention has passed `cursor`."""

    def append(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Puts (kind, value) records at the end of the ledger partition, in order; all durable on return.

        For the holder of a term, though several may believe that they are: the log does not judge. On
        `LogUnavailable` any part may have landed, or may still land. This object then refuses further
        appends until `reopen()`: read back, and take a new term, before going on. `Refused` (E_LIMIT) as in
        `submit`."""

    def records(self, cursor: int, limit: int) -> list[Record]:
        """At most `limit` records of the ledger partition from `cursor` on (inclusive), in order. Does not
        wait."""

    def end(self) -> int:
        """The cursor after the last record of the ledger partition; 0 for an empty one."""

    def submissions_end(self) -> int:
        """The cursor after the last submission; 0 where there was never one."""

    def wait(self, cursor: int, what: What, timeout_s: float) -> bool:
        """Waits until something stands at `cursor` or beyond, at most `timeout_s` seconds. True if it
        does."""

    def put_receipts(self, receipts: Mapping[str, bytes]) -> None:
        """Leaves signed receipts where the producers look, by feed ("producerid/epoch"). The last one put
        is kept."""

    def receipts(self) -> dict[str, bytes]:
        """The last receipt of every feed."""

    def receipt(self, feed: str) -> bytes | None:
        """The last receipt of one feed ("producerid/epoch")."""

    def put_dead_letter(self, submitted: Submitted, reason: str) -> None:
        """Keeps a submission that never enters the ledger, with bounded retention. Again is no second one."""

    def dead_letters(self, limit: int = 1000) -> list[DeadLetter]:
        """The oldest `limit` dead letters that are still kept, in order."""

    def dead_letter_count(self) -> int:
        """How many dead letters are kept; one put twice may count twice."""

    def prune(self, now_us: int, below: int) -> int:
        """Removes what retention says: submissions below the cursor `below` that are older than 14 days,
        dead letters older than 30. Returns how many. `below` is how far the sequencer has read: never pass
        more."""

    def check(self) -> list[str]:
        """Complaints about the storage itself (not about what is written in it: that is `fsck`'s). [] is
        good."""

    def reopen(self) -> None:
        """Throws every client and connection away and begins anew, with the start-up checks."""

    def close(self) -> None:
        """Releases everything. Further calls raise `LogUnavailable`; closing again does nothing."""


def open_log(config: LogConfig, shard: int, role: Role) -> ShardLog:
    """One shard of an existing log, checked against what the ledger expects of it.

    `role` says what will be asked of it: a "producer" submits and reads receipts, the "sequencer" does
    everything, a "reader" writes nothing. Raises `ConfigurationError` where there is no such log,
    `LogDrifted` where it is set up differently (the message names the setting), `LogUnavailable` where it
    does not answer."""
    if not 0 <= shard < config.shards:
        raise ConfigurationError(f"there is no shard {shard}: this log has {config.shards}")
    if config.kind == "sqlite":
        from ledger.log.sqlite import SqliteLog

        return SqliteLog(config, shard, role)
    from ledger.log.kafka import KafkaLog

    return KafkaLog(config, shard, role)


def create_log(config: LogConfig) -> LogConfig:
    """Makes the storage of every shard, and returns the configuration to keep (on Kafka with the topics'
    ids).

    Making one that is there already changes nothing in it, and checks it like `open_log`."""
    if config.kind == "sqlite":
        from ledger.log.sqlite import create_sqlite_log

        create_sqlite_log(config)
        return config
    from ledger.log.kafka_topics import create_topics

    return create_topics(config)
