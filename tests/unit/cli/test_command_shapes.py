"""What all commands share: help, one JSON value, exit status, tables, settings files."""

from __future__ import annotations

import json
import os
import stat
import threading
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import __version__
from ledger.errors import (
    ClockRefused,
    ConfigurationError,
    DuecourseError,
    ImportRefused,
    LogDrifted,
    LogUnavailable,
    Misbehaviour,
    Refused,
    StoreDamaged,
    Superseded,
    VaultError,
)
from ledger.kernel.keys import SeedSigner
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import LogConfig
from ledger.sdk.recorder import Recorder
from ledger.testing.fines import write_fines
from ledger.testing.shell import Ended
from projections import cli as cli_module
from projections.cli import cli, exit_status
from projections.cli.directory import LedgerDirectory, toml, write_whole
from projections.cli.founders import in_new_directory
from projections.cli.lineup import Line
from projections.cli.output import progress, table
from projections.cli.readings import views_are_current

NAME = "ledger.example.com/cards"
Command = Callable[..., Ended]


def _commands(group: click.Group = cli, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*before, name)
        if isinstance(found, click.Group):
            yield from _commands(found, (*before, name))


COMMANDS = list(_commands())


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], command: Command) -> None:
    ended = command(*words, "--help")
    assert ended.status == 0
    assert ended.err == b""
    assert ended.text.lower().startswith("usage: ")
    assert len(ended.text.splitlines()) > 5
    assert "/work" not in ended.text


def test_the_commands_that_scripts_may_rely_on_are_there(command: Command) -> None:
    assert {" ".join(words) for words in COMMANDS} >= {
        "init", "run", "import xes", "case show", "case timeline", "cases", "export", "verify", "fsck", "rebuild",
        "status", "key", "registry", "trust", "link",
    }  # fmt: skip
    assert command("--version").text == f"duecourse, version {__version__}\n"


def test_every_answer_in_json_is_one_value(tmp_path: Path, command: Command) -> None:
    """One way through all commands with --json: nothing else is on standard output, and nothing on the error stream."""
    ledger, fines = tmp_path / "ledger", write_fines(tmp_path / "fines.xes", 3, seed=1)

    def ask(*words: str | Path) -> Any:
        ended = command(*words, "--json")
        assert (ended.status, ended.err) == (0, b""), ended
        decoder = json.JSONDecoder()
        value, end = decoder.raw_decode(ended.text)
        assert ended.text[end:] == "\n"
        return value

    assert ask("init", ledger, "--name", NAME)["name"] == NAME
    assert ask("registry", "add", ledger, "crm")["producer"] == "crm"
    key = ask("key", "new", tmp_path / "key.pem")["public_key"]
    assert ask("key", "show", tmp_path / "key.pem")["public_key"] == key
    assert ask("registry", "add-key", ledger, "crm", key)["subject"] == "producer/crm"
    assert ask("registry", "retire-key", ledger, "crm", key, "--until", "2030-01-01T00:00:00.000000Z")
    assert ask("registry", "revoke-key", ledger, "crm", key, "--reason", "test")["at"] == [3]
    assert ask("registry", "open-epoch", ledger, "crm", "1")["order"] == "producer_epoch_opened"
    assert ask("registry", "show", ledger)["producers"][0]["epochs"] == [0, 1]
    asked = ["import", "xes", fines.path, "--into", ledger, "--mapping", "road-traffic-fines"]
    assert ask(*asked, "--check-only")["recorded_events"] == 0
    assert ask(*asked)["events"] == fines.events
    assert ask("run", ledger, "--once")["entries"] > fines.events
    rows = ask("cases", ledger)
    assert len(rows) == 3
    case = rows[0]["case"]
    assert ask("case", "show", ledger, case)["case"] == case
    assert ask("case", "timeline", ledger, case)[0]["type"] == "case.registered"
    assert ask("export", ledger, case, "-o", tmp_path / "b")["case"] == case
    trust = ledger / "trust.toml"
    assert ask("verify", tmp_path / "b", "--trust", trust)["verdict"] == "VERIFIED"
    assert ask("trust", trust)["max_age_s"] == 0
    state = ledger / "tiles" / "0" / "checkpoint"
    assert ask("link", ledger, "--state", state, "-o", tmp_path / "l")["origin"] == f"{NAME}/0"
    assert ask("fsck", ledger)["ok"] is True
    assert ask("rebuild", ledger)["equal"] is None
    assert ask("status", ledger)["todo"] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("E_SIG", "x"), 1),
        (ImportRefused("x", "y"), 1),
        (Misbehaviour(b"", "x"), 1),
        (ConfigurationError("x"), 3),
        (LogDrifted("x"), 3),
        (LogUnavailable("x"), 2),
        (Superseded("x"), 2),
        (StoreDamaged("x"), 2),
        (ClockRefused("x"), 2),
        (VaultError("x"), 2),
    ],
)
def test_an_error_has_its_exit_status(error: DuecourseError, status: int) -> None:
    assert exit_status(error) == status


