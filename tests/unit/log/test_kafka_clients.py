"""The guard rules of the Kafka adapter that need no broker: watchdog, futures, errors that say what to do."""

from __future__ import annotations

import logging
import threading
import time
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka import errors as kafka_errors

from ledger.errors import ConfigurationError, LogDamaged, LogDrifted, LogUnavailable
from ledger.log import kafka_clients
from ledger.log.config import LogConfig
from ledger.log.kafka import CE_COPIES, submission_headers
from ledger.log.kafka_clients import (
    Lane,
    Sender,
    listening,
    make_admin,
    make_consumer,
    make_producer,
    translated,
)
from ledger.log.kafka_topics import ROLE_TOPICS, TOPICS, deploy_file, expected_settings, role_rights
from ledger.log.records import Submission

CONFIG = LogConfig("kafka", bootstrap="127.0.0.1:1", prefix="t", timeout_s=0.4)


class Future:
    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked = False

    def get(self, timeout: float) -> None:
        assert timeout > 0
        self.asked = True
        if self.error is not None:
            raise self.error


class Producer:
    """Like the library's: `flush` raises for none of the records that failed."""

    def __init__(self, errors: dict[int, Exception]) -> None:
        self.errors = errors
        self.futures: list[Future] = []
        self.flushes = 0
        self.closed = False

    def send(self, _topic: str, **_: Any) -> Future:
        self.futures.append(Future(self.errors.get(len(self.futures))))
        return self.futures[-1]

    def flush(self, timeout: float) -> None:
        assert timeout > 0
        self.flushes += 1

    def close(self, timeout: float | None = None) -> None:
        self.closed = True


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[Producer]:
    """The producers that a sender makes; the first one fails at its second record."""
    made: list[Producer] = []

    def make(*_: Any, **__: Any) -> Producer:
        made.append(Producer({1: kafka_errors.RequestTimedOutError()} if not made else {}))
        return made[-1]

    monkeypatch.setattr(kafka_clients, "make_producer", make)
    return made


def test_a_record_that_failed_is_heard_of_though_flush_said_nothing(producers: list[Producer]) -> None:
    sender = Sender(CONFIG, "t.ledger", 0, "test", in_flight=1)
    records = [(None, b"%d" % n, []) for n in range(3)]
    with pytest.raises(LogUnavailable, match="RequestTimedOutError"):
        sender.send(records)
    assert producers[0].flushes == 1
    assert producers[0].closed
    # The next batch gets a producer of its own: the first is never used again.
    sender.send(records)
    assert [len(p.futures) for p in producers] == [3, 3]
    assert all(future.asked for future in producers[1].futures)
    sender.close()


def test_what_is_in_flight_is_bounded(producers: list[Producer], monkeypatch: pytest.MonkeyPatch) -> None:
    producers.append(Producer({}))  # so that the one made next does not fail
    monkeypatch.setattr(Sender, "IN_FLIGHT_BYTES", 100)
    sender = Sender(CONFIG, "t.ledger", 0, "test", in_flight=1)
    sender.send([(None, bytes(60), []) for _ in range(6)])
    assert producers[1].flushes == 4
    sender.close()


def test_a_call_that_never_comes_back_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "WATCHDOG_GRACE_S", 0.1)
    released = threading.Event()
    lane = Lane("test")
    began = time.monotonic()
    with pytest.raises(LogUnavailable, match="no answer"):
        lane.run(lambda: released.wait(30), 0.1)
    with pytest.raises(LogUnavailable, match="never came back"):
        lane.run(lambda: None, 0.1)
    assert time.monotonic() - began < 5
    released.set()
    lane.close()


def test_a_lane_runs_one_call_at_a_time_and_carries_errors() -> None:
    lane = Lane("test")
    running: list[int] = []
    overlaps: list[int] = []

    def call() -> int:
        running.append(1)
        overlaps.append(len(running))
        time.sleep(0.002)
        running.pop()
        return threading.get_ident()

    idents: list[int] = []
    threads = [threading.Thread(target=lambda: idents.append(lane.run(call, 5))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [1] * 8
    assert len(set(idents)) == 1

    def fail() -> None:
        raise ZeroDivisionError("carried")

    with pytest.raises(ZeroDivisionError, match="carried"):
        lane.run(fail, 5)
    assert lane.run(lambda: 7, 5) == 7
    lane.close()


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (kafka_errors.TopicAuthorizationFailedError(), ConfigurationError, "acls.toml"),
        (kafka_errors.ClusterAuthorizationFailedError(), ConfigurationError, "acls.toml"),
        (kafka_errors.SaslAuthenticationFailedError(), ConfigurationError, "log.security"),
        (kafka_errors.CorruptRecordError(), LogDamaged, "checksum"),
        (kafka_errors.OffsetOutOfRangeError(), LogDrifted, "offset 7"),
        (kafka_errors.NoOffsetForPartitionError(), LogDrifted, "offset 7"),
        (kafka_errors.UnknownTopicIdError(), LogDrifted, "topic id"),
        (kafka_errors.MessageSizeTooLargeError(), LogDrifted, r"max\.message\.bytes"),
        (kafka_errors.NotEnoughReplicasError(), LogUnavailable, r"min\.insync\.replicas"),
        (kafka_errors.RequestTimedOutError(), LogUnavailable, "RequestTimedOutError"),
        (kafka_errors.KafkaTimeoutError("flush"), LogUnavailable, "KafkaTimeoutError: flush"),
    ],
)
def test_an_error_of_the_library_becomes_one_that_says_what_to_do(
    error: Exception, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says) as raised:
        raise translated(error, "reading t.ledger", cursor=7)
    assert "t.ledger" in str(raised.value)


