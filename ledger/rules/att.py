"""ATT, requires attribute: ordered clauses over one event, its linked events and what came before; the first
clause that fits answers. A clause that turns on a protected member which was not opened answers
INSUFFICIENT_EVIDENCE."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ledger.events.registry import all_types, protected_members
from ledger.kernel import canonical
from ledger.rules.answers import PASS, Answer, Answers, zones_of
from ledger.rules.calendar import MINUTE_US
from ledger.rules.consents import excuse
from ledger.rules.facts import Event, View, is_closed
from ledger.rules.match import Index, fits, getter, is_absent, linked, predicate, select
from ledger.rules.pre import Finder
from ledger.rules.shapes import Before, Clause, RequiresAttribute

_CLOSED = Answer("INSUFFICIENT_EVIDENCE", ("field_missing",))


@cache
def _protected() -> frozenset[str]:
    """Names of members that never stand in the clear, in any type."""
    return frozenset(name for cls in all_types() for name in protected_members(cls.TYPE, cls.VERSION))


class _Linked:
    """Events that name the judged one, before or after it; those of its own type or time are no exception."""

    def __init__(self, before: Before, view: View) -> None:
        self.before, self.view = before, view
        self._events = select((before.filter,), view)
        self._index = Index(self._events, before.link, view, lambda event: event.time)

    def find(self, event: Event) -> Event | None:
        link = self.before.link
        if link.f and not link.to:
            for other in self.view.refs.get(event.id, ()):
                target = self.view.ids.get(other.data.get(link.f, ""))
                if (
                    target is not None
                    and target.id == event.id
                    and fits(self.before.filter, other, self.view)
                ):
                    return other
            return None
        found = self._index.last(event, (1 << 62, 1 << 62))
        return found if found is None or linked(link, found, event, self.view) else None


class _Ready:
    """A clause with its searches made."""

    def __init__(self, clause: Clause, view: View, fallback: tuple[str, ...]) -> None:
        self.clause = clause
        self.prior = Finder(clause.prior, view, fallback) if clause.prior else None
        self.no_prior = Finder(clause.no_prior, view, fallback) if clause.no_prior else None
        self.linked = _Linked(clause.linked, view) if clause.linked else None
        self.no_linked = _Linked(clause.no_linked, view) if clause.no_linked else None
        self.passes = predicate(clause.filter)
        self.missing = tuple(getter(f) for f in clause.missing)
        self.asked = tuple(getter(test.f) for test in clause.filter.where if test.f in _protected())

    def answer(self, event: Event, view: View, fallback: tuple[str, ...]) -> Answer | None:
        clause = self.clause
        types = clause.filter.types
        if types and event.type not in types:
            return None
        if self.asked and any(is_closed(read(event)) for read in self.asked):
            return _CLOSED
        if self.passes is not None and not self.passes(event, view):
            return None
        if self.missing and not any(is_absent(read(event)) for read in self.missing):
            return None
        rests: tuple[int, ...] = ()
        if self.prior is not None:
            found = self.prior.answer(event)
            if found.outcome != "PASS":
                return None
            rests += found.rests
        if self.no_prior is not None and self.no_prior.answer(event).outcome == "PASS":
            return None
        if self.linked is not None:
            other = self.linked.find(event)
            if other is None:
                return None
            rests += (other.place,)
        if self.no_linked is not None and self.no_linked.find(event) is not None:
            return None
        if clause.consent is not None:
            excused = excuse(clause.consent, event, zones_of(event, "candidates", fallback), view)
            if excused is None or excused.state != "ok":
                return None
            rests += (excused.event.place,)
        if clause.overstay is not None and not _overstayed(event, *clause.overstay):
            return None
        return Answer(clause.outcome, (clause.code,) if clause.code else (), rests)


def _overstayed(event: Event, f: str, minutes: int) -> bool:
    asked = event.data.get(f)
    if not isinstance(asked, str) or not event.duration:
        return False
    return event.time + event.duration > canonical.parse_time(asked) + minutes * MINUTE_US


def judge(
    readings: Sequence[RequiresAttribute], view: View, targets: Sequence[Event], fallback: tuple[str, ...]
) -> list[Answers]:
    results: list[Answers] = []
    for params in readings:
        clauses = [_Ready(clause, view, fallback) for clause in params.clauses]
        answers: Answers = []
        for event in targets:
            answer: Answer | None = PASS
            for ready in clauses:
                found = ready.answer(event, view, fallback)
                if found is not None:
                    answer = None if ready.clause.skip and found is not _CLOSED else found
                    break
            answers.append(answer)
        results.append(answers)
    return results