def test_a_fault_of_the_program_is_said_to_be_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(cli_module.cli, "main", break_down)
    ended = command("cases", "x")
    assert ended.status == 3
    assert "fault of the program" in ended.complaint
    assert "ZeroDivisionError" in ended.complaint


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (click.Abort(), 2, "stopped"),
        (FileNotFoundError(2, "No such file or directory", "here.txt"), 3, "here.txt: No such file or directory"),
        (OSError(28, "No space left on device"), 3, "No space left on device"),
    ],
)  # fmt: skip
def test_what_the_system_says_is_passed_on(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, says: str
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli_module.cli, "main", break_down)
    ended = command("cases", "x")
    assert (ended.status, ended.complaint.splitlines()[-1].removeprefix("duecourse: ")) == (status, says)
    assert "Traceback" not in ended.complaint


# -- output ----------------------------------------------------------------------------------------------------------


def test_a_table_lines_up_wide_characters_too() -> None:
    text = table([("外呼", 1), ("call", 22)], ("什么", "n"))
    assert text.splitlines() == ["什么  n", "外呼  1", "call  22"]
    assert table([], ("a", "b")) == "a  b"


def test_progress_on_no_terminal_is_rare_and_on_the_error_stream(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("projections.cli.output.time.monotonic", lambda: now[0])
    told = progress("read", "entries")
    for done in range(50):
        now[0] += 1.0
        told(done * 10, 1000)
    told.finish()
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 5
    assert lines[0] == "read: 90 of 1,000 (9 %) entries, 9/s, 101 s left"
    progress("read", "entries", quiet=True)(1, 2)
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_rewrites_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    now = [100.0]
    monkeypatch.setattr("projections.cli.output.time.monotonic", lambda: now[0])
    told = progress("read", "entries")
    for done in (1, 2, 3):
        now[0] += 0.5
        told(done)
    told.finish()
    said = capsys.readouterr().err
    assert said.count("\r\x1b[K") == 4
    assert said.endswith("read: 3 entries, 2/s\n")


# -- settings --------------------------------------------------------------------------------------------------------

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.one_of(_TEXTS, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.lists(_TEXTS, max_size=3))
_TABLES = st.recursive(
    st.dictionaries(_TEXTS, _VALUES, max_size=4),
    lambda inner: st.dictionaries(_TEXTS, st.one_of(_VALUES, inner), max_size=3),
    max_leaves=6,
)


@given(_TABLES)
def test_a_table_comes_back_as_it_was_written(value: dict[str, Any]) -> None:
    assert tomllib.loads(toml(value)) == value


def _directory(root: Path, log: LogConfig) -> LedgerDirectory:
    keys = tuple(
        VerifierKey.of(f"{NAME}/{shard}", ED25519, SeedSigner(bytes([shard]) * 32).public_key)
        for shard in range(log.shards)
    )
    return LedgerDirectory(root, NAME, log.shards, keys, bytes(range(32)), log)


@pytest.mark.parametrize(
    "log",
    [
        LogConfig("sqlite", path=Path("log")),
        LogConfig("sqlite", shards=3, path=Path("/var/lib/elsewhere"), timeout_s=2.5),
        LogConfig("kafka", shards=2, bootstrap="127.0.0.1:9092,other:1", prefix="a.b-c", replication=2),
        LogConfig(
            "kafka", bootstrap="h:1", prefix="p", topic_ids={"ledger": "x"},
            security={"security_protocol": "SASL_SSL", "ssl_check_hostname": True, "sasl_plain_password_file": "/run/s"},
        ),
    ],
)  # fmt: skip
def test_a_ledger_directory_is_opened_as_it_was_written(tmp_path: Path, log: LogConfig) -> None:
    if log.path is not None:
        log = LogConfig("sqlite", shards=log.shards, path=tmp_path / log.path, timeout_s=log.timeout_s)
    made = _directory(tmp_path, log)
    made.write()
    assert LedgerDirectory.open(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "ledger.toml").stat().st_mode) == 0o644
    assert [made.origin(shard) for shard in made.only(None)] == [key.name for key in made.log_keys]
    assert list(made.only(0)) == [0]
    with pytest.raises(ConfigurationError, match="there is no shard"):
        made.only(log.shards)


