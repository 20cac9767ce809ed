"""Filters of a pack, made into functions once per rule, and the links between events."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from ledger.rules.facts import Event, View, is_closed
from ledger.rules.shapes import Filter, Link, Test

Predicate: TypeAlias = Callable[[Event, View], bool]
_ABSENT: Any = object()

# Members that the evaluator works out, written with an @ in a pack.
ATTRIBUTES: Mapping[str, Callable[[Event], Any]] = {
    "@capacity": lambda event: event.capacity,
    "@actor": lambda event: event.actor or _ABSENT,
    "@medium": lambda event: event.medium or _ABSENT,
    "@work": lambda event: _ABSENT if event.work is None else event.work,
    "@reserved": lambda event: _ABSENT if event.reserved is None else event.reserved,
    "@named": lambda event: event.named,
}


@cache
def getter(f: str) -> Callable[[Event], Any]:
    """Reads a member: `outcome`, `evidence.kind` (of every object in a list), or one of ATTRIBUTES."""
    if f in ATTRIBUTES:
        return ATTRIBUTES[f]
    outer, _, inner = f.partition(".")
    if not inner:
        return lambda event: event.data.get(outer, _ABSENT)

    def deep(event: Event) -> Any:
        held = event.data.get(outer, _ABSENT)
        if held is _ABSENT or is_closed(held):
            return held
        items = held if isinstance(held, list) else [held]
        return [item[inner] for item in items if inner in item]

    return deep


def is_absent(value: Any) -> bool:
    return value is _ABSENT


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _test(test: Test) -> Callable[[Event], bool]:
    read, op, value = getter(test.f), test.op, test.value
    if op == "has":
        return lambda event: (read(event) is not _ABSENT) is value
    if op == "is":
        return lambda event: read(event) == value
    wanted = frozenset(value) if isinstance(value, tuple) else frozenset()

    def known(decide: Callable[[Any], bool], absent: bool) -> Callable[[Event], bool]:
        def decided(event: Event) -> bool:
            held = read(event)
            if held is _ABSENT or is_closed(held):
                return absent
            return decide(held)

        return decided

    if op == "in":
        if "." not in test.f and not test.f.startswith("@"):
            f = test.f

            def within(event: Event) -> bool:
                held = event.data.get(f)
                if held.__class__ is str:
                    return held in wanted
                return isinstance(held, list) and any(item in wanted for item in held)

            return within
        return known(lambda held: any(item in wanted for item in _as_list(held)), absent=False)
    if op == "not_in":
        return known(lambda held: not any(item in wanted for item in _as_list(held)), absent=True)
    if op == "any":
        return known(lambda held: any(item in wanted for item in _as_list(held)), absent=False)
    if op == "none":
        return known(lambda held: not any(item in wanted for item in _as_list(held)), absent=True)
    if op == "all":
        return known(lambda held: wanted <= frozenset(_as_list(held)), absent=False)
    if op == "lacks":
        return known(lambda held: not wanted <= frozenset(_as_list(held)), absent=False)
    if op == "at_least":
        return known(lambda held: bool(held >= value), absent=False)
    assert op == "at_most", op
    return known(lambda held: bool(held <= value), absent=False)


OPS = ("in", "not_in", "any", "none", "all", "lacks", "has", "is", "at_least", "at_most")


@cache
def predicate(filter_: Filter) -> Predicate | None:
    """The conditions of a filter beyond the type; None where it has none."""
    tests = tuple(_test(test) for test in filter_.where)
    roles, only = frozenset(filter_.roles), frozenset(filter_.only_roles)
    capacity = frozenset(filter_.capacity)
    ref = filter_.ref
    if not (tests or roles or only or capacity or ref):
        return None
    if len(tests) == 1 and not (roles or only or capacity or ref):
        single = tests[0]
        return lambda event, _view: single(event)

    def passes(event: Event, view: View) -> bool:
        if capacity and event.capacity not in capacity:
            return False
        if roles and not any(role in roles for role in event.roles):
            return False
        if only and not (event.roles and all(role in only for role in event.roles)):
            return False
        for test in tests:
            if not test(event):
                return False
        if ref is not None:
            target = view.ids.get(event.data.get(ref.f, ""))
            return target is not None and fits(ref.filter, target, view)
        return True

    return passes


def fits(filter_: Filter, event: Event, view: View) -> bool:
    """Whether an event passes a filter, its type included."""
    if filter_.types and event.type not in filter_.types:
        return False
    passes = predicate(filter_)
    return passes is None or passes(event, view)


def select(filters: Iterable[Filter], view: View) -> list[Event]:
    """Events that pass one of the filters, in order. Remembered for the view: many rules ask the same."""
    key = ("select", tuple(filters))
    found: list[Event] | None = view.memo.get(key)
    if found is None:
        chosen: dict[int, Event] = {}
        for filter_ in key[1]:
            passes = predicate(filter_)
            for kind in filter_.types or view.by_type:
                for event in view.by_type.get(kind, ()):
                    if passes is None or passes(event, view):
                        chosen[event.rank] = event
        found = view.memo[key] = [chosen[rank] for rank in sorted(chosen)]
    return found


def shared(event: Event, key: str, view: View) -> tuple[str, ...] | None:
    """What an event says under a key of `same`; None where silence means all of them."""
    data = event.data
    if key == "party":
        return event.parties or None
    if key == "debt":
        return event.debts if "debts" in data or event.debts else None
    if key == "contact":
        named = data.get("contact") or data.get("about") or data.get("call")
        return (view.contact_of(named),) if named else (event.contact,)
    if key == "agency":
        for member in ("recipient_agency", "to_agency", "agency"):
            if member in data:
                return (data[member],)
        return (event.stream.partition("/")[2],) if event.stream.startswith("agency/") else ()
    if key == "actor":
        staff = event.stream.startswith("staff/")
        return (event.stream[6:],) if staff else ((event.actor,) if event.actor else ())
    if key == "medium":
        return (event.medium,) if event.medium else ()
    if key == "point":
        return (event.point,) if event.point else ()
    held = data.get(key)
    return tuple(_as_list(held)) if held is not None else ()


SAME = ("party", "debt", "contact", "agency", "actor", "medium", "point", "plan")


def linked(link: Link, earlier: Event, later: Event, view: View) -> bool:
    """Whether two events belong together. Where one is silent about debts or parties it means all."""
    if link.f:
        named = later.data.get(link.f)
        if link.to:
            return named is not None and named == earlier.data.get(link.to)
        target = view.ids.get(named) if isinstance(named, str) else None
        return target is not None and target.id == earlier.id
    for key in link.same:
        one, two = shared(earlier, key, view), shared(later, key, view)
        if one is not None and two is not None and not set(one) & set(two):
            return False
    return True


class Index:
    """Events of one sort by what links them, so that each look-up costs a search and not a walk."""

    def __init__(
        self, events: Sequence[Event], link: Link, view: View, moment: Callable[[Event], int | None]
    ) -> None:
        self._link, self._view = link, view
        self._held: dict[str, tuple[list[tuple[int, int]], list[Event]]] = {}
        timed = sorted((at, event.rank, event) for event in events if (at := moment(event)) is not None)
        for at, rank, event in timed:
            for name in self._names(event, earlier=True):
                keys, held = self._held.setdefault(name, ([], []))
                keys.append((at, rank))
                held.append(event)

    def _names(self, event: Event, *, earlier: bool) -> tuple[str, ...]:
        link = self._link
        if link.f:
            if link.to:
                named = event.data.get(link.to if earlier else link.f)
                return (named,) if isinstance(named, str) else ()
            if earlier:
                return (event.id,)
            target = self._view.ids.get(event.data.get(link.f, ""))
            return (target.id,) if target is not None else ()
        if not link.same:
            return ("",)
        found = shared(event, link.same[0], self._view)
        return ("*",) if found is None else found

    def _lists(self, event: Event) -> Iterable[tuple[list[tuple[int, int]], list[Event]]]:
        names = self._names(event, earlier=False)
        if names == ("*",):
            return list(self._held.values())
        return [self._held[name] for name in dict.fromkeys((*names, "*")) if name in self._held]

    def last(self, event: Event, before: tuple[int, int]) -> Event | None:
        """The newest linked event strictly before a moment (time, rank)."""
        best: tuple[tuple[int, int], Event] | None = None
        for keys, held in self._lists(event):
            for n in range(bisect_left(keys, before) - 1, -1, -1):
                if best is not None and keys[n] <= best[0]:
                    break
                if self._all(held[n], event):
                    best = (keys[n], held[n])
                    break
        return best[1] if best else None

    def _all(self, earlier: Event, later: Event) -> bool:
        return len(self._link.same) < 2 or linked(self._link, earlier, later, self._view)


class After:
    """The other way round: events that answer, by what they name, to find the first after a moment."""

    def __init__(self, events: Sequence[Event], link: Link, view: View) -> None:
        self._link, self._view = link, view
        self._held: dict[str, tuple[list[int], list[Event]]] = {}
        for event in events:
            for name in self._names(event, later=True):
                ranks, held = self._held.setdefault(name, ([], []))
                ranks.append(event.rank)
                held.append(event)

    def _names(self, event: Event, *, later: bool) -> tuple[str, ...]:
        link = self._link
        if link.f:
            if link.to:
                named = event.data.get(link.f if later else link.to)
                return (named,) if isinstance(named, str) else ()
            if not later:
                return (event.id,)
            target = self._view.ids.get(event.data.get(link.f, ""))
            return (target.id,) if target is not None else ()
        if not link.same:
            return ("",)
        found = shared(event, link.same[0], self._view)
        return ("*",) if found is None else found

    def first(self, event: Event) -> Event | None:
        """The first linked event after this one."""
        names = self._names(event, later=False)
        lists = list(self._held.values())
        if names != ("*",):
            lists = [self._held[name] for name in dict.fromkeys((*names, "*")) if name in self._held]
        best: Event | None = None
        for ranks, held in lists:
            for n in range(bisect_right(ranks, event.rank), len(held)):
                if best is not None and held[n].rank >= best.rank:
                    break
                if len(self._link.same) < 2 or linked(self._link, event, held[n], self._view):
                    best = held[n]
                    break
        return best
