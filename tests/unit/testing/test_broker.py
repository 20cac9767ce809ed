"""The broker for tests says what it lacks, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing import broker
from ledger.testing.broker import BrokerUnavailable, KafkaBroker, libraries_directory, missing


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PATH with nothing on it, and no jars."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DUECOURSE_KAFKA_LIBS", str(tmp_path / "libs"))
    return tmp_path / "bin"


def tool(path: Path, script: str = "exit 0") -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_java_the_reason_is_java(bare_path: Path) -> None:
    assert "java" in str(missing())
    with pytest.raises(BrokerUnavailable, match="java"):
        KafkaBroker().start()


def test_without_maven_the_reason_is_maven_unless_the_jars_are_there(bare_path: Path) -> None:
    tool(bare_path / "java")
    assert "mvn" in str(missing())
    libraries = libraries_directory()
    libraries.mkdir()
    (libraries / f"kafka_2.13-{broker.KAFKA_VERSION}.jar").touch()
    assert missing() is None
    assert broker.fetch_libraries() == libraries


def test_what_maven_said_is_passed_on_and_nothing_half_fetched_stays(bare_path: Path) -> None:
    tool(bare_path / "java")
    tool(bare_path / "mvn", "echo cannot resolve; exit 1")
    with pytest.raises(BrokerUnavailable, match="cannot resolve"):
        broker.fetch_libraries()
    assert not libraries_directory().exists()
    assert [path.name for path in libraries_directory().parent.iterdir() if path.suffix != ".lock"] == ["bin"]


def test_what_a_broker_said_when_it_ended_is_passed_on(bare_path: Path) -> None:
    tool(bare_path / "java", 'case "$*" in *StorageTool*) exit 0;; *) echo port taken; exit 1;; esac')
    libraries_directory().mkdir()
    (libraries_directory() / f"kafka_2.13-{broker.KAFKA_VERSION}.jar").touch()
    started = KafkaBroker()
    with pytest.raises(BrokerUnavailable, match="ended while starting: port taken"):
        started.start()
    with pytest.raises(BrokerUnavailable, match="not running"):
        _ = started.pid


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_ready")
def test_as_a_command_it_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ledger.testing.broker", "--directory", str(tmp_path / "kafka")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("127.0.0.1:")
        java = children(process.pid)
        assert len(java) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    for pid in java:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found]
