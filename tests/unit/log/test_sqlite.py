"""What the log in a directory promises beyond the port: durability, drift, damage, many processes."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, LogDamaged, LogDrifted, LogUnavailable
from ledger.log.port import LogConfig, Submission, create_log, open_log
from ledger.log.sqlite import DAY_US, PAGE_BYTES, SqliteLog


@pytest.fixture
def config(tmp_path: Path) -> LogConfig:
    return create_log(LogConfig("sqlite", path=tmp_path / "log", timeout_s=5.0))


@pytest.fixture
def log(config: LogConfig) -> Iterator[SqliteLog]:
    opened = SqliteLog(config, 0, "sequencer")
    yield opened
    opened.close()


def directory(config: LogConfig) -> Path:
    assert config.path is not None
    return config.path / "0"


def python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdout=subprocess.PIPE
    )


def test_files_are_for_their_owner_alone(config: LogConfig, log: SqliteLog) -> None:
    log.append([("entry", b"{}")])
    log.submit([Submission("case/1", b"{}", b"")])
    log.put_receipts({"dialler/1": b"x"})
    files = list(directory(config).iterdir())
    assert {file.name for file in files} >= {"ledger.db", "ledger.db-wal", "ledger.db.lock", "submissions.db"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(directory(config).stat().st_mode) == 0o700


def test_the_settings_that_durability_rests_on_are_in_force(log: SqliteLog) -> None:
    def settings(connection: sqlite3.Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "page_size", "query_only", "wal_autocheckpoint")
        return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    common = {"journal_mode": "wal", "synchronous": 2, "page_size": PAGE_BYTES}
    for file in (log._submissions, log._ledger, log._receipts):
        assert file.read(settings) == {**common, "query_only": 1, "wal_autocheckpoint": 0}
        assert file.write(settings) == {**common, "query_only": 0, "wal_autocheckpoint": 2048}


@pytest.mark.parametrize(
    ("name", "statement", "named"),
    [
        ("ledger.db", "PRAGMA journal_mode=DELETE", "journal_mode is delete"),
        ("ledger.db", "PRAGMA user_version=2", "user_version is 2"),
        ("submissions.db", "PRAGMA application_id=1", "application_id is 1"),
        ("receipts.db", "UPDATE log_meta SET value = 7 WHERE name = 'shard'", "shard is 7"),
    ],
)
def test_a_file_that_drifted_is_refused_by_the_name_of_the_setting(
    config: LogConfig, name: str, statement: str, named: str
) -> None:
    with closing(sqlite3.connect(directory(config) / name, isolation_level=None)) as connection:
        connection.execute(statement)
    with pytest.raises(LogDrifted, match=named):
        open_log(config, 0, "sequencer")


def test_a_file_that_is_no_database_is_damage(config: LogConfig) -> None:
    (directory(config) / "ledger.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(LogDamaged):
        open_log(config, 0, "reader")


def test_a_missing_row_is_found_at_its_place(config: LogConfig, log: SqliteLog) -> None:
    log.append([("entry", b"%d" % n) for n in range(10)])
    with closing(sqlite3.connect(directory(config) / "ledger.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM records WHERE position = 4")
    assert [r.cursor for r in log.records(0, 100)] == [0, 1, 2, 3]
    with pytest.raises(LogDamaged) as damaged:
        log.records(4, 100)
    assert damaged.value.cursor == 4
    assert [r.cursor for r in log.records(5, 100)] == [5, 6, 7, 8, 9]


def test_a_torn_page_is_found_at_its_place(config: LogConfig) -> None:
    writing = SqliteLog(config, 0, "sequencer")
    writing.append([("entry", b"%04d" % n + bytes(1500)) for n in range(200)])
    writing.close()
    path = directory(config) / "ledger.db"
    content = bytearray(path.read_bytes())
    at = content.index(b"0100" + bytes(1500)) // PAGE_BYTES * PAGE_BYTES
    content[at : at + 8] = b"\xff" * 8
    path.write_bytes(content)

    log = SqliteLog(config, 0, "reader")
    try:
        good = log.records(0, 1000)
        assert [r.cursor for r in good] == list(range(len(good)))
        assert 90 < len(good) <= 100
        with pytest.raises(LogDamaged) as damaged:
            log.records(len(good), 1000)
        assert damaged.value.cursor == len(good)
        assert any("ledger.db" in complaint for complaint in log.check())
    finally:
        log.close()


def test_pruning_keeps_what_is_young_and_never_counts_anew(config: LogConfig, log: SqliteLog) -> None:
    log.submit([Submission("case/1", b"1", b"", b"wrapped"), Submission("case/1", b"2", b"")])
    first, second = log.submissions(0, 10)
    log.put_dead_letter(first, "forged")
    later = second.arrived_us + 15 * DAY_US
    assert log.prune(later, below=1) == 1
    assert [s.value for s in log.submissions(0, 10)] == [b"2"]
    assert log.prune(later + 30 * DAY_US, below=2) == 2
    assert log.submissions(0, 10) == []
    assert log.dead_letters() == []
    assert log.submissions_end() == 2
    log.submit([Submission("case/1", b"3", b"")])
    assert [(s.cursor, s.value) for s in log.submissions(0, 10)] == [(2, b"3")]


def test_pruned_wrapped_keys_are_gone_from_the_file(config: LogConfig, log: SqliteLog) -> None:
    secret = b"wrapped-key-" * 40
    log.submit([Submission("case/1", b"1", b"", secret)])
    log.prune(time.time_ns() // 1000 + 15 * DAY_US, below=1)
    log.close()  # the last connection writes the log ahead back into the file
    for file in directory(config).iterdir():
        assert secret not in file.read_bytes()


def test_a_directory_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot make the log"):
        create_log(LogConfig("sqlite", path=tmp_path / "file" / "log"))


def test_a_half_made_file_is_made_again(config: LogConfig) -> None:
    (directory(config) / "ledger.db").unlink()
    (directory(config) / ".ledger.db.new").write_bytes(b"half")
    create_log(config)
    open_log(config, 0, "sequencer").close()
    assert not (directory(config) / ".ledger.db.new").exists()


def test_a_writer_that_stands_still_is_named_in_time(tmp_path: Path) -> None:
    config = create_log(LogConfig("sqlite", path=tmp_path / "log", timeout_s=0.3))
    log = open_log(config, 0, "sequencer")
    log.append([("entry", b"1")])
    with (directory(config) / "ledger.db.lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        began = time.monotonic()
        with pytest.raises(LogUnavailable, match="another process"):
            log.append([("entry", b"2")])
        assert time.monotonic() - began < 5
    with pytest.raises(LogUnavailable, match="reopen"):
        log.append([("entry", b"2")])
    log.reopen()
    log.append([("entry", b"2")])
    assert [r.value for r in log.records(0, 10)] == [b"1", b"2"]
    log.close()


FULL_DISK = """
    import resource, signal, sys
    from pathlib import Path
    from ledger.errors import LogUnavailable
    from ledger.log.port import LogConfig, open_log
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = open_log(LogConfig("sqlite", path=Path(sys.argv[1])), 0, "sequencer")
    log.append([("entry", b"before")])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    try:
        log.append([("entry", bytes(100_000))] * 20)
    except LogUnavailable as error:
        print("unavailable", flush=True)
    try:
        log.append([("entry", b"small")])
    except LogUnavailable as error:
        print("reopen()" in str(error), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.reopen()
    log.append([("entry", b"after")])
    print([r.value for r in log.records(0, 100)], log.check(), flush=True)
    log.close()
"""


def test_a_disk_that_is_full_is_said_and_leaves_whole_batches(config: LogConfig) -> None:
    with python(FULL_DISK, config.path) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.decode().splitlines() == ["unavailable", "True", "[b'before', b'after'] []"]


APPENDING = """
    import sys
    from pathlib import Path
    from ledger.log.port import LogConfig, open_log
    log = open_log(LogConfig("sqlite", path=Path(sys.argv[1])), 0, "sequencer")
    n = 0
    while True:
        log.append([("entry", b"%d" % (n + k)) for k in range(10)])
        n += 10
        print(n, flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(config: LogConfig) -> None:
    reader = open_log(config, 0, "reader")
    total = 0
    for round_ in range(3):
        with python(APPENDING, config.path) as process:
            assert process.stdout is not None
            acknowledged = 0
            for line in process.stdout:
                acknowledged = int(line)
                if acknowledged >= 100 + 70 * round_:
                    break
            process.send_signal(signal.SIGKILL)
            # What it acknowledged between our last look and its death counts too.
            for line in process.stdout:
                if line.endswith(b"\n"):
                    acknowledged = int(line)
            process.wait(30)
        found = [int(r.value) for r in reader.records(total, 1_000_000)]
        assert found == list(range(len(found)))
        assert len(found) - acknowledged in (0, 10)
        total += len(found)
    reader.close()


SUBMITTING = """
    import sys
    from pathlib import Path
    from ledger.log.port import LogConfig, Submission, open_log
    log = open_log(LogConfig("sqlite", path=Path(sys.argv[1])), 0, "producer")
    for n in range(40):
        log.submit([Submission(sys.argv[2], b"%d" % (5 * n + k), b"") for k in range(5)])
    log.close()
"""


def test_many_processes_submit_to_one_file(config: LogConfig, log: SqliteLog) -> None:
    processes = [python(SUBMITTING, config.path, name) for name in ("a", "b", "c")]
    for process in processes:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    found = log.submissions(0, 10_000)
    assert [s.cursor for s in found] == list(range(600))
    for name in ("a", "b", "c"):
        assert [int(s.value) for s in found if s.subject == name] == list(range(200))
    assert log.check() == []


def test_an_interrupted_append_must_be_read_back(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append([("entry", b"1")])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append([("entry", b"2")])
    with pytest.raises(LogUnavailable, match="reopen"):
        log.append([("entry", b"3")])
    log.reopen()
    assert [r.value for r in log.records(0, 10)] == [b"1"]


def test_a_file_that_may_not_be_written_is_said(
    config: LogConfig, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".lock"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(LogUnavailable, match="Permission denied"):
        log.append([("entry", b"1")])