def test_a_directory_that_moves_takes_its_log_with_it(tmp_path: Path, command: Command) -> None:
    command("init", tmp_path / "old", "--name", NAME)
    command("registry", "add", tmp_path / "old", "crm")
    (tmp_path / "old").rename(tmp_path / "new")
    assert command("run", tmp_path / "new", "--once").status == 0
    assert LedgerDirectory.open(tmp_path / "new").log.path == tmp_path / "new" / "log"
    with Recorder.open(tmp_path / "new" / "producers" / "crm" / "producer.toml") as recorder:
        recorder.case(account="1").registered(origin="own", stage="registered", places=[])
    command("run", tmp_path / "new", "--once")
    assert len(command("cases", tmp_path / "new", "--json").json()) == 1
    assert not (tmp_path / "old").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old", 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_founding_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(root: Path) -> LedgerDirectory:
        (root / "half").write_text("half")
        raise LogUnavailable("no broker")

    with pytest.raises(LogUnavailable):
        in_new_directory(tmp_path / "deep" / "ledger", fail)
    assert [path.name for path in tmp_path.rglob("*")] == ["deep"]


def test_one_process_at_a_time_works_a_directory(tmp_path: Path) -> None:
    made = _directory(tmp_path, LogConfig("sqlite", path=tmp_path / "log"))
    with made.running() as first, made.running() as second:
        assert (first, second) == (True, False)
    with made.running() as again:
        assert again


def test_a_line_waits_for_a_command_that_has_the_directory_for_a_moment(
    tmp_path: Path, command: Command
) -> None:
    command("init", tmp_path / "ledger", "--name", NAME)
    made = LedgerDirectory.open(tmp_path / "ledger")
    held, go = threading.Event(), threading.Event()

    def look() -> None:
        with made.running() as mine:
            assert mine
            held.set()
            go.wait(10)

    with ThreadPoolExecutor(1) as other:
        looking = other.submit(look)
        assert held.wait(10)
        threading.Timer(0.3, go.set).start()
        assert command("run", made.root, "--once").status == 0
        looking.result()


def test_views_are_current_when_they_hold_what_is_published(tmp_path: Path, command: Command) -> None:
    command("init", tmp_path / "ledger", "--name", NAME)
    ledger = LedgerDirectory.open(tmp_path / "ledger")
    assert views_are_current(ledger)
    settings = command("registry", "add", ledger.root, "crm", "--json").json()["settings"]
    with Recorder.open(settings) as recorder:
        recorder.case(account="1").registered(origin="own", stage="registered", places=[])
    with Line(ledger) as line:
        for sequencer in line.sequencers:
            sequencer.drain()
        assert not views_are_current(ledger)
        assert any(
            "views are behind" in todo for todo in command("status", ledger.root, "--json").json()["todo"]
        )
        line.drain()
        assert views_are_current(ledger)
