"""`kill -9` at any moment of an import, and of a line that serves producers: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing.fines import Fines, write_fines
from ledger.testing.shell import children, duecourse, entries, kill, running, start

NAME = "ledger.example.com/fines"
TRACES = 500
KILLS = 4


@pytest.fixture(scope="module")
def fines(tmp_path_factory: pytest.TempPathFactory) -> Fines:
    return write_fines(tmp_path_factory.mktemp("log") / "fines.xes", TRACES, seed=11)


def _import(log: Path, ledger: Path) -> list[str | Path]:
    return ["import", "xes", log, "--into", ledger, "--mapping", "road-traffic-fines", "--json"]


def _check(ledger: Path, fines: Fines) -> None:
    """Every event of the log once, in its case and in its order; the ledger sound, and the views the same as new ones."""
    traces: dict[int, list[str]] = {}
    cases: dict[int, set[str]] = {}
    for entry in entries(ledger):
        ref = entry.event["data"].get("source_ref")
        if ref is not None:
            number = int(ref.split("/")[2])
            traces.setdefault(number, []).append(ref)
            cases.setdefault(number, set()).add(entry.subject)
    assert [traces.get(number, []) for number in range(1, len(fines.refs) + 1)] == fines.refs
    assert all(len(subjects) == 1 for subjects in cases.values())
    assert len({subject for subjects in cases.values() for subject in subjects}) == len(fines.refs)
    checked = duecourse("fsck", ledger, "--json").json()
    assert checked["ok"]
    assert checked["entries"] == len(entries(ledger))
    assert duecourse("rebuild", ledger, "--check", "--json").json()["equal"] is True
    shown = duecourse("cases", ledger, "--json").json()
    assert sum(row["entries"] for row in shown) == fines.events


def _end(process: subprocess.Popen[bytes]) -> None:
    """Waits for a process that was killed, or came to its end before."""
    process.communicate(timeout=60)


@pytest.mark.parametrize("who", ["import", "line", "both"])
def test_an_import_that_is_killed_again_and_again_comes_out_the_same(
    tmp_path: Path, fines: Fines, who: str
) -> None:
    chance = random.Random(who)
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    hits = 0
    for _ in range(KILLS):
        began = time.monotonic()
        with running(
            *_import(fines.path, ledger), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as importing:
            # Most of the first half second is starting; what follows it is where the work is.
            until = began + chance.uniform(0.4, 1.6)
            while time.monotonic() < until and importing.poll() is None:
                time.sleep(0.005)
            lines = children(importing.pid)
            if who in ("import", "both"):
                kill(importing.pid)
            if who in ("line", "both"):
                for line in lines:
                    for second in children(line):
                        kill(second)
                    kill(line)
            hits += importing.poll() is None or importing.returncode != 0
            _end(importing)
            if who == "line":
                # The import goes on by another line, or says that its own failed; never what is not so.
                assert importing.returncode in (0, 2)
    assert hits
    answer = duecourse(*_import(fines.path, ledger)).json()
    assert answer["activities"] == dict(fines.activities)
    assert answer["source_events"] == fines.source_events
    assert (answer["events"], answer["cases"]) == (fines.events, len(fines.refs))
    _check(ledger, fines)


def test_a_second_import_at_the_same_time_is_refused_and_harms_nothing(tmp_path: Path, fines: Fines) -> None:
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    duecourse("registry", "add", ledger, "importer")
    words = _import(fines.path, ledger)
    with (
        running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first,
        running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as second,
    ):
        both = (first, second)
        said = [one.communicate(timeout=60) for one in both]
    # The one that comes second finds the outbox taken, unless the first has finished by then.
    assert 0 in {one.returncode for one in both}
    assert {one.returncode for one in both} <= {0, 2}
    for one, (_, error) in zip(both, said, strict=True):
        if one.returncode:
            assert b"Traceback" not in error
            assert b"NOT recorded" in error
    _check(ledger, fines)


def test_an_import_beside_a_line_that_serves_ends_when_everything_can_be_read(
    tmp_path: Path, fines: Fines
) -> None:
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    duecourse("registry", "add", ledger, "importer")
    words = ["run", ledger, "--cadence", "0.1"]
    with running(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as line:
        answer = duecourse(*_import(fines.path, ledger)).json()
        shown = duecourse("cases", ledger, "--json").json()
        assert answer["events"] == sum(row["entries"] for row in shown) == fines.events
        line.terminate()
        _end(line)
    assert line.returncode == 0
    _check(ledger, fines)


# -- the line is killed while producers record -----------------------------------------------------------------------

PRODUCERS = ("crm", "dialler", "desk")
EVENTS = 150
THREADS = 2

# A producer of two threads. Each writes down what it is about to record, and then that it was recorded: a history.
TOOL = """
import sys, threading
from ledger.sdk.recorder import Recorder

