"""A mapping is closed and checked when it is loaded; what it makes of a value is exact or an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigurationError
from ledger.events.schemas import check_event
from projections.exchange.mapping import (
    CaseContext,
    Mapping,
    SourceEvent,
    Unmapped,
    WrongValue,
    load_mapping,
    minor_units,
    moment,
    parse_mapping,
    shipped,
)

UUID = "00000000-0000-8000-8000-00000000000d"
HEAD = """
format = "duecourse xes mapping 1"
name = "test"
skip = ["Nothing"]
[log]
case = "concept:name"
activity = "concept:name"
time = "time:timestamp"
left_out = ["lifecycle:transition"]
"""
STAGE = """
[[activity]]
name = "Stage"
code = "stage"
left_out = ["note"]
[[activity.event]]
type = "case.stage_changed"
data = { stage = { from = "to", as = "code", codes = { L = "litigation", O = "overdue" } } }
"""
PAID = """
[[activity]]
name = "Paid"
code = "paid"
[[activity.event]]
also = true
when = "cost"
type = "debt.adjusted"
[activity.event.data]
debt = { uuid_of = "debt" }
kind = "fee_charge"
amount = { from = "cost", as = "money" }
currency = "EUR"
authority = "staff"
[[activity.event]]
type = "debt.adjusted"
[activity.event.data]
debt = { uuid_of = "debt" }
kind = "fee_charge"
amount = { from = "amount", as = "increase" }
currency = "EUR"
authority = "staff"
"""
ANSWER = """
[[activity]]
name = "Answer"
code = "answer"
[[activity.event]]
type = "document.exchanged"
[activity.event.data]
direction = "to_party"
kind = "other"
about = { event_of = "Stage", optional = true }
deadline = { from = "until", as = "date", optional = true }
[[activity]]
name = "Sure answer"
code = "sure-answer"
[[activity.event]]
type = "contact.delivery_status"
data = { message = { event_of = "Stage" }, status = "delivered" }
"""


def _mapping(*parts: str) -> Mapping:
    return parse_mapping((HEAD + "".join(parts)).encode())


def _context() -> CaseContext:
    return CaseContext(7, lambda label: UUID[:-1] + f"{len(label) % 16:x}")


def _event(name: str, number: int = 1, **attributes: str) -> SourceEvent:
    return SourceEvent(
        number, {"concept:name": name, "time:timestamp": "2006-07-24T00:00:00+02:00", **attributes}
    )


@pytest.mark.parametrize(
    ("text", "utc", "date"),
    [
        ("2006-07-24T00:00:00+02:00", "2006-07-23T22:00:00.000000Z", "2006-07-24"),
        ("2006-12-31T23:30:00.125-05:00", "2007-01-01T04:30:00.125000Z", "2006-12-31"),
        ("2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000000Z", "2000-02-29"),
        ("2013-06-01T10:00:00.123456000+00:00", "2013-06-01T10:00:00.123456Z", "2013-06-01"),
    ],
)
def test_a_moment_becomes_utc_and_keeps_its_date(text: str, utc: str, date: str) -> None:
    assert moment(text) == (utc, date)


@pytest.mark.parametrize(
    "text",
    [
        "2006-07-24T00:00:00",
        "2006-02-30T00:00:00Z",
        "2006-07-24",
        "2006-W30-1T00:00:00Z",
        "2006-07-24T24:00:00Z",
        "2006-07-24T00:00:60Z",
        "2006-07-24 00:00:00+02:00",
        "2006-07-24T00:00:00+25:00",
        "2006-07-24T00:00:00.1234567Z",
        "0001-01-01T00:00:00+02:00",
        "٢٠٠٦-07-24T00:00:00Z",
        "",
    ],
)
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|microsecond"):
        moment(text)


@given(st.integers(0, 2**53 - 1), st.integers(0, 4))
def test_amounts_come_through_exactly(units: int, digits: int) -> None:
    whole, fraction = divmod(units, 10**digits)
    text = f"{whole}.{fraction:0{digits}d}" if digits else str(whole)
    assert minor_units(text, digits) == units
    assert minor_units(f"-{text}", digits) == -units


@pytest.mark.parametrize(
    ("text", "units"), [("71.5", 7150), ("0.0", 0), ("35", 3500), ("1.230", 123), ("-0.05", -5)]
)
def test_an_amount_in_minor_units(text: str, units: int) -> None:
    assert minor_units(text, 2) == units


@pytest.mark.parametrize(
    "text", ["1.234", "1e3", "1,5", "NaN", "", ".5", "1.", "+1", " 1", "١", "01", "9" * 15]
)
def test_an_amount_that_is_none_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|finer|large"):
        minor_units(text, 2)


def test_an_event_becomes_its_main_event_and_those_beside_it() -> None:
    mapping, case = _mapping(STAGE, PAID), _context()
    ((short, version, data, time, event_id),) = mapping.map_event(_event("Stage", to="L"), case)
    assert (short, version, time) == ("case.stage_changed", 1, "2006-07-23T22:00:00.000000Z")
    assert data == {"stage": "litigation", "late_reason": "backfill", "source_ref": "xes/stage/7/1"}
    assert event_id[14] == "7"
    also, main = mapping.map_event(_event("Paid", 2, cost="1.5", amount="10.0"), case)
    assert also[2]["source_ref"] == "xes-also/paid/7/2"
    assert main[2]["source_ref"] == "xes/paid/7/2"
    assert (also[2]["amount"], main[2]["amount"]) == (150, 1000)
    (main,) = mapping.map_event(_event("Paid", 3, cost="0.0", amount="12.5"), case)
    assert main[2]["amount"] == 250
    (main,) = mapping.map_event(_event("Paid", 4, amount="12.5"), case)
    assert main[2]["amount"] == 0


def test_references_lead_to_the_last_event_of_that_activity_in_the_case() -> None:
    mapping, case = _mapping(STAGE, ANSWER), _context()
    (lone,) = mapping.map_event(_event("Answer"), case)
    assert lone[2].keys() == {"direction", "kind", "late_reason", "source_ref"}
    with pytest.raises(Unmapped, match="none before it"):
        mapping.map_event(_event("Sure answer"), case)
    ((*_, stage_id),) = mapping.map_event(_event("Stage", to="O"), case)
    (answer,) = mapping.map_event(_event("Answer", until="2006-08-01T00:00:00+02:00"), case)
    assert answer[2]["about"] == stage_id
    assert answer[2]["deadline"] == "2006-08-01"
    assert mapping.map_event(_event("Sure answer"), case)[0][2]["message"] == stage_id


def test_what_has_no_place_is_said_and_not_guessed() -> None:
    mapping, case = _mapping(STAGE), _context()
    with pytest.raises(Unmapped, match="unknown activity"):
        mapping.map_event(_event("stage", to="L"), case)
    with pytest.raises(Unmapped, match="a code of 'to'"):
        mapping.map_event(_event("Stage", to="X"), case)
    with pytest.raises(Unmapped, match="has no attribute 'to'"):
        mapping.map_event(_event("Stage"), case)
    with pytest.raises(Unmapped, match="no activity"):
        mapping.map_event(SourceEvent(1, {"time:timestamp": "2006-07-24T00:00:00Z"}), case)
    assert case.main_ids == {}


def test_a_wrong_value_names_its_attribute_and_not_itself() -> None:
    mapping, case = _mapping(PAID), _context()
    with pytest.raises(WrongValue, match="amount: not a plain decimal") as caught:
        mapping.map_event(_event("Paid", amount="8841-2231"), case)
    assert "8841" not in str(caught.value)
    with pytest.raises(WrongValue, match="time:timestamp: missing"):
        mapping.map_event(SourceEvent(1, {"concept:name": "Paid"}), case)
    with pytest.raises(WrongValue, match="time:timestamp: no such moment"):
        mapping.map_event(
            SourceEvent(1, {"concept:name": "Paid", "time:timestamp": "2006-02-30T00:00:00Z"}), case
        )


def test_attributes_that_nobody_speaks_of_are_told_apart_from_those_left_out_on_purpose() -> None:
    mapping = _mapping(STAGE)
    event = _event("Stage", to="L", note="x", strange="y", **{"lifecycle:transition": "complete"})
    on_purpose, strange = mapping.not_carried(event)
    assert sorted(on_purpose) == ["lifecycle:transition", "note"]
    assert strange == ["strange"]


def _changed(old: str, new: str) -> str:
    text = HEAD + STAGE + PAID + ANSWER
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_changed("duecourse xes mapping 1", "duecourse xes mapping 2"), "format must be"),
        (_changed('name = "test"', 'name = "test"\nextra = 1'), "unknown key 'extra'"),
        (_changed('time = "time:timestamp"\n', ""), "'time' is missing"),
        (_changed('code = "paid"', 'code = "stage"'), "twice"),
        (_changed('name = "Paid"', 'name = "Stage"'), "twice"),
        (_changed('code = "stage"', 'code = "st_age"'), "hyphens"),
        (_changed('code = "stage"', 'code = "Stage"'), "lower-case"),
        (_changed('skip = ["Nothing"]', 'skip = ["Paid"]'), "skip"),
        (_changed('L = "litigation"', 'L = "court"'), "E_SCHEMA: not one of"),
        (_changed("case.stage_changed", "case.moved"), "E_VERSION"),
        (_changed('direction = "to_party"', 'direction = "to_party"\nweather = "fine"'), "no such member"),
        (_changed('kind = "other"\n', ""), "required"),
        (_changed('as = "increase"', 'as = "sum"'), "as must be one of"),
        (_changed('as = "increase"', 'as = "date"'), "E_SCHEMA"),
        (_changed('event_of = "Stage", optional', 'event_of = "Start", optional'), "names no activity"),
        (_changed("also = true\n", ""), "only an event with also"),
        (_changed('when = "cost"\n', 'when = "cost"\nand = 1\n'), "unknown key 'and'"),
        (_changed('as = "date", optional = true', 'as = "date", optional = 1'), "must be bool"),
        (_changed('as = "date", optional', 'as = "date", codes = {}, optional'), "codes goes with"),
        (_changed('kind = "other"', "kind = 1.5"), "no value of an event"),
        (_changed('kind = "other"', 'kind = "other"\nsource_ref = "mine"'), "importer's own"),
        (_changed("[log]", "digits = 2\n[log]"), "unknown key 'digits'"),
        (_changed('case = "concept:name"', 'case = "concept:name"\ndigits = 9'), "0 to 6"),
        ("format = ", "not TOML"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_any_log_is_read(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse_mapping(text.encode())


def test_shipped_mappings_load_by_name_and_others_by_file(tmp_path: Any) -> None:
    assert "road-traffic-fines" in shipped()
    assert load_mapping("road-traffic-fines").name == "road-traffic-fines"
    path = tmp_path / "own.toml"
    path.write_text(HEAD + STAGE)
    assert load_mapping(path).activities.keys() == {"Stage"}
    with pytest.raises(ConfigurationError, match="road-traffic-fines"):
        load_mapping("unknown")
    with pytest.raises(ConfigurationError, match="cannot read"):
        load_mapping(tmp_path / "missing.toml")


def test_events_of_the_shipped_mapping_pass_the_rules_of_the_ledger() -> None:
    mapping, case = load_mapping("road-traffic-fines"), _context()
    values = {"amount": "35.0", "expense": "11.0", "paymentAmount": "46.0"}
    names = list(mapping.activities)
    assert len(names) == 11
    for number, name in enumerate(names, start=1):
        for short, version, data, time, event_id in mapping.map_event(_event(name, number, **values), case):
            check_event({
                "actorcapacity": "first_party",
                "data": data,
                "dataschema": f"urn:duecourse:{short}:{version}",
                "id": event_id,
                "recordedtime": "2026-03-02T01:00:00.000000Z",
                "subject": f"case/{UUID}",
                "time": time,
                "type": f"duecourse.{short}.v{version}",
            })  # fmt: skip
