"""One suite over every adapter of `ledger.log.port`. What passes here, the rest of the ledger may lean on."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from ledger.errors import ConfigurationError, LogDrifted, LogUnavailable, Refused
from ledger.log.port import (
    BATCH_RECORDS_MAX,
    RECORD_BYTES_MAX,
    DeadLetter,
    LogConfig,
    Role,
    ShardLog,
    Submission,
    Submitted,
    create_log,
    open_log,
)
from ledger.testing.broker import KafkaBroker

EVENT = b'{"id":"1","source":"//dialler","specversion":"1.0","type":"duecourse.x.v1"}'


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> LogConfig:
    """A fresh log of two shards."""
    if request.param == "sqlite":
        return create_log(LogConfig("sqlite", shards=2, path=tmp_path / "log"))
    broker = cast("KafkaBroker", request.getfixturevalue("kafka_broker"))
    prefix = f"t{uuid.uuid4().hex[:12]}"
    return create_log(LogConfig("kafka", shards=2, bootstrap=broker.bootstrap, prefix=prefix, replication=1))


Opener = Callable[..., ShardLog]


@pytest.fixture
def opened(config: LogConfig) -> Iterator[Opener]:
    logs: list[ShardLog] = []

    def open_(role: Role = "sequencer", shard: int = 0) -> ShardLog:
        logs.append(open_log(config, shard, role))
        return logs[-1]

    yield open_
    for log in logs:
        log.close()


def event(n: int) -> Submission:
    return Submission(f"case/{n}", EVENT.replace(b'"1"', b'"%d"' % n), b'{"index":%d}' % n)


def everything(log: ShardLog) -> list[tuple[str, bytes]]:
    found, cursor = [], 0
    while records := log.records(cursor, 7):
        found += [(record.kind, record.value) for record in records]
        cursor = records[-1].cursor + 1
    return found


def all_submissions(log: ShardLog) -> list[Submitted]:
    found: list[Submitted] = []
    cursor = 0
    while some := log.submissions(cursor, 100):
        found += some
        cursor = some[-1].cursor + 1
    return found


def test_submissions_come_back_whole_and_in_order(opened: Opener) -> None:
    producer, sequencer = opened("producer"), opened("sequencer")
    sent = [event(0), Submission("case/1", EVENT, b"{}", b'[{"wrapped":"AA"}]')]
    sent += [Submission("registry", b'{"order":1}', b"", kind="order"), event(3)]
    before_us = time.time_ns() // 1000 - 5_000_000
    producer.submit(sent[:3])
    producer.submit(sent[3:])

    found = sequencer.submissions(0, 10)

    assert [Submission(s.subject, s.value, s.proof, s.wrapped_keys, s.kind) for s in found] == sent
    assert [s.cursor for s in found] == sorted({s.cursor for s in found})
    assert all(before_us < s.arrived_us < before_us + 120_000_000 for s in found)
    assert sequencer.submissions_end() == found[-1].cursor + 1
    assert sequencer.submissions(found[2].cursor, 1) == [found[2]]
    assert sequencer.submissions(found[-1].cursor + 1, 10) == []


def test_a_submission_of_any_bytes_is_carried_as_it_is(opened: Opener) -> None:
    producer, sequencer = opened("producer"), opened("sequencer")
    odd = [
        Submission("case/1", bytes(range(256)), b"\x00\xff"),
        Submission("", b"", b""),
        Submission("case/1", b"[1]", b"", kind="event"),
        Submission("case/1", b'{"id":7,"source":null}', b""),
    ]
    producer.submit(odd)
    found = sequencer.submissions(0, 10)
    assert [Submission(s.subject, s.value, s.proof, s.wrapped_keys, s.kind) for s in found] == odd


def test_records_come_back_in_order_with_their_kinds(opened: Opener) -> None:
    sequencer, reader = opened("sequencer"), opened("reader")
    first = [("term", b"a term\n"), ("entry", b"{}"), ("entry", os.urandom(65_535))]
    then = [("checkpoint", b"a checkpoint\n"), ("what is this", b""), ("", bytes(range(256)))]
    sequencer.append(first)
    sequencer.append(then)
    assert everything(reader) == first + then
    assert everything(sequencer) == first + then


def test_reading_goes_on_from_any_cursor_again_and_again(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.append([("entry", b"%d" % n) for n in range(50)])
    all_of_it = sequencer.records(0, 100)
    assert len(all_of_it) == 50
    for n in (49, 0, 25, 24, 25, 10):
        assert sequencer.records(all_of_it[n].cursor, 5) == all_of_it[n : n + 5]
    assert sequencer.records(sequencer.end(), 5) == []
    sequencer.append([("entry", b"50")])
    assert [r.value for r in sequencer.records(all_of_it[-1].cursor + 1, 5)] == [b"50"]


def test_an_empty_log_ends_at_zero(opened: Opener) -> None:
    sequencer = opened("sequencer")
    assert sequencer.end() == 0
    assert sequencer.submissions_end() == 0
    assert sequencer.records(0, 10) == []
    assert sequencer.submissions(0, 10) == []
    assert sequencer.receipts() == {}
    assert sequencer.dead_letters() == []
    assert sequencer.dead_letter_count() == 0
    assert sequencer.check() == []


def test_empty_batches_change_nothing(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.submit([])
    sequencer.append([])
    sequencer.put_receipts({})
    assert (sequencer.end(), sequencer.submissions_end()) == (0, 0)


def test_shards_are_apart(opened: Opener) -> None:
    zero, one = opened("sequencer", 0), opened("sequencer", 1)
    zero.append([("entry", b"of zero")])
    one.submit([event(1)])
    one.put_receipts({"dialler/1": b"of one"})
    assert (zero.shard, one.shard) == (0, 1)
    assert everything(one) == []
    assert zero.submissions(0, 10) == []
    assert zero.receipt("dialler/1") is None


def test_two_sequencers_at_once_do_each_other_no_harm(opened: Opener) -> None:
    logs = [opened("sequencer"), opened("sequencer")]

    def work(log: ShardLog, name: bytes) -> None:
        for n in range(20):
            log.append([("entry", b"%s %d %d" % (name, n, k)) for k in range(5)])

    threads = [
        threading.Thread(target=work, args=(log, name)) for log, name in zip(logs, (b"a", b"b"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [value for _, value in everything(opened("reader"))]
    for name in (b"a", b"b"):
        own = [value for value in found if value.startswith(name)]
        assert own == [b"%s %d %d" % (name, n, k) for n in range(20) for k in range(5)]
    assert len(found) == 200


def test_one_producer_may_be_used_by_many_threads(opened: Opener) -> None:
    producer, sequencer = opened("producer"), opened("sequencer")
    threads = [
        threading.Thread(target=lambda t=t: [producer.submit([event(100 * t + n)]) for n in range(10)])
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subjects = [s.subject for s in all_submissions(sequencer)]
    assert len(subjects) == 40
    for t in range(4):
        own = [f"case/{100 * t + n}" for n in range(10)]
        assert [s for s in subjects if s in own] == own


def test_waiting_ends_when_something_is_there(opened: Opener) -> None:
    producer, sequencer = opened("producer"), opened("sequencer")
    timer = threading.Timer(0.3, lambda: producer.submit([event(1)]))
    timer.start()
    began = time.monotonic()
    assert sequencer.wait(0, "submissions", 20) is True
    assert 0.2 < time.monotonic() - began < 10
    timer.join()
    assert [s.subject for s in sequencer.submissions(0, 5)] == ["case/1"]
    sequencer.append([("entry", b"{}")])
    assert sequencer.wait(0, "records", 20) is True
    assert len(sequencer.records(0, 5)) == 1


def test_waiting_in_vain_ends_in_time(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.append([("entry", b"{}")])
    end = sequencer.records(0, 1)[0].cursor + 1
    began = time.monotonic()
    assert sequencer.wait(end, "records", 0.2) is False
    assert sequencer.wait(0, "submissions", 0) is False
    assert 0.15 < time.monotonic() - began < 5


def test_only_the_newest_receipt_of_a_feed_is_kept(opened: Opener) -> None:
    sequencer, producer = opened("sequencer"), opened("producer")
    sequencer.put_receipts({"dialler/1": b"old", "sms/1": b"other"})
    assert producer.receipt("dialler/1") == b"old"
    sequencer.put_receipts({"dialler/1": b"new"})
    assert producer.receipts() == {"dialler/1": b"new", "sms/1": b"other"}
    assert producer.receipt("dialler/1") == b"new"
    assert producer.receipt("nobody/1") is None


def test_a_dead_letter_is_kept_whole_and_once(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.submit([event(1), Submission("case/2", b"garbage", b"", b"keys"), event(3)])
    first, second, _ = sequencer.submissions(0, 10)
    sequencer.put_dead_letter(second, "no registered producer's signature")
    sequencer.put_dead_letter(first, "forged")
    sequencer.put_dead_letter(second, "again")
    assert sequencer.dead_letters() == [
        DeadLetter("forged", first),
        DeadLetter("no registered producer's signature", second),
    ]
    assert sequencer.dead_letters(1) == [DeadLetter("forged", first)]
    assert 2 <= sequencer.dead_letter_count() <= 3


def test_a_record_that_is_too_large_is_refused_and_nothing_of_its_batch_is_sent(opened: Opener) -> None:
    sequencer = opened("sequencer")
    large = bytes(RECORD_BYTES_MAX + 1)
    with pytest.raises(Refused, match="E_LIMIT") as refused:
        sequencer.append([("entry", b"{}"), ("entry", large)])
    assert refused.value.where == "record 1"
    with pytest.raises(Refused, match="E_LIMIT"):
        sequencer.submit([event(1), Submission("case/1", large, b"")])
    with pytest.raises(Refused, match="E_LIMIT"):
        sequencer.submit([event(1)] * (BATCH_RECORDS_MAX + 1))
    assert (sequencer.end(), sequencer.submissions_end()) == (0, 0)
    sequencer.append([("entry", b"the client is still good")])
    assert everything(sequencer) == [("entry", b"the client is still good")]


def test_a_record_near_the_limit_is_carried(opened: Opener) -> None:
    sequencer = opened("sequencer")
    large = os.urandom(RECORD_BYTES_MAX - 4096)
    sequencer.append([("entry", large), ("entry", b"after")])
    assert everything(sequencer) == [("entry", large), ("entry", b"after")]


@pytest.mark.parametrize("role", ["producer", "reader"])
def test_who_is_not_the_sequencer_cannot_append(opened: Opener, role: Role) -> None:
    log = opened(role)
    with pytest.raises(LogUnavailable, match="role"):
        log.append([("entry", b"{}")])
    with pytest.raises(LogUnavailable, match="role"):
        log.put_receipts({"dialler/1": b"x"})
    if role == "reader":
        with pytest.raises(LogUnavailable, match="role"):
            log.submit([event(1)])
    assert opened("sequencer").end() == 0


def test_a_cursor_beyond_the_end_says_that_the_log_was_replaced(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.append([("entry", b"{}")])
    with pytest.raises(LogDrifted, match="ends at 1"):
        sequencer.records(1000, 10)
    with pytest.raises(LogDrifted, match="ends at 0"):
        sequencer.submissions(1000, 10)
    assert len(sequencer.records(0, 10)) == 1


def test_reopening_begins_anew_and_loses_nothing(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.append([("entry", b"before")])
    sequencer.reopen()
    sequencer.append([("entry", b"after")])
    assert everything(sequencer) == [("entry", b"before"), ("entry", b"after")]


def test_a_closed_log_says_so_and_may_be_closed_again(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.close()
    sequencer.close()
    for call in (
        lambda: sequencer.records(0, 1),
        lambda: sequencer.append([("entry", b"{}")]),
        lambda: sequencer.submit([event(1)]),
        sequencer.receipts,
    ):
        with pytest.raises(LogUnavailable, match="closed"):
            call()
    sequencer.reopen()
    assert sequencer.end() == 0


def test_pruning_takes_nothing_that_is_young_or_unread(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.submit([event(1), event(2)])
    found = sequencer.submissions(0, 10)
    assert sequencer.prune(found[-1].arrived_us + 1, sequencer.submissions_end()) == 0
    assert sequencer.prune(found[-1].arrived_us + 10**13, 0) == 0
    assert sequencer.submissions(0, 10) == found


def test_making_a_log_twice_keeps_what_is_in_it(config: LogConfig, opened: Opener) -> None:
    opened("sequencer").append([("entry", b"{}")])
    assert create_log(config) == config
    assert everything(opened("reader")) == [("entry", b"{}")]


def test_a_log_that_was_never_made_is_a_configuration_error(config: LogConfig, tmp_path: Path) -> None:
    elsewhere = replace(config, path=tmp_path / "nowhere", prefix="never-made", topic_ids={})
    with pytest.raises(ConfigurationError, match="duecourse init"):
        open_log(elsewhere, 0, "reader")


def test_there_are_only_the_shards_that_were_made(config: LogConfig) -> None:
    for shard in (-1, 2):
        with pytest.raises(ConfigurationError, match="this log has 2"):
            open_log(config, shard, "reader")


def test_a_log_opens_from_its_configuration_as_written(config: LogConfig) -> None:
    read = LogConfig.from_dict(config.to_dict())
    assert read == config
    open_log(read, 1, "reader").close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_fork_the_child_must_reopen(opened: Opener) -> None:
    sequencer = opened("sequencer")
    sequencer.append([("entry", b"the parent's")])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            try:
                sequencer.end()
            except LogUnavailable as error:
                code = 2 if "fork" in str(error) else 3
            if code == 2:
                sequencer.reopen()
                sequencer.append([("entry", b"the child's")])
                code = 0
                sequencer.close()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    sequencer.append([("entry", b"the parent's again")])
    assert [value for _, value in everything(sequencer)] == [
        b"the parent's",
        b"the child's",
        b"the parent's again",
    ]
