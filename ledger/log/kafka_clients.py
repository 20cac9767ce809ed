"""Kafka clients that cannot hang, and errors that say what to do.

Every blocking call into the client library runs on a thread of its own, a lane, under a watchdog: a call that
does not come back in time is left behind with its client, and the caller is told that nothing was confirmed.
A lane also keeps a client, which is not made for threads, to one thread."""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from ledger.errors import ConfigurationError, DuecourseError, LogDamaged, LogDrifted, LogUnavailable
from ledger.log.config import LogConfig

T = TypeVar("T")

# A call has its own deadline; the watchdog bites only when the library missed it.
WATCHDOG_GRACE_S: Final = 5.0
REQUEST_TIMEOUT_MS: Final = 5000
BOOTSTRAP_TIMEOUT_MS: Final = 8000
FETCH_BYTES: Final = 8 * 1024 * 1024


# At debug level these two write whole configurations (passwords) and whole records. Never through us.
for _talker in ("kafka.admin.client", "kafka.producer.kafka"):
    if logging.getLogger(_talker).level == logging.NOTSET:
        logging.getLogger(_talker).setLevel(logging.INFO)

_sock_connect = KafkaNetSocket.sock_connect


async def _closing_sock_connect(self: Any, net: Any, sock: Any, sockaddr: Any, timeout_at: Any = None) -> Any:
    """kafka-python 3.0.12 drops a socket whose connection failed without closing it: one for every try of an
    outage."""
    try:
        return await _sock_connect(self, net, sock, sockaddr, timeout_at=timeout_at)
    except BaseException:
        sock.close()
        raise


KafkaNetSocket.sock_connect = _closing_sock_connect


