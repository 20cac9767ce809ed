"""What an event may say, and what it is told when it says something else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.events import schemas

U = "00000000-0000-4000-8000-000000000001"
NOON = "2026-03-01T12:00:00.000000Z"
STORED = {"cipher": "A" * 108, "digest": "0" * 64, "key": "1" * 64, "nonce": "A" * 16}
MESSAGE = {
    "parties": [{"party": U, "role": "debtor"}],
    "debts": [U],
    "contact_point": U,
    "medium": "sms",
    "kind": "reminder",
    "template": "due@3",
    "visibility": "private",
}
PLAN = {"plan": U, "by": "party", "debts": [U]}


def an_event(short_type: str, data: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    return {
        "dataschema": f"urn:duecourse:{short_type}:1",
        "type": f"duecourse.{short_type}.v1",
        "subject": f"case/{U}",
        "time": NOON,
        "recordedtime": NOON,
        "actorcapacity": "first_party",
        "data": data,
        **envelope,
    }


def a_message(**changes: Any) -> dict[str, Any]:
    data = copy.deepcopy(MESSAGE) | changes
    return an_event("contact.message_sent", {k: v for k, v in data.items() if v is not None})


def refused(event: dict[str, Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        schemas.check_event(event)
    return caught.value


def where(event: dict[str, Any], code: str = "E_SCHEMA") -> str:
    found = refused(event)
    assert found.code == code
    return found.where


def test_what_the_catalogue_says_passes() -> None:
    schemas.check_event(a_message())
    schemas.check_event(a_message(to=STORED, zones=[{"zone": "Asia/Shanghai", "source": "residence"}]))
    schemas.check_data(a_message())


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"amount": 5}, "/data/amount"),
        ({"kind": None}, "/data/kind"),
        ({"kind": "reminders"}, "/data/kind"),
        ({"medium": "SMS"}, "/data/medium"),
        ({"optout_present": 1}, "/data/optout_present"),
        ({"duration_ms": True}, "/data/duration_ms"),
        ({"duration_ms": "5"}, "/data/duration_ms"),
        ({"duration_ms": -1}, "/data/duration_ms"),
        ({"duration_ms": 2**53}, "/data/duration_ms"),
        ({"duration_ms": 1.5}, "/data/duration_ms"),
        ({"contact_point": None}, "/data/contact_point"),
        ({"contact_point": U.upper().replace("0", "A")}, "/data/contact_point"),
        ({"contact_point": "{" + U + "}"}, "/data/contact_point"),
        ({"template": "due"}, "/data/template"),
        ({"language": "zh CN"}, "/data/language"),
        ({"language": "х"}, "/data/language"),  # Cyrillic
        ({"language": "a" * 201}, "/data/language"),
        ({"language": ""}, "/data/language"),
        ({"debts": U}, "/data/debts"),
        ({"debts": [U, "x"]}, "/data/debts/1"),
        ({"parties": [{"party": U}]}, "/data/parties/0/role"),
        ({"parties": [{"party": U, "role": "debtor", "name": "x"}]}, "/data/parties/0/name"),
        ({"parties": [{"party": U, "role": "heir"}]}, "/data/parties/0/role"),
        ({"content": ["balance", "threats"]}, "/data/content/1"),
        ({"period_ends_on": "2026-02-29"}, "/data/period_ends_on"),
        ({"period_ends_on": "2026-2-28"}, "/data/period_ends_on"),
        ({"period_ends_on": "2026-W09-6"}, "/data/period_ends_on"),
        ({"zones": [{"zone": "UTC", "source": "residence", "since": "2026-03-01"}]}, "/data/zones/0/since"),
        ({"to": "王小明"}, "/data/to"),
        ({"to": ["王小明"]}, "/data/to"),
        ({"to": {"value": "王小明"}}, "/data/to"),
        ({"to": STORED | {"clear": "x"}}, "/data/to"),
        ({"to": {k: v for k, v in STORED.items() if k != "key"}}, "/data/to"),
        ({"to": STORED | {"nonce": "A" * 15 + "="}}, "/data/to"),
        ({"to": STORED | {"digest": "F" * 64}}, "/data/to"),
        ({"to": STORED | {"cipher": "A" * 107}}, "/data/to"),
        ({"to": STORED | {"cipher": "A" * 106 + "B="}}, "/data/to"),
    ],
)
def test_a_flaw_is_refused_at_its_place(changes: dict[str, Any], place: str) -> None:
    assert where(a_message(**changes)) == place


@pytest.mark.parametrize(
    ("day", "exists"),
    [
        ("2024-02-29", True),
        ("2000-02-29", True),
        ("1900-02-29", False),
        ("2023-02-29", False),
        ("0001-01-01", True),
        ("0000-01-01", False),
        ("0000-02-29", False),
        ("0004-02-29", True),
        ("9999-12-31", True),
        ("2026-04-31", False),
        ("2026-13-01", False),
        ("2026-00-10", False),
        ("2026-01-00", False),
    ],
)
def test_only_days_that_exist_are_dates(day: str, exists: bool) -> None:
    if exists:
        schemas.check_event(a_message(period_ends_on=day))
    else:
        assert where(a_message(period_ends_on=day)) == "/data/period_ends_on"


def test_a_refusal_never_repeats_a_value() -> None:
    canary = "canary-13800138000"
    for event in (
        a_message(to=canary),
        a_message(kind=canary),
        a_message(period_ends_on=canary),
        a_message(contact_point=canary),
        a_message(parties=[{"party": canary, "role": canary}]),
        a_message(**{canary: 1}),
        a_message(**{"13800138000": 1}),
        a_message(duration_ms=canary),
        a_message(to=STORED | {"cipher": canary}),
        an_event("staff.qualified", {"kind": canary, "valid_from": canary, "pay_model": "salary"}),
        an_event("case.closed", {"reason": "paid"}, subject=canary),
        an_event("case.closed", {"reason": "paid"}, dataschema=canary),
    ):
        found = refused(event)
        assert "13800138000" not in f"{found} {found!r} {found.where}"


def test_the_contact_point_is_owed_except_for_visits() -> None:
    talk = {"parties": [], "debts": [], "medium": "voice", "initiated_by": "party", "recording": "made"}
    assert where(an_event("contact.conversation_held", talk)) == "/data/contact_point"
    schemas.check_event(an_event("contact.conversation_held", talk | {"medium": "visit"}))
    visit = {
        "parties": [],
        "debts": [],
        "place_kind": "home",
        "purpose": "discuss",
        "staff": [U],
        "entered": "no",
        "recording": "made",
    }
    schemas.check_event(an_event("contact.visit_made", visit))
    call = {"parties": [], "debts": [], "purpose": "interactive", "outcome": "busy"}
    assert where(an_event("contact.call_placed", call)) == "/data/contact_point"


def test_an_amount_needs_its_currency() -> None:
    schemas.check_event(an_event("plan.proposed", PLAN))
    assert where(an_event("plan.proposed", PLAN | {"amount": 100})) == "/data/currency"
    schemas.check_event(an_event("plan.proposed", PLAN | {"amount": 100, "currency": "CNY"}))
    assert where(an_event("plan.proposed", PLAN | {"amount": 100, "currency": "cny"})) == "/data/currency"
    declared = {"willingness": "willing", "can_pay": STORED}
    assert where(an_event("hardship.declared", declared)) == "/data/currency"


def test_some_members_stand_only_beside_a_certain_code() -> None:
    staff = {"subject": f"staff/{U}"}
    engaged = {"kind": "engagement", "valid_from": "2026-01-01", "pay_model": "salary"}
    schemas.check_event(an_event("staff.qualified", engaged, **staff))
    assert where(an_event("staff.qualified", engaged | {"kind": "exam"}, **staff)) == "/data/pay_model"
    handled = {"action": "disclose", "purpose": "entrustment", "fields": ["debt"], "recipient_agency": U}
    schemas.check_event(an_event("data.handled", handled))
    assert where(an_event("data.handled", handled | {"action": "export"})) == "/data/recipient_agency"
    assert where(an_event("data.handled", handled | {"request": "copy"})) == "/data/request"


def test_a_window_lies_within_a_day() -> None:
    def wish(*windows: dict[str, Any]) -> dict[str, Any]:
        data = {"party": U, "kind": "avoid_time", "form": "oral", "windows": list(windows)}
        return an_event("party.preference_recorded", data)

    schemas.check_event(wish({"from_min": 0, "to_min": 1440, "days": ["mon"]}))
    assert where(wish({"from_min": 0, "to_min": 1441})) == "/data/windows/0/to_min"
    assert (
        where(wish({"from_min": 0, "to_min": 60}, {"from_min": 1320, "to_min": 480}))
        == "/data/windows/1/to_min"
    )
    assert where(wish({"from_min": 60, "to_min": 60})) == "/data/windows/0/to_min"
    visit = {"parties": [], "debts": [], "visit_on": "2026-01-01", "purpose": "discuss", "medium": "sms"}
    schemas.check_event(an_event("contact.visit_notified", visit | {"from_min": 540, "to_min": 600}))
    late = an_event("contact.visit_notified", visit | {"from_min": 600, "to_min": 540})
    assert where(late) == "/data/to_min"


@pytest.mark.parametrize(
    ("recorded", "owed"),
    [
        ("2026-03-02T12:00:00.000000Z", False),
        ("2026-03-02T12:00:00.000001Z", True),
        ("2026-03-02T11:59:59.999999Z", False),
        ("2026-03-03T00:00:00.000000Z", True),
        ("2027-03-01T12:00:00.000000Z", True),
        ("2026-03-01T23:59:59.999999Z", False),
        ("2026-02-28T00:00:00.000000Z", False),
        ("2025-12-31T23:59:59.999999Z", False),
    ],
)
def test_a_reason_is_owed_after_24_hours(recorded: str, owed: bool) -> None:
    event = an_event("case.closed", {"reason": "paid"}, recordedtime=recorded)
    if owed:
        assert where(event) == "/data/late_reason"
        event["data"]["late_reason"] = "batch"
    schemas.check_event(event)


def test_only_a_correction_can_be_void() -> None:
    event = an_event("case.closed", {"reason": "paid", "void": True})
    assert where(event) == "/data/void"
    schemas.check_event(event | {"corrects": U})


def test_an_agency_is_named_where_it_acts() -> None:
    event = an_event("case.closed", {"reason": "paid"}, actorcapacity="agency")
    assert where(event) == "/data/agency"
    event["data"]["agency"] = U
    schemas.check_event(event)


def test_the_systems_capacity_is_for_the_ledger_and_for_comparison() -> None:
    assert where(an_event("case.closed", {"reason": "paid"}, actorcapacity="system")) == "/actorcapacity"
    counted = {"day": "2026-01-01", "zone": "Asia/Shanghai", "unit": "call", "stated": 3, "found": 3}
    schemas.check_event(an_event("source.counted", counted, actorcapacity="system", subject=f"source/{U}"))


@pytest.mark.parametrize(
    ("short_type", "data", "stream"),
    [
        ("case.closed", {"reason": "paid"}, "case/"),
        (
            "agency.engaged",
            {"contract_from": "2026-01-01", "contract_to": "2026-12-31", "pay_model": "mixed"},
            "agency/",
        ),
        ("staff.qualified", {"kind": "exam", "valid_from": "2026-01-01"}, "staff/"),
        (
            "source.counted",
            {"day": "2026-01-01", "zone": "UTC", "unit": "call", "stated": 0, "found": 0},
            "source/",
        ),
    ],
)
def test_a_type_stands_only_in_streams_of_its_kind(
    short_type: str, data: dict[str, Any], stream: str
) -> None:
    for other in ("case/", "agency/", "staff/", "source/", "producer/", "refused/"):
        event = an_event(short_type, data, subject=other + U)
        if other == stream:
            schemas.check_event(event)
        else:
            assert where(event) == "/subject"
    assert where(an_event(short_type, data, subject="registry")) == "/subject"


def test_the_ledgers_own_types_stand_in_its_own_streams() -> None:
    sealed = {"prev": "0" * 64, "root": "1" * 64}
    schemas.check_event(an_event("ledger.sealed", sealed, subject="seal", actorcapacity="system"))
    for subject in ("seals", "registry", f"case/{U}"):
        assert where(an_event("ledger.sealed", sealed, subject=subject, actorcapacity="system")) == "/subject"
    rejected = {"code": "E_SCHEMA", "digest": "0" * 64, "epoch": 0, "seq": "0" * 20}
    schemas.check_event(an_event("ledger.submission_rejected", rejected, subject="refused/dialler-7"))
    assert where(an_event("ledger.submission_rejected", rejected, subject="producer/dialler-7")) == "/subject"


def test_type_and_dataschema_name_the_same_schema() -> None:
    event = an_event("case.closed", {"reason": "paid"}, type="duecourse.case.stage_changed.v1")
    assert where(event) == "/dataschema"


def test_a_newer_type_or_version_accuses_nobody() -> None:
    newer = an_event("case.closed", {"reason": "paid"}, dataschema="urn:duecourse:case.closed:2")
    assert where(newer, "E_VERSION") == "/dataschema"
    unknown = an_event("case.dreamt", {})
    assert where(unknown, "E_VERSION") == "/dataschema"
    for name in ("case.closed:1", "urn:duecourse:../case.closed:1", "urn:duecourse:case.closed:01", ""):
        assert where(an_event("case.closed", {"reason": "paid"}, dataschema=name)) == "/dataschema"


def test_what_a_protected_member_holds_is_judged_in_the_clear() -> None:
    schemas.check_opened("contact.message_sent", 1, "/data/to", "王小明\nany text at all")
    schemas.check_opened("hardship.declared", 1, "/data/causes", ["illness"])
    for pointer, value, place in (
        ("/data/causes", ["illness", "drink-13800138000"], "/data/causes/1"),
        ("/data/causes", "illness", "/data/causes"),
        ("/data/can_pay", "13800138000", "/data/can_pay"),
        ("/data/willingness", "willing", "/data/willingness"),
        ("/data/13800138000", "x", "/data/13800138000"),
    ):
        with pytest.raises(Refused) as caught:
            schemas.check_opened("hardship.declared", 1, pointer, value)
        assert caught.value.where == place
        assert "13800138000" not in caught.value.detail
