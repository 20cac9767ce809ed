"""Both forms of OCEL 2.0 say the same, by the standard, and every relation leads somewhere."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.events import registry
from ledger.events.catalogue.common import Payload
from projections.exchange.out.columns import catalogue_types
from projections.exchange.out.formats import extract
from projections.exchange.out.objects import ATTRIBUTES, LINKS, LISTS
from projections.exchange.out.ocel import attributes_of
from projections.exchange.out.ocel_sqlite import type_map

# Members that name an event, or a person of the staff: neither is an object here.
NAMES_AN_EVENT = {
    "about", "call", "complaint", "confirms", "consent", "contact", "dispute", "duplicate_of", "extends",
    "given_in", "hold", "in_reply_to", "message", "notice", "withdraws",
}  # fmt: skip
NAMES_STAFF = {"staff"}
# Objects of payloads that name none of our things.
OTHER_OBJECTS = {"evidence", "notified", "places", "policies", "records", "windows", "zones"}
TYPE_OF = {"string": str, "integer": int, "boolean": bool, "time": str}


def test_every_member_that_names_a_thing_is_known() -> None:
    for cls in registry.all_types():
        if not issubclass(cls, Payload):
            continue
        for member in registry.members(cls):
            if member.object is not None:
                assert (member.name in LISTS) != (member.name in OTHER_OBJECTS), (cls.TYPE, member.name)
            elif member.kind is not None and member.kind.name == "uuid":
                known = [member.name in names for names in (LINKS, NAMES_AN_EVENT, NAMES_STAFF)]
                assert sum(known) == 1, (cls.TYPE, member.name)


def test_json_has_the_form_of_the_standard(story: Any, tmp_path: Path) -> None:
    counted = extract(story.source(), "ocel-json", tmp_path / "log.json")
    log = json.loads((tmp_path / "log.json").read_bytes())
    assert set(log) == {"eventTypes", "objectTypes", "events", "objects"}
    assert [one["name"] for one in log["objectTypes"]] == list(ATTRIBUTES)
    assert counted == {"cases": 2, "events": len(log["events"]), "objects": len(log["objects"])}
    objects = {one["id"]: one for one in log["objects"]}
    assert len(objects) == len(log["objects"])
    assert {one["type"] for one in log["objects"]} == set(ATTRIBUTES)
    for kind, items in (("eventTypes", log["events"]), ("objectTypes", log["objects"])):
        declared = {
            one["name"]: {a["name"]: TYPE_OF[a["type"]] for a in one["attributes"]} for one in log[kind]
        }
        for item in items:
            for attribute in item["attributes"]:
                assert type(attribute["value"]) is declared[item["type"]][attribute["name"]]
                assert ("time" in attribute) is (kind == "objectTypes")
            related = [(one["objectId"], one["qualifier"]) for one in item["relationships"]]
            assert len(related) == len(set(related))
            assert {name for name, _ in related} <= set(objects)
    assert all(any(one["qualifier"] == "case" for one in event["relationships"]) for event in log["events"])


def test_events_name_their_things_with_the_quality_in_which_they_do(story: Any, tmp_path: Path) -> None:
    extract(story.source(), "ocel-json", tmp_path / "log.json")
    log = json.loads((tmp_path / "log.json").read_bytes())
    linked = {
        event["type"]: {
            (one["objectId"].rsplit("/", 2)[-2], one["qualifier"]) for one in event["relationships"]
        }
        for event in log["events"]
    }
    assert linked["contact.call_placed"] == {
        ("case", "case"), ("party", "debtor"), ("debt", "debt"), ("contact_point", "contact_point"),
    }  # fmt: skip
    assert linked["payment.received"] == {("case", "case"), ("debt", "cleared"), ("debt", "allocation")}
    assert linked["case.assigned"] == {("case", "case"), ("agency", "assignee"), ("agency", "actor")}
    assert linked["plan.proposed"] == {("case", "case"), ("plan", "plan"), ("debt", "debt")}


def test_an_object_has_its_first_values_from_the_beginning_and_changes_at_their_time(
    story: Any, tmp_path: Path
) -> None:
    extract(story.source(), "ocel-json", tmp_path / "log.json")
    log = json.loads((tmp_path / "log.json").read_bytes())
    case = next(one for one in log["objects"] if one["type"] == "case")
    stages = [(one["value"], one["time"]) for one in case["attributes"] if one["name"] == "stage"]
    assert stages == [
        ("registered", "1970-01-01T00:00:00.000000Z"),
        ("overdue", "2026-03-01T00:00:09.000000Z"),
    ]
    party = next(one for one in log["objects"] if one["type"] == "party")
    assert [one["qualifier"] for one in party["relationships"]] == ["contact_point"]
    plan = next(one for one in log["objects"] if one["type"] == "plan")
    assert [one["qualifier"] for one in plan["relationships"]] == ["covers"]
    assert {"name": "status", "time": "1970-01-01T00:00:00.000000Z", "value": "proposed"} in plan[
        "attributes"
    ]


def test_what_was_corrected_says_nothing_of_an_object(views: Any, tmp_path: Path) -> None:
    first = views.event(1, "case.stage_changed", {"stage": "overdue"})
    views.event(1, "case.stage_changed", {"stage": "entrusted"}, corrects=first)
    for every in (False, True):
        path = tmp_path / f"{every}.json"
        extract(views.source(every_entry=every), "ocel-json", path)
        log = json.loads(path.read_bytes())
        assert [one["value"] for one in log["objects"][0]["attributes"]] == ["entrusted"]
        assert len(log["events"]) == 1 + every


def test_two_cases_never_share_a_thing_but_an_agency(views: Any, tmp_path: Path) -> None:
    same = "00000000-0000-8000-8000-000000000777"
    for number in (1, 2):
        views.event(number, "debt.itemised", {"debt": same, "principal": number})
        views.event(number, "case.assigned", {"to_agency": same})
    extract(views.source(), "ocel-sqlite", tmp_path / "log.sqlite")
    with contextlib.closing(sqlite3.connect(tmp_path / "log.sqlite")) as db:
        counts = dict(db.execute("SELECT ocel_type, COUNT(*) FROM object GROUP BY 1").fetchall())
    assert counts == {"agency": 1, "case": 2, "debt": 2}


def read_sqlite(path: Path) -> dict[str, Any]:
    """A database in the form of the JSON, by the standard alone."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        log: dict[str, Any] = {"events": {}, "objects": {}}
        for kind, key in (("event", "events"), ("object", "objects")):
            for name, ending in db.execute(f"SELECT * FROM {kind}_map_type").fetchall():
                cursor = db.execute(f'SELECT * FROM "{kind}_{ending}"')
                heads = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    value = dict(zip(heads, row, strict=True))
                    number, time = value.pop("ocel_id"), value.pop("ocel_time")
                    changed = value.pop("ocel_changed_field", None)
                    item = log[key].setdefault(number, {"type": name, "values": set()})
                    if kind == "event":
                        item["time"] = time
                    held = {
                        (n, time if kind == "object" else "", v) for n, v in value.items() if v is not None
                    }
                    assert changed is None or {n for n, _, _ in held} == {changed}
                    item["values"] |= held
            types = dict(db.execute(f"SELECT ocel_id, ocel_type FROM {kind}").fetchall())
            assert types == {number: item["type"] for number, item in log[key].items()}
        log["e2o"] = set(db.execute("SELECT * FROM event_object").fetchall())
        log["o2o"] = set(db.execute("SELECT * FROM object_object").fetchall())
    return log


