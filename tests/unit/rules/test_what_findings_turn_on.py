"""Semantics that no shared vector shows, each as one small case."""

from __future__ import annotations

import copy
import cProfile
import datetime as dt
import pstats
from collections.abc import Callable
from typing import Any

import pytest
from house_rules import RULE, call, event

from ledger.rules.evaluate import Binding, evaluate
from ledger.rules.findings import Finding, Findings
from ledger.rules.model import shipped_pack
from ledger.rules.shapes import Pack

AS_OF = "2026-12-31T00:00:00.000000Z"
NIGHT, DAY = "2026-06-10T14:30:00", "2026-06-10T02:00:00"  # 22:30 and 10:00 in Shanghai


def found(packs: list[Pack], events: list[dict[str, Any]], rule: str, at: int, **more: Any) -> Finding:
    findings = evaluate(packs, events, as_of=AS_OF, **more)
    finding = findings.of(rule, events[at]["id"])
    assert finding is not None
    return finding


def consent(number: int, time: str, recorded: str = "", **data: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "party": "p",
        "action": "grant",
        "scope": ["hours"],
        "form": "oral",
        "given_to": "creditor",
    }
    return event(number, "consent.recorded", time, recorded, **(given | data))


EXCEPT = (
    'window = {forbid = ["22:00", "08:00"]}',
    'window = {forbid = ["22:00", "08:00"]}\nexcept = [{consent = "hours"}]',
)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({}, "PASS"),
        ({"party": "q"}, "BREACH"),
        ({"scope": ["calls"]}, "BREACH"),
        ({"debts": ["d"]}, "PASS"),
        ({"debts": ["e"]}, "BREACH"),
        ({"valid_from": "2026-06-10"}, "PASS"),
        ({"valid_from": "2026-06-11"}, "BREACH"),
        ({"expires": "2026-06-10"}, "PASS"),
        ({"expires": "2026-06-09"}, "BREACH"),
        ({"windows": [{"from_min": 1320, "to_min": 1351}]}, "PASS"),
        ({"windows": [{"from_min": 1320, "to_min": 1350}]}, "BREACH"),
        ({"windows": [{"from_min": 1320, "to_min": 1380, "days": ["wed"]}]}, "PASS"),
        ({"windows": [{"from_min": 1320, "to_min": 1380, "days": ["tue"]}]}, "BREACH"),
    ],
)
def test_a_consent_excuses_only_what_it_names(
    pack: Callable[..., Pack], data: dict[str, Any], outcome: str
) -> None:
    events = [consent(1, "2026-06-01T02:00:00", **data), call(2, NIGHT)]

    assert found([pack(EXCEPT)], events, "H-1", 1).outcome == outcome


def test_a_consent_that_was_taken_back_excuses_nothing_from_then_on(pack: Callable[..., Pack]) -> None:
    events = [
        consent(1, "2026-06-01T02:00:00"),
        call(2, "2026-06-09T14:30:00"),
        consent(3, "2026-06-10T01:00:00", action="withdraw", consent="10000000-0000-4000-8000-000000000001"),
        call(4, NIGHT),
    ]

    assert found([pack(EXCEPT)], events, "H-1", 1).outcome == "PASS"
    assert found([pack(EXCEPT)], events, "H-1", 3).outcome == "BREACH"


def test_a_consent_given_after_the_act_is_no_excuse(pack: Callable[..., Pack]) -> None:
    events = [call(1, NIGHT), consent(2, "2026-06-10T14:31:00")]

    assert found([pack(EXCEPT)], events, "H-1", 0).outcome == "BREACH"