class Lane:
    """One thread that runs one call at a time, for one client."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._stuck = False
        self._thread = threading.Thread(target=self._work, name=f"duecourse-{name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def run(self, call: Callable[[], T], timeout_s: float) -> T:
        """What `call` returns or raises; `LogUnavailable` if it takes longer than `timeout_s` and some
        grace."""
        limit = timeout_s + WATCHDOG_GRACE_S
        if not self._turn.acquire(timeout=limit):
            raise LogUnavailable(f"{self._name}: another thread's call has not come back in {limit:g} s")
        try:
            if self._stuck:
                raise LogUnavailable(f"{self._name}: an earlier call never came back: call reopen()")
            done = threading.Event()
            outcome: list[T] = []
            failure: list[BaseException] = []

            def job() -> None:
                try:
                    outcome.append(call())
                except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
                    failure.append(error)
                finally:
                    done.set()

            self._jobs.put(job)
            if not done.wait(limit):
                self._stuck = True
                raise LogUnavailable(f"{self._name}: no answer in {limit:g} s: call reopen()")
        finally:
            self._turn.release()
        if failure:
            raise failure[0]
        return outcome[0]

    def close(self) -> None:
        """Lets the thread end after what it is doing."""
        self._jobs.put(None)
        if not self._stuck:
            self._thread.join(WATCHDOG_GRACE_S)


class _Listener(logging.Handler):
    """Keeps the first different warnings of the `kafka` logger: they name the cause that the exception does
    not. Later ones are mostly echoes."""

    LINES: Final = 5

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage().partition("\n")[0]
        cause = re.sub(r"<[^>]*>: |^Connection (failed|lost): | \(backoff .*\)$", "", line)[:200]
        if cause.startswith("Bootstrap") or cause in self.seen or len(self.seen) >= self.LINES:
            return
        self.seen.append(cause)


@contextlib.contextmanager
def listening() -> Iterator[list[str]]:
    """What the `kafka` logger warns of while the block runs."""
    listener = _Listener()
    logger = logging.getLogger("kafka")
    logger.addHandler(listener)
    try:
        yield listener.seen
    finally:
        logger.removeHandler(listener)


def translated(
    error: Exception, doing: str, *, seen: Sequence[str] = (), cursor: int | None = None
) -> DuecourseError:
    """The error that tells its catcher what to do. `doing` names the topic and the work, never a value."""
    e = kafka_errors
    name = type(error).__name__
    if isinstance(error, e.AuthorizationError):
        return ConfigurationError(
            f"{doing}: not allowed ({name}); give this principal the rights of its role in"
            " deploy/kafka/acls.toml"
        )
    if isinstance(error, (e.SaslAuthenticationFailedError, e.UnsupportedSaslMechanismError)):
        return ConfigurationError(f"{doing}: the broker refused the credentials ({name}); mend log.security")
    if isinstance(error, e.CorruptRecordError):
        return LogDamaged(f"{doing}: a record does not match its checksum", cursor)
    if isinstance(error, (e.OffsetOutOfRangeError, e.NoOffsetForPartitionError, e.LogTruncationError)):
        return LogDrifted(
            f"{doing}: the partition no longer holds offset {cursor} ({name}): it was truncated, cleaned by"
            " retention, or made anew; compare with the second copy before going on"
        )
    if isinstance(error, (e.UnknownTopicIdError, e.InconsistentTopicIdError)):
        return LogDrifted(f"{doing}: topic id is another than when the client began: the topic was made anew")
    if isinstance(error, (e.MessageSizeTooLargeError, e.RecordListTooLargeError)):
        return LogDrifted(f"{doing}: max.message.bytes is smaller than deploy/kafka/topics.toml says")
    if isinstance(error, (e.NotEnoughReplicasError, e.NotEnoughReplicasAfterAppendError)):
        return LogUnavailable(f"{doing}: fewer replicas in sync than min.insync.replicas; mend the brokers")
    if isinstance(error, e.KafkaTimeoutError) and "bootstrap" in str(error).lower():
        # The library reports a dead broker and a wrong password alike.
        said = "; the client saw: " + " | ".join(seen) if seen else ""
        return LogUnavailable(
            f"{doing}: no broker answered. Is log.bootstrap right and the broker up? A wrong password, an"
            f" unknown user, a wrong CA and a wrong security_protocol look the same{said}"
        )
    return LogUnavailable(f"{doing}: {(str(error) or name).splitlines()[0][:200]}")


def common_settings(config: LogConfig, name: str) -> dict[str, Any]:
    """What every client is given."""
    return {
        "bootstrap_servers": [one.strip() for one in config.bootstrap.split(",") if one.strip()],
        "client_id": f"duecourse-{name}",
        "bootstrap_timeout_ms": min(BOOTSTRAP_TIMEOUT_MS, int(config.timeout_s * 1000)),
        "request_timeout_ms": min(REQUEST_TIMEOUT_MS, int(config.timeout_s * 500)),
        "metadata_max_age_ms": 5000,
        "reconnect_backoff_max_ms": 1000,
        **config.client_security(),
    }


def _made(kind: Callable[..., Any], **settings: Any) -> Any:
    """A client, or the library's error with nothing left behind: a client that fails while it is made would
    leave its thread and its sockets."""
    networks: list[Any] = []

    def network(**more: Any) -> Any:
        networks.append(KafkaNetClient(**more))
        return networks[-1]

    try:
        return kind(**settings, kafka_client=network)
    except BaseException:
        for one in networks:
            with contextlib.suppress(Exception):
                one.close()
        raise


def make_admin(config: LogConfig) -> Any:
    """A client that looks at topics and makes them."""
    return _made(KafkaAdminClient, **common_settings(config, "admin"))


def make_producer(config: LogConfig, name: str, *, in_flight: int) -> Any:
    """A producer whose acknowledgement means: on all replicas in sync, once, in order."""
    return _made(
        KafkaProducer,
        **common_settings(config, name),
        acks="all",
        # Said aloud: a setting that conflicts would switch a default off without a word.
        enable_idempotence=True,
        max_in_flight_requests_per_connection=in_flight,
        delivery_timeout_ms=int(config.timeout_s * 1000),
        # Batches leave when full or at the flush that follows every batch of sends, so this delays nothing.
        linger_ms=20,
        batch_size=256 * 1024,
        compression_type="lz4",
        max_request_size=1024 * 1024,
        max_block_ms=5000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def make_consumer(config: LogConfig, name: str) -> Any:
    """A consumer that goes only where it is told to, and refuses a record that does not match its
    checksum."""
    settings = common_settings(config, name)
    return _made(
        KafkaConsumer,
        **settings,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        check_crcs=True,
        allow_auto_create_topics=False,
        isolation_level="read_uncommitted",
        fetch_max_wait_ms=min(500, settings["request_timeout_ms"] // 2),
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
        metrics_enabled=False,
    )


def discard(client: Any) -> None:
    """Throws a client away without waiting for what it still wanted to do."""
    if isinstance(client, KafkaProducer):
        with contextlib.suppress(Exception):
            client.close(timeout=0)
            return
        # close() gives up at its own flush while something is unsent, and leaves the sending thread alive.
        with contextlib.suppress(Exception):
            client._sender.force_close()
            client._closed = True
    else:
        with contextlib.suppress(Exception):
            client.close()


class Sender:
    """Puts batches into one partition of one topic. After any failure its producer is thrown away, and the
    next batch gets a new one: a producer that failed once may keep later futures pending for ever."""

    # What may be unacknowledged at a time: the producer itself knows no bound.
    IN_FLIGHT_BYTES: Final = 16 * 1024 * 1024

    def __init__(self, config: LogConfig, topic: str, partition: int, name: str, *, in_flight: int) -> None:
        self._config = config
        self._topic = topic
        self._partition = partition
        self._name = name
        self._in_flight = in_flight
        self._lane = Lane(name)
        self._producer: Any = None

    def send(self, records: Sequence[tuple[bytes | None, bytes, list[tuple[str, bytes]]]]) -> None:
        """(key, value, headers) records, in order; all acknowledged on return."""
        self._lane.run(lambda: self._send(records), self._config.timeout_s)

    def _send(self, records: Sequence[tuple[bytes | None, bytes, list[tuple[str, bytes]]]]) -> None:
        deadline = time.monotonic() + self._config.timeout_s
        with listening() as seen:
            try:
                if self._producer is None:
                    self._producer = make_producer(self._config, self._name, in_flight=self._in_flight)
                waiting: list[Any] = []
                unsent = 0
                for key, value, headers in records:
                    waiting.append(
                        self._producer.send(
                            self._topic, value=value, key=key, headers=headers, partition=self._partition
                        )
                    )
                    unsent += len(value)
                    if unsent > self.IN_FLIGHT_BYTES:
                        self._await(waiting, deadline)
                        waiting, unsent = [], 0
                self._await(waiting, deadline)
            except BaseException as error:
                producer, self._producer = self._producer, None
                if producer is not None:
                    discard(producer)
                if isinstance(error, kafka_errors.KafkaError):
                    raise translated(error, f"writing to {self._topic}", seen=seen) from error
                raise

    def _await(self, waiting: Sequence[Any], deadline: float) -> None:
        # flush() raises for none of the records that failed: only the futures know.
        self._producer.flush(timeout=max(0.001, deadline - time.monotonic()))
        for future in waiting:
            future.get(timeout=max(0.001, deadline - time.monotonic()))

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(LogUnavailable):
                self._lane.run(lambda: discard(producer), 1.0)
        self._lane.close()
