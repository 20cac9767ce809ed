"""Reads filters, links, consents and entries of a pack. Every type, member and code is one of the catalogue: a
misspelt code would otherwise never match, and the rule would pass everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_args

from ledger.events.registry import all_types, members
from ledger.rules.calendar import UNITS, calendar_exists, zone
from ledger.rules.match import ATTRIBUTES, OPS, SAME
from ledger.rules.shapes import (
    CANDIDATES,
    FAIL,
    OUTCOMES,
    RESIDENCE,
    Before,
    Consent,
    Entry,
    Filter,
    Link,
    Ref,
    Span,
    Test,
)
from ledger.rules.toml import Source, Table

FORMS = ("oral", "written", "electronic")
CAPACITIES = ("first_party", "agency", "debt_buyer", "law_firm", "system")
# Definitions may use each other: a few lines could stand for more filters than memory holds.
_FILTERS_MAX = 20_000
# A hundred years, in days.
_SPAN_MAX = 36_525
_LISTS = frozenset({"in", "not_in", "any", "none", "all", "lacks"})


@cache
def _known() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Members of every type, with their codes where the codes are closed; `outer.inner` for objects."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for cls in all_types():
        names = found.setdefault(cls.TYPE, {})
        for member in members(cls):
            names[member.name] = frozenset(get_args(member.family)) if member.family else frozenset()
            if member.object is not None:
                for inner in members(member.object):
                    codes = frozenset(get_args(inner.family)) if inner.family else frozenset()
                    names[f"{member.name}.{inner.name}"] = codes
    return found


@cache
def roles() -> frozenset[str]:
    return _known()["identity.verified"]["role"]


@cache
def products() -> frozenset[str]:
    return _known()["debt.itemised"]["product"]


@cache
def scopes() -> frozenset[str]:
    return _known()["consent.recorded"]["scope"] | {"@medium"}


class Filters:
    """Reads what stands in a pack, with its `define` tables."""

    def __init__(self, source: Source, defines: Any) -> None:
        self.source = source
        self._made = 0
        self._raw: dict[str, Any] = {}
        if defines is not None:
            table = Table(source, defines, "define")
            self._raw = {name: table.take(name) for name in table.value}
        for name in self._raw:
            self._expand(Table(source, {"use": name}, "define"), ())

    def _expand(self, table: Table, trail: tuple[str, ...]) -> list[Filter]:
        """The filters that a table stands for: its own, or those that `use` names, each narrowed by the rest."""
        own = self._own(table, trail)
        self._made += 1
        if self._made > _FILTERS_MAX:
            table.refuse(f"the pack stands for more than {_FILTERS_MAX} filters", "use")
        name = table.take("use")
        if name is None:
            return [own]
        if not isinstance(name, str) or name not in self._raw:
            table.refuse(f"{name!r} is not defined", "use")
        if name in trail:
            Table(self.source, {}, name).refuse(f"refers to itself: {' > '.join((*trail, name))}", name)
        held = self._raw[name]
        items = [held] if isinstance(held, Mapping) else held
        if not isinstance(items, list):
            table.refuse("a list of filters is expected", "use")
        found: list[Filter] = []
        for item in items:
            inner = Table(self.source, item, f"define.{name}")
            # A definition that names none of these types takes no part: an empty list of types would mean any.
            found += [
                self._narrow(filter_, own)
                for filter_ in self._expand(inner, (*trail, name))
                if not (own.types and filter_.types) or set(own.types) & set(filter_.types)
            ]
            inner.done()
        if not found:
            table.refuse(f"these types leave nothing of {name!r}", "types")
        return found

    def _narrow(self, one: Filter, by: Filter) -> Filter:
        return Filter(
            types=tuple(t for t in one.types if t in by.types)
            if one.types and by.types
            else one.types or by.types,
            where=one.where + by.where,
            roles=by.roles or one.roles,
            only_roles=by.only_roles or one.only_roles,
            capacity=by.capacity or one.capacity,
            ref=by.ref or one.ref,
        )

    def _own(self, table: Table, trail: tuple[str, ...]) -> Filter:
        types = table.texts("types", among=_known())
        where = tuple(self._test(item, types) for item in table.tables("where"))
        ref = None
        inner = table.table("ref")
        if inner is not None:
            named = inner.text("f")
            self._member(inner, named, types)
            filters = self._expand(inner, trail)
            inner.done()
            ref = Ref(named, filters[0])
        return Filter(
            types=types,
            where=where,
            roles=table.texts("roles", among=roles()),
            only_roles=table.texts("only_roles", among=roles()),
            capacity=table.texts("capacity", among=CAPACITIES),
            ref=ref,
        )

    def _member(self, table: Table, f: str, types: Iterable[str]) -> frozenset[str]:
        """Codes that the member may hold (none: not closed). Refused where no type has it."""
        if f.startswith("@"):
            if f not in ATTRIBUTES:
                table.refuse(f"{f!r} is none of {', '.join(ATTRIBUTES)}", "f")
            return frozenset()
        named = tuple(types) or tuple(_known())
        having = [_known()[kind][f] for kind in named if f in _known()[kind]]
        if not having:
            table.refuse(f"no such member in {', '.join(types) or 'any type'}: {f!r}", "f")
        return frozenset().union(*having) if all(having) else frozenset()

    def _test(self, table: Table, types: tuple[str, ...]) -> Test:
        f = table.text("f")
        codes = self._member(table, f, types)
        ops = [op for op in OPS if table.has(op)]
        if len(ops) != 1:
            table.refuse(f"exactly one of {', '.join(OPS)} is expected", "f")
        (op,) = ops
        value: Any
        if op in _LISTS:
            value = table.texts(op, among=codes)
            if not value:
                table.refuse("is empty", op)
        elif op == "has":
            value = table.flag(op)
        else:
            value = table.take(op)
            if not isinstance(value, str | int):
                table.refuse("a text, a number, true or false is expected", op)
        table.done()
        return Test(f, op, value)

    def filters(self, tables: Iterable[Table]) -> tuple[Filter, ...]:
        found: list[Filter] = []
        for table in tables:
            found += self._expand(table, ())
            table.done()
        return tuple(found)

    def one(self, table: Table) -> Filter:
        """A table that must stand for a single filter."""
        found = self._expand(table, ())
        if len(found) != 1:
            table.refuse("stands for several filters; write them one by one", "use")
        return found[0]

    def expand(self, table: Table) -> list[Filter]:
        return self._expand(table, ())

    def link(self, table: Table) -> Link:
        """`link = {f, to}` or `same = […]`."""
        same = table.texts("same", among=SAME)
        inner = table.table("link")
        if inner is None:
            return Link(same=same)
        found = Link(f=inner.text("f"), to=inner.text("to", ""))
        self._member(inner, found.f, ())
        if same:
            table.refuse("`link` or `same`, not both", "same")
        inner.done()
        return found

    def span(self, table: Table) -> Span:
        unit = table.text("unit", "days", among=UNITS)
        calendar = table.text("calendar", "")
        if unit == "business_days" and not calendar:
            table.refuse("business days need a calendar", "unit")
        if calendar and not calendar_exists(calendar):
            table.refuse(f"no such calendar: {calendar!r}", "calendar")
        number = table.number("n")
        if number > _SPAN_MAX:
            table.refuse(f"more than {_SPAN_MAX}", "n")
        return Span(number, unit, calendar)

    def maybe_span(self, table: Table, key: str) -> Span | None:
        inner = table.table(key)
        if inner is None:
            return None
        found = self.span(inner)
        inner.done()
        return found

    def consent(self, table: Table) -> Consent | None:
        if not table.has("consent"):
            return None
        return Consent(
            scope=table.text("consent", among=scopes()),
            given_to=table.text("given_to", "", among=("creditor", "collector")),
            form=table.texts("form", among=FORMS),
            max_dates=table.number("max_dates", 0),
            first_day=table.text("first_day", "after", among=("after", "grant")),
            ended_by=self.filters(table.tables("ended_by")),
            covers=self.filters(table.tables("covers")),
            beyond=table.text("beyond", "REVIEW", among=(*OUTCOMES, FAIL)),
        )

    def entries(self, tables: Iterable[Table]) -> tuple[Entry, ...]:
        found: list[Entry] = []
        for table in tables:
            found += self.entry(table)
            table.done()
        return tuple(found)

    def entry(self, table: Table) -> list[Entry]:
        """What one line stands for; the caller calls `done`."""
        consent = self.consent(table)
        link = self.link(table)
        outcome = self.outcome(table)
        code = table.text("code", "")
        blocks = table.texts("blocks", among=_known()["hold.started"]["blocks"])
        return [Entry(filter_, consent, link, outcome, code, blocks) for filter_ in self.expand(table)]

    def outcome(self, table: Table, default: str = "") -> str:
        return table.text("outcome", default, among=(*OUTCOMES, FAIL))

    def befores(self, tables: Iterable[Table]) -> tuple[Before, ...]:
        found: list[Before] = []
        for table in tables:
            shared: dict[str, Any] = {
                "link": self.link(table),
                "delivered": table.flag("delivered"),
                "gap": self.maybe_span(table, "gap"),
                "valid": self.maybe_span(table, "valid"),
                "run": table.number("run", 0),
                "run_dates": table.number("run_dates", 0),
                "then_dates": table.number("then_dates", 0),
                "broken_by": self.filters(table.tables("broken_by")),
                "absent": self.entries(table.tables("absent")),
                "stream": table.text("stream", "", among=("agency", "staff")),
                "code": table.text("code", ""),
            }
            found += [Before(filter=filter_, **shared) for filter_ in self.expand(table)]
            table.done()
        return tuple(found)

    def maybe_before(self, table: Table, key: str) -> Before | None:
        inner = table.table(key)
        if inner is None:
            return None
        found = self.befores([inner])
        if len(found) != 1:
            table.refuse("stands for several filters", key)
        return found[0]

    def zone(self, table: Table, default: str) -> str:
        name = table.text("zone", default)
        if name not in (CANDIDATES, RESIDENCE, "") and zone(name) is None:
            table.refuse(f"no such time zone: {name!r}", "zone")
        return name