def test_a_zone_on_file_that_the_event_left_out_counts_until_its_number_is_invalidated() -> None:
    point = {"party": "p", "role": "debtor", "contact_point": "c2", "medium": "voice", "source": "contract"}
    zones = [{"zone": "America/New_York", "source": "residence"}]
    agency = {"actorcapacity_": "agency", "agency": "a"}
    events = [
        event(
            1,
            "party.contact_point_changed",
            "2026-06-01T02:00:00",
            action="add",
            zone="America/Los_Angeles",
            **point,
        ),
        call(2, "2026-06-10T13:00:00", zones=zones, **agency),
        event(3, "party.contact_point_changed", "2026-06-11T02:00:00", action="invalidate", **point),
        call(4, "2026-06-12T13:00:00", zones=zones, **agency),
    ]

    early = found([shipped_pack("us-regf")], events, "US-01", 1)
    later = found([shipped_pack("us-regf")], events, "US-01", 3)

    assert (early.outcome, set(early.codes)) == ("BREACH", {"zone_mismatch", "zone_decides"})
    assert early.rests == (1, 0)
    assert (later.outcome, later.codes) == ("PASS", ())


def test_each_event_is_judged_by_the_version_that_was_in_force_and_today_stands_beside_it(
    pack: Callable[..., Pack],
) -> None:
    old = ("in_force = {from = 2020-01-01}", "in_force = {from = 2020-01-01, to = 2026-06-30}")
    milder = ('forbid = ["22:00", "08:00"]', 'forbid = ["23:00", "08:00"]')
    packs = [pack(old), pack(('version = "1"', 'version = "2"'), ("2020-01-01", "2026-07-01"), milder)]
    events = [call(1, NIGHT), call(2, "2026-07-10T14:30:00")]

    findings = [(f.rule.name, f.event, f.outcome, f.reading) for f in evaluate(packs, events, as_of=AS_OF)]

    assert findings == [
        ("H-1@1", 0, "BREACH", "corrected"),
        ("H-1@2", 0, "PASS", "today"),
        ("H-1@2", 1, "PASS", "corrected"),
    ]


def test_a_correction_of_a_correction_counts_and_both_readings_are_kept(pack: Callable[..., Pack]) -> None:
    first = "10000000-0000-4000-8000-000000000001"
    events = [
        call(1, NIGHT),
        call(2, "2026-06-10T14:31:00", "2026-06-11T02:00:00", corrects_=first),
        call(3, DAY, "2026-06-13T02:00:00", corrects_="10000000-0000-4000-8000-000000000002"),
    ]

    findings = [(f.event, f.outcome, f.codes, f.reading) for f in evaluate([pack()], events, as_of=AS_OF)]

    assert findings == [(0, "BREACH", (), "first"), (2, "PASS", ("late_entry",), "corrected")]


def test_a_correction_of_another_type_corrects_nothing(pack: Callable[..., Pack]) -> None:
    wrong = event(
        2,
        "contact.delivery_status",
        DAY,
        corrects_="10000000-0000-4000-8000-000000000001",
        message="x",
        status="read",
    )

    assert found([pack()], [call(1, NIGHT), wrong], "H-1", 0).outcome == "BREACH"


def test_what_a_disclosure_would_have_to_open_is_not_guessed(pack: Callable[..., Pack]) -> None:
    rule = RULE.replace('kind = "TW"', 'kind = "ATT"').replace('"contact.call_placed"', '"hold.started"')
    clause = 'clause = [{where = [{f = "reason", in = ["death"]}], outcome = "REVIEW"}]'
    rule = rule.replace('window = {forbid = ["22:00", "08:00"]}', clause)
    stored = {"cipher": "AA==", "digest": "00", "key": "00", "nonce": "AA=="}

    def hold(reason: Any) -> list[dict[str, Any]]:
        return [
            event(
                1,
                "hold.started",
                DAY,
                kind="person",
                blocks=["contact"],
                starts=DAY + ".000000Z",
                reason=reason,
            )
        ]

    assert found([pack(rule=rule)], hold("death"), "H-1", 0).outcome == "REVIEW"
    assert found([pack(rule=rule)], hold("other"), "H-1", 0).outcome == "PASS"
    for closed in ({"closed": True}, stored):
        finding = found([pack(rule=rule)], hold(closed), "H-1", 0)
        assert (finding.outcome, finding.codes) == ("INSUFFICIENT_EVIDENCE", ("field_missing",))


