"""VAL, validity at a time: what an act leans on is good on its day. A closed list of calculators: `validation_end`,
`recent`, `limitation`, `demand_pair`, `qualified`. Each names the dates that it worked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ledger.rules import calendar
from ledger.rules.answers import NO_ZONE, Answer, Answers, worst, zones_of
from ledger.rules.consents import excuse
from ledger.rules.facts import Event, View
from ledger.rules.match import Index, fits, select, shared
from ledger.rules.periods import validation
from ledger.rules.rsp import stated_day
from ledger.rules.shapes import FAIL, Item, ValidAt

_MISSING = Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))
_Day: TypeAlias = int


class _Asked:
    """One rule, one case."""

    def __init__(self, params: ValidAt, view: View, fallback: tuple[str, ...]) -> None:
        self.params, self.view, self.fallback = params, view, fallback
        self._indexes: dict[int, Index] = {}

    def zone(self, event: Event) -> str:
        return zones_of(event, self.params.zone, self.fallback)[0]

    def index(self, n: int, item: Item) -> Index:
        found = self._indexes.get(n)
        if found is None:
            events = select((item.filter,), self.view)
            found = self._indexes[n] = Index(events, item.link, self.view, lambda event: event.time)
        return found


def _validation_end(asked: _Asked, event: Event) -> Answer:
    params = asked.params
    assert params.receipt is not None
    assert params.period is not None
    received, end = validation(event, asked.zone(event), params.receipt, params.period)
    codes = (f"receipt:{calendar.spelled(received)}", f"end:{calendar.spelled(end)}")
    stated = event.data.get(params.f)
    if not isinstance(stated, str):
        return Answer("INSUFFICIENT_EVIDENCE", ("field_missing", *codes))
    outcome = FAIL if calendar.ordinal(stated) < end else "PASS"
    return Answer(outcome, ("too_early", *codes) if outcome == FAIL else codes)


def _good_until(item: Item, event: Event, start: _Day, first_day: str) -> _Day | None:
    """Last day on which something that began on `start` is good; None where nothing ends it."""
    ends = []
    if item.end and isinstance(event.data.get(item.end), str):
        ends.append(calendar.ordinal(event.data[item.end]))
    if item.dates:
        ends.append(start + item.dates - (first_day == "grant"))
    return min(ends) if ends else None


def _recent(asked: _Asked, event: Event) -> Answer:
    """Something of the sort happened in the days before, and is still good."""
    params, view = asked.params, asked.view
    zones = zones_of(event, params.zone, asked.fallback)
    stale: list[Event] = []
    late: Answer | None = None
    for n, item in enumerate(params.items):
        if item.consent is not None:
            found = excuse(item.consent, event, zones, view)
            if found is not None and found.state == "ok":
                return Answer("PASS", (item.code or "consent",), (found.event.place,))
            if found is not None:
                late = Answer("REVIEW", ("exception_recorded_late",), (found.event.place,))
            continue
        newest = asked.index(n, item).last(event, (event.time, event.rank))
        if newest is None:
            continue
        good = True
        for zone in zones:
            start = (
                newest.day(zone) if item.start == "time" else stated_day(newest.data.get(item.start), zone)
            )
            if start is None:
                good = False
                continue
            end = _good_until(item, newest, start, params.first_day)
            good = good and start <= event.day(zone) and (end is None or event.day(zone) <= end)
        if good:
            return Answer("PASS", (item.code,) if item.code else (), (newest.place,))
        stale.append(newest)
    if late is not None:
        return late
    code = params.code or "expired"
    return Answer(FAIL, (code,), tuple(old.place for old in stale))


def _qualified(asked: _Asked, event: Event) -> Answer:
    """Every item (or one, without `every`) is valid on the day: in the stream of the one who acted, or on the
    event itself."""
    params, view = asked.params, asked.view
    zone = asked.zone(event)
    day = event.day(zone)
    if params.source:
        return _listed(asked, event, day)
    names: tuple[str, ...] = ()
    if params.stream:
        names = shared(event, "actor" if params.stream == "staff" else params.stream, view) or ()
        if not names:
            return _MISSING
        if not any(f"{params.stream}/{name}" in view.streams for name in names):
            return Answer("INSUFFICIENT_EVIDENCE", ("stream_missing",))
    rests: list[int] = []
    lacking: list[str] = []
    for n, item in enumerate(params.items):
        held = _held(asked, n, item, event, names)
        good = [one for one in held if _valid(item, one, day, zone, params.first_day)]
        if good:
            rests.append(good[-1].place)
            if not params.every:
                return Answer("PASS", (item.code,) if item.code else (), tuple(rests))
        else:
            lacking.append("expired" if held else "item_missing")
            rests.extend(one.place for one in held[-1:])
    if not lacking:
        return Answer("PASS", (), tuple(rests))
    return Answer(FAIL, (params.code,) if params.code else tuple(dict.fromkeys(lacking)), tuple(rests))


def _held(asked: _Asked, n: int, item: Item, event: Event, names: Sequence[str]) -> list[Event]:
    view = asked.view
    if names:
        streams = (view.streams.get(f"{asked.params.stream}/{name}", []) for name in names)
        found = [one for held in streams for one in held if fits(item.filter, one, view)]
        return [one for one in found if one.rank != event.rank]
    newest = asked.index(n, item).last(event, (event.time, event.rank))
    return [] if newest is None else [newest]


def _valid(item: Item, held: Event, day: _Day, zone: str, first_day: str) -> bool:
    start = held.day(zone) if item.start == "time" else stated_day(held.data.get(item.start), zone)
    if start is None or start > day:
        return False
    end = _good_until(item, held, start, first_day)
    return end is None or day <= end


def _listed(asked: _Asked, event: Event, day: _Day) -> Answer:
    """Objects of a list in the event itself, each with its dates: `policies` of a registration."""
    held = event.data.get(asked.params.source)
    if not isinstance(held, list):
        return _MISSING
    for item in asked.params.items:
        good = False
        for one in held:
            if one.get("kind") == item.name and calendar.ordinal(one[item.start]) <= day:
                good = good or item.end not in one or day <= calendar.ordinal(one[item.end])
        if not good:
            return Answer(FAIL, ("item_missing",))
    return Answer("PASS")


def _debts(event: Event, view: View) -> dict[str, Event]:
    """The newest itemisation of each of the event's debts."""
    found: dict[str, Event] = {}
    for itemised in view.of("debt.itemised"):
        if itemised.rank < event.rank and itemised.data["debt"] in event.debts:
            found[itemised.data["debt"]] = itemised
    return found


