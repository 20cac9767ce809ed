"""The log that misbehaves on purpose does exactly what its plan says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import LogUnavailable
from ledger.log.faulty import FAULTS, Fault, FaultyLog, seeded
from ledger.log.port import LogConfig, ShardLog, Submission, create_log, open_log

BATCH = [("entry", b"%d" % n) for n in range(4)]


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[ShardLog]:
    log = open_log(create_log(LogConfig("sqlite", path=tmp_path / "log")), 0, "sequencer")
    yield log
    log.close()


def values(log: ShardLog) -> list[int]:
    return [int(record.value) for record in log.records(0, 100)]


@pytest.mark.parametrize(
    ("fault", "landed"),
    [("lost_reply", [0, 1, 2, 3]), ("refused", []), ("torn", [0, 1]), ("holed", [2, 3]), ("late", [])],
)
def test_an_append_that_fails_leaves_what_its_fault_says(
    sound: ShardLog, fault: Fault, landed: list[int]
) -> None:
    log = FaultyLog(sound, [fault])
    with pytest.raises(LogUnavailable, match="on purpose"):
        log.append(BATCH)
    assert values(sound) == landed
    with pytest.raises(LogUnavailable, match="reopen"):
        log.append(BATCH)
    assert log.faults == [fault]


def test_a_late_append_lands_before_the_next_one(sound: ShardLog) -> None:
    log = FaultyLog(sound, ["late"])
    with pytest.raises(LogUnavailable):
        log.append(BATCH)
    log.reopen()
    log.append([("entry", b"9")])
    assert values(sound) == [0, 1, 2, 3, 9]


def test_a_repeated_write_lands_twice_and_says_nothing(sound: ShardLog) -> None:
    log = FaultyLog(sound, ["repeated", "repeated"])
    log.append(BATCH)
    log.submit([Submission("case/1", b"{}", b"")])
    assert values(sound) == [0, 1, 2, 3, 0, 1, 2, 3]
    assert sound.submissions_end() == 2


def test_after_its_plan_the_log_is_sound(sound: ShardLog) -> None:
    log = FaultyLog(sound, ["refused"])
    with pytest.raises(LogUnavailable):
        log.put_receipts({"dialler/1": b"x"})
    log.put_receipts({"dialler/1": b"x"})
    log.append(BATCH)
    assert log.receipt("dialler/1") == b"x"
    assert values(sound) == [0, 1, 2, 3]


def test_reads_fail_when_told_to(sound: ShardLog) -> None:
    log = FaultyLog(sound, read_faults=[True, False])
    with pytest.raises(LogUnavailable):
        log.records(0, 1)
    assert log.records(0, 1) == []


def test_the_same_seed_is_the_same_plan() -> None:
    plan = list(seeded(7, 0.5, 200))
    assert plan == list(seeded(7, 0.5, 200))
    assert plan != list(seeded(8, 0.5, 200))
    assert set(plan) == {"none", *FAULTS}
    assert set(seeded(7, 0.5, 50, kinds=["torn"])) == {"none", "torn"}
