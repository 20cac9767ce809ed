"""K15: threads, forks and second processes on one outbox. One writer, and never one seq twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from ledger.errors import OutboxBusy
from ledger.kernel import canonical
from ledger.sdk import Recorder
from ledger.sdk.config import DeliverySettings
from ledger.testing.producer import recorder, settings

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def in_child(work: Callable[[], str]) -> str:
    """Runs `work` in a fork, and gives what it returned, or the name and text of what it raised."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return answer


def seqs(made: Recorder) -> list[int]:
    feed = made._outbox.feed(0)
    rows = made._outbox.rows(0, feed.base_seq, feed.next_seq)
    return [int(canonical.decode(row.event)["producerseq"]) for row in rows]


def test_threads_share_one_chain(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        handles: list[list[int]] = [[] for _ in range(8)]

        def work(which: int) -> None:
            case = made.case(account=str(which))
            for number in range(40):
                if number % 10 == 9:
                    with made.batch() as said:
                        case.closed(reason="paid")
                        case.closed(reason="sold")
                    handles[which] += [event.seq for event in said]
                else:
                    handles[which].append(case.closed(reason="paid").seq)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        total = 8 * 44
        assert sorted(seq for found in handles for seq in found) == list(range(total))
        assert all(found == sorted(found) for found in handles)
        assert seqs(made) == list(range(total))
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == total


def test_a_forked_child_is_refused_and_the_parent_goes_on(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")

        def child() -> str:
            case.closed(reason="paid")
            return "recorded"

        answer = in_child(child)
        assert answer.startswith("OutboxBusy")
        assert "NOT recorded" in answer

        def closes() -> str:
            made.close()
            return "closed"

        assert in_child(closes) == "closed"
        for number in range(1, 20):
            assert case.closed(reason="paid").seq == number
    with recorder(settings(tmp_path)) as made:
        assert seqs(made) == list(range(20))


@pytest.mark.parametrize("mode", ["manual", "background"])
def test_a_forked_child_that_asks_or_closes_does_not_hang(
    tmp_path: Path, mode: Literal["manual", "background"]
) -> None:
    delivery = DeliverySettings(mode=mode, poll_s=0.01, linger_s=0, close_timeout_s=0.2)
    with recorder(settings(tmp_path, delivery=delivery)) as made:
        case = made.case(account="1")
        asked: list[Callable[[], object]] = [
            lambda: case.closed(reason="paid"),
            made.deliver_once,
            lambda: made.flush(1),
            made.status,
            lambda: made.bookmark("x"),
        ]
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with made._delivery._mutex, made._outbox._lock, made._outbox._read_lock:
                held.set()
                done.wait(20)

        def child() -> str:
            answers = []
            for ask in asked:
                try:
                    ask()
                except OutboxBusy:
                    answers.append("busy")
            made.close()
            return " ".join(answers)

        # The worst moment: another thread, which the child does not have, holds every lock.
        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(20)
        try:
            assert in_child(child) == "busy busy busy busy busy"
        finally:
            done.set()
            holder.join()
        assert case.closed(reason="paid").seq == 0


def test_a_child_cannot_open_what_its_parent_holds(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        made.case(account="1").closed(reason="paid")

        def child() -> str:
            recorder(settings(tmp_path)).close()
            return "opened"

        assert in_child(child).startswith("OutboxBusy")


def test_a_child_opens_an_outbox_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with recorder(settings(tmp_path)) as made:
        made.case(account="1").closed(reason="paid")

        def child() -> str:
            with recorder(settings(own)) as mine:
                return str(mine.case(account="1").closed(reason="paid").seq)

        assert in_child(child) == "0"


def test_a_fork_in_the_middle_of_other_threads_work_hangs_nothing(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        stop = threading.Event()

        def work() -> None:
            case = made.case(account="busy")
            while not stop.is_set():
                case.closed(reason="paid")

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        case = made.case(account="1")

        def child() -> str:
            case.closed(reason="paid")
            return "recorded"

        try:
            answers = [in_child(child) for _ in range(10)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert all(answer.startswith("OutboxBusy") for answer in answers)
        assert seqs(made) == list(range(made.status().pending))


def test_the_lock_ends_with_the_parent_though_a_child_lives(tmp_path: Path) -> None:
    read, write = os.pipe()
    made = recorder(settings(tmp_path))
    made.case(account="1").closed(reason="paid")
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    try:
        os.close(read)
        made.close()
        with recorder(settings(tmp_path)) as again:
            assert again.case(account="1").closed(reason="paid").seq == 1
    finally:
        os.close(write)
        os.waitpid(pid, 0)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    child = Path(__file__).with_name("outbox_child.py")
    with recorder(settings(tmp_path)) as made:
        made.case(account="1").closed(reason="paid")
        done = subprocess.run(
            [sys.executable, str(child), str(tmp_path), "3"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.splitlines() == ["no OutboxBusy", "done"]
        assert made.case(account="1").closed(reason="paid").seq == 1


def test_one_that_fails_in_a_group_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    with recorder(settings(tmp_path, outbox_events=50)) as made:
        results: list[str] = []

        def work() -> None:
            case = made.case(account="1")
            for _ in range(20):
                try:
                    case.closed(reason="paid")
                    results.append("ok")
                except Exception as error:
                    results.append(type(error).__name__)

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results.count("ok") == 50
        assert results.count("OutboxFull") == 50
        assert seqs(made) == list(range(50))


def test_a_busy_outbox_says_what_to_do(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)), pytest.raises(OutboxBusy, match="an outbox of its own"):
        recorder(settings(tmp_path))