def test_a_call_lasts_as_long_as_the_talk_in_it() -> None:
    events = [
        call(1, "2026-06-10T13:55:00", outcome="answered"),
        event(
            2,
            "contact.conversation_held",
            "2026-06-10T13:56:00",
            parties=[{"party": "p", "role": "debtor"}],
            debts=["d"],
            contact_point="c",
            medium="voice",
            initiated_by="creditor_side",
            recording="none",
            call="10000000-0000-4000-8000-000000000001",
            duration_ms=600_000,
        ),
    ]
    bindings = [Binding("cn-card", ("CN-01",), "2025-02-28")]
    findings = evaluate([shipped_pack("cn-card")], events, as_of=AS_OF, bindings=bindings)

    finding = findings.of("CN-01", events[0]["id"])
    assert finding is not None
    assert finding.outcome == "REVIEW"
    assert {"readings_differ", "touch_span"} <= set(finding.codes)
    assert finding.rests == (0, 1)
    # The talk names its call: it is not judged again.
    assert findings.of("CN-01", events[1]["id"]) is None


@pytest.mark.parametrize(
    ("modality", "binding", "outcome"),
    [
        ("must", [], "BREACH"),
        ("should", [], "ADVISORY"),
        ("should", [Binding("house", ("H-1",), "2026-06-10")], "BREACH"),
        ("should", [Binding("house", ("H-1",), "2026-06-11")], "ADVISORY"),
        ("should", [Binding("house", ("H-2",), "2026-06-10")], "ADVISORY"),
        ("should", [Binding("house", (), "2026-06-10")], "BREACH"),
        ("policy", [], "ADVISORY"),
        ("advised", [Binding("house", ("H-1",), "2026-01-01")], "ADVISORY"),
    ],
)
def test_law_binds_by_itself_and_the_rest_only_once_adopted(
    pack: Callable[..., Pack], modality: str, binding: list[Binding], outcome: str
) -> None:
    finding = found([pack(('"must"', f'"{modality}"'))], [call(1, NIGHT)], "H-1", 0, bindings=binding)

    assert finding.outcome == outcome
    assert ("not_binding" in finding.codes) == (outcome == "ADVISORY" and modality != "advised")


def test_a_rule_of_grade_u_never_says_more_than_review(pack: Callable[..., Pack]) -> None:
    finding = found([pack(('grade = "T"', 'grade = "U"'))], [call(1, NIGHT)], "H-1", 0)

    assert (finding.outcome, finding.codes) == ("REVIEW", ("unconfirmed",))


def test_findings_that_pass_are_kept_in_groups_and_come_out_one_by_one(pack: Callable[..., Pack]) -> None:
    findings = evaluate([pack()], [call(n, DAY) for n in range(50)], as_of=AS_OF)

    assert len(findings.single) == 0
    assert len(findings) == len(list(findings)) == 50


def test_the_same_case_gives_the_same_findings_and_is_left_as_it_was() -> None:
    packs = [shipped_pack(name) for name in ("us-regf", "privacy")]
    events = [call(n, f"2026-06-{n:02d}T15:00:00", actorcapacity_="agency", agency="a") for n in range(1, 20)]
    before = copy.deepcopy(events)

    def values(findings: Findings) -> list[dict[str, Any]]:
        return [findings.value(finding) for finding in findings]

    assert values(evaluate(packs, events, as_of=AS_OF)) == values(evaluate(packs, events, as_of=AS_OF))
    assert events == before


