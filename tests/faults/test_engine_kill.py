"""The views after `kill -9` at any moment: every entry once, and the same as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing.history import case
from ledger.testing.rig import Rig
from projections.case_state.store import CaseStateView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore, applied, connect
from projections.timeline.store import TimelineView

ENTRIES = 3000
KILLS = 12

CHILD = """
import sys
from pathlib import Path
from ledger.kernel.note import VerifierKey
from ledger.log.port import LogConfig, open_log
from projections.case_state.store import CaseStateView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore
from projections.timeline.store import TimelineView

what, views, log, origin, vkey = sys.argv[1:]
shard = Shard(open_log(LogConfig("sqlite", path=Path(log)), 0, "reader"), origin, VerifierKey.parse(vkey))
store = ViewStore(views, [CaseStateView(), TimelineView()])
print("ready", flush=True)
if what == "rebuild":
    rebuild(store, [shard])
else:
    runner = Runner(store, shard, batch=7)
    while runner.catch_up() or True:
        pass
"""


class World:
    def __init__(self, directory: Path) -> None:
        self.rig = Rig(directory)
        self.rig.found()
        tool = self.rig.register("dialler", types=["contact"])
        sequencer = self.rig.sequencer()
        sequencer.start()
        for start in range(0, ENTRIES, 100):
            events = [tool.event(case(number % 211)) for number in range(start, start + 100)]
            self.rig.submit(tool.sign(events))
            sequencer.drain()
        self.views = directory / "views.db"
        self.shard = Shard(self.rig.open_log("reader"), self.rig.origin, self.rig.log_key)
        with ViewStore(directory / "undisturbed.db", [CaseStateView(), TimelineView()]) as store:
            self.total = Runner(store, self.shard).catch_up()
            self.digests = store.digests()

    def child(self, what: str) -> subprocess.Popen[bytes]:
        arguments = [
            what,
            str(self.views),
            str(self.rig.config.path),
            self.rig.origin,
            self.rig.log_key.format(),
        ]
        child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        return child

    def position(self) -> int:
        with contextlib.closing(connect(self.views)) as db:
            return applied(db).get(self.rig.origin, 0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("kill"))
    yield made
    made.rig.close()


def _kill(child: subprocess.Popen[bytes]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_killed_again_and_again_the_views_come_out_the_same(world: World) -> None:
    chance = random.Random(3)
    positions = [0]
    for number in range(KILLS):
        child = world.child("run")
        time.sleep(chance.uniform(0, 0.15))
        _kill(child)
        positions.append(world.position())
        with contextlib.closing(connect(world.views)) as db:
            # What is tracked and what is there are the same, at every moment at which anybody could look.
            assert db.execute("SELECT COUNT(*) FROM places").fetchone() == (positions[-1],)
            assert db.execute("SELECT IFNULL(MAX(idx), -1) FROM places").fetchone() == (positions[-1] - 1,)
        if number == 0:
            assert positions[-1] < world.total
    assert positions == sorted(positions)
    with ViewStore(world.views, [CaseStateView(), TimelineView()]) as store:
        Runner(store, world.shard).catch_up()
        assert store.digests() == world.digests
    assert world.position() == world.total


def test_a_rebuild_that_is_killed_leaves_the_old_reading_whole(world: World) -> None:
    with ViewStore(world.views, [CaseStateView(), TimelineView()]) as store:
        Runner(store, world.shard).catch_up()
    chance = random.Random(4)
    for _ in range(5):
        child = world.child("rebuild")
        time.sleep(chance.uniform(0, 0.4))
        _kill(child)
        with ViewStore(world.views, [CaseStateView(), TimelineView()]) as store:
            assert store.digests() == world.digests
    with ViewStore(world.views, [CaseStateView(), TimelineView()]) as store:
        assert rebuild(store, [world.shard]) == world.digests


def test_two_writers_and_a_kill_leave_every_entry_once(world: World, tmp_path: Path) -> None:
    world.views = tmp_path / "views.db"
    one, two = world.child("run"), world.child("run")
    time.sleep(0.2)
    _kill(one)
    deadline = time.monotonic() + 60
    while world.position() < world.total and time.monotonic() < deadline:
        time.sleep(0.05)
    _kill(two)
    with ViewStore(world.views, [CaseStateView(), TimelineView()]) as store:
        assert store.digests() == world.digests