def read_json(path: Path) -> dict[str, Any]:
    log = json.loads(path.read_bytes())
    made: dict[str, Any] = {"events": {}, "objects": {}, "e2o": set(), "o2o": set()}
    for key, pairs in (("events", "e2o"), ("objects", "o2o")):
        for item in log[key]:
            values = {(one["name"], one.get("time", ""), one["value"]) for one in item["attributes"]}
            made[key][item["id"]] = {"type": item["type"], "values": values}
            if key == "events":
                made[key][item["id"]]["time"] = item["time"]
            made[pairs] |= {(item["id"], one["objectId"], one["qualifier"]) for one in item["relationships"]}
    return made


def test_both_forms_say_the_same(story: Any, tmp_path: Path) -> None:
    for every in (False, True):
        counts = [
            extract(story.source(every_entry=every), form, tmp_path / f"{every}.{form}")
            for form in ("ocel-json", "ocel-sqlite")
        ]
        assert counts[0] == counts[1]
        assert read_sqlite(tmp_path / f"{every}.ocel-sqlite") == read_json(tmp_path / f"{every}.ocel-json")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(-(2**53) + 1, 2**53 - 1))
def test_both_forms_say_the_same_of_hostile_text(views: Any, tmp_path: Path, text: str, amount: int) -> None:
    views.clear()
    data = {"party": text, "kind": text, "amount": amount, "odd": {"a": [text]}, "debts": [text, 7]}
    views.event(1, "party.preference_recorded", data, actor=f"agency/{text}")
    for form in ("ocel-json", "ocel-sqlite"):
        extract(views.source(), form, tmp_path / form, force=True)
    assert read_sqlite(tmp_path / "ocel-sqlite") == read_json(tmp_path / "ocel-json")


def test_no_two_types_have_one_table() -> None:
    made = type_map(catalogue_types())
    assert len(set(made.values())) == len(made)
    assert type_map(["a.b_c", "a_b.c", "A_b_c"]) == {"a.b_c": "a_b_c", "a_b.c": "a_b_c_2", "A_b_c": "A_b_c_3"}
    assert type_map(["object", "map.type"]) == {"object": "object_2", "map.type": "map_type_2"}


@pytest.mark.parametrize("short", catalogue_types())
def test_no_two_attributes_of_a_type_have_one_name(short: str) -> None:
    names = [column.name.lower() for column in attributes_of(short)]
    assert len(names) == len(set(names))
    assert not any(name.startswith("ocel_") for name in names)