def test_entries_of_the_ledger_are_read_as_they_stand(pack: Callable[..., Pack]) -> None:
    entry = call(1, NIGHT) | {
        "type": "duecourse.contact.call_placed.v1",
        "subject": "case/00",
        "actorid": "staff/x",
    }

    assert found([pack()], [entry], "H-1", 0).outcome == "BREACH"


def test_an_empty_case_gives_no_findings() -> None:
    assert len(evaluate([shipped_pack("cn-card")], [], as_of=AS_OF)) == 0


def test_four_times_the_events_cost_about_four_times_the_work() -> None:
    packs = [shipped_pack(name) for name in ("us-regf", "us-ny", "uk-conc", "cn-card", "privacy")]
    zones = [{"zone": "America/New_York", "source": "residence"}]

    def work(count: int) -> int:
        start = dt.datetime(2026, 1, 1, 14, tzinfo=dt.UTC)
        times = [f"{start + dt.timedelta(hours=3 * n):%Y-%m-%dT%H:%M:%S}" for n in range(count)]
        events = [
            call(n, time, actorcapacity_="agency", agency="a", zones=zones) for n, time in enumerate(times)
        ]
        evaluate(packs, events, as_of=AS_OF)  # what is read once is read by now
        profile = cProfile.Profile()
        profile.enable()
        evaluate(packs, events, as_of=AS_OF)
        profile.disable()
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    assert work(1600) < 4.4 * work(400)


def test_a_number_without_its_letter_means_the_worst_of_its_rules() -> None:
    events = [call(1, "2026-06-10T02:00:00", actorcapacity_="agency", agency="a")]
    findings = evaluate([shipped_pack("cn-card")], events, as_of=AS_OF)

    finding = findings.of("CN-23", events[0]["id"])

    assert finding is not None
    assert (finding.rule.id, finding.outcome) == ("CN-23a", "ADVISORY")


def test_a_rule_that_has_lapsed_says_nothing_of_today() -> None:
    findings = evaluate([shipped_pack("cn-card")], [call(1, DAY)], as_of=AS_OF)

    assert [(f.outcome, f.reading) for f in findings if f.rule.id == "CN-01N"] == [
        ("NOT_APPLICABLE", "corrected")
    ]


@pytest.mark.parametrize(
    ("hours", "time", "seconds", "outcome"),
    [
        ('forbid = ["22:00", "08:00"]', "2026-06-10T13:50:00", 600, "PASS"),
        ('forbid = ["22:00", "08:00"]', "2026-06-10T13:50:00", 601, "BREACH"),
        ('forbid = ["22:00", "08:00"]', "2026-06-09T23:59:59", 60, "BREACH"),
        ('forbid = ["22:00", "08:00"]', "2026-06-10T00:00:00", 86_400, "BREACH"),
        ('forbid = ["12:00", "13:00"]', "2026-06-10T03:00:00", 10_800, "BREACH"),
        ('forbid = ["12:00", "13:00"]', "2026-06-10T05:00:00", 3_600, "PASS"),
        ('permit = ["08:00", "21:00"]', "2026-06-10T12:59:00", 60, "PASS"),
        ('permit = ["08:00", "21:00"]', "2026-06-10T12:59:00", 61, "BREACH"),
        ('permit = ["08:00", "24:00"]', "2026-06-10T15:59:00", 60, "PASS"),
        ('permit = ["08:00", "24:00"]', "2026-06-10T15:59:00", 62, "BREACH"),
        ('permit = [["08:00", "12:00"], ["14:00", "21:00"]]', "2026-06-10T03:59:00", 7_300, "BREACH"),
    ],
)
def test_a_span_is_in_bounds_only_if_all_of_it_is(
    pack: Callable[..., Pack], hours: str, time: str, seconds: int, outcome: str
) -> None:
    packs = [pack(('forbid = ["22:00", "08:00"]', f'{hours}, touch = "span"'))]

    assert found(packs, [call(1, time, duration_ms=seconds * 1000)], "H-1", 0).outcome == outcome
