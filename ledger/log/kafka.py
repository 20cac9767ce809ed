"""The log on Apache Kafka: four topics, one partition a shard.

What it acknowledged stands on `min_insync` replicas in memory; Kafka does not sync to disk first. With one
broker that is no durability at all across the loss of its machine. This is why the SDK keeps an event until
a signed receipt covers it.

No Kafka transaction and no consumer group is used: the partition's order and the hash chain decide (formats
4.1). Every failed client is thrown away, never used again."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from ledger.errors import LogUnavailable
from ledger.log.config import LogConfig
from ledger.log.kafka_clients import Lane, Sender
from ledger.log.kafka_reader import PartitionReader
from ledger.log.kafka_topics import check_topics, topic_name
from ledger.log.records import DeadLetter, Record, Role, Submission, Submitted, What, check_sizes

CLOUDEVENT: Final = b"application/cloudevents+json"
ORDER: Final = b"application/json"
# The attributes that every CloudEvent has, copied into headers for routing by other tools; never read back
# (formats 3). Each further copy would cost about 1.5 us on the way in and again on the way out.
CE_COPIES: Final = ("id", "source", "specversion", "type")
# Names and lengths of all headers of a submission or a dead letter, taken generously.
HEADER_BYTES: Final = 2048


def submission_headers(submission: Submission) -> list[tuple[str, bytes]]:
    """The headers of formats 3, and `kind`."""
    headers = [("kind", submission.kind.encode())]
    if submission.kind == "event":
        headers.append(("content-type", CLOUDEVENT))
        headers += _ce_headers(submission.value)
    else:
        headers.append(("content-type", ORDER))
    headers.append(("proof", submission.proof))
    if submission.wrapped_keys:
        headers.append(("wrapped-keys", submission.wrapped_keys))
    return headers


def _ce_headers(value: bytes) -> list[tuple[str, bytes]]:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return []  # the sequencer refuses it; the log carries what it is given
    if not isinstance(event, dict):
        return []
    return [(f"ce_{name}", event[name].encode()) for name in CE_COPIES if isinstance(event.get(name), str)]


def _headers(record: Any) -> dict[str, bytes]:
    """The first header of each name: a second one is a foreign writer's and changes nothing."""
    found: dict[str, bytes] = {}
    for name, value in record.headers:
        found.setdefault(name, value or b"")
    return found


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def _submitted(record: Any) -> Submitted:
    headers = _headers(record)
    return Submitted(
        record.offset,
        _text(record.key),
        record.value or b"",
        headers.get("proof", b""),
        headers.get("wrapped-keys", b""),
        _text(headers.get("kind", b"event")),
        record.timestamp * 1000,
    )


def _record(record: Any) -> Record:
    for name, value in record.headers:
        if name == "kind":
            return Record(record.offset, _text(value), record.value or b"")
    return Record(record.offset, "", record.value or b"")


def _dead_letter(record: Any) -> DeadLetter:
    headers = _headers(record)
    cursor, arrived = _text(record.key), _text(headers.get("arrived-us"))
    return DeadLetter(
        _text(headers.get("reason")),
        Submitted(
            int(cursor) if cursor.isdecimal() else -1,
            _text(headers.get("subject")),
            record.value or b"",
            headers.get("proof", b""),
            headers.get("wrapped-keys", b""),
            _text(headers.get("kind")),
            int(arrived) if arrived.isdecimal() else 0,
        ),
    )


class _Clients:
    """The lanes and clients of one shard, made when first needed and thrown away together."""

    def __init__(self, config: LogConfig, shard: int) -> None:
        self._config = config
        self._shard = shard
        self._lock = threading.Lock()
        self._senders: dict[str, Sender] = {}
        self._readers: dict[str, PartitionReader] = {}

    def sender(self, topic: str, *, in_flight: int) -> Sender:
        with self._lock:
            if topic not in self._senders:
                name = topic_name(self._config, topic)
                self._senders[topic] = Sender(
                    self._config, name, self._shard, f"to-{name}-{self._shard}", in_flight=in_flight
                )
            return self._senders[topic]

    def reader(self, topic: str) -> PartitionReader:
        with self._lock:
            if topic not in self._readers:
                name = topic_name(self._config, topic)
                self._readers[topic] = PartitionReader(
                    self._config, name, self._shard, f"from-{name}-{self._shard}"
                )
            return self._readers[topic]

    def close(self) -> None:
        with self._lock:
            for sender in self._senders.values():
                sender.close()
            for reader in self._readers.values():
                reader.close()
            self._senders.clear()
            self._readers.clear()


