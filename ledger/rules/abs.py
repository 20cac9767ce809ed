"""ABS, absence after: no act while a condition holds. A condition counts from when it was known; `last_day` is
included; what is allowed once is allowed once per start, per kind or per inbound event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ledger.kernel import canonical
from ledger.rules import calendar
from ledger.rules.answers import Answer, Answers, date_zone, excepted, worst, zones_of
from ledger.rules.calendar import DAY_US
from ledger.rules.consents import in_windows
from ledger.rules.facts import Event, View
from ledger.rules.match import After, fits, select
from ledger.rules.periods import in_period, last_day
from ledger.rules.shapes import FAIL, AbsenceAfter, Entry, Start

_NO_HOLD = Answer("PASS", ("no_hold",))
# A hold names its last day itself, a preference is taken back by a later one.
_HOLD, _PREFERENCE = "hold.started", "party.preference_recorded"


class Condition:
    """One stretch of time in which the act must not happen."""

    __slots__ = ("code", "end", "event", "known", "last", "legal", "outcome", "rests", "used")

    def __init__(self, event: Event, *, outcome: str = "", code: str = "") -> None:
        self.event = event
        self.known = event.rank
        self.legal = event.time
        self.end: int | None = None  # rank of the event that ended it
        self.last: int | None = None  # last day, included
        self.outcome, self.code = outcome, code
        self.rests: tuple[int, ...] = (event.place,)
        self.used: dict[Any, int] = {}


def _confirmed(start: Start, event: Event, zone: str, view: View) -> Event | None:
    for later in view.refs.get(event.id, ()):
        if later.type == event.type and later.data.get("confirms"):
            posted = later.data.get("posted_on")
            day = calendar.ordinal(posted) if posted else later.day(zone)
            if day <= event.day(zone) + start.confirm_days:
                return later
    return None


def _condition(start: Start, event: Event, fallback: tuple[str, ...], view: View) -> Condition:
    condition = Condition(event)
    data = event.data
    zone = date_zone(event, fallback)
    if event.type == _HOLD:
        condition.legal = canonical.parse_time(data["starts"])
        condition.last, ended = view.ended_on(event)
        if ended is not None:
            condition.rests += (ended.place,)
    elif "expires" in data:
        condition.last = calendar.ordinal(data["expires"])
    elif "effective" in data:
        offset = calendar.ordinal(data["effective"]) - calendar.ordinal("1970-01-01")
        condition.legal = min(event.time, offset * DAY_US)
    if start.dates and (not start.dates_form or data.get("form") in start.dates_form):
        confirmation = _confirmed(start, event, zone, view) if start.confirm_days else None
        if confirmation is None:
            condition.last = event.day(zone) + start.dates - 1
        else:
            condition.rests += (confirmation.place,)
    if start.until == "validation_end":
        condition.last = last_day(event, fallback)
    elif start.until and isinstance(data.get(start.until), str):
        condition.last = calendar.ordinal(data[start.until])
    return condition


class _Case:
    """All conditions of one rule in one case, in the order in which they became known."""

    def __init__(self, params: AbsenceAfter, view: View, fallback: tuple[str, ...]) -> None:
        self.params, self.view, self.fallback = params, view, fallback
        self.conditions: list[Condition] = []
        self.almost: list[Condition] = []
        ends = [After(select((entry.filter,), view), entry.link, view) for entry in params.end]
        for start in params.start:
            for event in select((start.entry.filter,), view):
                found = _condition(start, event, fallback, view)
                wrong = self._wrong(start, event)
                if wrong:
                    found.outcome, found.code = "NOT_APPLICABLE", wrong
                self._end(found, ends)
                (self.almost if wrong else self.conditions).append(found)
        for start in params.almost:
            for event in select((start.entry.filter,), view):
                found = _condition(start, event, fallback, view)
                found.outcome = start.entry.outcome or "NOT_APPLICABLE"
                found.code = start.entry.code
                self._end(found, ends)
                self.almost.append(found)
        self.conditions.sort(key=lambda condition: condition.known)
        self.almost.sort(key=lambda condition: condition.known)

    def _wrong(self, start: Start, event: Event) -> str:
        if start.form and event.data.get("form") not in start.form:
            return "not_in_writing"
        if start.period and not in_period(event, self.fallback, self.view):
            return "after_period"
        return ""

    def _end(self, condition: Condition, ends: Iterable[After]) -> None:
        event = condition.event
        if event.type == _PREFERENCE:
            for later in self.view.refs.get(event.id, ()):
                if later.data.get("withdraws") and later.rank > event.rank:
                    condition.end = later.rank
        for after in ends:
            found = after.first(event)
            if found is None:
                continue
            stated = found.data.get(self.params.end_at) if self.params.end_at else None
            if isinstance(stated, str):
                condition.last = calendar.ordinal(stated)
            elif condition.end is None or found.rank < condition.end:
                condition.end = found.rank


def _over(params: AbsenceAfter, condition: Condition, event: Event, zone: str) -> bool:
    """Whether the last day is behind the event, in one zone."""
    last = condition.last
    if last is None:
        return False
    day = event.day(zone)
    return day > last if params.last_day == "in" else day >= last


def _touches(case: _Case, condition: Condition, event: Event, blocks: Sequence[str]) -> bool | None:
    """Whether the act is of the sort that the condition forbids; None where that cannot be told."""
    start, data, match = condition.event, condition.event.data, case.params.match
    if "party" in match and start.parties and not set(start.parties) & set(event.parties):
        return False
    if "debts" in match and "debts" in data and not set(start.debts) & set(event.debts):
        return False
    if "media" in match and data.get("media") and event.medium not in data["media"]:
        return False
    if "points" in match and data.get("contact_points") and event.point not in data["contact_points"]:
        return False
    if "blocks" in match and "blocks" in data and blocks and not set(blocks) & set(data["blocks"]):
        return False
    unknown = False
    if "place" in match:
        wanted = data.get("place_kind")
        if wanted is None and data.get("kind") == "work_prohibited":
            wanted = "workplace"
        if wanted is not None:
            here = event.data.get("place_kind")
            if here is None and wanted == "workplace":
                here = "workplace" if event.work else None
            if here != wanted:
                return False
    if "windows" in match and data.get("windows"):
        zones = (data["zone"],) if calendar.zone(data.get("zone", "")) else zones_of(event, "candidates")
        inside = [in_windows(data["windows"], *event.local(zone)) for zone in zones]
        if data.get("kind") == "only_time":
            inside = [not here for here in inside]
        if not inside:
            unknown = True
        elif not any(inside):
            return False
    return None if unknown else True


def _allowed(case: _Case, condition: Condition, event: Event) -> Answer | None:
    for allow in case.params.allow:
        if not fits(allow.entry.filter, event, case.view):
            continue
        if allow.entry.outcome and allow.entry.outcome != "PASS":
            return Answer(allow.entry.outcome, (allow.entry.code or "allowed",), condition.rests)
        key: Any = None
        if allow.once == "kind":
            key = ("kind", event.data.get("kind"))
        elif allow.once == "start":
            key = "start"
        elif allow.once:
            named = event.data.get(allow.once)
            target = case.view.ids.get(named) if isinstance(named, str) else None
            if target is None or target.rank > event.rank:
                continue
            key = (allow.once, target.id)
        if key is not None:
            if key in condition.used:
                return Answer(allow.over, ("allowance_used",), (*condition.rests, condition.used[key]))
            condition.used[key] = event.place
        return Answer("PASS", (allow.entry.code or "allowed",), condition.rests)
    return None


def _under(case: _Case, condition: Condition, event: Event, entry: Entry) -> Answer | None:
    """What one condition says of the act; None where it does not reach it."""
    params, view = case.params, case.view
    if condition.known >= event.rank:
        early = params.before_knowledge and condition.legal <= event.time and condition.event.id != event.id
        if not early or _touches(case, condition, event, entry.blocks) is False:
            return None
        return Answer(params.before_knowledge, ("before_knowledge",), condition.rests)
    if condition.end is not None and condition.end < event.rank:
        return None
    touches = _touches(case, condition, event, entry.blocks)
    if touches is False:
        return None
    zones = zones_of(event, params.zone, case.fallback)
    mixed = False
    if condition.last is not None:
        over = [_over(params, condition, event, zone) for zone in zones]
        if over and all(over):
            return None
        mixed = any(over)
        if not over and _far(condition.last, event):
            return None
    if touches is None or (not zones and condition.last is not None):
        return Answer("INSUFFICIENT_EVIDENCE", ("no_zone",), condition.rests)
    answer = _allowed(case, condition, event)
    if answer is None:
        answer = excepted(params.excepts, event, zones, view) or Answer(FAIL)
        answer = Answer(answer.outcome, answer.codes, condition.rests + answer.rests)
    if mixed and answer.outcome != "PASS":
        return Answer("REVIEW", ("zone_decides", *answer.codes), answer.rests)
    return answer


def _far(last: int, event: Event) -> bool:
    """Whether the last day is over everywhere on Earth."""
    return event.time - (last - calendar.ordinal("1970-01-01")) * DAY_US > 2 * DAY_US


def _judge(
    params: AbsenceAfter, view: View, targets: Sequence[Event], on: Sequence[Entry], fallback: tuple[str, ...]
) -> Answers:
    case = _Case(params, view, fallback)
    if not case.conditions and not case.almost:
        return [_NO_HOLD] * len(targets)
    answers: Answers = []
    waiting = list(reversed(case.conditions))
    live: list[Condition] = []
    for event in targets:
        while waiting and waiting[-1].known < event.rank:
            _admit(live, waiting.pop())
        live = [one for one in live if not _gone(one, event)]
        entry = _entry_of(on, event, view)
        reached = [*live]
        if params.before_knowledge:
            reached += [one for one in waiting if one.legal <= event.time]
        found = [answer for one in reached if (answer := _under(case, one, event, entry)) is not None]
        if found:
            answers.append(worst(found))
            continue
        near = [one for one in case.almost if one.known < event.rank and not _gone(one, event)]
        near = [
            one
            for one in near
            if _touches(case, one, event, entry.blocks) and not _all_over(case, one, event)
        ]
        if near:
            codes = tuple(dict.fromkeys(one.code for one in near if one.outcome == near[-1].outcome))
            rests = tuple(place for one in near for place in one.rests)
            answers.append(Answer(near[-1].outcome, codes, rests))
        else:
            answers.append(_NO_HOLD)
    return answers


def _all_over(case: _Case, condition: Condition, event: Event) -> bool:
    zones = zones_of(event, case.params.zone, case.fallback)
    return bool(zones) and all(_over(case.params, condition, event, zone) for zone in zones)


def _gone(condition: Condition, event: Event) -> bool:
    if condition.end is not None and condition.end < event.rank:
        return True
    return condition.last is not None and _far(condition.last, event)


def _signature(condition: Condition) -> Any:
    data = condition.event.data
    parts = ("media", "contact_points", "place_kind", "windows", "zone", "kind", "scope", "form", "blocks")
    return (
        condition.event.type,
        condition.event.parties,
        condition.event.debts,
        repr([data.get(p) for p in parts]),
    )


def _admit(live: list[Condition], new: Condition) -> None:
    """Keeps one of several endless conditions that say the same: the first."""
    if new.end is None and new.last is None:
        mark = _signature(new)
        if any(one.end is None and one.last is None and _signature(one) == mark for one in live):
            return
    live.append(new)


def _entry_of(on: Sequence[Entry], event: Event, view: View) -> Entry:
    if len(on) == 1:
        return on[0]
    for entry in on:
        if fits(entry.filter, event, view):
            return entry
    return on[0]


def judge(
    readings: Sequence[AbsenceAfter],
    view: View,
    targets: Sequence[Event],
    fallback: tuple[str, ...],
    on: Sequence[Entry] = (),
) -> list[Answers]:
    results: list[Answers] = []
    for params in readings:
        # Where nothing was held, it makes no difference whether a last day counts.
        free = bool(results) and all(one is _NO_HOLD for one in results[0])
        if free and replace(params, last_day=readings[0].last_day) == readings[0]:
            results.append(results[0])
        else:
            results.append(_judge(params, view, targets, on or (Entry(),), fallback))
    return results
