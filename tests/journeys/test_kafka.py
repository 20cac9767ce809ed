"""The same way on Apache Kafka: import, check, prove; a broker that dies in the middle; a topic that was set differently."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing.broker import KafkaBroker
from ledger.testing.fines import Fines, write_fines
from ledger.testing.shell import duecourse, entries, kill, running

pytestmark = pytest.mark.kafka

NAME = "ledger.example.com/fines"


def _found(ledger: Path, broker: KafkaBroker) -> str:
    """Founds a ledger on the broker, under a prefix of its own, and returns that."""
    prefix = f"j{uuid.uuid4().hex[:12]}"
    duecourse(
        "init", ledger, "--name", NAME, "--log", "kafka", "--bootstrap", broker.bootstrap,
        "--replication", "1", "--prefix", prefix,
    )  # fmt: skip
    return prefix


def _import(log: Path, ledger: Path) -> list[str | Path]:
    return ["import", "xes", log, "--into", ledger, "--mapping", "road-traffic-fines", "--json"]


def _check(ledger: Path, fines: Fines) -> None:
    """Every event once, in the order of its trace, and a ledger that is sound by every check."""
    refs: dict[int, list[str]] = {}
    for entry in entries(ledger):
        if ref := entry.event["data"].get("source_ref"):
            refs.setdefault(int(ref.split("/")[2]), []).append(ref)
    assert [refs.get(number, []) for number in range(1, len(fines.refs) + 1)] == fines.refs
    report = duecourse("fsck", ledger, "--json").json()
    assert report["ok"], report
    assert report["entries"] == len(entries(ledger))
    assert duecourse("rebuild", ledger, "--check", "--json").json()["equal"] is True


def test_a_log_comes_in_over_kafka_and_its_cases_are_proved(
    tmp_path: Path, kafka_broker: KafkaBroker
) -> None:
    fines, ledger = write_fines(tmp_path / "fines.xes", 200, seed=21), tmp_path / "ledger"
    _found(ledger, kafka_broker)
    answer = duecourse(*_import(fines.path, ledger)).json()
    assert answer["activities"] == dict(fines.activities)
    assert answer["events"] == answer["recorded_events"] == fines.events
    _check(ledger, fines)
    rows = duecourse("cases", ledger, "--json").json()
    assert len(rows) == len(fines.refs)
    bundle = tmp_path / "case.duecourse"
    duecourse("export", ledger, rows[0]["case"], "-o", bundle)
    first = bundle.read_bytes()
    duecourse("export", ledger, rows[0]["case"], "-o", bundle, "--force")
    assert bundle.read_bytes() == first
    verdict = duecourse("verify", bundle, "--trust", ledger / "trust.toml", "--json").json()
    assert verdict["verdict"] == "VERIFIED"
    assert verdict["proved"]["streams"][0]["count"] == rows[0]["entries"]
    status = duecourse("status", ledger, "--json").json()
    assert (status["log"], status["todo"]) == ("kafka", [])


def test_a_prefix_that_is_taken_is_refused(tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    prefix = _found(tmp_path / "ledger", kafka_broker)
    ended = duecourse(
        "init", tmp_path / "other", "--name", "ledger.example.com/other", "--log", "kafka", "--bootstrap",
        kafka_broker.bootstrap, "--replication", "1", "--prefix", prefix, status=3,
    )  # fmt: skip
    assert "already holds a ledger" in ended.complaint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger"]


def test_a_topic_that_was_set_differently_is_named_and_nothing_runs(
    tmp_path: Path, kafka_broker: KafkaBroker
) -> None:
    from kafka import KafkaAdminClient
    from kafka.admin import ConfigResource, ConfigResourceType

    ledger = tmp_path / "ledger"
    prefix = _found(ledger, kafka_broker)
    duecourse("run", ledger, "--once")
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    try:
        for value, status in (("86400000", 3), ("-1", 0)):
            resource = ConfigResource(ConfigResourceType.TOPIC, f"{prefix}.ledger", {"retention.ms": value})
            admin.alter_configs([resource])
            deadline = time.monotonic() + 10
            while (ended := duecourse("run", ledger, "--once", status=None)).status != status:
                assert time.monotonic() < deadline, ended
            if status:
                assert f"{prefix}.ledger: retention.ms is 86400000, and must be -1" in ended.complaint
                assert "Traceback" not in ended.complaint
                told = duecourse("status", ledger, "--json").json()
                assert any("retention.ms" in line for line in told["todo"])
                assert "retention.ms" in duecourse("fsck", ledger, status=3).complaint
    finally:
        admin.close()


def test_a_log_that_does_not_answer_is_said_to_be_away(tmp_path: Path) -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{held.getsockname()[1]}"
        begun = time.monotonic()
        ended = duecourse(
            "init", tmp_path / "ledger", "--name", NAME, "--log", "kafka", "--bootstrap", nobody, status=2
        )
    assert time.monotonic() - begun < 60
    assert "no broker answered. Is log.bootstrap right" in ended.complaint
    assert "Traceback" not in ended.complaint
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def mortal_broker() -> Iterator[KafkaBroker]:
    """One that tests may kill, as long as they start it again."""
    with KafkaBroker() as broker:
        yield broker


@pytest.mark.parametrize("who", ["broker", "broker and import"])
def test_a_broker_that_is_killed_in_the_middle_of_an_import_loses_and_doubles_nothing(
    tmp_path: Path, kafka_ready: None, request: pytest.FixtureRequest, who: str
) -> None:
    fines, ledger = write_fines(tmp_path / "fines.xes", 900, seed=23), tmp_path / "ledger"
    broker: KafkaBroker = request.getfixturevalue("mortal_broker")
    _found(ledger, broker)
    settings = ledger / "ledger.toml"
    # What was under way when the broker died is given up sooner than after half a minute.
    settings.write_text(settings.read_text().replace("timeout_s = 30.0", "timeout_s = 5.0"))
    with running(*_import(fines.path, ledger), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as importing:
        _await_some(ledger, importing)
        broker.kill()
        if who == "broker and import":
            kill(importing.pid)
        time.sleep(1.0)
        broker.restart()
        out, error = importing.communicate(timeout=90)
    # It has waited for the broker; or it says what to do, and doing that goes on where it stood.
    if importing.returncode == 0:
        assert b'"events"' in out
    else:
        assert importing.returncode in (-9, 2), error
    answer = duecourse(*_import(fines.path, ledger)).json()
    assert answer["activities"] == dict(fines.activities)
    _check(ledger, fines)
    counts = Counter(entry.event["type"] for entry in entries(ledger))
    assert counts["duecourse.case.registered.v1"] == len(fines.refs)


def _await_some(ledger: Path, importing: subprocess.Popen[bytes]) -> None:
    """Until the import has been recording for a moment: its outbox is there and grows."""
    outbox = ledger / "producers" / "importer" / "outbox.db-wal"
    while not (outbox.exists() and outbox.stat().st_size > 500_000):
        assert importing.poll() is None, importing.communicate()
        time.sleep(0.002)
