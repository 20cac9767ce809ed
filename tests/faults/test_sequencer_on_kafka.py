"""The sequencer on a real broker: with helpers in processes of their own, and with the broker killed under it (F14)."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest

from ledger.errors import LogUnavailable
from ledger.log.port import LogConfig
from ledger.sequencer import intake, second
from ledger.testing.broker import KafkaBroker
from ledger.testing.history import Tool, any_schema, case
from ledger.testing.rig import Rig, rig

pytestmark = pytest.mark.kafka


def config(broker: KafkaBroker, timeout_s: float = 30.0) -> LogConfig:
    prefix = f"s{uuid.uuid4().hex[:12]}"
    return LogConfig("kafka", bootstrap=broker.bootstrap, prefix=prefix, replication=1, timeout_s=timeout_s)


def hand_in(shard: Rig, tool: Tool, count: int) -> list[bytes]:
    events = [tool.event(case(i % 5)) for i in range(count)]
    shard.submit(*[tool.sign(events[at : at + 64]) for at in range(0, count, 64)])
    return events


def test_a_shard_on_kafka_works_restarts_and_checks(tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    with rig(tmp_path, config=config(kafka_broker)) as shard:
        shard.found()
        tool = shard.register("dialler")
        events = hand_in(shard, tool, 500)
        sequencer = shard.sequencer()
        sequencer.drain()
        shard.check(events)
        sequencer.close()
        events += hand_in(shard, tool, 500)
        again = shard.sequencer(
            second=second.OwnProcess(shard.config, 0, shard.tiles),
            intake=intake.OwnProcess(shard.config, 0, shard.origin, any_schema),
        )
        again.drain()
        assert again.counts["duplicate"] == 0
        again.close()
        assert shard.check(events).entries == 1004


def test_a_broker_killed_under_the_sequencer_costs_time_and_nothing_else(
    tmp_path: Path, kafka_ready: None
) -> None:
    with KafkaBroker() as broker, rig(tmp_path, config=config(broker, timeout_s=4.0)) as shard:
        shard.found()
        tool = shard.register("dialler")
        events = hand_in(shard, tool, 3000)
        sequencer = shard.sequencer(batch=50, cadence_s=0.2)
        for _ in range(10):
            sequencer.step()
        killer = threading.Timer(0.1, broker.kill)
        killer.start()
        ends = time.monotonic() + 6
        unavailable = 0
        while time.monotonic() < ends:
            try:
                done = sequencer.step()
                unavailable += done.restarted
                if done.idle:
                    break
            except LogUnavailable:
                unavailable += 1
        killer.join()
        assert unavailable
        broker.restart()
        sequencer.drain(patience_s=90.0)
        shard.front.reopen()
        shard.eye.reopen()
        shard.check(events)