settings, name, history, count, threads = sys.argv[1:]
lock = threading.Lock()

def work(recorder, thread):
    case = recorder.case(account=f"{name}-{thread}")
    shared = recorder.case(account="shared")
    for n in range(int(count)):
        ref = f"{name}/{thread}/{n}"
        tell(f"invoke {ref}")
        (shared if n % 5 == 0 else case).call_placed(
            to="+44 7700 900123", purpose="interactive", outcome="no_answer", source_ref=ref,
            zones=[{"zone": "Europe/London", "source": "residence"}])
        tell(f"ok {ref}")

def tell(line):
    with lock:
        file.write(line + "\\n")
        file.flush()

with open(history, "a") as file, Recorder.open(settings) as recorder:
    workers = [threading.Thread(target=work, args=(recorder, t)) for t in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if not recorder.flush(60):
        sys.exit("no receipt came")
"""


class Serving:
    """A line that is killed and started again."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return start(
            "run", self.ledger, "--cadence", "0.1", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def kill(self) -> None:
        kill(self.process.pid)
        _end(self.process)
        self.process = self._start()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            _end(self.process)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    for producer in PRODUCERS:
        duecourse("registry", "add", ledger, producer, "--types", "contact")
    made = Serving(ledger)
    yield made
    made.stop()


def test_a_line_killed_while_producers_record_loses_and_doubles_nothing(
    tmp_path: Path, serving: Serving
) -> None:
    """A history of calls and their answers against what the ledger holds in the end: what was acknowledged stands
    there once and in its order; what was asked for and never answered stands there once or not at all."""
    ledger, chance = serving.ledger, random.Random(5)
    tools = {
        name: subprocess.Popen(
            [sys.executable, "-c", TOOL, ledger / "producers" / name / "producer.toml", name,
             tmp_path / f"{name}.history", str(EVENTS), str(THREADS)],
            stderr=subprocess.PIPE,
        )
        for name in PRODUCERS
    }  # fmt: skip
    victim = "desk"
    begun = tmp_path / f"{victim}.history"
    while not begun.exists() or "ok " not in begun.read_text():
        assert tools[victim].poll() is None
        time.sleep(0.02)
    # One of the tools dies too. Whoever starts it again finds its outbox, and says nothing twice.
    kill(tools[victim].pid)
    for _ in range(6):
        time.sleep(chance.uniform(0.3, 0.9))
        serving.kill()
    for name, tool in tools.items():
        _, error = tool.communicate(timeout=90)
        assert tool.returncode == (-9 if name == victim else 0), error
    duecourse_flush = (
        "import sys\nfrom ledger.sdk.recorder import Recorder\n"
        "with Recorder.open(sys.argv[1]) as recorder:\n    sys.exit(not recorder.flush(60))"
    )
    settings = ledger / "producers" / victim / "producer.toml"
    subprocess.run([sys.executable, "-c", duecourse_flush, settings], check=True, timeout=90)
    serving.stop()
    duecourse("run", ledger, "--once")

    invoked: list[str] = []
    acknowledged: list[str] = []
    for name in PRODUCERS:
        for line in (tmp_path / f"{name}.history").read_text().splitlines():
            what, _, ref = line.partition(" ")
            (invoked if what == "invoke" else acknowledged).append(ref)
    found = [
        entry.event["data"]["source_ref"] for entry in entries(ledger) if "outcome" in entry.event["data"]
    ]
    counts = Counter(found)
    assert max(counts.values()) == 1
    assert set(acknowledged) <= set(counts) <= set(invoked)
    assert len(acknowledged) >= (len(PRODUCERS) - 1) * THREADS * EVENTS
    for name in PRODUCERS:
        for thread in range(THREADS):
            mine = [ref for ref in found if ref.startswith(f"{name}/{thread}/")]
            assert mine == [ref for ref in invoked if ref in set(mine)]
    report = duecourse("fsck", ledger, "--json").json()
    assert report["ok"], json.dumps(report)
    assert duecourse("rebuild", ledger, "--check", "--json").json()["equal"] is True
    assert duecourse("status", ledger, "--json").json()["todo"] == []