def _limitation(asked: _Asked, event: Event) -> Answer:
    itemised = _debts(event, asked.view)
    if not itemised or set(itemised) != set(event.debts):
        return _MISSING
    return worst([_barred(asked, event, debt, found) for debt, found in itemised.items()])


def _years(params: ValidAt, place: str) -> int:
    for prefix, years in params.years_in:
        if place == prefix or place.startswith(prefix + "-"):
            return years
    return params.years


def _barred(asked: _Asked, event: Event, debt: str, itemised: Event) -> Answer:
    """The clock of one debt: from its base, anew at each thing that restarts it while it still runs."""
    params, view = asked.params, asked.view
    zone = asked.zone(event)
    base = itemised.data.get(params.base)
    if not isinstance(base, str):
        return _MISSING
    rests = [itemised.place]
    years = _years(params, view.residence(event.time))
    end = calendar.add_months(calendar.ordinal(base), 12 * years)
    waived: Event | None = None
    for moment, act, effect, start in _restarts(asked, event, debt, zone):
        if moment <= end:
            end = max(end, calendar.add_months(start, 12 * years))
            rests += dict.fromkeys((act.place, effect.place))
        elif any(fits(filter_, act, view) for filter_ in params.waiver):
            waived = act
    codes = (f"end:{calendar.spelled(end)}",)
    if event.day(zone) <= end:
        return Answer("PASS", codes, tuple(rests))
    if waived is not None:
        return Answer("REVIEW", ("waiver_possible", "expired", *codes), (*rests, waived.place))
    return Answer(FAIL, ("expired", *codes), tuple(rests))


