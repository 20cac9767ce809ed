"""A house adopts rules, its cases are judged, the findings leave in bundles, and every verifier makes them again."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from ledger.kernel.bundle import read_container
from ledger.kernel.digest import sha256
from ledger.rules.model import shipped_pack
from ledger.sdk.recorder import Recorder
from ledger.testing.forged_findings import HOUSE_TOML, MILD_TOML
from ledger.testing.shell import duecourse, entries

NAME = "ledger.example.com/cards"
PHONE = "+86 10 5550 0199"
ZONES = [{"zone": "Asia/Shanghai", "source": "residence"}]
SOURCE, AWAY = str(uuid.UUID(int=1, version=4)), str(uuid.UUID(int=2, version=4))


class World:
    """A ledger with a call at noon, one at night, and outside counts of two days."""

    def __init__(self, root: Path) -> None:
        self.ledger = root / "ledger"
        self.house = root / "house.toml"
        self.house.write_bytes(HOUSE_TOML)
        duecourse("init", self.ledger, "--name", NAME)
        duecourse("registry", "add", self.ledger, "crm")
        duecourse(
            "packs", "adopt", self.ledger, "cn-card", "--binding", "CN-01", "--from", "2026-01-01T00:00+08:00"
        )
        duecourse(
            "packs", "adopt", self.ledger, self.house, "--binding", "all", "--from", "2026-01-01T00:00+08:00"
        )
        with Recorder.open(self.ledger / "producers/crm/producer.toml") as crm:
            case = crm.case(account="1")
            self.case = case.id
            told = {"late_reason": "backfill"}
            places = [{"place": "CN", "since": "2019-05-01"}]
            case.registered(
                origin="own", stage="overdue", places=places, time="2026-03-02T01:00:00.000000Z", **told
            )
            case.contact_point_changed(
                party=case.party(), contact_point=case.contact_point(PHONE), action="add", medium="voice",
                address=PHONE, source="contract", time="2026-03-02T01:00:10.000000Z", **told,
            )  # fmt: skip
            for at in ("2026-03-10T04:00:00.000000Z", "2026-03-11T14:05:00.000000Z"):
                case.call_placed(
                    to=PHONE, purpose="interactive", outcome="no_answer", line="registered", debts=[], zones=ZONES,
                    time=at, **told,
                )  # fmt: skip
            for source, day, found in ((SOURCE, "2026-03-10", 411), (AWAY, "2025-03-10", 412)):
                count = {"day": day, "zone": "Asia/Shanghai", "unit": "call", "stated": 412, "found": found}
                crm.source(source).counted(**count, time=f"{day}T20:00:00.000000Z", **told)
        duecourse("run", self.ledger, "--once")

    def export(self, output: Path, *more: str) -> dict[str, bytes]:
        duecourse("export", self.ledger, self.case, "-o", output, "--force", *more)
        return {name: bytes(data) for name, data in read_container(output.read_bytes())}

    def verify(self, bundle: Path, status: int = 0) -> dict[str, object]:
        trust = self.ledger / "trust.toml"
        answer: dict[str, object] = duecourse(
            "verify", bundle, "--trust", trust, "--json", status=status
        ).json()
        return answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("findings"))


def _outcomes(findings: list[dict[str, object]], rule: str) -> list[str]:
    return [str(one["outcome"]) for one in findings if one["rule"] == rule]


def test_the_registry_holds_the_digest_and_the_directory_the_bytes(world: World) -> None:
    adopted = {
        entry.event["data"]["id"]: entry.event["data"]
        for entry in entries(world.ledger)
        if entry.event["type"] == "duecourse.ledger.pack_adopted.v1"
    }
    assert adopted["cn-card"]["digest"] == sha256(shipped_pack("cn-card").data).hex()
    assert adopted["cn-card"]["binding"] == ["CN-01"]
    assert adopted["cn-card"]["from"] == "2025-12-31T16:00:00.000000Z"
    assert adopted["house"]["binding"] == ["H-1", "H-3"]
    assert (world.ledger / "packs/cn-card@1.toml").read_bytes() == shipped_pack("cn-card").data
    assert (world.ledger / "packs/house@1.toml").read_bytes() == HOUSE_TOML
    assert "house@1" in duecourse("packs", "list", world.ledger).text


def test_a_milder_pack_cannot_be_adopted_under_the_same_name(world: World, tmp_path: Path) -> None:
    milder = tmp_path / "house.toml"
    milder.write_bytes(MILD_TOML)
    ended = duecourse("packs", "adopt", world.ledger, milder, status=1)
    assert "give the changed pack a new version" in ended.complaint
    assert (world.ledger / "packs/house@1.toml").read_bytes() == HOUSE_TOML


def test_the_case_says_what_was_breached_when_on_the_debtors_clock(world: World) -> None:
    text = duecourse("case", "findings", world.ledger, world.case).text
    heads = [line for line in text.splitlines() if line.startswith("BREACH  entry ")]
    assert heads
    assert text.startswith(heads[0])
    assert any(head.endswith("2026-03-11T14:05:00Z = 2026-03-11 22:05:00 Asia/Shanghai") for head in heads)
    chinese = duecourse("case", "findings", world.ledger, world.case, "--lang", "zh", "--rule", "CN-01").text
    assert "北京时间 22:00" in chinese
    assert "CN-04" not in chinese
    found = duecourse("case", "findings", world.ledger, world.case, "--json").json()
    assert _outcomes(found["findings"], "cn-card/CN-01@1") == ["PASS", "BREACH"]
    assert found["packs"] == ["cn-card@1", "house@1"]


def test_the_findings_leave_in_the_bundle_and_are_made_again(world: World, tmp_path: Path) -> None:
    members = world.export(tmp_path / "one.duecourse")
    assert list(members)[-2:] == ["packs/cn-card@1.toml", "packs/house@1.toml"]
    assert members["packs/house@1.toml"] == HOUSE_TOML
    verdict = world.verify(tmp_path / "one.duecourse")
    assert verdict["verdict"] == "VERIFIED"
    proved = verdict["proved"]
    assert isinstance(proved, dict)
    told = json.loads(members["findings.json"])["findings"]
    extra = {"local", "sentence", "time"}
    assert [{k: v for k, v in one.items() if k not in extra} for one in proved["findings"]] == told
    assert {one["pack"]: one["shipped"] for one in proved["packs"]} == {
        "cn-card@1": "shipped",
        "house@1": "own",
    }
    world.export(tmp_path / "two.duecourse")
    assert (tmp_path / "one.duecourse").read_bytes() == (tmp_path / "two.duecourse").read_bytes()


def test_a_day_that_a_source_counted_otherwise_cannot_be_proved(world: World, tmp_path: Path) -> None:
    """The count of that day calls the cap into doubt; the statement of another year has no part in it."""
    members = world.export(tmp_path / "case.duecourse")
    streams = {one["stream"] for one in json.loads(members["manifest.json"])["statement"]["streams"]}
    assert f"source/{SOURCE}" in streams
    assert f"source/{AWAY}" not in streams
    findings = json.loads(members["findings.json"])["findings"]
    doubted = [one for one in findings if "count_differs" in one["codes"]]
    assert {one["outcome"] for one in doubted} == {"INSUFFICIENT_EVIDENCE"}
    assert all(len(one["rests_on"]) == 2 for one in doubted)


def test_an_opened_field_is_judged_and_a_closed_one_is_missing_evidence(world: World, tmp_path: Path) -> None:
    closed = json.loads(world.export(tmp_path / "closed.duecourse")["findings.json"])["findings"]
    opened = world.export(tmp_path / "open.duecourse", "--disclose", "address")
    assert _outcomes(closed, "house/H-2@1") == ["INSUFFICIENT_EVIDENCE"]
    assert _outcomes(json.loads(opened["findings.json"])["findings"], "house/H-2@1") == ["PASS"]
    assert world.verify(tmp_path / "closed.duecourse")["verdict"] == "VERIFIED"
    assert world.verify(tmp_path / "open.duecourse")["verdict"] == "VERIFIED"


def test_packs_that_are_left_out_or_lost_are_named(world: World, tmp_path: Path) -> None:
    bundle = tmp_path / "case.duecourse"
    members = world.export(bundle, "--without-findings")
    assert not any(name.startswith("packs/") for name in members)
    warnings = world.verify(bundle)["warnings"]
    assert isinstance(warnings, list)
    (missing,) = (one for one in warnings if one["code"] == "W_PACK_MISSING")
    assert "cn-card@1, house@1" in missing["detail"]
    kept = world.ledger / "packs/house@1.toml"
    kept.write_bytes(MILD_TOML)
    try:
        ended = duecourse("export", world.ledger, world.case, "-o", bundle, "--force")
        assert "house@1 was adopted and is left out" in ended.complaint
        warnings = world.verify(bundle)["warnings"]
        assert isinstance(warnings, list)
        assert [one["detail"] for one in warnings if one["code"] == "W_PACK_MISSING"] == [
            "adopted and not in the bundle: house@1"
        ]
    finally:
        kept.write_bytes(HOUSE_TOML)


def test_the_demonstrated_case_shows_one_of_each_outcome_that_somebody_must_look_at(tmp_path: Path) -> None:
    work = tmp_path / "demo"
    duecourse("demo", "--quick", "--keep", work)
    verdict = duecourse(
        "verify", work / "case.duecourse", "--trust", work / "ledger/trust.toml", "--json"
    ).json()
    outcomes = {one["outcome"] for one in verdict["proved"]["findings"]}
    assert outcomes >= {"BREACH", "ADVISORY", "INSUFFICIENT_EVIDENCE", "REVIEW"}
    (breach,) = (one for one in verdict["proved"]["findings"] if one["outcome"] == "BREACH")
    assert breach["rule"] == "cn-card/CN-01@1"
    assert breach["local"] == [{"time": "2026-03-11 22:05:00", "zone": "Asia/Shanghai"}]
