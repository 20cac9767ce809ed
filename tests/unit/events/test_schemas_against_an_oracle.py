"""Another validator, and events that others wrote, come to the same verdict."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.events import registry, schemas
from ledger.events.registry import Member

UUID = "00000000-0000-4000-8000-000000000001"
STORED: dict[str, Any] = {"cipher": "A" * 108, "digest": "0" * 64, "key": "1" * 64, "nonce": "A" * 16}
GOOD = {
    "uuid": UUID,
    "date": "2024-02-29",
    "time": "2024-02-29T23:59:59.999999Z",
    "id": "XYZ",
    "digest": "0" * 64,
    "int": 7,
    "bool": True,
    "counter": "0" * 20,
    "signature": "A" * 86 + "==",
    "schema": "urn:duecourse:case.closed:1",
    "scope": "contact.call_placed",
    "code": "E_SCHEMA",
    "label": "registrar 1",
}
PLACES = {"place": "US-NY", "template": "due@3"}
# What stands in the place of a good value, and is wrong nearly everywhere.
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**60), max_value=2**60),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(["2026-02-30", "2026-02-28", UUID.upper(), "other", "none", "0" * 64, "1e3", ""]),
    st.just(STORED),
    st.just(STORED | {"key": "x"}),
    st.lists(st.sampled_from(["other", UUID, 1]), max_size=3),
    st.dictionaries(st.sampled_from(["party", "zone", "x"]), st.sampled_from([UUID, "other", 1]), max_size=2),
)
ORACLES = {
    cls.TYPE: jsonschema.Draft202012Validator(schemas.schema(cls.TYPE, cls.VERSION))
    for cls in registry.all_types()
}


def good_value(member: Member, *, inside: bool = False) -> Any:
    if member.protection is not None:
        return STORED
    if member.object is not None:
        one: Any = {m.name: good_value(m, inside=True) for m in registry.members(member.object)}
        if "from_min" in one:
            one |= {"from_min": 1, "to_min": 2}
    elif member.family is not None:
        one = get_args(member.family)[0]
    else:
        assert member.kind is not None
        one = PLACES.get(member.name, GOOD[member.kind.name]) if not member.many else GOOD[member.kind.name]
    return [one] if member.many else one


def whole(short_type: str) -> dict[str, Any]:
    data = {m.name: good_value(m) for m in registry.members(registry.event_class(short_type))}
    beside: dict[str, dict[str, Any]] = {
        "staff.qualified": {"kind": "engagement"},
        "contact.visit_notified": {"from_min": 1, "to_min": 2},
        "data.handled": {"action": "request_received"},
    }
    return data | beside.get(short_type, {})


def valid(short_type: str, data: Any) -> bool:
    refused = None
    try:
        schemas.check_data({"dataschema": f"urn:duecourse:{short_type}:1", "data": data})
    except Refused as error:
        refused = error
    assert refused is None or (refused.code == "E_SCHEMA" and refused.where.startswith("/data"))
    return refused is None


def test_a_payload_with_every_member_passes_and_each_wrong_one_does_not() -> None:
    for cls in registry.all_types():
        data = whole(cls.TYPE)
        data.pop("recipient_agency", None)  # stands only beside another action than `request`
        assert valid(cls.TYPE, data), cls.TYPE
        assert ORACLES[cls.TYPE].is_valid(data), cls.TYPE
        for member in registry.members(cls):
            assert not valid(cls.TYPE, data | {member.name: {"not": "this"}}), (cls.TYPE, member.name)
            if member.required:
                without = {name: value for name, value in data.items() if name != member.name}
                assert not valid(cls.TYPE, without), (cls.TYPE, member.name)


@st.composite
def payloads(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    short_type = draw(st.sampled_from(sorted(ORACLES)))
    data = whole(short_type)
    for name in draw(st.sets(st.sampled_from(sorted(data)), max_size=4)):
        del data[name]
    if draw(st.booleans()):
        data[draw(st.sampled_from([*sorted(whole(short_type)), "unheard_of"]))] = draw(WRONG)
    return short_type, data


@settings(max_examples=600, deadline=None)
@given(payloads())
def test_another_validator_says_the_same(payload: tuple[str, dict[str, Any]]) -> None:
    short_type, data = payload
    assert valid(short_type, data) == ORACLES[short_type].is_valid(data)


def _rule_events(shared: Path) -> Iterator[dict[str, Any]]:
    for vector in json.loads((shared / "vectors/rules/open.json").read_text(encoding="utf-8"))["vectors"]:
        for event in vector.get("events", ()):
            short_type, data = event["type"], dict(event["data"])
            for name in registry.protected_members(short_type):
                if name in data:
                    if data[name] != {"closed": True}:
                        schemas.check_opened(short_type, 1, f"/data/{name}", data[name])
                    data[name] = STORED
            yield event | {
                "data": data,
                "type": f"duecourse.{short_type}.v1",
                "dataschema": f"urn:duecourse:{short_type}:1",
                "subject": event.get("stream", f"case/{UUID}"),
            }


def test_every_event_of_the_rule_vectors_passes(shared: Path) -> None:
    seen = set()
    for event in _rule_events(shared):
        schemas.check_event(event)
        seen.add(event["type"])
    assert len(seen) > 25


def _stored_events(shared: Path) -> Iterator[dict[str, Any]]:
    folder = shared / "vectors/duecourse"
    with zipfile.ZipFile(io.BytesIO((folder / "bundle/good.duecourse").read_bytes())) as bundle:
        for line in bundle.read("entries.jsonl").splitlines():
            yield json.loads(line)["event"]
    for file in (folder / "bundle/tiles/tile/entries").rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        while data:
            size = int.from_bytes(data[:2], "big")
            yield json.loads(data[2 : 2 + size])["event"]
            data = data[2 + size :]
    for record in json.loads((folder / "acceptance.json").read_text(encoding="utf-8"))["records"]:
        value = base64.b64decode(record["value"])
        if record["kind"] == "entry" and value.startswith(b'{"event"'):
            yield json.loads(value)["event"]


def test_every_event_that_another_ledger_made_itself_passes(shared: Path) -> None:
    seen = set()
    for event in _stored_events(shared):
        if event["type"].startswith("duecourse.ledger."):
            schemas.check_event(event)
            seen.add(event["type"])
    assert len(seen) >= 10
