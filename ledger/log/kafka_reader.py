"""Reading one partition of one topic from any cursor, without a group and without commits.

Offsets are cursors: they rise and may have gaps (control records, aborted batches, compaction)."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka import TopicPartition
from kafka import errors as kafka_errors

from ledger.errors import LogDrifted, LogUnavailable
from ledger.log.config import LogConfig
from ledger.log.kafka_clients import Lane, discard, listening, make_consumer, translated

T = TypeVar("T")

# A waiting call holds the lane this long, so that another thread's read is not kept from it.
WAIT_SLICE_MS: Final = 50


class PartitionReader:
    """Records of one partition. After any failure its consumer is thrown away and the next call makes a new
    one, which seeks to the caller's cursor: no position is ever taken from a client."""

    def __init__(self, config: LogConfig, topic: str, partition: int, name: str) -> None:
        self._config = config
        self._topic = topic
        self._partition = TopicPartition(topic, partition)
        self._name = name
        self._lane = Lane(name)
        self._consumer: Any = None
        self._ahead: deque[Any] = deque()  # fetched, not yet handed out
        self._at = -1  # the caller's cursor for which the consumer and `_ahead` stand ready
        self._end = -1  # the end of the partition when last asked

    def end(self) -> int:
        """The offset after the last record."""
        return self._run(self._ask_end)

    def beginning(self) -> int:
        """The offset of the oldest record kept."""
        return self._run(self._ask_beginning)

    def take(self, cursor: int, limit: int, *, from_oldest: bool) -> list[Any]:
        """At most `limit` records from `cursor` on. A cursor that retention has passed begins at the oldest
        record if `from_oldest`, and is `LogDrifted` if not; so is one beyond the end."""
        return self._run(lambda: self._take(cursor, limit, from_oldest=from_oldest), cursor)

    def wait(self, cursor: int, timeout_s: float, *, from_oldest: bool) -> bool:
        """True as soon as a record stands at `cursor` or beyond; False after `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_ms = max(0, int((deadline - time.monotonic()) * 1000))
            slice_ms = min(WAIT_SLICE_MS, left_ms)
            if self._run(lambda ms=slice_ms: self._wait(cursor, ms, from_oldest=from_oldest), cursor):  # type: ignore[misc]
                return True
            if left_ms == 0:
                return False

    def close(self) -> None:
        with contextlib.suppress(LogUnavailable):
            self._lane.run(self._drop, 1.0)
        self._lane.close()

    # -- on the lane ---------------------------------------------------------------------------------------

    def _run(self, work: Callable[[], T], cursor: int | None = None) -> T:
        def guarded() -> T:
            with listening() as seen:
                try:
                    if self._consumer is None:
                        self._consumer = make_consumer(self._config, self._name)
                        self._consumer.assign([self._partition])
                    return work()
                except BaseException as error:
                    self._drop()
                    if isinstance(error, kafka_errors.KafkaError):
                        raise translated(error, f"reading {self._topic}", seen=seen, cursor=cursor) from error
                    raise

        return self._lane.run(guarded, self._config.timeout_s)

    def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._ahead.clear()
        self._at = self._end = -1
        if consumer is not None:
            discard(consumer)

    def _ask_end(self) -> int:
        # Raises where the right to DESCRIBE is missing; a poll would show an empty topic for ever.
        ends = self._consumer.end_offsets([self._partition], timeout_ms=int(self._config.timeout_s * 1000))
        self._end = int(ends[self._partition])
        return self._end

    def _ask_beginning(self) -> int:
        timeout_ms = int(self._config.timeout_s * 1000)
        return int(
            self._consumer.beginning_offsets([self._partition], timeout_ms=timeout_ms)[self._partition]
        )

    def _go(self, cursor: int, *, from_oldest: bool) -> None:
        if self._at == cursor:
            return
        self._ahead.clear()
        start = cursor
        oldest = self._ask_beginning()
        if cursor < oldest:
            if not from_oldest:
                raise LogDrifted(
                    f"{self._topic}: earliest offset is {oldest}, and {cursor} must still be there"
                )
            start = oldest
        if cursor > self._ask_end():
            raise LogDrifted(
                f"{self._topic}: the partition ends at {self._end}, and {cursor} was already read from it:"
                " it was truncated or made anew"
            )
        self._consumer.seek(self._partition, start)
        self._at = cursor

    def _exhausted(self) -> bool:
        """True if the consumer stands at the end; asks the broker only when it stands at the end last
        seen."""
        position = self._consumer.position(self._partition, timeout_ms=int(self._config.timeout_s * 1000))
        if position is None:
            raise LogUnavailable(f"reading {self._topic}: the client lost its position")
        return int(position) >= self._end and int(position) >= self._ask_end()

    def _poll(self, timeout_ms: int, limit: int) -> bool:
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=limit)
        found = polled.get(self._partition, ())
        self._ahead.extend(found)
        return bool(found)

    def _take(self, cursor: int, limit: int, *, from_oldest: bool) -> list[Any]:
        self._go(cursor, from_oldest=from_oldest)
        deadline = time.monotonic() + self._config.timeout_s
        while len(self._ahead) < limit and not self._exhausted():
            if not self._poll(200, limit - len(self._ahead)) and time.monotonic() > deadline:
                raise LogUnavailable(
                    f"reading {self._topic}: nothing came in {self._config.timeout_s:g} s, and there is more"
                )
        taken = [self._ahead.popleft() for _ in range(min(limit, len(self._ahead)))]
        if taken:
            self._at = taken[-1].offset + 1
        return taken

    def _wait(self, cursor: int, timeout_ms: int, *, from_oldest: bool) -> bool:
        self._go(cursor, from_oldest=from_oldest)
        # What is fetched here is kept, and handed out by the next take.
        return bool(self._ahead) or self._poll(timeout_ms, 500)
