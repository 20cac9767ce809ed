"""Awkward input to the installed command: it ends with its status, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, DuecourseError
from ledger.sdk.recorder import Recorder
from ledger.testing.journey import NAME, World
from ledger.testing.shell import Ended, duecourse

Complains = Callable[..., None]


def test_founding_says_what_is_wrong(complains: Complains, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("x")
    complains("init", tmp_path / "there", "--name", NAME, says="not empty")
    complains("init", tmp_path / "there" / "file", "--name", NAME, says="file")
    complains("init", tmp_path / "there" / "file" / "ledger", "--name", NAME, says="there/file: ")
    for name in ("", "two words", "plus+plus", "caf\u00e9/x", "line\nbreak", "a" * 151):
        complains("init", tmp_path / "new", "--name", name, says="--name")
    complains("init", tmp_path / "new", says="--name")
    complains("init", tmp_path / "new", "--name", NAME, "--threshold", "2", says="--threshold 2")
    complains("init", tmp_path / "new", "--name", NAME, "--prefix", "x", says="--log kafka")
    complains("init", tmp_path / "new", "--name", NAME, "--log", "kafka", says="--bootstrap")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]
    (tmp_path / "empty").mkdir()
    duecourse("init", tmp_path / "empty", "--name", NAME)


def test_reading_says_what_is_wrong(complains: Complains, world: World, tmp_path: Path) -> None:
    unknown = "00000000-0000-8000-8000-000000000000"
    for verb in (["case", "show"], ["case", "timeline"]):
        complains(*verb, world.ledger, unknown, says="no entry of case")
        complains(*verb, world.ledger, "8841", says="is no case id")
    complains("export", world.ledger, unknown, "-o", tmp_path / "x", says="there is no case")
    complains("export", world.ledger, world.told.case.upper(), "-o", tmp_path / "x", says="is no case id")
    for command in ("cases", "run", "fsck", "rebuild", "status"):
        complains(command, tmp_path / "nowhere", says="is no ledger directory")
        complains(command, world.trust, says="is a file")
    complains("frobnicate", says="No such command")
    complains("cases", world.ledger, "--frobnicate", says="No such option")
    complains("case", "shew", world.ledger, says="No such command")


def test_exporting_says_what_is_wrong(complains: Complains, world: World, tmp_path: Path) -> None:
    case, there = world.told.case, world.export(tmp_path / "there")
    complains("export", world.ledger, case, "-o", there, says="exists")
    complains("export", world.ledger, case, "-o", tmp_path / "no" / "x", says="No such file or directory")
    complains("export", world.ledger, case, "-o", there / "x", says="Not a directory")
    complains("export", world.ledger, case, "-o", tmp_path, says="is a directory")
    complains("export", world.ledger, case, "-o", tmp_path / "x", "--disclose", "adress", says="/data/adress")
    complains("link", world.ledger, "--state", there, "-o", tmp_path / "x", status=1, says="duecourse: ")
    checkpoint = world.ledger / "tiles" / "0" / "checkpoint"
    complains("link", world.ledger, "--state", checkpoint, "-o", tmp_path / "no" / "x", says="No such file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_a_vault_or_its_key_that_is_not_there_is_named(
    complains: Complains, own_world: World, tmp_path: Path
) -> None:
    case = own_world.told.case
    key = own_world.ledger / "keys" / "vault.pem"
    key.chmod(0o644)
    asked = ["export", own_world.ledger, case, "-o", tmp_path / "x", "--disclose", "words"]
    complains(*asked, says="vault.pem")
    key.unlink()
    complains(*asked, says="vault.pem")
    (own_world.ledger / "vault.db").unlink()
    complains(*asked, status=2, says="there is no vault")
    assert not (tmp_path / "x").exists()
    own_world.export(tmp_path / "x")


def test_keys_that_others_can_read_are_refused(complains: Complains, own_world: World) -> None:
    keys, producer = own_world.ledger / "keys", own_world.settings.parent
    for key, words in (
        (keys / "log-0.pem", ["run", own_world.ledger, "--once"]),
        (keys / "registrar-1.pem", ["registry", "add", own_world.ledger, "other"]),
        (keys / "registrar-1.pem", ["key", "show", keys / "registrar-1.pem"]),
    ):
        key.chmod(0o644)
        complains(*words, says=key.name)
        if key.name == "log-0.pem":
            status = duecourse("status", own_world.ledger, "--json").json()
            assert any("log-0.pem" in line for line in status["todo"])
        key.chmod(0o600)
    for key in (producer / "signing.pem", producer / "tenant.key"):
        key.chmod(0o640)
        with pytest.raises(ConfigurationError, match=key.name):
            Recorder.open(own_world.settings)
        key.chmod(0o600)


def test_settings_of_a_producer_that_were_changed_are_refused(own_world: World) -> None:
    text = own_world.settings.read_text()
    log = duecourse("fsck", own_world.ledger, "--json").json()["entries"]
    for old, new in (
        ('producer = "crm"', 'producer = "CRM"'),
        ('producer = "crm"', 'producer = "other"'),
        ("duecourse producer 1", "duecourse producer 2"),
        (f'ledger = "{NAME}"', 'ledger = "ledger.example.com/other"'),
        ("log_keys = [", 'surprise = "x"\nlog_keys = ['),
        ('signing_key = "signing.pem"', 'signing_key = "tenant.key"'),
        ("[actor]", "[actress]"),
        ("format", "\x00format"),
    ):
        assert old in text
        own_world.settings.write_text(text.replace(old, new, 1))
        with pytest.raises(DuecourseError):
            Recorder.open(own_world.settings)
    own_world.settings.write_text(text)
    Recorder.open(own_world.settings).close()
    assert duecourse("fsck", own_world.ledger, "--json").json()["entries"] == log


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duecourse ledger directory 1", "duecourse ledger directory 2"),
        ("shards = 1", "shards = 2"),
        ("vault_key = ", "vault_kee = "),
        ("vault_key = \"", "vault_key = \"zz"),
        ("log_keys = [\"", "log_keys = [\"x"),
        ("[log]", "[lock]"),
        ("kind = \"sqlite\"", "kind = \"paper\""),
        ("path = \"log\"", "path = \"gone\""),
        ("name = \"", "name = "),
    ],
)  # fmt: skip
def test_ledger_settings_that_are_wrong_are_named(
    complains: Complains, world: World, tmp_path: Path, old: str, new: str
) -> None:
    ledger = tmp_path / "ledger"
    shutil.copytree(world.ledger, ledger)
    text = (ledger / "ledger.toml").read_text()
    assert old in text
    (ledger / "ledger.toml").write_text(text.replace(old, new, 1))
    for words in (["run", ledger, "--once"], ["fsck", ledger]):
        complains(*words, says="duecourse: ")


def test_a_trust_file_that_is_wrong_gives_no_verdict(
    command: Callable[..., Ended], complains: Complains, world: World, tmp_path: Path
) -> None:
    bundle, trust = world.export(tmp_path / "b"), tmp_path / "trust.toml"
    text = world.trust.read_text()
    for old, new in (
        ("duecourse trust 1", "duecourse trust 2"),
        ("max_age_s = 0", "max_age_s = -1"),
        ("skew_s", "skew"),
        ("quorum none", "quorum nobody"),
        ("log ledger", "lug ledger"),
        ('registrars = ["', 'registrars = ["zz'),
    ):
        assert old in text
        trust.write_text(text.replace(old, new, 1))
        ended = command("verify", bundle, "--trust", trust, "--json")
        assert (ended.status, ended.json()["verdict"]) == (3, "ERROR")
        complains("trust", trust, says="trust file")
    trust.write_bytes(text.encode("utf-16"))
    complains("trust", trust, says="not UTF-8")
    shown = duecourse("trust", world.trust, "--json").json()
    assert shown["quorum"] is None or shown["quorum"] == "none"
    assert shown["fingerprint"] in duecourse("trust", world.trust).text.replace(" ", "")


def test_keys_are_made_once(complains: Complains, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    made = duecourse("key", "new", file, "--json").json()
    assert file.stat().st_mode & 0o777 == 0o600
    assert duecourse("key", "show", file).text.strip() == made["public_key"]
    complains("key", "new", file, says="key.pem")
    complains("key", "new", tmp_path / "no" / "key.pem", says="key.pem")
    file.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    complains("key", "show", file, says="key.pem")
