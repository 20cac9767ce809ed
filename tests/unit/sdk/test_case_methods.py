"""One method a type: written from the catalogue, and saying what the catalogue says."""

from __future__ import annotations

import inspect
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from ledger.errors import EventRefused
from ledger.events.catalogue.common import Contact, Payload, Zone
from ledger.events.registry import all_types, members
from ledger.sdk import generate
from ledger.sdk.case import Agency, Case, Source, Staff
from ledger.sdk.config import Actor
from ledger.sdk.testmode import TestRecorder

TYPES = [cls for cls in all_types() if issubclass(cls, Payload)]
ZONES = [{"zone": "Asia/Shanghai", "source": "residence"}]
UUID = "0188d3a0-0000-4000-8000-00000000000a"


def owner_of(cls: type[Payload]) -> type[Any]:
    owners: dict[str, type[Any]] = {"agency": Agency, "staff": Staff, "source": Source}
    return owners.get(cls.TYPE.partition(".")[0], Case)


@pytest.mark.parametrize("name", sorted(generate.modules()))
def test_the_methods_on_disk_are_what_the_catalogue_gives(name: str) -> None:
    written = (generate.TARGET / name).read_text(encoding="utf-8")
    assert written == generate.formatted(generate.modules()[name]), "run: python -m ledger.sdk.generate"


def test_no_module_of_methods_is_left_over() -> None:
    assert {path.name for path in generate.TARGET.glob("*.py")} == {*generate.modules(), "__init__.py"}


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.TYPE)
def test_every_type_has_a_method_with_every_member_and_the_envelope(cls: type[Payload]) -> None:
    method = getattr(owner_of(cls), generate.method_name(cls.TYPE))
    arguments = inspect.signature(method).parameters
    assert {m.attribute for m in members(cls)} <= arguments.keys()
    assert {"time", "corrects", "correlation", "causation", "expected_version", "actor"} <= arguments.keys()
    assert all(a.kind is a.KEYWORD_ONLY for name, a in arguments.items() if name != "self")
    assert " ".join(method.__doc__.split()).startswith(" ".join((cls.__doc__ or "").split()))


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.TYPE)
def test_no_two_types_share_a_method(cls: type[Payload]) -> None:
    same = [
        c
        for c in TYPES
        if owner_of(c) is owner_of(cls) and generate.method_name(c.TYPE) == generate.method_name(cls.TYPE)
    ]
    assert same == [cls]


def test_the_example_of_the_dialler_records_a_call() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="8841-2231")
    case.call_placed(to="+86 10 1234 5678", purpose="interactive", outcome="no_answer", zones=ZONES)
    (call,) = recorder.events
    assert call.type == "contact.call_placed"
    assert call.subject == case.subject
    assert call.data == {
        "parties": [{"party": case.party().party, "role": "debtor"}],
        "debts": [],
        "contact_point": case.contact_point("+861012345678"),
        "zones": ZONES,
        "purpose": "interactive",
        "outcome": "no_answer",
    }
    assert "1234" not in str(call.event)


def test_a_message_keeps_its_address_protected_and_its_contact_point_in_the_clear() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    case.message_sent(
        to="+86 10 1234 5678", medium="sms", kind="reminder", template="r@1", visibility="private"
    )
    (message,) = recorder.events
    assert message.data["to"] == "+86 10 1234 5678"
    assert message.event["data"]["to"].keys() == {"cipher", "digest", "key", "nonce"}
    assert message.event["data"]["contact_point"] == case.contact_point("+861012345678")


def test_an_inbound_contact_names_its_sender() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    case.inbound_received(sender="+441", medium="voice", summary="question")
    assert recorder.events[0].data["contact_point"] == case.contact_point("+441")


def test_what_is_given_is_not_replaced() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    guarantor = case.party("guarantor", "G")
    case.call_placed(
        to="+441",
        contact_point=UUID,
        parties=[guarantor],
        debts=[case.debt("D")],
        purpose="locate",
        outcome="busy",
    )
    data = recorder.events[0].data
    assert data["contact_point"] == UUID
    assert data["parties"] == [{"party": guarantor.party, "role": "guarantor"}]
    assert data["debts"] == [case.debt("D")]


def test_a_party_brings_its_uuid_and_its_role() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    debtor = case.party()
    case.contact_point_changed(
        party=debtor, action="add", medium="voice", source="contract", address="+44 7700 900123"
    )
    case.status_changed(party=debtor, contact_allowed="none", effective=date(2026, 2, 3), status="deceased")
    assert recorder.events[0].data["party"] == debtor.party
    assert recorder.events[0].data["role"] == "debtor"
    assert recorder.events[0].data["contact_point"] == case.contact_point("+447700900123")
    assert recorder.events[1].data["effective"] == "2026-02-03"
    assert recorder.events[1].data["status"] == "deceased"


