"""The object-centric reading of a case (OCEL 2.0): which things its events speak of, and what is known of
them.

Six types: case, party, debt, plan, agency, contact_point. By the catalogue the numbers of parties, debts,
plans and contact points mean something inside of their case only, so the id of such an object begins with its
case: two cases never share one, whatever their producers wrote. An agency is one for the whole ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from projections.exchange.out.columns import Kind
from projections.exchange.out.source import OutCase, OutEvent

# Members of payloads that name one thing or a list of things: its type, and in which quality the event does.
# A party's quality is its role, where the event says it.
LINKS: Final[dict[str, tuple[str, str]]] = {
    "agency": ("agency", "agency"),
    "cleared": ("debt", "cleared"),
    "contact_point": ("contact_point", "contact_point"),
    "contact_points": ("contact_point", "contact_point"),
    "debt": ("debt", "debt"),
    "debts": ("debt", "debt"),
    "optout_for": ("contact_point", "optout_for"),
    "party": ("party", "party"),
    "plan": ("plan", "plan"),
    "recipient_agency": ("agency", "recipient"),
    "to_agency": ("agency", "assignee"),
    "transferee": ("agency", "transferee"),
}
# Members that are lists of objects, one member of which names a thing.
LISTS: Final[dict[str, tuple[str, str]]] = {
    "allocation": ("debt", "allocation"),
    "parties": ("party", "party"),
}

ATTRIBUTES: Final[dict[str, dict[str, Kind]]] = {
    "case": {"closed": "text", "origin": "text", "stage": "text"},
    "party": {"contact_allowed": "text", "role": "text"},
    "debt": {
        "currency": "text", "due_on": "date", "fees": "int", "interest": "int", "itemised_on": "date",
        "principal": "int", "product": "text",
    },
    "plan": {
        "amount": "int", "currency": "text", "first_due_on": "date", "last_due_on": "date", "months": "int",
        "status": "text", "total": "int",
    },
    "agency": {},
    "contact_point": {
        "action": "text", "is_reserved": "bool", "is_work": "bool", "medium": "text", "zone": "text",
    },
}  # fmt: skip
# By type of event: what of which object it says, taken from the members of the same names.
_SAYS: Final[dict[str, str]] = {
    "case.registered": "case",
    "case.stage_changed": "case",
    "debt.itemised": "debt",
    "party.contact_point_changed": "contact_point",
    "party.status_changed": "party",
    "plan.agreed": "plan",
    "plan.proposed": "plan",
}
_PLAN_STATUS: Final = {"plan.agreed": "agreed", "plan.breached": "breached", "plan.proposed": "proposed"}
_DECIDED: Final = {"accept": "accepted", "counter": "countered", "reject": "rejected"}

Value = str | int | bool


@dataclass(slots=True)
class Thing:
    """One object. `first` is what was known of it first, by attribute; `changes` what it became, with the
    time of the event that says so; `relations` to whom it belongs: (id of the other, quality)."""

    id: str
    type: str
    first: dict[str, Value] = field(default_factory=dict)
    changes: list[tuple[str, str, Value]] = field(default_factory=list)
    relations: dict[tuple[str, str], None] = field(default_factory=dict)
    _now: dict[str, Value] = field(default_factory=dict)

    def say(self, name: str, time: str, value: Value) -> None:
        if name not in self.first:
            self.first[name] = self._now[name] = value
        elif self._now[name] != value:
            self._now[name] = value
            self.changes.append((name, time, value))


@dataclass(slots=True)
class Reading:
    """A case as things and events: `things` without the agencies, which the caller gathers from `agencies`;
    `links` the (object, quality) of each event, in the order of the events."""

    things: dict[str, Thing]
    agencies: dict[str, None]
    links: list[list[tuple[str, str]]]


def event_id(event: OutEvent) -> str:
    """Where the event stands in the ledger, `<shard>-<entry>`: no two events have the same."""
    return f"{event.shard}-{event.entry}"


def read(case: OutCase) -> Reading:
    """The things of one case. What was corrected or voided links its event and says nothing of the things."""
    root = Thing(f"case/{case.case}", "case")
    reading = Reading({root.id: root}, {}, [])
    for event in case.events:
        links: dict[tuple[str, str], None] = {(root.id, "case"): None}
        data = event.data
        for name, value in data.items():
            if name in LINKS:
                kind, quality = LINKS[name]
                for number in value if type(value) is list else (value,):
                    if type(number) is str:
                        said = data.get("role") if name == "party" else None
                        _link(reading, root, links, kind, number, said if type(said) is str else quality)
            elif name in LISTS and type(value) is list:
                kind, quality = LISTS[name]
                for item in value:
                    number = item.get(kind) if type(item) is dict else None
                    if type(number) is str:
                        role = item.get("role", quality)
                        _link(reading, root, links, kind, number, role)
                        if kind == "party" and event.standing:
                            reading.things[_id(root, kind, number)].say("role", event.time, role)
        if event.actor.startswith("agency/"):
            _link(reading, root, links, "agency", event.actor.removeprefix("agency/"), "actor")
        reading.links.append(list(links))
        if event.standing:
            _says(reading, root, event)
    return reading


def _id(root: Thing, kind: str, number: str) -> str:
    return f"agency/{number}" if kind == "agency" else f"{root.id}/{kind}/{number}"


def _link(
    reading: Reading, root: Thing, links: dict[tuple[str, str], None], kind: str, number: str, quality: str
) -> None:
    name = _id(root, kind, number)
    links[name, quality] = None
    if kind == "agency":
        reading.agencies[name] = None
    elif name not in reading.things:
        reading.things[name] = Thing(name, kind)
    root.relations[name, kind] = None


def _says(reading: Reading, root: Thing, event: OutEvent) -> None:
    """What the event says of the things that it names."""
    data, time = event.data, event.time
    if event.type == "case.closed":
        root.say("stage", time, "closed")
        _say(root, time, {"closed": data.get("reason")}, ("closed",))
        return
    number = data.get("plan")
    if type(number) is str and event.type.startswith("plan."):
        status = _PLAN_STATUS.get(event.type) or _DECIDED.get(str(data.get("decision")))
        plan = reading.things[_id(root, "plan", number)]
        _say(plan, time, {"status": status}, ("status",))
        for debt in data.get("debts", ()):
            plan.relations[_id(root, "debt", debt), "covers"] = None
    kind = _SAYS.get(event.type)
    if kind is None:
        return
    thing = root if kind == "case" else reading.things.get(_id(root, kind, str(data.get(kind))))
    if thing is None:
        return
    _say(thing, time, data, ATTRIBUTES[kind])
    party = data.get("party")
    if kind == "contact_point" and type(party) is str:
        owner = reading.things[_id(root, "party", party)]
        owner.relations[thing.id, "contact_point"] = None
        _say(owner, time, data, ("role",))


def _say(thing: Thing, time: str, data: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        value = data.get(name)
        if isinstance(value, (str, int)):
            thing.say(name, time, value)
