"""PRE, must precede: the act only after something else, strictly earlier and linked to it. Several demands are
all to be met; the alternatives of one demand are joined by or."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ledger.rules import calendar
from ledger.rules.answers import PASS, Answer, Answers, date_zone, excepted, worst, zones_of
from ledger.rules.calendar import DAY_US
from ledger.rules.facts import Event, View
from ledger.rules.match import Index, fits, linked, select, shared
from ledger.rules.shapes import FAIL, Before, MustPrecede, Need

_NOTHING_GIVEN = Answer("PASS", ("no_hold",))


class Finder:
    """Looks for one alternative before each of many events."""

    def __init__(self, before: Before, view: View, fallback: tuple[str, ...]) -> None:
        self.before, self.view, self.fallback = before, view, fallback
        events = select((before.filter,), view)
        self._index = Index(events, before.link, view, self._moment)
        # Without delivery as a condition these came, but did not arrive: named where the demand fails.
        self._sent = Index(events, before.link, view, lambda event: event.time) if before.delivered else None
        self._runs = _runs(before, view, fallback) if before.run or before.run_dates else None

    def _moment(self, event: Event) -> int | None:
        if not self.before.delivered:
            return event.time
        arrival = self.view.arrived.get(event.id)
        return None if arrival is None else arrival.time

    def _zone(self, event: Event) -> str:
        return date_zone(event, self.fallback)

    def answer(self, event: Event) -> Answer:
        """PASS with what it rests on, or FAIL (or INSUFFICIENT_EVIDENCE) with what was found instead."""
        before, view = self.before, self.view
        if before.stream:
            names = shared(event, before.stream, view) or ()
            if not names:
                return Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))
            if not any(f"{before.stream}/{name}" in view.streams for name in names):
                return Answer("INSUFFICIENT_EVIDENCE", ("stream_missing",))
        if self._runs is not None:
            return self._run(event)
        limit = (event.time, event.rank)
        if before.gap is not None:
            zone = self._zone(event)
            newest = self._index.last(event, limit)
            if newest is None:
                return Answer(FAIL)
            # A date keeps its distance to the date on which the earlier event arrived.
            moment = self._moment(newest)
            assert moment is not None
            due = calendar.add(
                calendar.local(moment, zone)[0], before.gap.n, before.gap.unit, before.gap.calendar
            )
            if event.day(zone) < due:
                older = self._older(event, zone)
                if older is None:
                    return Answer(FAIL, ("too_early", f"from:{calendar.spelled(due)}"), (newest.place,))
                newest = older
        else:
            found = self._index.last(event, limit)
            if found is None:
                undelivered = self._sent.last(event, limit) if self._sent else None
                if undelivered is not None:
                    return Answer(FAIL, ("no_receipt",), (undelivered.place,))
                return Answer(FAIL)
            newest = found
        rests = [newest.place]
        if before.delivered:
            rests.append(view.arrived[newest.id].place)
        if before.valid is not None:
            zone = self._zone(event)
            end = calendar.add(newest.day(zone), before.valid.n, before.valid.unit, before.valid.calendar)
            if event.day(zone) > end:
                return Answer(FAIL, ("expired",), tuple(rests))
        for entry in before.absent:
            for other in view.refs.get(newest.id, ()):
                if other.rank < event.rank and fits(entry.filter, other, view):
                    return Answer(FAIL, (entry.code or "no_receipt",), (*rests, other.place))
        return Answer("PASS", (before.code,) if before.code else (), tuple(rests))

    def _older(self, event: Event, zone: str) -> Event | None:
        gap = self.before.gap
        assert gap is not None
        # The newest day on which an earlier event may lie, found by stepping back from the event's own day.
        day = event.day(zone)
        while calendar.add(day, gap.n, gap.unit, gap.calendar) > event.day(zone):
            day -= 1
        reach = event.time - (event.day(zone) - day - 1) * DAY_US
        found = self._index.last(event, (min(reach, event.time), event.rank))
        while found is not None:
            moment = self._moment(found)
            assert moment is not None
            if calendar.local(moment, zone)[0] <= day:
                return found
            found = self._index.last(event, (moment, found.rank))
        return None

    def _run(self, event: Event) -> Answer:
        assert self._runs is not None
        zone = self._zone(event)
        state: tuple[int, tuple[int, ...]] | None = None
        for n in range(bisect_left(self._runs, event.rank, key=lambda run: run[0]) - 1, -1, -1):
            _, day, places, key = self._runs[n]
            if linked(self.before.link, key, event, self.view):
                state = (day, places) if day >= 0 else None
                break
        if state is None:
            return Answer(FAIL)
        ready = state[0] + self.before.then_dates
        if event.day(zone) < ready:
            return Answer(FAIL, ("too_early", f"from:{calendar.spelled(ready)}"), state[1])
        return Answer("PASS", (self.before.code,) if self.before.code else (), state[1])


def _runs(
    before: Before, view: View, fallback: tuple[str, ...]
) -> list[tuple[int, int, tuple[int, ...], Event]]:
    """How the run stood after each event that moved it: the day on which it became long enough (-1 where it is
    not), and the events that made it so."""
    tries = select((before.filter,), view)
    breaks = select(before.broken_by, view) if before.broken_by else []
    broken = {event.rank for event in breaks}
    moves = {event.rank: event for event in (*tries, *breaks)}
    states: list[tuple[int, int, tuple[int, ...], Event]] = []
    run: list[tuple[int, int]] = []
    reached = -1
    for rank in sorted(moves):
        event = moves[rank]
        day = event.day(date_zone(event, fallback))
        if rank in broken:
            run, reached = [], -1
        else:
            if before.run_dates and run and day > run[-1][0] + 1:
                run, reached = [], -1
            run.append((day, event.place))
            length = len({d for d, _ in run}) if before.run_dates else len(run)
            if reached < 0 and length >= (before.run_dates or before.run):
                reached = day
        needed = run[-(before.run_dates or before.run) :] if not before.run_dates else run[-50:]
        states.append((rank, reached, tuple(place for _, place in needed), event))
    return states


def _demand(need: Need, finders: Sequence[Finder], event: Event) -> Answer:
    answers = [finder.answer(event) for finder in finders]
    for answer in answers:
        if answer.outcome == "PASS":
            return answer
    missing = [answer for answer in answers if answer.outcome != FAIL]
    if missing:
        return missing[0]
    code = (need.code,) if need.code else ()
    codes = tuple(dict.fromkeys(code + tuple(code for answer in answers for code in answer.codes)))
    rests = tuple(place for answer in answers for place in answer.rests)
    return Answer(FAIL, codes, rests)


def judge(
    readings: Sequence[MustPrecede], view: View, targets: Sequence[Event], fallback: tuple[str, ...]
) -> list[Answers]:
    return [_judge(params, view, targets, fallback) for params in readings]


def _judge(params: MustPrecede, view: View, targets: Sequence[Event], fallback: tuple[str, ...]) -> Answers:
    needs = [(need, [Finder(before, view, fallback) for before in need.any]) for need in params.need]
    given = [Index(select((entry.filter,), view), entry.link, view, _time) for entry in params.given]
    answers: Answers = []
    for event in targets:
        triggers: list[Event] = []
        if given:
            limit = (event.time, event.rank)
            triggers = [found for index in given if (found := index.last(event, limit)) is not None]
            if not triggers:
                answers.append(_NOTHING_GIVEN)
                continue
        met = [_demand(need, finders, event) for need, finders in needs if fits(need.when, event, view)]
        if not met:
            answers.append(PASS)
            continue
        answer = worst(met)
        if answer.outcome != "PASS":
            zones = zones_of(event, "candidates", fallback)
            answer = excepted(params.excepts, event, zones, view) or answer
        elif len(met) > 1:
            answer = Answer(
                "PASS",
                tuple(dict.fromkeys(code for one in met for code in one.codes)),
                tuple(place for one in met for place in one.rests),
            )
        rests = answer.rests + tuple(trigger.place for trigger in triggers)
        answers.append(answer if not triggers else Answer(answer.outcome, answer.codes, rests))
    return answers


def _time(event: Event) -> int:
    return event.time
