"""Every example runs, as its own page says, and ends in a record that verifies."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
CALL = {"account": "8841-2231", "what": "call", "number": "+86 10 5550 0142", "outcome": "no_answer"}


@pytest.fixture(scope="module")
def examples(root: Path) -> Path:
    return root / "examples"


def run(work: Path, *words: str | Path, status: int = 0) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=work,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def found(work: Path, producer: str, types: str) -> Path:
    """A ledger in `work` with one producer; its settings file."""
    run(work, "duecourse", "init", "ledger", "--name", "ledger.example.com/cards")
    run(work, "duecourse", "registry", "add", "ledger", producer, "--types", types)
    return work / "ledger" / "producers" / producer / "producer.toml"


def timeline(work: Path) -> list[dict[str, Any]]:
    """Sequences everything, and gives every line of every case."""
    run(work, "duecourse", "run", "ledger", "--once")
    cases = json.loads(run(work, "duecourse", "cases", "ledger", "--json"))
    return [
        line
        for case in cases
        for line in json.loads(run(work, "duecourse", "case", "timeline", "ledger", case["case"], "--json"))
    ]


def test_the_dialler_records_its_call(examples: Path, tmp_path: Path) -> None:
    run(tmp_path, examples / "dialler" / "setup.sh")
    run(tmp_path, "python", examples / "dialler" / "dialler.py")
    assert [line["type"] for line in timeline(tmp_path)] == ["contact.call_placed"]


def test_the_dialler_is_five_lines(examples: Path) -> None:
    text = (examples / "dialler" / "dialler.py").read_text(encoding="utf-8")
    code = text[text.rindex('"""') + 3 :].strip().splitlines()
    assert len([line for line in code if line and not line.startswith(("from ", "number ="))]) <= 5


def test_the_gateway_records_messages_reports_and_stops(examples: Path, tmp_path: Path) -> None:
    settings = found(tmp_path, "sms-gateway", "contact,cease")
    told = run(tmp_path, "python", examples / "async_gateway.py", settings)
    assert told == "2 numbers said STOP; reminders sent after that: 0\n"
    assert Counter(line["type"] for line in timeline(tmp_path)) == {
        "contact.message_sent": 2,
        "contact.delivery_status": 2,
        "contact.inbound_received": 2,
        "cease.requested": 2,
    }


def test_the_applications_own_tests_pass(examples: Path, tmp_path: Path) -> None:
    work = tmp_path / "application"
    shutil.copytree(examples / "unit_test_with_testmode", work, ignore=shutil.ignore_patterns("__pycache__"))
    told = run(work, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py")
    assert "4 passed" in told


def test_the_verifier_serves_as_a_library(examples: Path, tmp_path: Path) -> None:
    run(tmp_path, examples / "dialler" / "setup.sh")
    run(tmp_path, "python", examples / "dialler" / "dialler.py")
    timeline(tmp_path)
    [case] = json.loads(run(tmp_path, "duecourse", "cases", "ledger", "--json"))
    run(tmp_path, "duecourse", "export", "ledger", case["case"], "-o", "case.duecourse")
    words = ("python", examples / "verify_in_python.py", "case.duecourse", "ledger/trust.toml")
    told = run(tmp_path, *words)
    assert told.startswith("VERIFIED\n")
    assert "duecourse.contact.call_placed.v1" in told
    bundle = tmp_path / "case.duecourse"
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert run(tmp_path, *words, status=1).startswith("REJECTED\n")


class Service:
    """The service as a process; its words come one after the other, and are waited for."""

    def __init__(self, examples: Path, work: Path, settings: Path) -> None:
        self.process = subprocess.Popen(
            ["python", str(examples / "service_with_outbox" / "service.py"), str(settings)],
            cwd=work,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # A service that says nothing must not hold up the tests for ever.
        self._timer = threading.Timer(60, self.process.kill)
        self._timer.start()

    def job(self, **job: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def close(self) -> None:
        self._timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def service(examples: Path, tmp_path: Path) -> Iterator[Service]:
    settings = found(tmp_path, "call-centre", "contact")
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("\n\n[actor]", "\noutbox_events = 2\n\n[actor]", 1), encoding="utf-8")
    made = Service(examples, tmp_path, settings)
    yield made
    made.close()


def test_the_service_holds_a_job_while_the_outbox_is_full(service: Service, tmp_path: Path) -> None:
    for _ in range(3):
        service.job(**CALL)
    assert service.says().startswith("recorded ")
    assert service.says().startswith("recorded ")
    assert service.says() == "held 2 events wait for receipts"
    # The line catches up, receipts make room, and the job that was held is recorded.
    run(tmp_path, "duecourse", "run", "ledger", "--once")
    assert service.says().startswith("recorded ")
    service.process.send_signal(signal.SIGTERM)
    assert service.says() == "stopped"
    assert service.process.wait(30) == 0
    assert len(timeline(tmp_path)) == 3


def test_the_service_tells_what_was_refused_and_goes_on(service: Service, tmp_path: Path) -> None:
    service.job(**{**CALL, "outcome": "no such outcome"})
    assert service.says().startswith("not recorded EventRefused contact.call_placed: E_SCHEMA")
    service.job(account="7312-0042", what="complaint", category="hours")
    recorded = service.says().split()
    assert recorded[0] == "recorded"
    run(tmp_path, "duecourse", "run", "ledger", "--once")
    assert service.says() == f"refused E_KEY_SCOPE {recorded[1]}"
    service.job(**CALL)
    assert service.says().startswith("recorded ")
    assert [line["type"] for line in timeline(tmp_path)] == ["contact.call_placed"]


def test_every_example_has_its_row_on_the_page(examples: Path) -> None:
    rows = set(
        re.findall(r"^\| \[([^]]+)\]", (examples / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    there = {
        path.name
        for path in examples.iterdir()
        if path.name != "README.md" and not path.name.startswith((".", "__"))
    }
    assert rows == there
