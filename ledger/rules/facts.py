"""One case, ready to be judged: events in the order in which things happened, corrections applied or left out,
and everything looked up once that several rules ask for. Nothing derived is stored in events, so it is worked
out here: local days, candidate zones, who was spoken to, which message arrived."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from ledger.kernel import canonical
from ledger.rules import calendar
from ledger.rules.calendar import DAY_US

LATE_US = 24 * 3600 * 1_000_000
ARRIVED = frozenset({"delivered", "read", "signed"})
CONTACT_TYPES = (
    "contact.call_placed",
    "contact.conversation_held",
    "contact.message_sent",
    "contact.inbound_received",
    "contact.visit_notified",
    "contact.visit_made",
    "contact.third_party",
)
_NONE: tuple[Any, ...] = ()
# Members that hold the id of another event; `conversation_held.call` makes one contact of two events.
_REFERENCES = (
    "about",
    "call",
    "complaint",
    "confirms",
    "contact",
    "dispute",
    "extends",
    "given_in",
    "hold",
    "in_reply_to",
    "message",
    "notice",
    "withdraws",
)
_MEDIUM_OF: Mapping[str, str] = {"contact.call_placed": "voice", "contact.visit_made": "visit"}


def is_closed(value: Any) -> bool:
    """Whether a protected member stands there unopened."""
    return isinstance(value, Mapping) and ("closed" in value or "cipher" in value)


@cache
def _day_us(date: str) -> int:
    return canonical.parse_time(f"{date}T00:00:00.000000Z")


def moment(text: str) -> int:
    """us since the epoch of a time of an event. Events were parsed before they come here, so only the date is
    looked at closely."""
    clock = (int(text[11:13]) * 60 + int(text[14:16])) * 60 + int(text[17:19])
    return _day_us(text[:10]) + clock * 1_000_000 + int(text[20:26])


class Event:
    """One event as rules read it. `place` is its order of arrival in the case; times are us since the epoch."""

    __slots__ = (
        "_local",
        "actor",
        "agency",
        "candidates",
        "capacity",
        "contact",
        "corrects",
        "data",
        "debts",
        "duration",
        "id",
        "late",
        "medium",
        "mismatch",
        "named",
        "parties",
        "place",
        "point",
        "rank",
        "recorded",
        "reserved",
        "residence",
        "roles",
        "stream",
        "talk",
        "time",
        "type",
        "work",
    )

    def __init__(self, place: int, event: Mapping[str, Any]) -> None:
        data: Mapping[str, Any] = event["data"]
        kind: str = event["type"]
        if kind.startswith("duecourse."):
            kind = kind[len("duecourse.") :].rpartition(".v")[0]
        self.place = place
        self.id: str = event["id"]
        self.type = kind
        self.time = moment(event["time"])
        self.recorded = moment(event["recordedtime"])
        self.late = self.recorded - self.time > LATE_US
        self.capacity: str = event["actorcapacity"]
        actor: str = event.get("actorid", "")
        self.actor = actor.removeprefix("staff/")
        self.corrects: str = event.get("corrects", "")
        stream: str = event.get("stream") or event.get("subject", "")
        self.stream = "" if stream.startswith("case/") else stream
        self.data = data
        self.rank = 0
        named = data.get("parties")
        if named is not None:
            self.parties: tuple[str, ...] = tuple([p["party"] for p in named])
            self.roles: tuple[str, ...] = tuple([p["role"] for p in named])
        else:
            party = data.get("party")
            self.parties = (party,) if party else _NONE
            role = data.get("role")
            self.roles = (role,) if role else _NONE
        debts = data.get("debts")
        if debts is None:
            debt = data.get("debt")
            debts = (debt,) if debt else [a["debt"] for a in data.get("allocation", _NONE)]
        self.debts: tuple[str, ...] = tuple(debts)
        self.agency: str = data.get("agency", "")
        self.point: str = data.get("contact_point", "")
        self.medium: str = data.get("medium") or _MEDIUM_OF.get(kind, "")
        self.duration: int = data.get("duration_ms", 0) * 1000
        self.candidates: tuple[str, ...] = _NONE
        self.residence: tuple[str, ...] = _NONE
        self.mismatch: tuple[int, ...] = _NONE
        self.contact = self.id
        self.named = False
        self.talk: tuple[int, ...] = _NONE
        self.work: bool | None = None
        self.reserved: bool | None = None
        self._local: dict[str, tuple[int, int]] = {}

    def local(self, zone: str) -> tuple[int, int]:
        """Day number and us of the local day."""
        found = self._local.get(zone)
        if found is None:
            found = self._local[zone] = calendar.local(self.time, zone)
        return found

    def day(self, zone: str) -> int:
        return self.local(zone)[0]


def resolve(events: Sequence[Event], *, corrected: bool) -> tuple[list[Event], dict[str, Event]]:
    """Events that count under a reading, and what each id stands for there.

    First: corrections are left out. Corrected: the last correction of the same type takes the place of its
    event and `void` removes it; whoever names the old id means what took its place. A correction of another
    type, or of an event that is not here, corrects nothing."""
    by_id = {event.id: event for event in events}
    first = [event for event in events if not event.corrects]
    if len(first) == len(events):
        return first, by_id
    root: dict[str, str] = {}
    last: dict[str, Event] = {}
    standing = list(first)
    for event in events:
        if event.corrects:
            target = by_id.get(event.corrects)
            if target is None or target.type != event.type or target.place > event.place:
                standing.append(event)
            else:
                root[event.id] = root.get(target.id, target.id)
                last[root[event.id]] = event
    if not corrected:
        return standing, {event.id: event for event in standing}
    result, ids = [], {}
    for event in standing:
        event = last.get(event.id, event)
        if not event.data.get("void"):
            result.append(event)
            ids[event.id] = event
    for event in events:
        heir = last.get(root.get(event.id, event.id))
        if heir is not None and heir.id in ids:
            ids[event.id] = heir
    return result, ids


class View:
    """A case under one reading."""

    def __init__(self, events: Iterable[Mapping[str, Any]], *, as_of: int, corrected: bool = True) -> None:
        raw = [Event(place, event) for place, event in enumerate(events)]
        self.as_of = as_of
        self.corrected_any = any(event.corrects for event in raw)
        standing, self.ids = resolve(raw, corrected=corrected)
        standing.sort(key=lambda event: (event.time, event.place))
        self.events = standing
        self.late = frozenset(event.place for event in standing if event.late)
        self.by_type: dict[str, list[Event]] = {}
        self.refs: dict[str, list[Event]] = {}
        self.streams: dict[str, list[Event]] = {}
        self.arrived: dict[str, Event] = {}
        self.failed: dict[str, Event] = {}
        self.residences: list[tuple[int, str]] = []
        self.products: dict[str, str] = {}
        self.charged_off: dict[str, str | None] = {}
        self.zones: set[str] = set()
        self.capacities = frozenset([event.capacity for event in standing])
        first, last = (standing[0].time, standing[-1].time) if standing else (0, 0)
        # No event of the case lies outside these days, in any zone.
        self.days = (calendar.local(first, "UTC")[0] - 1, calendar.local(last, "UTC")[0] + 1)
        self.memo: dict[Any, Any] = {}
        for rank, event in enumerate(standing):
            event.rank = rank
            kept = self.by_type.get(event.type)
            if kept is None:
                kept = self.by_type[event.type] = []
            kept.append(event)
            if event.stream:
                self.streams.setdefault(event.stream, []).append(event)
            self._refer(event)
        for event in self.of("contact.conversation_held", "contact.third_party"):
            call = self.ids.get(event.data.get("call", ""))
            if call is not None and call.type == "contact.call_placed":
                event.contact, event.named = call.id, True
                # A call lasts as long as the talk in it.
                end = event.time + event.duration - call.time
                if event.duration and end > call.duration:
                    call.duration, call.talk = end, (event.place,)
        self._deliveries()
        self._file()

    def of(self, *types: str) -> list[Event]:
        """Events of these types, in order."""
        if len(types) == 1:
            return self.by_type.get(types[0], [])
        found = [event for kind in types for event in self.by_type.get(kind, _NONE)]
        found.sort(key=lambda event: event.rank)
        return found

    def _refer(self, event: Event) -> None:
        data = event.data
        for member in data.keys() & _REFERENCE_SET:
            named = data[member]
            if isinstance(named, str):
                target = self.ids.get(named)
                self.refs.setdefault(target.id if target else named, []).append(event)

    def _deliveries(self) -> None:
        for event in self.of("contact.delivery_status"):
            message = self.ids.get(event.data["message"])
            if message is not None:
                kept = self.arrived if event.data["status"] in ARRIVED else self.failed
                kept.setdefault(message.id, event)

    def contact_of(self, named: str) -> str:
        """The contact that an id means: a conversation and its call are one."""
        event = self.ids.get(named)
        return event.contact if event is not None else named

    def _file(self) -> None:
        """Walks the case once and writes to each contact what was on file when it happened."""
        points: dict[str, dict[str, tuple[str, int]]] = {}
        work: dict[str, bool] = {}
        reserved: dict[str, bool] = {}
        for event in self.events:
            data = event.data
            kind = event.type
            if kind == "party.contact_point_changed":
                point = data["contact_point"]
                alive = points.setdefault(data["party"], {})
                if data["action"] == "invalidate":
                    alive.pop(point, None)
                elif "zone" in data and calendar.zone(data["zone"]) is not None:
                    alive[point] = (data["zone"], event.place)
                if "is_work" in data:
                    work[point] = data["is_work"]
                if "is_reserved" in data:
                    reserved[point] = data["is_reserved"]
                if "place" in data and data["role"] in ("debtor", "co_debtor", "guarantor"):
                    self.residences.append((event.time, data["place"]))
            elif kind == "case.registered":
                for place in data["places"]:
                    start = (calendar.ordinal(place["since"]) - calendar.ordinal("1970-01-01")) * DAY_US
                    self.residences.append((start, place["place"]))
            elif kind == "debt.itemised":
                self.products[data["debt"]] = data["product"]
                self.charged_off[data["debt"]] = data.get("charged_off_on")
            elif "parties" in data:
                if event.point:
                    event.work = work.get(event.point)
                    event.reserved = reserved.get(event.point)
                self._candidates(event, points)
        self.residences.sort()
        self.zones |= {zone for alive in points.values() for zone, _ in alive.values()}
        everywhere = tuple(sorted(self.zones))
        for event in self.events:
            # What was not a contact says nothing of zones: it happened where the person was contacted.
            if not event.candidates and "parties" not in event.data and not event.stream:
                event.candidates = event.residence = everywhere

    def _candidates(self, event: Event, points: Mapping[str, Mapping[str, tuple[str, int]]]) -> None:
        stated = event.data.get("zones", _NONE)
        named = tuple([z["zone"] for z in stated if calendar.zone(z["zone"]) is not None])
        if points:
            filed: dict[str, int] = {}
            for party in event.parties:
                for zone, place in points.get(party, {}).values():
                    if zone not in named:
                        filed.setdefault(zone, place)
            if filed:
                event.mismatch = tuple(filed.values())
                named += tuple(filed)
        event.candidates = named
        event.residence = tuple([z["zone"] for z in stated if z["source"] == "residence"]) or named
        if named:
            self.zones.update(named)

    def residence(self, time: int) -> str:
        """Where the debtor lived: the newest place on file, the oldest for what lies before it, "" unknown."""
        if not self.residences:
            return ""
        found = bisect_right(self.residences, (time, "\uffff"))
        return self.residences[max(found - 1, 0)][1]

    def ended_on(self, hold: Event) -> tuple[int | None, Event | None]:
        """Last day (as a day number) of a hold and the event that said so; None while it is open."""
        planned = hold.data.get("last_day")
        for event in self.refs.get(hold.id, _NONE):
            if event.type == "hold.ended":
                return calendar.ordinal(event.data["last_day"]), event
        return (calendar.ordinal(planned) if planned else None), None


_REFERENCE_SET = frozenset(_REFERENCES)
