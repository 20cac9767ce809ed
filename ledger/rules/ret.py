"""RET, retention: what proves an event is kept until a date. Erasing it on that date is allowed, before it is
not; and evidence of which nobody says that it is still there proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.rules import calendar
from ledger.rules.answers import NO_ZONE, Answer, Answers, zones_of
from ledger.rules.facts import Event, View
from ledger.rules.match import select
from ledger.rules.rsp import stated_day
from ledger.rules.shapes import FAIL, Filter, Retention, Span, Test

_HOLDS = Filter(types=("hold.started",), where=(Test("kind", "in", ("legal_hold",)),))
_OPEN = 1 << 40


class _Handled(NamedTuple):
    """What was done to files and events: by digest, by event, and to everything of a kind."""

    by_name: dict[str, list[Event]]
    sweeping: list[Event]


def _handled(view: View) -> _Handled:
    found: _Handled | None = view.memo.get("handled")
    if found is None:
        found = view.memo["handled"] = _Handled({}, [])
        for event in view.of("data.handled"):
            if event.data["action"] not in ("erase", "verify_present"):
                continue
            records = event.data.get("records")
            if not records:
                found.sweeping.append(event)
            for record in records or ():
                for name in record.values():
                    found.by_name.setdefault(name, []).append(event)
    return found


def _touching(params: Retention, event: Event, view: View) -> list[Event]:
    handled = _handled(view)
    if params.anchor == "last_activity":
        # The whole case is meant: any of its records.
        whole = {found.rank: found for held in handled.by_name.values() for found in held}
        whole |= {found.rank: found for found in handled.sweeping}
        return [whole[rank] for rank in sorted(whole)]
    names = {event.id}
    for evidence in event.data.get("evidence", ()):
        if not params.evidence or evidence["kind"] in params.evidence:
            names.add(evidence["sha256"])
    found = {other.rank: other for name in names for other in handled.by_name.get(name, ())}
    for other in handled.sweeping:
        fields = set(other.data["fields"])
        if other.rank > event.rank and fields & {"all", *params.evidence}:
            found[other.rank] = other
    return [found[rank] for rank in sorted(found)]


def _cleared(event: Event, zone: str, view: View) -> tuple[int, tuple[int, ...]]:
    """Day on which the last of the event's debts was paid in full, and what says so; far away while one is
    not."""
    key = "cleared"
    days: dict[str, Event] | None = view.memo.get(key)
    if days is None:
        days = view.memo[key] = {}
        for payment in view.of("payment.received"):
            for debt in payment.data.get("cleared", ()):
                days.setdefault(debt, payment)
    found = [days.get(debt) for debt in event.debts]
    if not found or any(payment is None for payment in found):
        return _OPEN, ()
    paid = [payment for payment in found if payment is not None]
    return max(payment.day(zone) for payment in paid), tuple(payment.place for payment in paid)


def _anchor(
    params: Retention, name: str, event: Event, zone: str, view: View
) -> tuple[int | None, tuple[int, ...]]:
    if name == "time":
        return event.day(zone), ()
    if name == "cleared":
        return _cleared(event, zone, view)
    if name == "last_activity":
        acts = select((Filter(types=params.activity),), view)
        return (acts[-1].day(zone), (acts[-1].place,)) if acts else (event.day(zone), ())
    return stated_day(event.data.get(name), zone), ()


def _keep_until(params: Retention, event: Event, zone: str, view: View) -> tuple[int | None, tuple[int, ...]]:
    ends: list[int] = []
    rests: tuple[int, ...] = ()
    first: tuple[tuple[str, Span], ...] = ((params.anchor, params.keep),)
    for name, span in first + params.more:
        day, found = _anchor(params, name, event, zone, view)
        if day is None:
            return None, ()
        ends.append(day if day == _OPEN else calendar.add(day, span.n, span.unit, span.calendar))
        rests += found
    return (max(ends) if params.combine == "max" else min(ends)), rests


def _held(day: int, zone: str, view: View) -> Event | None:
    """The legal hold under which nothing may be erased on a day."""
    for hold in select((_HOLDS,), view):
        last, _ = view.ended_on(hold)
        if hold.day(zone) <= day and (last is None or day <= last):
            return hold
    return None


def _answer(params: Retention, event: Event, zone: str, view: View) -> Answer:
    until, rests = _keep_until(params, event, zone, view)
    if until is None:
        return Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))
    codes = () if until >= _OPEN else (f"keep_until:{calendar.spelled(until)}",)
    touching = _touching(params, event, view)
    erased = [other for other in touching if other.data["action"] == "erase"]
    if erased:
        first = erased[0]
        hold = _held(first.day(zone), zone, view)
        found = (*rests, first.place)
        if first.day(zone) < until or hold is not None:
            return Answer(FAIL, codes, found + ((hold.place,) if hold else ()))
        return Answer("PASS", codes, found)
    seen = [other for other in touching if other.data["action"] == "verify_present"]
    if seen:
        return Answer("PASS", codes, (*rests, seen[-1].place))
    return Answer("INSUFFICIENT_EVIDENCE", ("presence_not_checked", *codes), rests)


def judge(
    readings: Sequence[Retention], view: View, targets: Sequence[Event], fallback: tuple[str, ...]
) -> list[Answers]:
    results: list[Answers] = []
    for params in readings:
        answers: Answers = []
        for event in targets:
            zones = zones_of(event, params.zone, fallback)
            answers.append(_answer(params, event, zones[0], view) if zones else NO_ZONE)
        results.append(answers)
    return results