class KafkaLog:
    """`ledger.log.port.ShardLog` on Apache Kafka. Cursors are offsets and may have gaps."""

    def __init__(self, config: LogConfig, shard: int, role: Role) -> None:
        self._config = config
        self._shard = shard
        self._role = role
        self._must_reopen = False
        self._closed = False
        self._receipts_lock = threading.Lock()
        self._open()

    @property
    def shard(self) -> int:
        return self._shard

    def _open(self) -> None:
        self._pid = os.getpid()
        self._clients = _Clients(self._config, self._shard)
        self._receipts: dict[str, bytes] = {}
        self._receipts_at = 0
        lane = Lane("kafka-check")
        try:
            lane.run(lambda: check_topics(self._config, self._role), self._config.timeout_s)
        finally:
            lane.close()

    def _usable(self) -> _Clients:
        if self._closed:
            raise LogUnavailable("this log is closed; open it again")
        if self._pid != os.getpid():
            raise LogUnavailable("this log was opened before fork(); call reopen() in this process")
        return self._clients

    # -- submissions ---------------------------------------------------------------------------------------

    def submit(self, batch: Sequence[Submission]) -> None:
        sender = self._usable().sender("submissions", in_flight=5)
        self._refuse_reader("submissions")
        check_sizes(
            len(s.value) + len(s.proof) + len(s.wrapped_keys) + 2 * len(s.subject) + HEADER_BYTES
            for s in batch
        )
        if batch:
            sender.send([(s.subject.encode(), s.value, submission_headers(s)) for s in batch])

    def submissions(self, cursor: int, limit: int) -> list[Submitted]:
        reader = self._usable().reader("submissions")
        return [_submitted(record) for record in reader.take(cursor, limit, from_oldest=True)]

    def submissions_end(self) -> int:
        return self._usable().reader("submissions").end()

    # -- the ledger partition ------------------------------------------------------------------------------

    def append(self, records: Sequence[tuple[str, bytes]]) -> None:
        # One batch in flight: after a failure nothing later of this object's can stand behind a hole.
        sender = self._usable().sender("ledger", in_flight=1)
        self._refuse_reader("ledger", "producer")
        check_sizes(len(kind) + len(value) + HEADER_BYTES for kind, value in records)
        if self._must_reopen:
            raise LogUnavailable("an append failed before: call reopen(), and read back what is there")
        if not records:
            return
        try:
            sender.send([(None, value, [("kind", kind.encode())]) for kind, value in records])
        except BaseException:
            self._must_reopen = True
            raise

    def records(self, cursor: int, limit: int) -> list[Record]:
        reader = self._usable().reader("ledger")
        return [_record(record) for record in reader.take(cursor, limit, from_oldest=False)]

    def end(self) -> int:
        return self._usable().reader("ledger").end()

    def wait(self, cursor: int, what: What, timeout_s: float) -> bool:
        topic = "ledger" if what == "records" else "submissions"
        return self._usable().reader(topic).wait(cursor, timeout_s, from_oldest=what == "submissions")

    # -- receipts and dead letters -------------------------------------------------------------------------

    def put_receipts(self, receipts: Mapping[str, bytes]) -> None:
        sender = self._usable().sender("receipts", in_flight=5)
        self._refuse_reader("receipts", "producer")
        check_sizes(len(feed) + len(receipt) + HEADER_BYTES for feed, receipt in receipts.items())
        if receipts:
            sender.send([(feed.encode(), receipt, []) for feed, receipt in receipts.items()])

    def _caught_up(self) -> dict[str, bytes]:
        reader = self._usable().reader("receipts")
        with self._receipts_lock:
            while found := reader.take(self._receipts_at, 1000, from_oldest=True):
                for record in found:
                    if record.key is not None and record.value is not None:
                        self._receipts[_text(record.key)] = record.value
                self._receipts_at = found[-1].offset + 1
            return self._receipts

    def receipts(self) -> dict[str, bytes]:
        return dict(self._caught_up())

    def receipt(self, feed: str) -> bytes | None:
        return self._caught_up().get(feed)

    def put_dead_letter(self, submitted: Submitted, reason: str) -> None:
        sender = self._usable().sender("rejects", in_flight=5)
        self._refuse_reader("rejects", "producer")
        s = submitted
        headers = [
            ("reason", reason.encode()[:HEADER_BYTES]),
            ("kind", s.kind.encode()),
            ("subject", s.subject.encode()),
            ("arrived-us", str(s.arrived_us).encode()),
            ("proof", s.proof),
            ("wrapped-keys", s.wrapped_keys),
        ]
        sender.send([(str(s.cursor).encode(), s.value, headers)])

    def dead_letters(self, limit: int = 1000) -> list[DeadLetter]:
        reader = self._usable().reader("rejects")
        found: dict[int, DeadLetter] = {}
        at = reader.beginning()
        while len(found) < limit and (records := reader.take(at, 500, from_oldest=True)):
            for record in records:
                letter = _dead_letter(record)
                found.setdefault(letter.submitted.cursor, letter)
            at = records[-1].offset + 1
        return sorted(found.values(), key=lambda letter: letter.submitted.cursor)[:limit]

    def dead_letter_count(self) -> int:
        reader = self._usable().reader("rejects")
        return reader.end() - reader.beginning()

    # -- upkeep --------------------------------------------------------------------------------------------

    def prune(self, now_us: int, below: int) -> int:  # noqa: ARG002 - the brokers do it, by retention.ms
        return 0

    def check(self) -> list[str]:
        clients = self._usable()
        complaints: list[str] = []

        def note(call: Callable[[], object]) -> None:
            try:
                call()
            except LogUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - a complaint is what was asked for
                complaints.append(str(error))

        note(lambda: check_topics(self._config, self._role))
        note(clients.reader("ledger").end)
        return complaints

    def _refuse_reader(self, topic: str, *also: Role) -> None:
        if self._role in ("reader", *also):
            raise LogUnavailable(
                f"{topic}: opened as {self._role}, which does not write here; open it in another role"
            )

    def reopen(self) -> None:
        self._throw_away()
        self._open()
        self._closed = False
        self._must_reopen = False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._throw_away()

    def _throw_away(self) -> None:
        if self._pid == os.getpid():
            with contextlib.suppress(LogUnavailable):
                self._clients.close()