def _restarts(asked: _Asked, event: Event, debt: str, zone: str) -> list[tuple[int, Event, Event, int]]:
    """(day on which it took effect, act, what made it effective, day from which the clock runs anew), oldest
    first."""
    view = asked.view
    found = []
    for item in asked.params.restart:
        for act in select((item.filter,), view):
            if act.rank >= event.rank or (act.debts and debt not in act.debts):
                continue
            effect = act
            if item.start == "receipt":
                arrival = view.arrived.get(act.id)
                if arrival is None or arrival.rank >= event.rank:
                    continue
                effect = arrival
            day = effect.day(zone)
            start = stated_day(act.data.get(item.end), zone) if item.end else day
            found.append((day, act, effect, day if start is None else start))
    found.sort(key=lambda one: (one[0], one[1].rank))
    return found


def _demand_pair(asked: _Asked, event: Event) -> Answer:
    """Two demands after the debt fell due, far enough apart, each with its receipt, and then time to pay."""
    params, view = asked.params, asked.view
    zone = asked.zone(event)
    itemised = _debts(event, view)
    due = {debt: one.data.get("due_on") for debt, one in itemised.items()}
    if not due or any(not isinstance(day, str) for day in due.values()):
        return _MISSING
    answers = []
    for debt, day in due.items():
        assert isinstance(day, str)
        answers.append(_pair(asked, event, debt, calendar.ordinal(day), itemised[debt], zone))
    answer = worst(answers)
    if answer.outcome == FAIL and params.evasion is not None and fits(params.evasion, event, view):
        return Answer("REVIEW", answer.codes, answer.rests)
    return answer


def _pair(asked: _Asked, event: Event, debt: str, due: int, itemised: Event, zone: str) -> Answer:
    params, view = asked.params, asked.view
    good: list[tuple[int, Event]] = []
    codes: list[str] = []
    rests = [itemised.place]
    for act in select(params.demands, view):
        if act.rank >= event.rank or (act.debts and debt not in act.debts):
            continue
        rests.append(act.place)
        received = act
        if act.type == "contact.call_placed":
            codes.append("no_receipt")
            continue
        if act.type == "contact.message_sent":
            arrival = view.arrived.get(act.id)
            if arrival is None or arrival.rank >= event.rank:
                codes.append("no_receipt")
                continue
            received = arrival
            rests.append(arrival.place)
        if received.day(zone) <= due:
            codes.append("before_due")
            continue
        good.append((received.day(zone), act))
    good.sort(key=lambda one: (one[0], one[1].rank))
    # The earliest second demand that stands far enough from the first leaves the most time to pay.
    second = next((day for day, _ in good[1:] if day >= good[0][0] + params.apart), None)
    if second is None:
        close = ("too_early",) if len(good) > 1 else ()
        return Answer(FAIL, tuple(dict.fromkeys(("no_pair", *close, *codes))), tuple(rests))
    ready = calendar.add_months(second, params.unpaid_months)
    stated = (f"from:{calendar.spelled(ready + 1)}",)
    if event.day(zone) <= ready:
        return Answer(FAIL, ("too_early", *stated), tuple(rests))
    for payment in view.of("payment.received"):
        if debt in payment.data.get("cleared", ()) and payment.rank < event.rank:
            return Answer(FAIL, ("no_pair", *stated), (*rests, payment.place))
    return Answer("PASS", stated, tuple(rests))


_CALCULATORS: Mapping[str, Callable[[_Asked, Event], Answer]] = {
    "validation_end": _validation_end,
    "recent": _recent,
    "limitation": _limitation,
    "demand_pair": _demand_pair,
    "qualified": _qualified,
}
CALCULATORS = tuple(_CALCULATORS)


def judge(
    readings: Sequence[ValidAt], view: View, targets: Sequence[Event], fallback: tuple[str, ...]
) -> list[Answers]:
    results: list[Answers] = []
    for params in readings:
        asked = _Asked(params, view, fallback)
        calculate = _CALCULATORS[params.calculator]
        answers: Answers = []
        for event in targets:
            answers.append(_one(asked, calculate, event))
        results.append(answers)
    return results


def _one(asked: _Asked, calculate: Callable[[_Asked, Event], Answer], event: Event) -> Answer | None:
    params = asked.params
    if params.given:
        before = select(params.given, asked.view)
        if not any(_same_party(one, event) for one in before if one.rank < event.rank):
            return None
    if not zones_of(event, params.zone, asked.fallback):
        return NO_ZONE
    return calculate(asked, event)


def _same_party(one: Event, event: Event) -> bool:
    return not one.parties or bool(set(one.parties) & set(event.parties))
