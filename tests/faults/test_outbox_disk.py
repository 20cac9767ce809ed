"""F7, F8: no room on the disk, or no leave to write. The error says that the event is NOT recorded, and it is not."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.errors import NotRecorded, OutboxCorrupt, OutboxFull, OutboxUnwritable
from ledger.sdk import Recorder
from ledger.testing.producer import recorder, settings


def fill(made: Recorder, most: int = 10_000) -> int:
    """Records until there is no room. How many went in."""
    case = made.case(account="1")
    for count in range(most):
        try:
            case.closed(reason="paid", source_ref="x" * 190)
        except OutboxFull:
            return count
    raise AssertionError("there was always room")


def test_a_full_database_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        made._outbox._writer.execute("PRAGMA max_page_count=30")
        count = fill(made)
        assert count > 10
        with pytest.raises(OutboxFull, match="NOT recorded"):
            made.case(account="1").closed(reason="paid", source_ref="x" * 190)
        assert made.status().pending == count
        made._outbox._writer.execute("PRAGMA max_page_count=100000")
        assert made.case(account="1").closed(reason="paid").seq == count
        assert len(made._outbox.rows(0, 0, 10_000)) == count + 1
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == count + 1


def test_a_batch_that_does_not_fit_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        made._outbox._writer.execute("PRAGMA max_page_count=30")
        case = made.case(account="1")
        first = case.closed(reason="paid")

        def too_much() -> None:
            with made.batch(bookmark=("import", b"1")):
                for _ in range(500):
                    case.closed(reason="paid")

        with pytest.raises(OutboxFull, match="NOT recorded"):
            too_much()
        assert made.bookmark("import") is None
        assert case.closed(reason="paid").seq == first.seq + 1


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_the_system_cuts_short_is_not_confirmed(tmp_path: Path) -> None:
    refused: list[NotRecorded] = []
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        confirmed = 0
        with file_size_limit(200_000):
            while not refused and confirmed < 500:
                try:
                    case.closed(reason="paid")
                    confirmed += 1
                except (OutboxFull, OutboxUnwritable) as error:
                    refused.append(error)
    assert "NOT recorded" in str(refused[0])
    assert 0 < confirmed < 500
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == confirmed
        assert made.case(account="1").closed(reason="paid").seq == confirmed


FULL_DISK = """
import sys
from pathlib import Path
from ledger.errors import OutboxFull
from ledger.testing.producer import recorder, settings
directory = Path(sys.argv[1])
with recorder(settings(directory)) as made:
    case = made.case(account="1")
    count = 0
    try:
        while True:
            case.closed(reason="paid", source_ref="x" * 190)
            count += 1
    except OutboxFull as error:
        assert "NOT recorded" in str(error)
    (directory / "ballast").unlink()
    for _ in range(20):
        assert case.closed(reason="paid").seq == count
        count += 1
with recorder(settings(directory)) as made:
    assert made.status().pending == count, (made.status(), count)
    assert len(made._outbox.rows(0, 0, 10**6)) == count
print("recorded", count)
"""


def test_a_full_file_system_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    script = (
        f'mount -t tmpfs -o size=1m tmpfs {mount} && head -c 400000 /dev/zero > {mount}/ballast && exec "$@"'
    )
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: no small file system can be made")
    command = ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-c", FULL_DISK, str(mount)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and ("unshare" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"no small file system can be made here: {done.stderr.strip()[:120]}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recorded ")


def as_nobody(directory: Path) -> str:
    """What a process without rights gets when it opens the outbox."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            recorder(settings(directory)).close()
            answer = "opened"
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


def is_refused(answer: str) -> bool:
    return answer.startswith("OutboxUnwritable") and "NOT recorded" in answer


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A directory that everybody can reach."""
    return Path(tempfile.mkdtemp(prefix="duecourse-ro-", dir="/tmp"))


def test_a_read_only_outbox_is_refused_on_opening(open_path: Path) -> None:
    try:
        with recorder(settings(open_path)) as made:
            made.case(account="1").closed(reason="paid")
        open_path.chmod(0o777)
        for path in open_path.iterdir():
            path.chmod(0o444)
        assert is_refused(as_nobody(open_path))
        (open_path / "outbox.db.lock").chmod(0o666)
        assert is_refused(as_nobody(open_path))
        open_path.chmod(0o555)
        assert is_refused(as_nobody(open_path))
    finally:
        shutil.rmtree(open_path)


def test_no_outbox_is_made_where_nothing_can_be_written(open_path: Path) -> None:
    try:
        open_path.chmod(0o555)
        assert is_refused(as_nobody(open_path))
        assert list(open_path.iterdir()) == []
    finally:
        shutil.rmtree(open_path)


def test_a_file_that_cannot_be_written_any_more_is_noticed(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        made._outbox._writer.execute("PRAGMA query_only=ON")
        with pytest.raises(OutboxUnwritable, match="NOT recorded"):
            case.closed(reason="paid")
        made._outbox._writer.execute("PRAGMA query_only=OFF")
        assert case.closed(reason="paid").seq == 1


def test_a_disk_that_fails_poisons_the_outbox_until_it_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.sdk import outbox as module

    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        monkeypatch.setattr(module, "is_io_failure", lambda _error: True)

        def fails(path: Path, *, read_only: bool = False) -> object:
            raise (
                OutboxCorrupt("does not read")
                if read_only
                else OutboxUnwritable("the disk fails. NOT recorded")
            )

        monkeypatch.setattr(module, "connect", fails)
        made._outbox._writer.execute("PRAGMA query_only=ON")
        for _ in range(2):
            with pytest.raises(OutboxUnwritable, match="NOT recorded"):
                case.closed(reason="paid")
    monkeypatch.undo()
    with recorder(settings(tmp_path)) as made:
        assert made.case(account="1").closed(reason="paid").seq == 1


class LateError:
    """A connection whose commits land, and then fail."""

    def __init__(self, connection: sqlite3.Connection, error: BaseException) -> None:
        self.connection = connection
        self.error: BaseException | None = error

    def execute(self, statement: str, *arguments: object) -> object:
        done = self.connection.execute(statement, *arguments)
        if statement == "COMMIT" and self.error is not None:
            error, self.error = self.error, None
            raise error
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)


def io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error.sqlite_errorname = "SQLITE_IOERR"
    return error


def test_a_commit_that_stands_in_spite_of_the_error_is_confirmed(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        made._outbox._writer = LateError(made._outbox._writer, io_error())  # type: ignore[assignment]
        assert case.closed(reason="paid").seq == 1
        assert case.closed(reason="paid").seq == 2
        assert made.status().pending == 3
    with recorder(settings(tmp_path)) as made:
        assert len(made._outbox.rows(0, 0, 100)) == 3


def test_an_interrupt_after_the_commit_leaves_the_chain_whole(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        connection = made._outbox._writer
        made._outbox._writer = LateError(connection, KeyboardInterrupt())  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            case.closed(reason="paid")
        made._outbox._writer = connection
        # It stands, as an interrupt cannot tell: the next event follows it.
        assert case.closed(reason="paid").seq == 2
        assert len(made._outbox.rows(0, 0, 100)) == 3
