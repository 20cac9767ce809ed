"""Who may write: orders that enough registrars approve, and what a producer meets when one ends its key or its feed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.custody.file import FileSigner
from ledger.errors import OutboxCorrupt
from ledger.sdk.notices import Rejection
from ledger.sdk.recorder import Recorder
from ledger.testing.shell import Ended, entries
from projections.cli.directory import LedgerDirectory
from projections.cli.enrolment import registry_state

NAME = "ledger.example.com/cards"
Command = Callable[..., Ended]
Complains = Callable[..., None]


@pytest.fixture
def ledger(tmp_path: Path, command: Command) -> Path:
    """Three registrars, two of whom must approve."""
    made = tmp_path / "ledger"
    assert command("init", made, "--name", NAME, "--registrars", "3").status == 0
    return made


@pytest.fixture
def enrolled(ledger: Path, command: Command) -> Path:
    """The settings of an enrolled producer."""
    answer = command("registry", "add", ledger, "crm", "--json")
    assert answer.status == 0, answer
    return Path(answer.json()["settings"])


def _say(recorder: Recorder, number: int = 0) -> None:
    recorder.case(account=f"A{number}").registered(origin="own", stage="registered", places=[])


def _sent(recorder: Recorder) -> None:
    """Waits until everything that was recorded is on its way."""
    deadline = time.monotonic() + 10
    while (status := recorder.status()).in_flight < status.pending:
        assert time.monotonic() < deadline, status
        time.sleep(0.01)


def _run(command: Command, ledger: Path) -> None:
    assert command("run", ledger, "--once").status == 0


def _order_types(ledger: Path) -> list[str]:
    return [entry.event["type"] for entry in entries(ledger) if "approvals" in entry.event["data"]]


def _shown(command: Command, ledger: Path, producer: str = "crm") -> dict[str, Any]:
    found = command("registry", "show", ledger, "--json").json()["producers"]
    return next(one for one in found if one["producer"] == producer)


# -- approvals -------------------------------------------------------------------------------------------------------


def test_an_order_needs_as_many_registrars_as_the_threshold_says(
    ledger: Path, tmp_path: Path, command: Command, complains: Complains
) -> None:
    assert command("registry", "show", ledger, "--json").json()["threshold"] == 2
    away = tmp_path / "away"
    away.mkdir()
    for key in sorted((ledger / "keys").glob("registrar-*.pem")):
        shutil.move(key, away / key.name)
    first, second, third = sorted(away.iterdir())
    add = ["registry", "add", ledger, "crm"]
    complains(*add, says="no registrar's key")
    complains(*add, "--registrar", first, says="2 registrars must approve, and 1")
    complains(*add, "--registrar", away / "nobody.pem", says="nobody.pem")
    stranger = tmp_path / "stranger.pem"
    FileSigner.create(stranger)
    complains(*add, "--registrar", first, "--registrar", stranger, status=1, says="refused")
    complains(*add, "--registrar", first, "--registrar", first, status=1, says="refused")
    assert command("registry", "show", ledger, "--json").json()["producers"] == []
    answer = command(*add, "--registrar", second, "--registrar", third)
    assert answer.status == 0, answer
    order = next(e.event for e in entries(ledger) if e.event["type"].endswith("producer_registered.v1"))
    signed = {one["key"] for one in order["data"]["approvals"]}
    assert signed == {FileSigner.load(key).public_key.hex() for key in (second, third)}
    # Refused orders stay outside the ledger, and are told of.
    status = command("status", ledger, "--json").json()
    assert status["shards"][0]["dead_letters"] == 2
    assert any("refused as orders" in line for line in status["todo"])


def test_an_enrolment_that_was_interrupted_is_taken_up_again(
    ledger: Path, command: Command, complains: Complains
) -> None:
    add = ["registry", "add", ledger, "crm", "--types", "contact, case ,", "--json"]
    settings = Path(command(*add).json()["settings"])
    key = settings.with_name("signing.pem").read_bytes()
    complains(*add, says="enrolled already")
    settings.unlink()
    assert command(*add).status == 0
    assert settings.with_name("signing.pem").read_bytes() == key
    assert _order_types(ledger).count("duecourse.ledger.producer_registered.v1") == 1
    assert _shown(command, ledger)["types"] == ["case", "contact"]
    with Recorder.open(settings) as recorder:
        _say(recorder)
    _run(command, ledger)
    assert len(command("cases", ledger, "--json").json()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "CRM"], "producer's id"),
        (["add", "ledger"], "producer's id"),
        (["add", "../crm"], "producer's id"),
        (["add", "x" * 64], "producer's id"),
        (["add", "other", "--capacity", "agency"], "agency"),
        (["add", "other", "--capacity", "wizard"], "wizard"),
        (["add", "other", "--actor", "Ada Lovelace"], "actor.id"),
        (["open-epoch", "crm", "0"], "0"),
        (["open-epoch", "crm", "one"], "one"),
    ],
)
def test_what_cannot_be_an_order_is_refused_before_it_is_one(
    ledger: Path, complains: Complains, words: list[str], says: str
) -> None:
    complains("registry", words[0], ledger, *words[1:], says=says)
    assert _order_types(ledger) == ["duecourse.ledger.founded.v1"]
    assert not list((ledger / "producers").iterdir())


def test_orders_that_the_registry_refuses_say_why_and_change_nothing(
    enrolled: Path, ledger: Path, complains: Complains
) -> None:
    other = "ab" * 32
    mine = FileSigner.load(enrolled.with_name("signing.pem")).public_key.hex()
    before = _order_types(ledger)
    for words in (
        ["revoke-key", "crm", other, "--reason", "lost"],
        ["retire-key", "crm", other, "--until", "2030-01-01T00:00:00.000000Z"],
        ["retire-key", "crm", mine, "--until", "tomorrow"],
        ["add-key", "crm", "00" * 32],
        ["add-key", "crm", mine],
        ["add-key", "crm", "xyz"],
        ["add-key", "nobody", other],
        ["revoke-key", "nobody", mine, "--reason", "lost"],
        ["lift-quarantine", "crm", "--reason", "none"],
        ["open-epoch", "nobody", "1"],
    ):
        complains("registry", words[0], ledger, *words[1:], status=1, says="duecourse: ")
    assert _order_types(ledger) == before


def test_an_order_stands_in_every_shard(tmp_path: Path, command: Command) -> None:
    ledger = tmp_path / "ledger"
    command("init", ledger, "--name", NAME, "--shards", "2")
    settings = Path(command("registry", "add", ledger, "crm", "--json").json()["settings"])
    key = FileSigner.create(tmp_path / "second.pem").public_key.hex()
    answer = command("registry", "add-key", ledger, "crm", key, "--json")
    assert answer.json()["at"] == [1, 1]
    opened = LedgerDirectory.open(ledger)
    for shard in range(2):
        state = registry_state(opened, shard)
        assert sum(record.owner == "producer/crm" for record in state.keys.values()) == 2
    assert settings.is_file()


# -- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["revoke-key", "retire-key"])
def test_what_an_ended_key_signs_stays_out_and_goes_in_under_a_new_one(
    enrolled: Path, ledger: Path, command: Command, tmp_path: Path, how: str
) -> None:
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 1)
    _run(command, ledger)
    key = FileSigner.load(enrolled.with_name("signing.pem")).public_key.hex()
    reason = ["--reason", "stolen"] if how == "revoke-key" else ["--until", "2026-01-01T00:00:00.000000Z"]
    assert command("registry", how, ledger, "crm", key, *reason).status == 0
    (record,) = _shown(command, ledger)["keys"]
    assert record["until" if how == "retire-key" else "revoked_at"] is not None
    heard: list[Rejection] = []
    with Recorder.open(enrolled, on_rejected=heard.append) as recorder:
        _say(recorder, 2)
        _sent(recorder)
        _run(command, ledger)
        assert not recorder.flush(0.3)
    # Who knows who holds that key now: nothing that it signs is written down, and no number is used up.
    status = command("status", ledger, "--json").json()
    assert status["shards"][0]["dead_letters"] >= 1
    assert len(command("cases", ledger, "--json").json()) == 1

    fresh = FileSigner.create(tmp_path / "fresh.pem")
    assert command("registry", "add-key", ledger, "crm", fresh.public_key.hex()).status == 0
    shutil.copy2(tmp_path / "fresh.pem", enrolled.with_name("signing.pem"))
    with Recorder.open(enrolled, on_rejected=heard.append) as recorder:
        _say(recorder, 3)
        _sent(recorder)
        _run(command, ledger)
        assert recorder.flush(30)
    assert heard == []
    assert len(command("cases", ledger, "--json").json()) == 3
    assert command("fsck", ledger).status == 0


def test_a_producer_says_only_what_it_may(ledger: Path, command: Command) -> None:
    settings = command("registry", "add", ledger, "dialler", "--types", "contact", "--json").json()[
        "settings"
    ]
    heard: list[Rejection] = []
    with Recorder.open(settings, on_rejected=heard.append) as recorder:
        _say(recorder)
        _sent(recorder)
        _run(command, ledger)
        assert recorder.flush(30)
    assert [one.code for one in heard] == ["E_KEY_SCOPE"]
    assert command("cases", ledger, "--json").json() == []
    assert command("fsck", ledger).status == 0


# -- feeds -----------------------------------------------------------------------------------------------------------


def test_after_a_lost_outbox_a_new_epoch_lets_the_tool_go_on(
    enrolled: Path, ledger: Path, command: Command
) -> None:
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 1)
    _run(command, ledger)
    for file in enrolled.parent.glob("outbox.db*"):
        file.unlink()
    # An empty outbox beside a ledger that knows this feed: going on would say other things under the same numbers.
    with pytest.raises(OutboxCorrupt, match="epoch"), Recorder.open(enrolled) as recorder:
        _say(recorder, 2)
    assert command("registry", "open-epoch", ledger, "crm", "1", "--last-seq", "0").status == 0
    assert _shown(command, ledger)["epochs"] == [0, 1]
    for file in enrolled.parent.glob("outbox.db*"):
        file.unlink()
    text = enrolled.read_text()
    enrolled.write_text(text.replace('producer = "crm"\n', 'producer = "crm"\nepoch = 1\n'))
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 2)
        _sent(recorder)
        _run(command, ledger)
        assert recorder.flush(30)
    assert len(command("cases", ledger, "--json").json()) == 2
    assert command("fsck", ledger).status == 0
    mine = [e.event for e in entries(ledger) if e.event["producerid"] == "crm"]
    assert [(one["producerepoch"], int(one["producerseq"])) for one in mine] == [(0, 0), (1, 0)]


def test_a_cloned_tool_is_quarantined_until_registrars_lift_it(
    enrolled: Path, ledger: Path, command: Command, complains: Complains
) -> None:
    clone = enrolled.parent.with_name("clone")
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 1)
    _run(command, ledger)
    shutil.copytree(enrolled.parent, clone)
    # Both say something under the same number before the ledger has heard of either.
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 2)
    with Recorder.open(clone / "producer.toml") as recorder:
        _say(recorder, 3)
    _run(command, ledger)
    with (
        Recorder.open(clone / "producer.toml") as recorder,
        pytest.raises(OutboxCorrupt, match="second installation"),
    ):
        recorder.flush(10)
    shown = command("registry", "show", ledger)
    assert "quarantined" in shown.text
    assert _shown(command, ledger)["quarantined"] is True
    shutil.rmtree(clone)
    with Recorder.open(enrolled) as recorder:
        _say(recorder, 4)
        _sent(recorder)
        _run(command, ledger)
        assert not recorder.flush(0.5)
    # Nothing of it stands, and nothing of it is lost.
    assert len(command("cases", ledger, "--json").json()) == 2
    assert command("registry", "lift-quarantine", ledger, "crm", "--reason", "clone destroyed").status == 0
    assert _shown(command, ledger)["quarantined"] is False
    with Recorder.open(enrolled) as recorder:
        _sent(recorder)
        _run(command, ledger)
        assert recorder.flush(30)
    assert len(command("cases", ledger, "--json").json()) == 3
    assert command("fsck", ledger).status == 0
    complains("registry", "lift-quarantine", ledger, "crm", "--reason", "again", status=1, says="duecourse: ")
