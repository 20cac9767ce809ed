"""The envelope: which events are read, and that the fast reading takes none that the slow one refuses."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical, event

CASE = "case/eccc354a-6566-4f9c-9d49-dae2015ae667"
ANOTHER_ID = "019cac01-0000-7000-8000-00000000000a"
EVENT: dict[str, Any] = {
    "actorcapacity": "agency",
    "actorid": "staff/e2470e06-41cc-49f5-8fee-5273f4bde9e4",
    "actorrole": "collector",
    "data": {"outcome": "no_answer", "purpose": "interactive", "zones": ["Europe/London"]},
    "datacontenttype": "application/json",
    "dataschema": "urn:duecourse:contact.call_placed:1",
    "id": "019cac01-0000-7000-8000-000000000000",
    "producerepoch": 0,
    "producerid": "dialler-7",
    "producerprev": "0" * 64,
    "producerseq": "0" * 20,
    "recordedtime": "2026-03-02T01:00:00.250000Z",
    "source": "//dialler-7.example.com",
    "specversion": "1.0",
    "subject": CASE,
    "tenantid": "bank",
    "time": "2026-03-02T01:00:00.000000Z",
    "type": "duecourse.contact.call_placed.v1",
}
SEALED = EVENT | {
    "subject": "seal",
    "type": "duecourse.ledger.sealed.v1",
    "dataschema": "urn:duecourse:ledger.sealed:1",
    "producerid": "ledger",
    "actorcapacity": "system",
}


def read_slowly(data: bytes) -> dict[str, Any]:
    value = canonical.decode_slowly(data, depth=event.EVENT_DEPTH)
    event.check_envelope(value)
    return dict(value)


def verdict(read: Any, data: bytes) -> tuple[str, str]:
    try:
        read(data)
    except Refused as error:
        return error.code, error.where
    return "accepted", ""


def refusal(value: Any) -> tuple[str, str]:
    data = canonical.encode(value)
    fast = verdict(event.parse_event, data)
    assert fast == verdict(read_slowly, data)
    return fast


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"corrects": ANOTHER_ID},
        {"causationid": ANOTHER_ID, "correlationid": ANOTHER_ID, "corrects": ANOTHER_ID},
        {"expectedversion": "0" * 19 + "7"},
        {"producerepoch": 2**31 - 1},
        {"data": {}},
        {"data": {"note": '"quoted\\"', "place": "王小明", "n": [{}, [], {"a": [1, True, None]}]}},
        {"data": {"datacontenttype": "application/json", "x": {"datacontenttype": "application/json"}}},
        {"subject": "staff/eccc354a-6566-4f9c-9d49-dae2015ae667"},
        {"subject": "agency/eccc354a-6566-4f9c-9d49-dae2015ae667"},
        {"subject": "source/eccc354a-6566-4f9c-9d49-dae2015ae667"},
        {"type": "duecourse.contact.call_placed.v12", "dataschema": "urn:duecourse:contact.call_placed:12"},
        {"type": "duecourse.a.b.c.v1", "dataschema": "urn:duecourse:a.b.c:1"},
        {"time": "2024-02-29T23:59:59.999999Z"},
    ],
)
def test_an_event_of_a_producer_is_read(changes: dict[str, Any]) -> None:
    value = EVENT | changes
    assert refusal(value) == ("accepted", "")
    assert event.parse_event(canonical.encode(value)) == value


@pytest.mark.parametrize("subject", ["seal", "registry", "producer/dialler-7", "refused/dialler-7"])
def test_an_event_of_the_ledger_is_read(subject: str) -> None:
    assert refusal(SEALED | {"subject": subject}) == ("accepted", "")


@pytest.mark.parametrize("name", sorted(event.REQUIRED))
def test_an_event_without_a_required_attribute_is_refused(name: str) -> None:
    assert refusal({key: value for key, value in EVENT.items() if key != name}) == ("E_SCHEMA", name)


@pytest.mark.parametrize("name", ["dataa", "datab", "specversion2", "a", "zzz", "data_base64", "traceparent"])
def test_an_event_with_another_attribute_is_refused(name: str) -> None:
    assert refusal(EVENT | {name: "x"}) == ("E_SCHEMA", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("actorcapacity", "regulator"),
        ("actorid", ""),
        ("actorid", "a b"),
        ("actorrole", 7),
        ("causationid", "019cac01-0000-4000-8000-000000000000"),
        ("correlationid", ""),
        ("corrects", None),
        ("data", []),
        ("data", "{}"),
        ("data", None),
        ("datacontenttype", "application/json; charset=utf-8"),
        ("dataschema", "urn:duecourse:contact.call_placed:01"),
        ("dataschema", "urn:duecourse:contact.call_placed:2"),
        ("expectedversion", "7"),
        ("expectedversion", 7),
        ("id", "019CAC01-0000-7000-8000-00000000000A"),
        ("id", "019cac01-0000-4000-8000-000000000000"),
        ("id", "019cac01-0000-7000-c000-000000000000"),
        ("producerepoch", True),
        ("producerepoch", -1),
        ("producerepoch", 2**31),
        ("producerepoch", "0"),
        ("producerid", "Dialler"),
        ("producerid", "-dialler"),
        ("producerid", "d" * 64),
        ("producerprev", "A" * 64),
        ("producerprev", "0" * 63),
        ("producerseq", "0" * 19),
        ("producerseq", 0),
        ("recordedtime", "2026-02-29T01:00:00.000000Z"),
        ("recordedtime", "2026-03-02T01:00:60.000000Z"),
        ("source", "https://dialler.example.com"),
        ("source", "//"),
        ("source", "//a/b"),
        ("specversion", "1.1"),
        ("specversion", "1x0"),
        ("subject", "case/ECCC354A-6566-4f9c-9d49-dae2015ae667"),
        ("subject", "case/"),
        ("subject", "debtor/eccc354a-6566-4f9c-9d49-dae2015ae667"),
        ("subject", "producer/ledger"),
        ("subject", "refused/ledger"),
        ("subject", "seal/1"),
        ("tenantid", "a" * 201),
        ("time", "2026-03-02T01:00:00Z"),
        ("type", "contact.call_placed.v1"),
        ("type", "duecourse.contact.call_placed.v0"),
        ("type", "duecourse.contact.call_placed"),
        ("type", "duecourse.Contact.call_placed.v1"),
        ("type", "duecourse.contact..call_placed.v1"),
    ],
)
def test_an_attribute_in_another_spelling_is_refused(name: str, value: Any) -> None:
    code, where = refusal(EVENT | {name: value})
    assert code == "E_SCHEMA"
    # Schema and type only disagree with one another.
    assert where == ("dataschema" if name == "dataschema" else name)


@pytest.mark.parametrize(
    "value",
    [
        SEALED | {"subject": CASE},
        EVENT | {"subject": "registry"},
        EVENT | {"subject": "seal"},
        EVENT | {"subject": "producer/dialler-7"},
        EVENT | {"subject": "refused/dialler-7"},
    ],
)
def test_a_type_in_a_stream_of_others_is_out_of_scope(value: dict[str, Any]) -> None:
    assert refusal(value) == ("E_KEY_SCOPE", "subject")


def test_a_payload_is_read_as_canonical_json_is() -> None:
    whole = canonical.encode(EVENT)
    payload = b'"data":' + canonical.encode(EVENT["data"])

    def code(replacement: bytes) -> str:
        data = whole.replace(payload, b'"data":' + replacement)
        assert verdict(event.parse_event, data) == verdict(read_slowly, data)
        return verdict(event.parse_event, data)[0]

    assert code(b'{"a":1.5}') == "E_NUMBER"
    assert code(b'{"a":[1e99]}') == "E_NUMBER"
    assert code(b'{"a":1,"a":2}') == "E_DUP_KEY"
    assert code(b'{"A":1}') == "E_SCHEMA"
    assert code(b'{"a":"\\n"}') == "E_ENCODING"
    assert code(b'{"a":"\x7f"}') == "E_ENCODING"
    assert code(b'{"a": 1}') == "E_NONCANONICAL"
    assert code(b'{"a":' + b"[" * 28 + b"]" * 28 + b"}") == "accepted"
    assert code(b'{"a":' + b"[" * 29 + b"]" * 29 + b"}") == "E_LIMIT"


def test_an_event_that_is_no_object_or_too_large_is_refused() -> None:
    assert verdict(event.parse_event, b"[]") == ("E_SCHEMA", "")
    assert verdict(event.parse_event, b"null") == ("E_SCHEMA", "")
    room = event.EVENT_BYTES_MAX - len(canonical.encode(EVENT | {"data": {"a": ""}}))
    assert refusal(EVENT | {"data": {"a": "x" * room}})[0] == "accepted"
    too_large = canonical.encode(EVENT | {"data": {"a": "x" * (room + 1)}})
    assert verdict(event.parse_event, too_large)[0] == "E_LIMIT"


VALUES = st.sampled_from(
    [None, True, 0, 1, 2**31, "", "x", "1.0", "seal", CASE, ANOTHER_ID, "0" * 20, "0" * 64, "é", '"', "\\"]
) | st.sampled_from([value for value in EVENT.values() if isinstance(value, str)])


@given(
    st.dictionaries(st.sampled_from([*sorted(event.ATTRIBUTES), "dataa", "a", "zz"]), VALUES, max_size=3),
    st.sets(st.sampled_from(sorted(event.ATTRIBUTES)), max_size=1),
    st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_fast_and_slow_reading_agree_on_changed_envelopes(
    changes: dict[str, Any], without: set[str], of_ledger: bool
) -> None:
    base = SEALED if of_ledger else EVENT
    refusal({name: value for name, value in (base | changes).items() if name not in without})


@given(st.integers(0, 2**32))
@settings(max_examples=500, deadline=None)
def test_fast_and_slow_reading_agree_on_damaged_events(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(canonical.encode(EVENT))
    pieces = [bytes(data[at : at + rng.randrange(40)]) for at in rng.sample(range(len(data)), 3)]
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(data))
        data[at : at + rng.randrange(4)] = rng.choice(
            [*pieces, b"0", b"a", b'"', b"}", b",", b"1.5", b"\\", b"\x80"]
        )
    assert verdict(event.parse_event, bytes(data)) == verdict(read_slowly, bytes(data))


def test_types_and_subjects_come_apart() -> None:
    assert event.short_type("duecourse.contact.call_placed.v12") == "contact.call_placed"
    assert event.schema_version("duecourse.contact.call_placed.v12") == 12
    assert event.short_type("duecourse.a.v1.v2") == "a.v1"
    assert event.is_ledger_type("duecourse.ledger.sealed.v1")
    assert not event.is_ledger_type("duecourse.ledgers.sealed.v1")
    assert event.subject_kind(CASE) == "case"
    assert event.subject_kind("seal") == "seal"
    with pytest.raises(Refused, match="E_SCHEMA"):
        event.short_type("contact.call_placed")
