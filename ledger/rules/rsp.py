"""RSP, response within: after a trigger, an answer by its due day. The day after the start is day 1 and the due
day is included. Before the due day has passed, nothing is said but `not_due`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.kernel import canonical
from ledger.rules import calendar
from ledger.rules.answers import NO_ZONE, RANK, Answer, Answers, zones_of
from ledger.rules.facts import Event, View
from ledger.rules.match import After, fits, select
from ledger.rules.periods import in_period
from ledger.rules.shapes import FAIL, ResponseWithin, Span, Step


class _Seeker:
    def __init__(self, step: Step, view: View) -> None:
        self.step, self.view = step, view
        self._after = [After(select((entry.filter,), view), entry.link, view) for entry in step.then]

    def first(self, event: Event) -> Event | None:
        if any(fits(filter_, event, self.view) for filter_ in self.step.itself):
            return event
        found = [answer for after in self._after if (answer := after.first(event)) is not None]
        return min(found, key=lambda answer: answer.rank) if found else None


def stated_day(value: Any, zone: str) -> int | None:
    """Day number of a member that holds a date or a time."""
    if not isinstance(value, str):
        return None
    if "T" in value:
        return calendar.local(canonical.parse_time(value), zone)[0]
    return calendar.ordinal(value)


def _start(params: ResponseWithin, event: Event, zone: str, view: View) -> int | None:
    """Day of the start; None where what it counts from is not known."""
    if params.start == "time":
        return event.day(zone)
    if params.start == "receipt":
        arrival = view.arrived.get(event.id)
        return arrival.day(zone) if arrival is not None else None
    if params.start == "assumed":
        assert params.assumed is not None
        return _later(event.day(zone), params.assumed)
    return stated_day(event.data.get(params.start), zone)


def _later(day: int, span: Span) -> int:
    return calendar.add(day, span.n, span.unit, span.calendar)


def _paused(params: ResponseWithin, event: Event, start: int, due: int, zone: str, view: View) -> int:
    """The due day after pauses: each paused day that lies before it moves it on by one."""
    if not params.pause:
        return due
    starts = select(tuple(entry.filter for entry in params.pause), view)
    resumes = [After(select((entry.filter,), view), entry.link, view) for entry in params.resume]
    for begun in starts:
        if begun.rank <= event.rank or begun.day(zone) > due:
            continue
        ends = [found for after in resumes if (found := after.first(begun)) is not None]
        last = min((found.day(zone) for found in ends), default=calendar.local(view.as_of, zone)[0])
        due += max(last - max(begun.day(zone), start), 0)
    return due


def _step(params: ResponseWithin, seeker: _Seeker, event: Event, zone: str, view: View) -> Answer:
    step = seeker.step
    start = _start(params, event, zone, view)
    if start is None:
        return Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))
    if step.until:
        due = stated_day(event.data.get(step.until), zone)
        if due is None:
            return Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))
    else:
        assert step.within is not None
        due = _paused(params, event, start, _later(start, step.within), zone, view)
    codes: tuple[str, ...] = (f"due:{calendar.spelled(due)}",)
    answer = seeker.first(event)
    if answer is not None:
        rests = (answer.place,) if answer is not event else ()
        if answer.day(zone) <= due:
            return Answer("PASS", codes, rests)
        return Answer(FAIL, (*codes, step.code) if step.code else codes, rests)
    if calendar.local(view.as_of, zone)[0] <= due:
        return Answer("NOT_APPLICABLE", ("not_due", *codes))
    return Answer(FAIL, (*codes, step.code) if step.code else codes)


def _answer(
    params: ResponseWithin, seekers: Sequence[_Seeker], event: Event, zones: Sequence[str], view: View
) -> Answer:
    answers = []
    for zone in zones:
        steps = [_step(params, seeker, event, zone, view) for seeker in seekers]
        # What is still to come keeps the rule open, and what has failed already has failed.
        steps.sort(key=lambda step: (step.outcome != FAIL, step.outcome == "PASS", RANK[step.outcome]))
        first = steps[0]
        if len(steps) > 1:
            codes = tuple(dict.fromkeys(code for step in steps for code in step.codes))
            if first.outcome != "NOT_APPLICABLE":
                codes = tuple(code for code in codes if code != "not_due")
            first = Answer(first.outcome, codes, tuple(place for step in steps for place in step.rests))
        answers.append(first)
    if len({answer.outcome for answer in answers}) > 1:
        return Answer("REVIEW", ("zone_decides", *answers[0].codes), answers[0].rests)
    return answers[0]


def _wrong(params: ResponseWithin, event: Event, fallback: tuple[str, ...], view: View) -> str:
    """Why a trigger begins nothing."""
    if params.form and event.data.get("form") not in params.form:
        return "not_in_writing"
    if params.period and not in_period(event, fallback, view):
        return "after_period"
    return ""


def judge(
    readings: Sequence[ResponseWithin], view: View, targets: Sequence[Event], fallback: tuple[str, ...]
) -> list[Answers]:
    results: list[Answers] = []
    for params in readings:
        seekers = [_Seeker(step, view) for step in params.steps]
        answers: Answers = []
        for event in targets:
            wrong = _wrong(params, event, fallback, view)
            if wrong:
                answers.append(Answer("NOT_APPLICABLE", (wrong,)))
                continue
            zones = zones_of(event, params.zone, fallback)
            answers.append(_answer(params, seekers, event, zones, view) if zones else NO_ZONE)
        results.append(answers)
    return results
