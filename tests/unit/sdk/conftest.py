"""A shard with a sequencer, in which the producer of the SDK's tests is registered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.events.schemas import check_event
from ledger.sequencer.run import Sequencer
from ledger.testing.producer import PRODUCER
from ledger.testing.rig import Rig, rig


class Shard:
    """A rig, and its one sequencer, under the real time."""

    def __init__(self, made: Rig) -> None:
        self.rig = made
        made.clock.us = time.time_ns() // 1000
        made.found()
        made.register(PRODUCER, types=["case", "contact", "party", "staff"])
        self.sequencer: Sequencer = made.sequencer()
        self.sequencer.start()
        self.work()

    def work(self) -> None:
        """Until nothing is left and all is sealed."""
        self.rig.clock.us = max(self.rig.clock.us, time.time_ns() // 1000)
        self.sequencer.drain()

    def events(self) -> list[dict[str, object]]:
        """What the producer has in the ledger, in order."""
        return [e.event for e in self.rig.accepted() if e.event["producerid"] == PRODUCER]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    with rig(tmp_path, check_event=check_event) as made:
        yield Shard(made)
