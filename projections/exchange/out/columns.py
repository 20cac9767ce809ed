"""What the catalogue says of the members of events, for formats that want to know types beforehand.

Everything here is worked out from the catalogue's classes: a new type or member needs no change here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import orjson

from ledger.events import registry
from ledger.events.catalogue.common import Payload
from projections.exchange.out.source import OutEvent

Kind = Literal["text", "int", "bool", "time", "date"]

# What is known of every event, before its own members, and under which name. None of the catalogue's members
# has one of these names; a test keeps it so.
BASE: Final[dict[str, Kind]] = {
    "case_id": "text",
    "shard": "int",
    "entry": "int",
    "case_seq": "int",
    "event_id": "text",
    "type": "text",
    "time": "time",
    "recordedtime": "time",
    "sequenced": "time",
    "actor": "text",
    "actor_role": "text",
    "actor_capacity": "text",
    "producer": "text",
    "standing": "bool",
    "corrected_by": "int",
    "corrects": "int",
    "protected": "text",
}
MORE: Final = "more"  # what is no scalar, as one JSON object


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind


@cache
def members_of(short: str) -> dict[str, Kind]:
    """The members of a type (all its versions) that can stand in the clear and are no lists or objects, in the
    order of their names. {} for a type that this release does not know."""
    found: dict[str, Kind] = {}
    for cls in registry.all_types():
        if short != cls.TYPE:
            continue
        for member in registry.members(cls):
            if member.many or member.object is not None or member.protection is not None:
                continue
            name = member.kind.name if member.kind is not None else "text"
            kind: Kind = name if name in ("int", "bool", "time", "date") else "text"  # type: ignore[assignment]
            found[member.name] = kind
    return dict(sorted(found.items()))


def columns(types: Iterable[str] | None = None) -> list[Column]:
    """The columns of a table of events: those of every event, then one for each member that these types have
    (all types of cases, if none are given), then `more`. A member that two types hold in different kinds is
    text."""
    found: dict[str, Kind] = {}
    for short in catalogue_types() if types is None else types:
        for name, kind in members_of(short).items():
            found[name] = kind if found.get(name, kind) == kind else "text"
    members = [Column(name, found[name]) for name in sorted(found)]
    return [*(Column(name, kind) for name, kind in BASE.items()), *members, Column(MORE, "text")]


def catalogue_types() -> list[str]:
    """Every type that a producer can record, short, in the order of names."""
    return sorted({cls.TYPE for cls in registry.all_types() if issubclass(cls, Payload)})


def kind_of(short: str, name: str, value: object) -> Kind:
    """The kind of a member's value; by the value itself where the catalogue does not say."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return members_of(short).get(name, "text") if isinstance(value, str) else "text"


def text_of(value: object) -> str:
    """A list or an object as JSON in one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def row(event: OutEvent, known: dict[str, Kind]) -> dict[str, str | int | bool]:
    """The event as a row: by column, without what is absent. `known` are the columns that stand for members
    of payloads; everything else of the payload goes into `more`."""
    made: dict[str, str | int | bool] = {
        "case_id": event.case,
        "shard": event.shard,
        "entry": event.entry,
        "case_seq": event.seq,
        "event_id": event.id,
        "type": event.type,
        "time": event.time,
        "recordedtime": event.recordedtime,
        "sequenced": event.sequenced,
        "actor": event.actor,
        "actor_role": event.role,
        "actor_capacity": event.capacity,
        "producer": event.producer,
        "standing": event.standing,
    }
    if event.corrected_by is not None:
        made["corrected_by"] = event.corrected_by
    if event.corrects is not None:
        made["corrects"] = event.corrects
    if event.protected:
        made["protected"] = event.protected
    more: dict[str, object] = {}
    for name, value in event.data.items():
        kind = known.get(name)
        if kind is None or type(value) is list or type(value) is dict:
            more[name] = value
        elif kind in ("int", "bool"):
            if type(value) is (int if kind == "int" else bool):
                made[name] = value
            else:
                more[name] = value
        elif type(value) is str:
            made[name] = value
        else:
            made[name] = text_of(value)
    if more:
        made[MORE] = text_of(more)
    return made


def known_members(of: Iterable[Column]) -> dict[str, Kind]:
    """Of these columns those that stand for members of payloads."""
    return {column.name: column.kind for column in of if column.name not in BASE and column.name != MORE}