def test_a_client_that_fails_while_it_is_made_leaves_nothing_behind() -> None:
    def held() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = held()
    for make in (make_consumer, partial(make_producer, in_flight=1)):
        with pytest.raises(kafka_errors.KafkaTimeoutError):
            make(CONFIG, "test")
    assert held() == before


def test_passwords_and_records_are_not_written_to_diagnostics(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    security = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "u"}
    config = replace(CONFIG, security={**security, "sasl_plain_password_env": "LOG_PASSWORD"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_PASSWORD", "hunter2")
        for make in (
            make_admin,
            lambda c: make_consumer(c, "x"),
            lambda c: make_producer(c, "x", in_flight=1),
        ):
            with pytest.raises(kafka_errors.KafkaTimeoutError):
                make(config)
    assert "hunter2" not in caplog.text
    assert "127.0.0.1" in caplog.text


def test_a_broker_that_does_not_answer_is_told_apart_from_nothing() -> None:
    began = time.monotonic()
    with listening() as seen, pytest.raises(kafka_errors.KafkaTimeoutError) as silent:
        make_consumer(CONFIG, "test")
    assert time.monotonic() - began < 5
    message = str(translated(silent.value, "reading t.ledger", seen=seen))
    for words in ("log.bootstrap", "wrong password", "wrong CA", "security_protocol", "the client saw"):
        assert words in message


def test_the_producer_is_asked_aloud_for_what_an_acknowledgement_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(kafka_clients, "KafkaProducer", lambda **settings: given.update(settings))
    make_producer(CONFIG, "test", in_flight=1)
    assert (
        given.items()
        >= {
            "acks": "all",
            "enable_idempotence": True,
            "max_in_flight_requests_per_connection": 1,
            "allow_auto_create_topics": False,
            "compression_type": "lz4",
        }.items()
    )
    unknown = set(given) - set(KafkaProducer.DEFAULT_CONFIG)
    assert unknown == set()


def test_an_event_travels_with_the_headers_of_its_binding() -> None:
    value = b'{"id":"1","source":"//dialler","specversion":"1.0","type":"duecourse.x.v1","data":{"id":"no"}}'
    headers = submission_headers(Submission("case/1", value, b"proof", b"keys"))
    assert dict(headers) == {
        "kind": b"event",
        "content-type": b"application/cloudevents+json",
        "ce_id": b"1",
        "ce_source": b"//dialler",
        "ce_specversion": b"1.0",
        "ce_type": b"duecourse.x.v1",
        "proof": b"proof",
        "wrapped-keys": b"keys",
    }
    assert len(CE_COPIES) == 4
    order = dict(submission_headers(Submission("registry", b"{}", b"", kind="order")))
    assert order == {"kind": b"order", "content-type": b"application/json", "proof": b""}


def test_the_record_is_kept_for_ever_and_submissions_are_not() -> None:
    ledger = expected_settings(CONFIG, "ledger")
    assert ledger["cleanup.policy"] == "delete"
    assert ledger["retention.ms"] == ledger["retention.bytes"] == "-1"
    assert expected_settings(CONFIG, "submissions")["retention.ms"] == str(14 * 86_400_000)
    assert expected_settings(CONFIG, "receipts")["cleanup.policy"] == "compact"
    assert expected_settings(CONFIG, "rejects")["retention.ms"] == str(30 * 86_400_000)
    for topic in TOPICS:
        assert expected_settings(CONFIG, topic)["unclean.leader.election.enable"] == "false"
        assert expected_settings(CONFIG, topic)["message.timestamp.type"] == "LogAppendTime"


def test_the_data_file_and_the_configuration_agree_on_replication() -> None:
    table = tomllib.loads(deploy_file("topics.toml").read_text(encoding="utf-8"))
    assert table["replication"] == CONFIG.replication
    assert table["min_insync"] == CONFIG.min_insync
    assert set(table["topics"]) == set(TOPICS)


def test_only_the_sequencer_may_write_the_record_and_nobody_may_change_a_topic() -> None:
    table = tomllib.loads(deploy_file("acls.toml").read_text(encoding="utf-8"))
    assert set(table["roles"]) == set(ROLE_TOPICS)
    writers = {role for role in ROLE_TOPICS if "WRITE" in role_rights(role).get("ledger", [])}
    assert writers == {"sequencer"}
    for role, topics in ROLE_TOPICS.items():
        assert set(role_rights(role)) == set(topics)
        for operations in role_rights(role).values():
            assert (
                {"DESCRIBE", "DESCRIBE_CONFIGS"}
                <= set(operations)
                <= {
                    "READ",
                    "WRITE",
                    "DESCRIBE",
                    "DESCRIBE_CONFIGS",
                }
            )
