"""The commands about rule packs: what they list and explain, what they refuse and with which status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.errors import ConfigurationError, DuecourseError, Refused
from ledger.rules.model import shipped
from ledger.testing.forged_findings import HOUSE_TOML
from projections.cli import cli, exit_status

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def invoke(*words: str | Path) -> Result:
        return CliRunner().invoke(cli, ["packs", *map(str, words)])

    return invoke


def _status(result: Result) -> int:
    return exit_status(result.exception) if isinstance(result.exception, DuecourseError) else result.exit_code


def _vectors(*expect: dict[str, object]) -> bytes:
    """One call at noon and one at 23:00 Beijing time, with H-1 binding."""
    call = {
        "type": "contact.call_placed", "actorcapacity": "first_party",
        "data": {"parties": [], "debts": [], "purpose": "interactive", "outcome": "no_answer"},
    }  # fmt: skip
    events = [
        {**call, "id": f"10000000-0000-4000-8000-00000000000{n}", "time": f"2026-06-10T{hour}:00:00.000000Z",
         "recordedtime": f"2026-06-10T{hour}:00:05.000000Z"}
        for n, hour in enumerate(("04", "15"))
    ]  # fmt: skip
    vector = {
        "id": "hours", "kind": "rule", "packs": ["house"], "as_of": "2026-12-31T00:00:00.000000Z", "events": events,
        "setup": {"binding": [{"pack": "house", "rules": ["H-1"], "from": "2026-01-01"}]}, "expect": list(expect),
    }  # fmt: skip
    return json.dumps({"format": "duecourse rule vectors 1", "vectors": [vector]}).encode()


GOOD = ({"rule": "H-1", "event": 0, "outcome": "PASS"}, {"rule": "H-1", "event": 1, "outcome": "BREACH"})


def test_every_shipped_pack_is_listed_in_both_languages(run: Run) -> None:
    for lang, words in (("en", "Bank credit cards"), ("zh", "信用卡")):
        text = run("list", "--lang", lang).output
        assert words in text
        assert all(name in text for name in shipped())
    listed = json.loads(run("list", "--json").output)
    assert [one["pack"] for one in listed["shipped"]] == list(shipped())
    assert listed["adopted"] == []


def test_a_rule_is_explained_in_the_language_that_is_asked_for(run: Run) -> None:
    chinese = run("explain", "CN-03", "--lang", "zh").output
    assert "每日不超过三次" in chinese
    assert "推荐性标准" in chinese
    english = run("explain", "cn-card/CN-03@1").output
    assert english.startswith("CN-03@1  cn-card@1")
    assert "only once the registry has adopted it" in english
    assert "off unless the registry names it" in run("explain", "X-9").output
    (value,) = json.loads(run("explain", "CN-03", "--json").output)
    assert value["needs_adoption"] is True
    assert value["parameters"]["cap.n"] == "3"


def test_a_pack_is_explained_with_what_it_does_not_know(run: Run, tmp_path: Path) -> None:
    text = run("explain", "cn-card").output
    assert "Read this first." in text
    assert "CN-30@1" in text
    file = tmp_path / "house.toml"
    file.write_bytes(HOUSE_TOML)
    assert "H-3@1" in run("explain", file).output
    assert run("explain", "H-1", "--pack", file).output.startswith("H-1@1  house@1")


@pytest.mark.parametrize("name", ["CN-99", "no-such-pack", "cn-card/CN-99", "nowhere.toml"])
def test_what_is_nowhere_is_said_to_be_nowhere(run: Run, name: str) -> None:
    result = run("explain", name)
    assert isinstance(result.exception, ConfigurationError | FileNotFoundError)


def test_vectors_that_hold_are_counted_and_differences_are_printed(run: Run, tmp_path: Path) -> None:
    pack, cases = tmp_path / "house.toml", tmp_path / "cases.json"
    pack.write_bytes(HOUSE_TOML)
    cases.write_bytes(_vectors(*GOOD))
    result = run("vectors", cases, "--pack", pack)
    assert (result.exit_code, result.output) == (0, "1 of 1 vectors judged, 0 differences\n")
    cases.write_bytes(_vectors(GOOD[0], {"rule": "H-1", "event": 1, "outcome": "PASS"}))
    result = run("vectors", cases, "--pack", pack)
    assert result.exit_code == 1
    assert result.output.startswith("hours: H-1 at event 1: expected PASS, found BREACH")
    # The pack is not shipped: without its file the case cannot be judged.
    assert run("vectors", cases).exit_code == 1


def test_the_open_vectors_hold(run: Run, shared: Path) -> None:
    result = run("vectors", shared / "vectors/rules/open.json", "--json")
    assert (result.exit_code, json.loads(result.output)["differences"]) == (0, [])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b'{"format": "x"}', b'{"format": "duecourse rule vectors 1", "vectors": [{}]}', b"\xff",
        b'{"format": "duecourse rule vectors 1", "vectors": [1]}',
    ],
)  # fmt: skip
def test_a_file_that_holds_no_vectors_is_refused(run: Run, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(data)
    result = run("vectors", file)
    assert isinstance(result.exception, Refused)
    assert _status(result) == 1


def test_a_pack_is_tested_with_the_vectors_that_lie_beside_it(run: Run, tmp_path: Path) -> None:
    pack = tmp_path / "house.toml"
    pack.write_bytes(HOUSE_TOML)
    lonely = run("test", pack)
    assert lonely.exit_code == 1
    assert "house.vectors.json is not there" in lonely.output
    (tmp_path / "house.vectors.json").write_bytes(_vectors(*GOOD))
    result = json.loads(run("test", pack, "--json").output)
    assert not any("H-1@1" in complaint for complaint in result["complaints"])
    assert any("H-2@1: no vector that passes" in complaint for complaint in result["complaints"])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"[pack]\n", b'[pack]\nmood = "mild"\n', "unknown key"),
        (b"Asia/Shanghai", b"Asia/Atlantis", "no such time zone"),
        (b'["22:00", "08:00"]', b'["22:00", "22:00"]', "ends before it begins"),
        (b'grade = "T"', b'grade = "A"', "none of"),
        (b"[[rule]]\n", b"[[rule\n", ""),
        (b'calendar = "CN"', b'calendar = "XX"', "no such calendar"),
    ],
)
def test_a_bad_pack_is_refused_with_its_line(
    run: Run, tmp_path: Path, old: bytes, new: bytes, reason: str
) -> None:
    file = tmp_path / "house.toml"
    file.write_bytes(HOUSE_TOML.replace(old, new, 1))
    for command in (("test", file), ("explain", file), ("adopt", tmp_path / "ledger", file)):
        result = run(*command)
        assert isinstance(result.exception, Refused)
        assert _status(result) == 1
        assert reason in result.exception.detail
        name, _, line = result.exception.where.rpartition(":")
        assert name == str(file)
        assert int(line) > 1


def test_what_is_law_cannot_be_made_binding_and_what_is_not_there_neither(run: Run, tmp_path: Path) -> None:
    for binding, reason in (("CN-06", "is law and binds by itself"), ("CN-99", "has no rule")):
        result = run("adopt", tmp_path, "cn-card", "--binding", binding)
        assert isinstance(result.exception, ConfigurationError)
        assert reason in str(result.exception)


@pytest.mark.parametrize("time", ["2026-01-01", "2026-01-01T00:00", "soon"])
def test_a_moment_without_a_zone_is_refused(run: Run, tmp_path: Path, time: str) -> None:
    result = run("adopt", tmp_path, "cn-card", "--from", time)
    assert isinstance(result.exception, ConfigurationError)
    assert "--from" in str(result.exception)
