"""What crosses the port of the log: submissions on their way in, records as they stand.

Cursors are positions in one partition of one adapter. They rise, they may have gaps, and they are never
entry indexes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from ledger.errors import Refused

# One record with everything around it. Kafka's topics take 1 MiB (`deploy/kafka/topics.toml`); the rest is
# room for the batch's own header. The largest entry is 65,535 bytes, the largest event 48 KiB.
RECORD_BYTES_MAX = 1_000_000

# A batch goes in whole or raises; past this a caller should split it, so that memory in flight stays bounded.
BATCH_RECORDS_MAX = 20_000

Role = Literal["producer", "sequencer", "reader"]
What = Literal["submissions", "records"]


class Submission(NamedTuple):
    """One thing handed in at the front door. `kind` is "event" (a producer's, with its flush proof) or
    "order" (registrars', `proof` empty). `wrapped_keys` travels beside the event and is never part of the
    record."""

    subject: str
    value: bytes
    proof: bytes
    wrapped_keys: bytes = b""
    kind: str = "event"


class Submitted(NamedTuple):
    """A submission as it stands in the partition. `arrived_us` is the log's clock: bookkeeping, not
    evidence."""

    cursor: int
    subject: str
    value: bytes
    proof: bytes
    wrapped_keys: bytes
    kind: str
    arrived_us: int


class Record(NamedTuple):
    """One record of the ledger partition. `kind` says what its writer called it: "entry", "term",
    "checkpoint", or anything else that a foreign writer put there. The acceptance function decides (formats
    4.1)."""

    cursor: int
    kind: str
    value: bytes


class DeadLetter(NamedTuple):
    """A submission that no registered producer signed, or an order that the registry refused, and why."""

    reason: str
    submitted: Submitted


def check_sizes(sizes: Iterable[int]) -> None:
    """Refuses a batch before anything of it is sent: a broker that refuses one record poisons the whole
    client."""
    count = 0
    for count, size in enumerate(sizes, start=1):
        if size > RECORD_BYTES_MAX:
            raise Refused(
                "E_LIMIT",
                f"a record of {size} bytes; the log takes {RECORD_BYTES_MAX}",
                f"record {count - 1}",
            )
    if count > BATCH_RECORDS_MAX:
        raise Refused("E_LIMIT", f"a batch of {count} records; the log takes {BATCH_RECORDS_MAX}: split it")
