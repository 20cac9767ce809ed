"""TW, time windows: an act falls, or must not fall, into certain hours where the person may be. Judged to the
microsecond; `permit` is closed at both ends, `forbid` is [start, end). In several candidate zones the hours
must suit all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.rules import calendar
from ledger.rules.answers import NO_ZONE, PASS, Answer, Answers, excepted, zones_of
from ledger.rules.calendar import DAY_US, MINUTE_US
from ledger.rules.facts import Event, View
from ledger.rules.shapes import FAIL, TimeWindow

_UNREAD = Answer("REVIEW", ("unconfirmed",))


def outside(window: TimeWindow, clock: int) -> bool:
    """Whether a moment of the local day is one at which nothing may happen."""
    if window.permit:
        return not any(start * MINUTE_US <= clock <= end * MINUTE_US for start, end in window.permit)
    for start, end in window.forbid:
        a, b = start * MINUTE_US, end * MINUTE_US
        if (a <= clock < b) if a <= b else (clock >= a or clock < b):
            return True
    return False


class _Hours:
    """A window with the moments of the day at which it opens or shuts."""

    def __init__(self, window: TimeWindow) -> None:
        self.window = window
        edges: set[int] = set()
        for a, b in (*window.permit, *window.forbid):
            edges |= {a * MINUTE_US % DAY_US, b * MINUTE_US % DAY_US, (b * MINUTE_US + 1) % DAY_US}
        self.edges = sorted(edges)

    def reaches(self, start: tuple[int, int], end: tuple[int, int]) -> bool:
        """Whether a span from one local moment to another, its end not included, touches a forbidden one.
        Beyond two days it has touched all there are."""
        if outside(self.window, start[1]):
            return True
        for day in range(start[0], min(end[0], start[0] + 2) + 1):
            low = start[1] if day == start[0] else 0
            high = end[1] if day == end[0] else DAY_US
            if day > start[0] and high and outside(self.window, 0):
                return True
            for edge in self.edges:
                if low < edge < high and outside(self.window, edge):
                    return True
        return False

    def bad(self, event: Event, moment: int, zone: str) -> bool:
        """Whether the event falls into hours in which nothing may happen, in one zone."""
        start = event.local(zone) if moment == event.time else calendar.local(moment, zone)
        if self.window.touch == "span" and event.duration:
            return self.reaches(start, calendar.local(moment + event.duration, zone))
        return outside(self.window, start[1])


def _answer(hours: _Hours, event: Event, view: View) -> Answer | None:
    window = hours.window
    if event.named:
        return None
    if window.unread:
        return _UNREAD
    zones = zones_of(event, window.zone)
    if not zones:
        return NO_ZONE
    moment, rests = event.time, event.mismatch
    if window.message_at == "delivered":
        arrival = view.arrived.get(event.id)
        if arrival is not None:
            moment, rests = arrival.time, (*rests, arrival.place)
    if window.touch == "span":
        rests += event.talk
    bad = [hours.bad(event, moment, zone) for zone in zones]
    if not any(bad):
        return Answer("PASS", ("zone_mismatch",), rests) if event.mismatch else PASS
    found = excepted(window.excepts, event, zones, view)
    codes: tuple[str, ...] = ("zone_mismatch",) if event.mismatch else ()
    if not all(bad):
        codes += ("zone_decides",)
    if found is not None:
        return Answer(found.outcome, found.codes + codes, found.rests + rests)
    return Answer(FAIL, codes, rests)


def judge(
    readings: Sequence[TimeWindow], view: View, targets: Sequence[Event], _fallback: tuple[str, ...]
) -> list[Answers]:
    """Answers of each reading. One about the span or the arrival differs only where an event has one."""
    first = readings[0]
    hours = _Hours(first)
    base: Answers = [_answer(hours, event, view) for event in targets]
    results = [base]
    for window in readings[1:]:
        hours = _Hours(window)
        if replace(window, touch=first.touch, message_at=first.message_at) != first:
            results.append([_answer(hours, event, view) for event in targets])
            continue
        other = base
        for n, event in enumerate(targets):
            if (event.duration and window.touch != first.touch) or (
                event.id in view.arrived and window.message_at != first.message_at
            ):
                if other is base:
                    other = list(base)
                other[n] = _answer(hours, event, view)
        results.append(other)
    return results
