"""A sequencer that dies at each point of its step, and one that is killed for real: afterwards nothing that was
acknowledged is lost, nothing stands twice, and fsck finds nothing (F19, F25)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.testing.history import Tool, case
from ledger.testing.rig import Rig, rig

POINTS = (
    "recovered",
    "term",
    "ordered",
    "append",
    "read_back",
    "keys",
    "sealed",
    "signed",
    "checkpointed",
    "receipts",
    "published",
    "snapshot",
)


class Died(BaseException):
    """The process is gone: nobody catches this but the test."""


def dies_at(point: str, occurrence: int) -> object:
    seen = 0

    def hook(reached: str) -> None:
        nonlocal seen
        if reached == point:
            seen += 1
            if seen == occurrence:
                raise Died(point)

    return hook


@contextmanager
def founded(directory: Path) -> Iterator[tuple[Rig, Tool]]:
    with rig(directory) as shard:
        shard.found()
        yield shard, shard.register("dialler")


def hand_in(shard: Rig, tool: Tool, count: int) -> list[bytes]:
    events = [tool.event(case(i % 5)) for i in range(count)]
    for at in range(0, count, 7):
        shard.submit(tool.sign(events[at : at + 7]))
    return events


@pytest.mark.parametrize("occurrence", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_each_point_of_the_step_loses_and_doubles_nothing(
    tmp_path: Path, point: str, occurrence: int
) -> None:
    with founded(tmp_path) as (shard, tool):
        events = hand_in(shard, tool, 30)
        first = shard.sequencer(batch=8, snapshot_entries=5, faults=dies_at(point, occurrence))
        died = False
        for _ in range(3):
            try:
                while not first.step().idle:
                    pass
            except Died:
                died = True
                break
            events += hand_in(shard, tool, 10)
        assert died or (point in {"recovered", "term"} and occurrence > 1)
        acknowledged = shard.front.receipts()
        second = shard.sequencer(batch=8, snapshot_entries=5)
        second.drain()
        shard.check(events)
        assert all(shard.front.receipts()[feed] is not None for feed in acknowledged)


def test_a_crash_between_seal_and_checkpoint_ends_in_the_same_signature(tmp_path: Path) -> None:
    with founded(tmp_path) as (shard, tool):
        hand_in(shard, tool, 10)
        notes: list[bytes] = []
        first = shard.sequencer(faults=dies_at("checkpointed", 1))
        with pytest.raises(Died):
            first.drain()
        [signed] = shard.values("checkpoint")
        second = shard.sequencer()
        second.start()
        assert shard.values("checkpoint") == [signed], "it stands already"
        third = shard.sequencer(faults=dies_at("signed", 1))
        hand_in(shard, tool, 10)
        with pytest.raises(Died):
            third.drain()
        fourth = shard.sequencer(faults=dies_at("signed", 1))
        with pytest.raises(Died):
            fourth.start()
        fifth = shard.sequencer()
        fifth.start()
        notes = shard.values("checkpoint")
        assert len(notes) == 2
        assert fifth.sealed == fifth.size
        shard.check()


def test_crash_after_crash_at_random_points(tmp_path: Path) -> None:
    chance = random.Random(7)
    with founded(tmp_path) as (shard, tool):
        events: list[bytes] = []
        for _ in range(60):
            events += hand_in(shard, tool, chance.randrange(12))
            hook = dies_at(chance.choice(POINTS), chance.randrange(1, 4))
            sequencer = shard.sequencer(batch=chance.choice([1, 8, 50]), snapshot_entries=5, faults=hook)
            try:
                for _ in range(4):
                    sequencer.step()
            except Died:
                continue
        shard.sequencer().drain()
        shard.check(events)


SERVER = """
import sys, time
from pathlib import Path
from ledger.sequencer.second import OwnProcess
from ledger.testing.rig import rig, Chance
import os
if __name__ == "__main__":
    directory, own = Path(sys.argv[1]), sys.argv[2] == "2"
    with rig(directory) as shard:
        second = OwnProcess(shard.config, 0, shard.tiles) if own else None
        made = shard.sequencer(
            clock=lambda: time.time_ns() // 1000, entropy=os.urandom, cadence_s=0.02, batch=32,
            snapshot_entries=100, second=second, arrivals_are_reference=True,
        )
        print("up", flush=True)
        made.run((directory / "stop").exists)
"""


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_kill_9_at_random_moments_loses_and_doubles_nothing(tmp_path: Path, processes: int) -> None:
    chance = random.Random(processes)
    script = tmp_path / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    with founded(tmp_path) as (shard, tool):
        events: list[bytes] = []
        for _ in range(6):
            server = subprocess.Popen(
                [sys.executable, str(script), str(tmp_path), str(processes)],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert server.stdout is not None
            try:
                assert server.stdout.readline() == "up\n"
                ends = time.monotonic() + chance.uniform(0.1, 1.2)
                while time.monotonic() < ends:
                    events += hand_in(shard, tool, 40)
                    time.sleep(0.005)
            finally:
                os.kill(server.pid, signal.SIGKILL)
                server.wait()
                server.stdout.close()
        shard.clock.us = time.time_ns() // 1000
        shard.sequencer(clock=lambda: time.time_ns() // 1000).drain()
        shard.check(events)
