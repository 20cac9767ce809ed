"""FC, frequency caps: at most n counted acts in the local dates that end with the event, or in the dates that
begin with a starting event (day 1). Every key of the event is counted by itself and the worst one answers.
Keys reach no further than the case."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice, product
from typing import NamedTuple

from ledger.rules import calendar
from ledger.rules.answers import NO_ZONE, PASS, Answer, Answers, zones_of
from ledger.rules.consents import excuse
from ledger.rules.facts import Event, View
from ledger.rules.match import predicate, select, shared
from ledger.rules.shapes import CANDIDATES, FAIL, Entry, FrequencyCap

_NOT_COUNTED = Answer("PASS", ("not_counted",))
_LATE = "exception_recorded_late"
# A finding over a cap names so many of the counted acts, the last ones: a day of thousands stays a page.
_NAMED = 256


class _Counted(NamedTuple):
    counts: bool
    rests: tuple[int, ...] = ()
    late: bool = False
    consent: bool = False


_YES = _Counted(True)
_NO = _Counted(False)


def _flags(cap: FrequencyCap, targets: Sequence[Event], view: View) -> list[_Counted]:
    """What of each event counts. Rules that ask the same of the same events share the answer."""
    consents = bool(view.by_type.get("consent.recorded"))
    exclude = cap.exclude if consents else tuple([entry for entry in cap.exclude if entry.consent is None])
    key = ("counted", cap.count, exclude, cap.zone, id(targets))
    found: tuple[Sequence[Event], list[_Counted]] | None = view.memo.get(key)
    if found is None:
        # The events are kept beside the answer, so that their identity stays theirs.
        found = view.memo[key] = (targets, [_counted(cap, exclude, event, view) for event in targets])
    return found[1]


def _counted(cap: FrequencyCap, exclude: Sequence[Entry], event: Event, view: View) -> _Counted:
    if cap.count and not any(_passes(entry, event, view) for entry in cap.count):
        return _NO
    result = _YES
    for entry in exclude:
        if entry.consent is None:
            if _passes(entry, event, view):
                ref = entry.filter.ref
                return _Counted(False, (view.ids[event.data[ref.f]].place,)) if ref else _NO
        else:
            found = excuse(entry.consent, event, zones_of(event, cap.zone), view)
            if found is not None and found.state == "ok":
                return _Counted(False, (found.event.place,), consent=True)
            if found is not None and found.state == "late":
                result = _Counted(True, (found.event.place,), late=True)
    return result


def _passes(entry: Entry, event: Event, view: View) -> bool:
    if entry.filter.types and event.type not in entry.filter.types:
        return False
    passes = predicate(entry.filter)
    return passes is None or passes(event, view)


def _keys(cap: FrequencyCap, event: Event, view: View) -> tuple[tuple[str, ...], ...]:
    """Every combination that the event adds to; none where a part of the key is missing."""
    if cap.key == ("party", "debt"):
        if len(event.parties) == 1 and len(event.debts) == 1:
            return ((event.parties[0], event.debts[0]),)
        return tuple(product(event.parties, event.debts))
    return tuple(product(*((shared(event, part, view) or ()) for part in cap.key)))


class _Tally:
    """Counted acts of one key in one zone."""

    __slots__ = ("hot", "recent", "start", "started", "today", "today_count")

    def __init__(self) -> None:
        self.recent: deque[tuple[int, int]] = deque()
        self.today = self.today_count = 0
        self.hot = -1  # the last date that alone held n counted acts
        self.start = -1  # day of the newest starting event
        self.started = -1

    def add(self, day: int, place: int, cap: FrequencyCap) -> None:
        self.recent.append((day, place))
        if day != self.today:
            self.today, self.today_count = day, 0
        self.today_count += 1
        if cap.n and self.today_count >= cap.n:
            self.hot = day


class _Window:
    def __init__(self, cap: FrequencyCap, view: View) -> None:
        self.cap, self.view = cap, view
        self.tallies: dict[tuple[str, tuple[str, ...]], _Tally] = {}
        self.zones = sorted(view.zones) if cap.zone == CANDIDATES else [cap.zone]
        if cap.window == "lifetime":
            self.zones = ["UTC"]

    def of(self, zone: str, key: tuple[str, ...]) -> _Tally:
        found = self.tallies.get((zone, key))
        if found is None:
            found = self.tallies[zone, key] = _Tally()
        return found

    def count(self, event: Event, keys: Sequence[tuple[str, ...]]) -> None:
        for zone in self.zones:
            day = event.day(zone)
            for key in keys:
                self.of(zone, key).add(day, event.place, self.cap)

    def begin(self, event: Event) -> None:
        for zone in self.zones:
            day = event.day(zone)
            for key in _keys(self.cap, event, self.view):
                tally = self.of(zone, key)
                tally.start, tally.started = day, event.place

    def over(self, event: Event, zone: str, key: tuple[str, ...]) -> tuple[tuple[int, ...] | None, bool]:
        """What the count rests on where it is over the cap, else None; and whether one day held all of it."""
        cap, tally, day = self.cap, self.of(zone, key), event.day(zone)
        if cap.after:
            if not 0 <= tally.start <= day < tally.start + cap.dates:
                return None, False
            low = tally.start
        else:
            low = day - cap.dates + 1 if cap.window != "lifetime" else -1
        recent = tally.recent
        while recent and recent[0][0] < low:
            recent.popleft()
        concentrated = "concentrated" in cap.factors and tally.hot >= day - cap.dates > 0
        if len(recent) <= cap.n:
            return None, concentrated
        rests = tuple([place for _, place in islice(reversed(recent), _NAMED)])[::-1]
        return (((tally.started, *rests) if cap.after else rests), concentrated)


def _incomplete(cap: FrequencyCap, event: Event, zone: str, view: View) -> Answer | None:
    """Why a count that stayed under the cap proves nothing: a source that differs, or one that is missing."""
    if cap.window == "lifetime":
        return None
    day = event.day(zone)
    days = range(day - cap.dates + 1, day + 1)
    differs, complete, assigned = _sources(cap, view)
    if differs:
        for other in days:
            if other in differs:
                return Answer("INSUFFICIENT_EVIDENCE", ("count_differs",), (differs[other],))
    if cap.complete:
        for agency, start, end, place in assigned:
            for other in days:
                if start <= other <= end and (agency, other) not in complete:
                    return Answer("INSUFFICIENT_EVIDENCE", ("source_missing",), (place,))
    return None


class _Sources(NamedTuple):
    """Days that a source counted otherwise (with the entry that says so), counts that are there by agency and
    day, and which agency had the case from when to when."""

    differs: dict[int, int]
    complete: set[tuple[str, int]]
    assigned: list[tuple[str, int, int, int]]


def _sources(cap: FrequencyCap, view: View) -> _Sources:
    key = ("sources", cap.unit, cap.zone)
    found: _Sources | None = view.memo.get(key)
    if found is not None:
        return found
    differs: dict[int, int] = {}
    complete: set[tuple[str, int]] = set()
    for event in view.of("source.counted"):
        data = event.data
        if data["unit"] == cap.unit:
            day = calendar.ordinal(data["day"])
            if data["stated"] != data["found"]:
                differs[day] = event.place
            complete.add((data.get("agency", ""), day))
    assigned: list[tuple[str, int, int, int]] = []
    zone = "UTC" if cap.zone == CANDIDATES else cap.zone
    for event in view.of("case.assigned"):
        day = event.day(zone)
        if assigned and assigned[-1][2] > day:
            assigned[-1] = (*assigned[-1][:2], day, assigned[-1][3])
        if "to_agency" in event.data:
            assigned.append((event.data["to_agency"], day, 1 << 30, event.place))
    found = view.memo[key] = _Sources(differs, complete, assigned)
    return found


def _answer(window: _Window, event: Event, keys: Sequence[tuple[str, ...]], counted: _Counted) -> Answer:
    cap, view = window.cap, window.view
    zones = ("UTC",) if cap.window == "lifetime" else zones_of(event, cap.zone)
    if not zones:
        return NO_ZONE
    if not (counted.counts and keys):
        if counted.rests:
            why = ("not_counted", "consent") if counted.consent else ("not_counted",)
            return Answer("PASS", why, counted.rests)
        return _NOT_COUNTED
    over: tuple[int, ...] | None = None
    all_over, any_concentrated = True, False
    for zone in zones:
        here: tuple[int, ...] | None = None
        for key in keys:
            rests, concentrated = window.over(event, zone, key)
            any_concentrated = any_concentrated or concentrated
            if rests is not None and (here is None or len(rests) > len(here)):
                here = rests
        all_over = all_over and here is not None
        over = here if over is None else over
    codes: tuple[str, ...] = ("zone_mismatch",) if event.mismatch else ()
    if any_concentrated:
        codes += ("concentrated",)
    if over is None:
        missing = _incomplete(cap, event, zones[0], view)
        if missing is not None:
            return missing
        return Answer("PASS", codes, event.mismatch) if codes else PASS
    if counted.late:
        return Answer("REVIEW", (_LATE, *codes), over + counted.rests)
    if not all_over:
        return Answer("REVIEW", ("zone_decides", *codes), over)
    return Answer(FAIL, codes, over)


def _run(cap: FrequencyCap, view: View, targets: Sequence[Event], counted: Sequence[_Counted]) -> Answers:
    window = _Window(cap, view)
    starts = select(cap.after, view) if cap.after else []
    next_start = 0
    answers: Answers = []
    for event, verdict in zip(targets, counted, strict=True):
        while next_start < len(starts) and starts[next_start].rank < event.rank:
            if starts[next_start].contact != event.contact:
                window.begin(starts[next_start])
            next_start += 1
        keys = _keys(cap, event, view)
        if verdict.counts:
            window.count(event, keys)
        answers.append(_answer(window, event, keys, verdict))
    return answers


def judge(
    readings: Sequence[FrequencyCap], view: View, targets: Sequence[Event], _fallback: tuple[str, ...]
) -> list[Answers]:
    """Answers of each reading; a reading that counts the same events is not counted again."""
    first = readings[0]
    flags = _flags(first, targets, view)
    results = [_run(first, view, targets, flags)]
    for cap in readings[1:]:
        others = _flags(cap, targets, view)
        same = (others is flags or others == flags) and (cap.n, cap.dates, cap.key, cap.zone) == (
            first.n,
            first.dates,
            first.key,
            first.zone,
        )
        results.append(results[0] if same else _run(cap, view, targets, others))
    return results
