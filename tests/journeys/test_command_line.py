"""A new user's way through the installed command: found, record, read, prove, verify, forge, look after."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from ledger.kernel.bundle import read_container
from ledger.kernel.disclosure import parse_disclosure
from ledger.sdk.recorder import Recorder
from ledger.testing.journey import NAME, World
from ledger.testing.shell import Ended, duecourse, entries
from ledger.vault.erase import erase_person
from ledger.vault.sqlite import SqliteVault
from ledger.verify.__main__ import main
from projections.cli.directory import LedgerDirectory

VERIFIER = "ledger.verify"


def _verify(bundle: Path, trust: Path, *more: str | Path, status: int = 0) -> Ended:
    """The verdict of both verifiers, which must be the same, byte for byte."""
    words = [bundle, "--trust", trust, *more]
    told = duecourse("verify", *words, status=status)
    assert duecourse(*words, status=status, module=VERIFIER).out == told.out
    return told


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_case_is_listed_shown_and_told(world: World) -> None:
    told = world.told
    (row,) = duecourse("cases", world.ledger, "--json").json()
    assert (row["case"], row["entries"], row["stage"]) == (told.case, told.events, "registered")
    assert told.case in duecourse("cases", world.ledger).text
    assert duecourse("cases", world.ledger, "--stage", "closed", "--json").json() == []
    assert duecourse("cases", world.ledger, "--stage", "closed").text == "no cases in stage closed yet\n"

    state = duecourse("case", "show", world.ledger, told.case, "--json").json()
    assert (state["case"], state["events"], state["counts"]["calls"]) == (told.case, told.events, 1)
    assert "registered" in duecourse("case", "show", world.ledger, f"case/{told.case}").text

    lines = duecourse("case", "timeline", world.ledger, told.case, "--json").json()
    assert len(lines) == told.events
    assert [line["index"] for line in lines] == sorted(line["index"] for line in lines)
    text = duecourse("case", "timeline", world.ledger, told.case).text
    assert "[words]" in text
    assert "contact.call_placed" in text


def test_a_past_index_shows_what_stood_then(world: World) -> None:
    lines = duecourse("case", "timeline", world.ledger, world.told.case, "--json").json()
    call = next(line for line in lines if line["type"] == "contact.call_placed")
    before = ["--index", str(call["index"] - 1), "--json"]
    after = ["--index", str(call["index"]), "--json"]
    show = ["case", "show", world.ledger, world.told.case]
    assert duecourse(*show, *before).json()["counts"]["calls"] == 0
    assert duecourse(*show, *after).json()["counts"]["calls"] == 1
    told = duecourse("case", "timeline", world.ledger, world.told.case, *before).json()
    assert len(told) == lines.index(call)
    ended = duecourse(*show, "--index", "0", status=3)
    assert "up to entry 0" in ended.complaint


# -- proving ---------------------------------------------------------------------------------------------------------


def test_the_same_export_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    first = world.export(tmp_path / "a.duecourse").read_bytes()
    assert world.export(tmp_path / "b.duecourse").read_bytes() == first
    opened = world.export(tmp_path / "c.duecourse", "--disclose", "words").read_bytes()
    assert opened != first
    assert world.export(tmp_path / "d.duecourse", "--disclose", "/data/words").read_bytes() == opened
    answer = duecourse(
        "export", world.ledger, world.told.case, "-o", tmp_path / "a.duecourse", "--force", "--json"
    ).json()
    assert (tmp_path / "a.duecourse").read_bytes() == first
    assert (answer["bytes"], answer["entries"], answer["disclosed"]) == (len(first), 17, 0)


def test_an_export_needs_no_views_of_its_own_age(own_world: World, tmp_path: Path) -> None:
    """Rebuilt views, another snapshot, no cache: the bytes of a proof do not depend on what it was made from."""
    first = own_world.export(tmp_path / "a.duecourse").read_bytes()
    duecourse("rebuild", own_world.ledger)
    shutil.rmtree(own_world.ledger / "state" / "0")
    assert own_world.export(tmp_path / "b.duecourse").read_bytes() == first
    (own_world.ledger / "views.db").unlink()
    ended = duecourse(
        "export", own_world.ledger, own_world.told.case, "-o", tmp_path / "c.duecourse", status=3
    )
    assert "no views" in ended.complaint
    duecourse("rebuild", own_world.ledger)
    assert own_world.export(tmp_path / "d.duecourse").read_bytes() == first


def test_a_reader_verifies_with_nothing_but_bundle_and_trust_file(world: World, tmp_path: Path) -> None:
    bundle = world.export(tmp_path / "case.duecourse")
    trust = tmp_path / "trust.toml"
    shutil.copyfile(world.trust, trust)
    text = _verify(bundle, trust).text
    assert text.startswith("VERIFIED\n")
    assert f"The case {world.told.case} holds exactly these 14 entries" in text.replace("\n", " ")
    assert "Only the operator of the ledger vouches" in text
    assert _verify(bundle, trust, "--lang", "zh").text.startswith("已验证")
    verdict = _verify(bundle, trust, "--json").json()
    assert verdict["verdict"] == "VERIFIED"
    assert verdict["proved"]["fields"] == {"not_disclosed": 13, "opened": 0}
    for lang in ("en", "zh"):
        page = tmp_path / f"{lang}.html"
        _verify(bundle, trust, "--html", page, "--lang", lang)
        assert page.read_bytes().startswith(b"<!DOCTYPE html>")
        _verify(bundle, trust, "--compare-report", page)
        page.write_bytes(page.read_bytes().replace(b"VERIFIED", b"VERIFIED!"))
        assert "E_REPORT" in _verify(bundle, trust, "--compare-report", page, status=1).text


def test_every_exit_status_of_the_verifier(world: World, tmp_path: Path) -> None:
    bundle = world.export(tmp_path / "case.duecourse")
    _verify(bundle, world.trust)
    _verify(world.trust, world.trust, status=1)
    _verify(tmp_path / "nothing", world.trust, status=3)
    _verify(bundle, tmp_path / "nothing.toml", status=3)
    strict = tmp_path / "strict.toml"
    strict.write_text(world.trust.read_text().replace("max_age_s = 0", "max_age_s = 60"))
    assert "E_STALE" in _verify(bundle, strict, "--at", "2999-01-01T00:00:00.000000Z", status=2).text
    other = tmp_path / "other.toml"
    other.write_text(world.trust.read_text().replace("cards/0+", "other/0+"))
    assert _verify(bundle, other, status=3).text.startswith("NOT JUDGED")
    for words in ([], [bundle], ["--trust", world.trust], [bundle, "--trust", world.trust, "--frobnicate"]):
        assert duecourse("verify", *words, status=3).out == b""


def test_one_byte_changed_anywhere_is_not_verified(world: World, tmp_path: Path) -> None:
    """Some hundred places from one end to the other; `tests/vectors` goes through every byte of a bundle."""
    bundle = world.export(tmp_path / "case.duecourse", "--disclose", "words")
    data, forged = bundle.read_bytes(), tmp_path / "forged.duecourse"
    for place in [*range(0, len(data), len(data) // 200), len(data) - 1]:
        for bit in (0x01, 0x80):
            changed = bytearray(data)
            changed[place] ^= bit
            forged.write_bytes(changed)
            assert main([str(forged), "--trust", str(world.trust), "--json"]) in (1, 2), place
    _verify(forged, world.trust, status=1)
    forged.write_bytes(data[:-1])
    _verify(forged, world.trust, status=1)
    forged.write_bytes(data + b"\n")
    _verify(forged, world.trust, status=1)
    forged.write_bytes(b"")
    _verify(forged, world.trust, status=1)


@pytest.mark.parametrize(
    "name",
    ["address", "wording", "status", "to", "words", "relation", "causes", "can_pay", "capacity", "reason",
     "trigger_on", "requester"],
)  # fmt: skip
def test_every_kind_of_protected_field_can_be_opened_for_a_reader(
    world: World, tmp_path: Path, name: str
) -> None:
    bundle = world.export(tmp_path / "case.duecourse", "--disclose", name)
    values = world.told.values[name]
    verdict = _verify(bundle, world.trust, "--json").json()
    assert verdict["verdict"] == "VERIFIED"
    assert verdict["proved"]["fields"] == {"not_disclosed": 13 - len(values), "opened": len(values)}
    lines = [
        json.loads(line)
        for line in bytes(dict(read_container(bundle.read_bytes()))["disclosures.jsonl"]).splitlines()
    ]
    assert [parse_disclosure(line["disclosure"], line["pointer"]) for line in lines] == values
    if all(isinstance(value, str) for value in values):
        shown = duecourse("verify", bundle, "--trust", world.trust).text.replace("\n", " ")
        assert values[0].split()[0] in shown


def test_what_is_erased_is_said_to_be_erased_and_all_proofs_stand(own_world: World, tmp_path: Path) -> None:
    told = own_world.told
    before = own_world.export(tmp_path / "before.duecourse", "--disclose", "words")
    with (
        Recorder.open(own_world.settings) as recorder,
        SqliteVault(own_world.ledger / "vault.db", create=False) as vault,
    ):
        case = recorder.case(id=told.case)
        done = erase_person(
            vault, stream=case.subject, party=None, erased_at="2026-03-01T00:00:00.000000Z",
            purpose="subject_right", record=case.record,
        )  # fmt: skip
        recorder.forget_keys(case.subject)
        assert done.destroyed
        assert recorder.flush(0) is False
    duecourse("run", own_world.ledger, "--once")
    after = tmp_path / "after.duecourse"
    ended = duecourse("export", own_world.ledger, told.case, "-o", after, "--disclose", "words")
    assert ended.text.count("erased for good, and not opened: /data/words of entry ") == 2
    answer = duecourse(
        "export", own_world.ledger, told.case, "-o", after, "--disclose", "words", "--force", "--json"
    ).json()
    assert answer["disclosed"] == 0
    assert [one["pointer"] for one in answer["erased"]] == ["/data/words"] * 2
    verdict = _verify(after, own_world.trust, "--json").json()
    assert verdict["verdict"] == "VERIFIED"
    assert verdict["proved"]["fields"]["opened"] == 0
    assert verdict["proved"]["streams"][0]["count"] == told.events + 1
    # What was handed out before stays proved: an erasure does not reach into other people's drawers.
    _verify(before, own_world.trust)
    assert duecourse("fsck", own_world.ledger, "--json").json()["ok"]
    assert duecourse("rebuild", own_world.ledger, "--check", "--json").json()["equal"]


# -- a reader who remembers ------------------------------------------------------------------------------------------


def test_a_reader_who_remembers_follows_the_ledger_and_sees_a_rollback(
    own_world: World, tmp_path: Path
) -> None:
    ledger, trust = own_world.ledger, own_world.trust
    state, link = tmp_path / "state", tmp_path / "link"
    old = own_world.export(tmp_path / "old.duecourse")
    _verify(old, trust, "--state", state, "--remember", status=3)
    duecourse("verify", old, "--trust", trust, "--state", state, "--remember", "--trust-on-first-use")
    _verify(old, trust, "--state", state)
    shutil.copytree(ledger, tmp_path / "backup")

    own_world.record_more()
    new = own_world.export(tmp_path / "new.duecourse")
    (unlinked,) = _verify(new, trust, "--state", state, "--json", status=2).json()["errors"]
    assert "no proof leads from size" in unlinked["detail"]
    answer = duecourse("link", ledger, "--state", state, "-o", link, "--json").json()
    assert answer["to"] > answer["from"]
    assert "exists" in duecourse("link", ledger, "--state", state, "-o", link, status=3).complaint
    duecourse("link", ledger, "--state", state, "-o", link, "--force")
    _verify(new, trust, "--state", state, "--link", link)
    damaged = bytearray(link.read_bytes())
    damaged[-10] ^= 1
    (tmp_path / "bad-link").write_bytes(damaged)
    _verify(new, trust, "--state", state, "--link", tmp_path / "bad-link", status=3)
    duecourse("verify", new, "--trust", trust, "--state", state, "--link", link, "--remember")

    # The reader knows more than the old bundle: genuine and old, or rolled back; it cannot be told which.
    assert "E_ROLLBACK" in _verify(old, trust, "--state", state, status=2).text
    rolled = tmp_path / "backup"
    ended = duecourse("link", rolled, "--state", state, "-o", tmp_path / "no-link", status=3)
    assert "rolled back?" in ended.complaint
    assert not (tmp_path / "no-link").exists()

    # The rolled back ledger goes on, and signs another history of the same size: that is seen, and kept.
    grown = World(rolled, own_world.told)
    grown.record_more()
    fork = grown.export(tmp_path / "fork.duecourse")
    verdict = duecourse("verify", fork, "--trust", trust, "--state", state, "--json", status=1)
    assert [problem["code"] for problem in verdict.json()["errors"]] == ["E_INCONSISTENT"]
    assert (tmp_path / "state.evidence").read_bytes().count(b"ledger.example.com/cards/0\n") == 2


# -- looking after it ------------------------------------------------------------------------------------------------


def test_a_sound_ledger_is_sound_by_every_check(world: World) -> None:
    report = duecourse("fsck", world.ledger, "--json").json()
    assert report["ok"] is True
    assert report["entries"] == len(entries(world.ledger))
    assert "sound" in duecourse("fsck", world.ledger).text
    rebuilt = duecourse("rebuild", world.ledger, "--check", "--json").json()
    assert rebuilt["equal"] is True
    views = {"access_log", "case_state", "conformance", "portfolio", "streams", "timeline"}
    assert set(rebuilt["digests"]) == views
    assert "were equal" in duecourse("rebuild", world.ledger, "--check").text
    status = duecourse("status", world.ledger, "--json").json()
    assert (status["running"], status["todo"]) == (False, [])
    (shard,) = status["shards"]
    assert shard["checkpoint_size"] == shard["views_position"] == report["entries"]
    assert (shard["waiting"], shard["dead_letters"]) == (0, 0)
    assert "nothing to do" in duecourse("status", world.ledger).text


def test_a_damaged_tile_is_found_and_named(own_world: World) -> None:
    index = next(entry.index for entry in entries(own_world.ledger) if "call_placed" in entry.event["type"])
    tiles = (own_world.ledger / "tiles" / "0" / "tile" / "entries").rglob("*")
    bundle = max((path for path in tiles if path.is_file()), key=lambda path: path.stat().st_size)
    data = bytearray(bundle.read_bytes())
    data[data.index(b"contact.call_placed")] ^= 1
    bundle.write_bytes(data)
    ended = duecourse("fsck", own_world.ledger, "--json", status=1)
    report = ended.json()
    assert report["ok"] is False
    assert index in {finding["index"] for finding in report["shards"][0]["findings"]}
    assert f"at index {index}" in duecourse("fsck", own_world.ledger, status=1).text


def test_changed_views_are_found_and_made_anew(own_world: World) -> None:
    with contextlib.closing(sqlite3.connect(own_world.ledger / "views.db")) as db:
        (table,) = db.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'case_state\\_%' ESCAPE '\\'"
        ).fetchone()
        db.execute(f"UPDATE {table} SET stage = 'closed'")
        db.commit()
    ended = duecourse("rebuild", own_world.ledger, "--check", "--json", status=1)
    assert ended.json()["equal"] is False
    assert duecourse("rebuild", own_world.ledger, "--check", "--json").json()["equal"] is True
    assert duecourse("cases", own_world.ledger, "--stage", "registered", "--json").json()


def test_a_second_line_is_refused_while_one_runs(own_world: World) -> None:
    ledger = LedgerDirectory.open(own_world.ledger)
    with ledger.running() as mine:
        assert mine
        ended = duecourse("run", own_world.ledger, "--once", status=3)
        assert "another process runs" in ended.complaint
        assert duecourse("status", own_world.ledger, "--json").json()["running"] is True


def test_several_shards_are_one_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    answer = duecourse("init", ledger, "--name", NAME, "--shards", "3", "--json").json()
    assert len(answer["log_keys"]) == answer["shards"] == 3
    settings = duecourse("registry", "add", ledger, "crm", "--json").json()["settings"]
    with Recorder.open(settings) as recorder:
        made = {recorder.case(account=str(n)).id for n in range(9)}
        for n in range(9):
            recorder.case(account=str(n)).registered(origin="own", stage="registered", places=[])
    duecourse("run", ledger, "--once")
    rows = duecourse("cases", ledger, "--json").json()
    assert {row["case"] for row in rows} == made
    assert {row["shard"] for row in rows} == {0, 1, 2}
    for row in rows[:3]:
        bundle = tmp_path / f"{row['case']}.duecourse"
        duecourse("export", ledger, row["case"], "-o", bundle)
        _verify(bundle, ledger / "trust.toml")
    report = duecourse("fsck", ledger, "--json").json()
    assert (report["ok"], len(report["shards"])) == (True, 3)
    assert report["entries"] == sum(len(entries(ledger, shard)) for shard in range(3))
    assert duecourse("fsck", ledger, "--shard", "3", status=3).complaint.startswith("duecourse: ")
    assert duecourse("registry", "show", ledger, "--shard", "3", status=3).complaint.startswith("duecourse: ")