def test_times_are_told_in_any_zone_and_written_in_one_spelling() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    at = datetime(2026, 3, 1, 9, 30, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    case.closed(reason="paid", time=at, late_reason="backfill")
    case.closed(reason="paid", time="2026-03-01T01:30:00.000005Z", late_reason="backfill")
    assert [event.time for event in recorder.events] == ["2026-03-01T01:30:00.000005Z"] * 2


@pytest.mark.parametrize("at", [datetime(2026, 3, 1, 9, 30), "2026-03-01", "2026-03-01T01:30:00Z"])  # noqa: DTZ001
def test_a_time_that_names_no_instant_is_refused(at: datetime | str) -> None:
    recorder = TestRecorder()
    with pytest.raises(EventRefused, match="NOT recorded"):
        recorder.case(account="1").closed(reason="paid", time=at, late_reason="backfill")
    assert recorder.events == []


def test_events_refer_to_events_by_what_recording_returned() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    call = case.call_placed(to="+441", purpose="interactive", outcome="answered")
    talk = case.conversation_held(
        to="+441", medium="voice", initiated_by="creditor_side", recording="made", call=call
    )
    case.call_placed(
        to="+441", purpose="interactive", outcome="busy", corrects=call, causation=talk, correlation=call.id
    )
    assert recorder.events[1].data["call"] == call.id
    assert recorder.events[2].event["corrects"] == call.id
    assert recorder.events[2].event["causationid"] == talk.id
    assert recorder.events[2].event["correlationid"] == call.id


def test_who_acted_may_be_said_by_name_or_in_full() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    case.closed(reason="paid", actor="desk-9")
    case.closed(reason="paid", actor=Actor("bot", "robot", "agency", UUID))
    case.closed(reason="paid", expected_version=2)
    envelopes = [event.event for event in recorder.events]
    assert [e["actorid"] for e in envelopes] == ["desk-9", "bot", "tester"]
    assert envelopes[0]["actorrole"] == "collector"
    assert envelopes[1]["actorcapacity"] == "agency"
    assert envelopes[1]["data"]["agency"] == UUID
    assert envelopes[2]["expectedversion"] == "00000000000000000002"


def test_a_correction_that_voids_carries_the_whole_payload() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    first = case.closed(reason="paid")
    case.closed(reason="paid", corrects=first, void=True)
    assert recorder.events[1].data == {"reason": "paid", "void": True}


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"purpose": "chat", "outcome": "busy", "to": "+441"}, "/data/purpose"),
        ({"purpose": "legal", "outcome": "busy"}, "/data/contact_point"),
        ({"purpose": "legal", "outcome": "busy", "contact_point": "+441"}, "/data/contact_point"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "duration_ms": -1}, "/data/duration_ms"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "duration_ms": True}, "/data/duration_ms"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "source_ref": "a b"}, "/data/source_ref"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "zones": [{"zone": "X"}]}, "/data/zones/0"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "void": True}, "/data/void"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "corrects": "x"}, "corrects"),
        ({"purpose": "legal", "outcome": "busy", "to": "+441", "actor": "a b"}, "actorid"),
        (
            {"purpose": "legal", "outcome": "busy", "to": "+441", "time": "2020-01-01T00:00:00.000000Z"},
            "late_reason",
        ),
    ],
)
def test_what_the_ledger_would_refuse_is_refused_here(arguments: dict[str, Any], place: str) -> None:
    recorder = TestRecorder()
    with pytest.raises(EventRefused) as caught:
        recorder.case(account="1").call_placed(**arguments)
    assert place in str(caught.value)
    assert "NOT recorded" in str(caught.value)
    assert recorder.events == []


@pytest.mark.parametrize(
    "value", [1.5, 2**53, b"x", object(), {1: 2}, {"A": "x"}, "\x00", "a\u202eb", float("nan")]
)
def test_a_value_that_is_not_in_the_profile_is_refused_without_being_repeated(value: object) -> None:
    recorder = TestRecorder()
    with pytest.raises(EventRefused, match="NOT recorded") as caught:
        recorder.case(account="1").call_placed(
            to="+441",
            purpose="legal",
            outcome="busy",
            source_ref=value,  # type: ignore[arg-type]
        )
    assert "202e" not in repr(caught.value)


def test_a_complaint_never_repeats_what_was_given() -> None:
    recorder = TestRecorder()
    with pytest.raises(EventRefused) as caught:
        recorder.case(account="1").call_placed(
            to="+447700900123",
            purpose="Zelda Fitzgerald",
            outcome="busy",  # type: ignore[arg-type]
        )
    assert "Zelda" not in repr(caught.value)
    assert "900123" not in repr(caught.value)


def test_objects_of_the_catalogue_are_taken_as_they_are() -> None:
    recorder = TestRecorder()
    recorder.case(account="1").call_placed(
        to="+441", purpose="legal", outcome="busy", zones=[Zone(zone="Europe/London", source="statement")]
    )
    assert recorder.events[0].data["zones"] == [{"zone": "Europe/London", "source": "statement"}]


def test_other_streams_have_their_own_types() -> None:
    recorder = TestRecorder()
    recorder.staff(UUID).qualified(kind="training", valid_from="2026-01-01")
    recorder.agency(UUID).engaged(
        contract_from="2026-01-01", contract_to=date(2026, 12, 31), pay_model="salary"
    )
    recorder.source(UUID).counted(
        day="2026-01-01",
        zone="Asia/Shanghai",
        unit="call",
        stated=3,
        found=3,
        actor=Actor("cdr", "import", "system"),
    )
    assert [e.subject for e in recorder.events] == [f"staff/{UUID}", f"agency/{UUID}", f"source/{UUID}"]


def test_every_contact_can_be_said_with_a_number_alone() -> None:
    contacts = [cls for cls in TYPES if issubclass(cls, Contact) and cls.TYPE != "contact.visit_made"]
    for cls in contacts:
        arguments = inspect.signature(getattr(Case, generate.method_name(cls.TYPE))).parameters
        assert {"to", "sender"} & arguments.keys()
