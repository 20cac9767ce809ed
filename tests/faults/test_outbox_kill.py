"""F1, F4, P1: the process that records is killed, or its disk fails, at any moment. What it confirmed is there, at most
what it was about to confirm is there besides, and the chain holds."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ledger.kernel import canonical
from ledger.kernel.digest import ZERO_HEX, leaf_hash
from ledger.sdk.rows import Row
from ledger.testing.producer import recorder, settings

CHILD = Path(__file__).with_name("outbox_child.py")
# What SQLite asks of the disk, beside reading.
WRITES = "pwrite64,fdatasync,fsync,write,rename,unlink,ftruncate"


def acknowledged(output: str) -> list[str]:
    return re.findall(r"^ack 0 \d+ (\S+)$", output, re.MULTILINE)


def recovered(directory: Path) -> list[str]:
    """The ids in the outbox, in order. Opening it checks the outbox's own chain; this checks the feed's."""
    with recorder(settings(directory)) as made:
        feed = made._outbox.feed(0)
        rows: list[Row] = made._outbox.rows(0, 0, feed.next_seq)
        # It goes on.
        assert made.case(account="after").closed(reason="paid").seq == feed.next_seq
    prev, ids = ZERO_HEX, []
    for number, row in enumerate(rows):
        event = canonical.decode(row.event)
        assert (event["producerseq"], event["producerprev"]) == (canonical.counter(number), prev)
        prev = leaf_hash(row.event).hex()
        ids.append(event["id"])
    return ids


def is_once_and_in_order(acked: list[str], found: list[str]) -> bool:
    return len(set(found)) == len(found) and [i for i in found if i in set(acked)] == acked


def test_kill_at_random_moments_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    chance = random.Random(20260301)
    known: set[str] = set()
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, str(CHILD), str(tmp_path), "1000000"], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        child.send_signal(signal.SIGKILL)
        acked = acknowledged(first + child.communicate()[0])
        found = recovered(tmp_path)
        new = [i for i in found if i not in known]
        assert len(acked) <= len(new) <= len(acked) + 1
        assert is_once_and_in_order(acked, new)
        known = set(found) | {found_last(tmp_path)}
    assert len(known) > 20


def found_last(directory: Path) -> str:
    """The event that `recovered` added itself."""
    with recorder(settings(directory)) as made:
        (row,) = made._outbox.rows(0, made._outbox.feed(0).next_seq - 1, 1)
        return str(canonical.decode(row.event)["id"])


def test_kill_with_many_threads_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    threads = 6
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(tmp_path), "1000000", str(threads)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(300)]
    child.send_signal(signal.SIGKILL)
    acked = acknowledged("".join(lines) + child.communicate()[0])
    found = recovered(tmp_path)
    assert len(found) == len(set(found))
    assert set(acked) <= set(found)
    assert len(found) <= len(acked) + threads


# -- at every call to the disk ------------------------------------------------------------------------------


def traced(directory: Path, *inject: str, records: int = 3) -> subprocess.CompletedProcess[str]:
    command = ["strace", "-f", "-qq", "-e", f"trace={WRITES}", *inject, "-o", str(directory.parent / "trace")]
    return subprocess.run(
        [*command, sys.executable, "-B", str(CHILD), str(directory), str(records)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    """Every call to the disk that the child makes when nothing is wrong: its name, and the how manieth of that name.
    Skips where calls cannot be traced."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: it is what makes the disk fail here")
    directory = tmp_path_factory.mktemp("clean") / "outbox"
    directory.mkdir()
    clean = traced(directory)
    if "done" not in clean.stdout:
        pytest.skip(f"strace may not trace here: {clean.stderr.strip()[:200]}")
    assert len(acknowledged(clean.stdout)) == 3
    counted: Counter[str] = Counter()
    found = []
    for name in re.findall(r"^(?:\d+ +)?(\w+)\(", (directory.parent / "trace").read_text(), re.MULTILINE):
        counted[name] += 1
        found.append((name, counted[name]))
    return found


@pytest.mark.slow
def test_kill_at_every_call_to_the_disk(tmp_path: Path, calls: list[tuple[str, int]]) -> None:
    seen = set()
    for name, number in calls:
        directory = tmp_path / f"{name}-{number}" / "outbox"
        directory.mkdir(parents=True)
        done = traced(directory, "-e", f"inject={name}:signal=KILL:when={number}")
        acked = acknowledged(done.stdout)
        found = recovered(directory)
        assert len(acked) <= len(found) <= len(acked) + 1, (name, number)
        assert is_once_and_in_order(acked, found), (name, number)
        seen.add((len(acked), len(found)))
    # It was killed before, between and after the events, and between a commit and its confirmation.
    assert {(0, 0), (1, 1), (2, 2), (3, 3)} <= seen
    assert seen & {(0, 1), (1, 2), (2, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_disk_that_fails_once_at_any_call(tmp_path: Path, calls: list[tuple[str, int]], error: str) -> None:
    outcomes = set()
    disk = [call for call in calls if call[0] not in ("write", "unlink", "rename")]
    for name, number in disk if error == "EIO" else disk[::3]:
        directory = tmp_path / f"{name}-{number}" / "outbox"
        directory.mkdir(parents=True)
        done = traced(directory, "-e", f"inject={name}:error={error}:when={number}")
        assert "Traceback" not in done.stderr, done.stderr
        assert "done" in done.stdout
        acked = acknowledged(done.stdout)
        refused = re.findall(r"^no (\w+)$", done.stdout, re.MULTILINE)
        assert set(refused) <= {"OutboxFull", "OutboxUnwritable"}, (name, number)
        found = recovered(directory)
        assert len(acked) <= len(found) <= len(acked) + len(refused), (name, number)
        assert is_once_and_in_order(acked, found), (name, number)
        outcomes.add((len(acked), len(refused)))
    assert any(acked and refused for acked, refused in outcomes)
