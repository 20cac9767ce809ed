"""Two lines over one log, each from a ledger directory of its own with the same keys: they cut each other off as often
as they like, and one right ledger comes of it."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ledger.sdk.recorder import Recorder
from ledger.testing.broker import KafkaBroker
from ledger.testing.shell import duecourse, entries, kill, running

NAME = "ledger.example.com/war"
EVENTS = 200


def _second_directory(ledger: Path) -> Path:
    """A copy that serves the same log: as if keys and settings had been restored on another machine."""
    second = ledger.with_name("second")
    shutil.copytree(ledger, second)
    settings = second / "ledger.toml"
    settings.write_text(settings.read_text().replace('path = "log"', f'path = "{ledger / "log"}"'))
    return second


def _fight(ledger: Path, second: Path) -> list[str]:
    """A tool records while two lines run; both are killed and started again. Returns what was recorded, in order."""
    chance = random.Random(9)
    recorded: list[str] = []
    stopped = threading.Event()

    def record(recorder: Recorder) -> None:
        for number in range(EVENTS):
            ref = f"war/{number}"
            recorder.case(account=str(number % 7)).stage_changed(stage="overdue", source_ref=ref)
            recorded.append(ref)
            time.sleep(0.01)
        stopped.set()

    with contextlib.ExitStack() as stack:

        def run(directory: Path) -> subprocess.Popen[bytes]:
            words = ["run", directory, "--cadence", "0.1"]
            return stack.enter_context(running(*words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))

        lines = {directory: run(directory) for directory in (ledger, second)}
        with Recorder.open(ledger / "producers" / "crm" / "producer.toml") as recorder:
            tool = threading.Thread(target=record, args=(recorder,))
            tool.start()
            while not stopped.is_set():
                time.sleep(chance.uniform(0.3, 0.8))
                loser = chance.choice([ledger, second])
                kill(lines[loser].pid)
                lines[loser].communicate(timeout=30)
                lines[loser] = run(loser)
            tool.join()
            # One of them gives up, and the other has its peace.
            lines[second].terminate()
            assert recorder.flush(60)
        lines[ledger].terminate()
        for line in lines.values():
            _, said = line.communicate(timeout=60)
            # One that is told to end before it has learned how to is ended by the signal itself.
            assert line.returncode in (0, -signal.SIGTERM), said.decode()
            assert b"Traceback" not in said
    return recorded


def _one_right_ledger(ledger: Path, second: Path, recorded: list[str]) -> None:
    for directory in (ledger, second):
        duecourse("run", directory, "--once")
        report = duecourse("fsck", directory, "--json").json()
        assert report["ok"], report
        assert duecourse("rebuild", directory, "--check", "--json").json()["equal"] is True
    ours, theirs = entries(ledger), entries(second)
    assert [entry.raw for entry in ours] == [entry.raw for entry in theirs][: len(ours)]
    for found in (ours, theirs):
        refs = [entry.event["data"]["source_ref"] for entry in found if "stage" in entry.event["data"]]
        assert refs == recorded
    assert [entry.index for entry in theirs] == list(range(len(theirs)))


def test_two_lines_over_one_embedded_log_make_one_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    duecourse("registry", "add", ledger, "crm")
    second = _second_directory(ledger)
    _one_right_ledger(ledger, second, _fight(ledger, second))


@pytest.mark.kafka
def test_two_lines_over_one_topic_make_one_ledger(tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    ledger = tmp_path / "ledger"
    duecourse(
        "init", ledger, "--name", NAME, "--log", "kafka", "--bootstrap", kafka_broker.bootstrap,
        "--replication", "1", "--prefix", f"war-{time.time_ns():x}",
    )  # fmt: skip
    duecourse("registry", "add", ledger, "crm")
    second = _second_directory(ledger)
    _one_right_ledger(ledger, second, _fight(ledger, second))
