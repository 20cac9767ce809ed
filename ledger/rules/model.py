"""A pack in TOML becomes a frozen model, or is refused with line and reason. Nothing is guessed: unknown keys,
references that lead back to themselves, zones and calendars that do not exist, windows and dates in force that
end before they begin, and rules without citation, grade, dates or texts in both languages are all refused."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from ledger.rules.calendar import zone as zone_exists
from ledger.rules.filters import CAPACITIES, FORMS, Filters, products
from ledger.rules.shapes import (
    CANDIDATES,
    FAIL,
    GRADES,
    KINDS,
    MODALITIES,
    OUTCOMES,
    RESIDENCE,
    AbsenceAfter,
    Allow,
    Clause,
    Filter,
    FrequencyCap,
    Item,
    MustPrecede,
    Need,
    Order,
    Pack,
    Params,
    Reading,
    RequiresAttribute,
    ResponseWithin,
    Retention,
    Rule,
    Scope,
    Span,
    Start,
    Step,
    TimeWindow,
    ValidAt,
)
from ledger.rules.toml import PackNewer, PackRefused, Source, Table
from ledger.rules.val import CALCULATORS

FORMAT = "duecourse pack 1"
_FORMAT = re.compile(r"duecourse pack ([1-9][0-9]{0,8})")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_WHERE = re.compile(r"\(at line (\d+), column \d+\)")
_LANGUAGES = ("en", "zh")
_KEPT = (
    "window",
    "cap",
    "within",
    "until",
    "keep",
    "anchor",
    "while",
    "last_day",
    "valid",
    "start_of",
    "more",
)


def _minutes(table: Table, key: str) -> tuple[tuple[int, int], ...]:
    """`["22:00", "08:00"]`, or a list of such pairs."""
    found = table.take(key)
    if found is None:
        return ()
    pairs = [found] if isinstance(found, list) and found and isinstance(found[0], str) else found
    if not isinstance(pairs, list):
        table.refuse("a pair of times of day is expected", key)
    result = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not all(_CLOCK.fullmatch(str(t)) for t in pair):
            table.refuse('a pair like ["08:00", "21:00"] is expected', key)
        start, end = (int(t[:2]) * 60 + int(t[3:]) for t in pair)
        if start == end or (key == "permit" and end < start):
            table.refuse("the window ends before it begins", key)
        result.append((start, end))
    return tuple(result)


def _tw(rule: Table, filters: Filters, zone: str) -> Params:
    table = rule.table("window")
    if table is None:
        rule.refuse("is missing", "window")
    forbid, permit = _minutes(table, "forbid"), _minutes(table, "permit")
    unread = table.flag("unread")
    if sum(map(bool, (forbid, permit, unread))) != 1:
        table.refuse("exactly one of forbid, permit and unread is expected")
    window = TimeWindow(
        forbid=forbid,
        permit=permit,
        unread=unread,
        zone=filters.zone(table, zone),
        touch=table.text("touch", "start", among=("start", "span")),
        message_at=table.text("message_at", "sent", among=("sent", "delivered")),
        excepts=filters.entries(rule.tables("except")),
    )
    table.done()
    return window


_WINDOWS = ("calendar_day", "consecutive_dates", "lifetime", "after")


def _fc(rule: Table, filters: Filters, zone: str) -> Params:
    table = rule.table("cap")
    if table is None:
        rule.refuse("is missing", "cap")
    window = table.text("window", among=_WINDOWS)
    dates = table.number("dates", 1, least=1)
    if window == "calendar_day" and dates != 1:
        table.refuse("a calendar day is one date", "dates")
    after = filters.filters(rule.tables("after"))
    if bool(after) != (window == "after"):
        rule.refuse("the window `after` and a list `after` go together", "after")
    key = table.texts("key", among=("party", "debt", "point", "agency", "actor", "medium"))
    if not key:
        table.refuse("is missing", "key")
    cap = FrequencyCap(
        n=table.number("n"),
        window=window,
        dates=dates,
        key=key,
        zone=filters.zone(table, zone),
        count=filters.entries(rule.tables("count")),
        exclude=filters.entries(rule.tables("exclude")),
        after=after,
        unit=table.text("unit", "call", among=("call", "message")),
        complete=table.flag("complete"),
        factors=table.texts("factors", among=("concentrated",)),
    )
    table.done()
    return cap


def _pre(rule: Table, filters: Filters, _zone: str) -> Params:
    needs: list[Need] = []
    alternatives = filters.befores(rule.tables("before"))
    if alternatives:
        needs.append(Need(Filter(), alternatives, rule.text("code", "")))
    for table in rule.tables("need"):
        inner = table.table("when")
        when = filters.one(inner) if inner is not None else Filter()
        if inner is not None:
            inner.done()
        any_ = filters.befores(table.tables("any"))
        if not any_:
            table.refuse("is missing", "any")
        needs.append(Need(when, any_, table.text("code", "")))
        table.done()
    if not needs:
        rule.refuse("`before` or `need` is missing", "before")
    return MustPrecede(
        tuple(needs), filters.entries(rule.tables("given")), filters.entries(rule.tables("except"))
    )


def _step(table: Table, filters: Filters) -> Step:
    step = Step(
        then=filters.entries(table.tables("then")),
        within=filters.maybe_span(table, "within"),
        until=table.text("until", ""),
        itself=filters.filters(table.tables("itself")),
        code=table.text("code", ""),
    )
    if (step.within is None) == (not step.until):
        table.refuse("one of `within` and `until` is expected", "within")
    if not step.then:
        table.refuse("is missing", "then")
    return step


def _rsp(rule: Table, filters: Filters, zone: str) -> Params:
    tables = rule.tables("steps")
    steps = []
    for table in tables:
        steps.append(_step(table, filters))
        table.done()
    if not steps:
        steps.append(_step(rule, filters))
    assumed = filters.maybe_span(rule, "assumed")
    start = rule.text("start_of", "assumed" if assumed else "time")
    if (start == "assumed") != (assumed is not None):
        rule.refuse("the start `assumed` and a span `assumed` go together", "assumed")
    return ResponseWithin(
        steps=tuple(steps),
        start=start,
        assumed=assumed,
        zone=zone,
        pause=filters.entries(rule.tables("pause")),
        resume=filters.entries(rule.tables("resume")),
        form=rule.texts("form", among=FORMS),
        period=rule.text("period", "", among=("validation",)),
    )


def _starts(tables: list[Table], filters: Filters) -> tuple[Start, ...]:
    found: list[Start] = []
    for table in tables:
        shared: dict[str, Any] = {
            "form": table.texts("form", among=FORMS),
            "period": table.text("period", "", among=("validation",)),
            "dates": table.number("dates", 0),
            "dates_form": table.texts("dates_form", among=FORMS),
            "confirm_days": table.number("confirm_days", 0),
            "until": table.text("until", ""),
        }
        found += [Start(entry=entry, **shared) for entry in filters.entry(table)]
        table.done()
    return tuple(found)


_MATCHES = ("party", "debts", "media", "points", "blocks", "place", "windows")


def _abs(rule: Table, filters: Filters, zone: str) -> Params:
    while_ = rule.table("while")
    match: tuple[str, ...] = ()
    if while_ is not None:
        match = while_.texts("match", among=_MATCHES)
        while_.done()
    allows: list[Allow] = []
    for table in rule.tables("allow"):
        once = table.text("once", "")
        over = table.text("over", FAIL, among=(*OUTCOMES, FAIL))
        allows += [Allow(entry, once, over) for entry in filters.entry(table)]
        table.done()
    start = _starts(rule.tables("start"), filters)
    if not start:
        rule.refuse("is missing", "start")
    return AbsenceAfter(
        start=start,
        end=filters.entries(rule.tables("end")),
        end_at=rule.text("end_at", ""),
        almost=_starts(rule.tables("almost"), filters),
        match=match,
        allow=tuple(allows),
        excepts=filters.entries(rule.tables("except")),
        before_knowledge=rule.text("before_knowledge", "", among=OUTCOMES),
        last_day=rule.text("last_day", "in", among=("in", "out")),
        zone=zone,
    )


def _att(rule: Table, filters: Filters, _zone: str) -> Params:
    clauses: list[Clause] = []
    for table in rule.tables("clause"):
        skip = table.flag("skip")
        overstay = table.table("overstay")
        stay = None
        if overstay is not None:
            stay = (overstay.text("asked"), overstay.number("minutes"))
            overstay.done()
        shared: dict[str, Any] = {
            "outcome": filters.outcome(table, "PASS" if skip else ""),
            "code": table.text("code", ""),
            "missing": table.texts("missing"),
            "prior": filters.maybe_before(table, "prior"),
            "no_prior": filters.maybe_before(table, "no_prior"),
            "linked": filters.maybe_before(table, "linked"),
            "no_linked": filters.maybe_before(table, "no_linked"),
            "consent": filters.consent(table),
            "overstay": stay,
            "skip": skip,
        }
        if not shared["outcome"]:
            table.refuse("is missing", "outcome")
        clauses += [Clause(filter=filter_, **shared) for filter_ in filters.expand(table)]
        table.done()
    if not clauses:
        rule.refuse("is missing", "clause")
    return RequiresAttribute(tuple(clauses))


def _items(tables: list[Table], filters: Filters) -> tuple[Item, ...]:
    found: list[Item] = []
    for table in tables:
        shared: dict[str, Any] = {
            "link": filters.link(table),
            "start": table.text("start", "time"),
            "end": table.text("end", ""),
            "dates": table.number("dates", 0),
            "consent": filters.consent(table),
            "code": table.text("code", ""),
            "name": table.text("name", ""),
        }
        found += [Item(filter=filter_, **shared) for filter_ in filters.expand(table)]
        table.done()
    return tuple(found)


def _val(rule: Table, filters: Filters, zone: str) -> Params:
    table = rule.table("valid")
    if table is None:
        rule.refuse("is missing", "valid")
    calculator = table.text("by", among=CALCULATORS)
    years_in = table.table("years_in")
    places: tuple[tuple[str, int], ...] = ()
    if years_in is not None:
        places = tuple((name, years_in.number(name, least=1)) for name in years_in.value)
        years_in.done()
    evasion = table.table("evasion")
    params = ValidAt(
        calculator=calculator,
        items=_items(rule.tables("item"), filters),
        every=table.flag("every"),
        stream=table.text("stream", "", among=("agency", "staff")),
        source=table.text("list", ""),
        code=table.text("code", ""),
        receipt=filters.maybe_span(table, "receipt"),
        period=filters.maybe_span(table, "period"),
        f=table.text("stated", ""),
        base=table.text("base", ""),
        years=table.number("years", 0),
        years_in=places,
        restart=_items(rule.tables("restart"), filters),
        waiver=filters.filters(rule.tables("waiver")),
        demands=filters.filters(rule.tables("demand")),
        apart=table.number("apart", 0),
        unpaid_months=table.number("unpaid_months", 0),
        evasion=filters.one(evasion) if evasion is not None else None,
        first_day=table.text("first_day", "after", among=("after", "grant")),
        zone=zone,
        given=filters.filters(rule.tables("given")),
    )
    if evasion is not None:
        evasion.done()
    needed = {
        "validation_end": params.receipt and params.period and params.f,
        "limitation": params.base,
        "demand_pair": params.demands,
    }
    if not needed.get(calculator, params.items):
        rule.refuse(f"a parameter that `{calculator}` needs is missing", "valid")
    table.done()
    return params


def _ret(rule: Table, filters: Filters, zone: str) -> Params:
    keep = filters.maybe_span(rule, "keep")
    if keep is None:
        rule.refuse("is missing", "keep")
    more: list[tuple[str, Span]] = []
    for table in rule.tables("more"):
        more.append((table.text("anchor"), filters.span(table)))
        table.done()
    return Retention(
        anchor=rule.text("anchor"),
        keep=keep,
        evidence=rule.texts("evidence"),
        activity=rule.texts("activity"),
        combine=rule.text("combine", "max", among=("max", "min")),
        more=tuple(more),
        zone=zone,
    )


_PARAMS: Mapping[str, Callable[[Table, Filters, str], Params]] = {
    "TW": _tw,
    "FC": _fc,
    "PRE": _pre,
    "RSP": _rsp,
    "ABS": _abs,
    "ATT": _att,
    "VAL": _val,
    "RET": _ret,
}


def _texts(table: Table, key: str) -> tuple[tuple[str, str], ...]:
    inner = table.table(key)
    if inner is None:
        table.refuse("is missing", key)
    found = tuple((language, inner.text(language)) for language in _LANGUAGES)
    inner.done()
    return found


def _facts(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Parameters in words for a finding: scalars and lists of them, under their keys."""
    found: list[tuple[str, str]] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{name}.{key}", inner)
        elif isinstance(value, list):
            if value and all(isinstance(item, str | int) for item in value):
                found.append((name, ", ".join(map(str, value))))
        else:
            found.append((name, str(value).lower() if isinstance(value, bool) else str(value)))

    for key in _KEPT:
        if key in raw:
            walk(key, raw[key])
    return tuple(found)


def _replaced(table: Table, raw: Mapping[str, Any], at: str, to: Any) -> dict[str, Any]:
    """The rule's table with one place changed; the place must be there, or be a key that may be added."""
    changed = copy.deepcopy(dict(raw))
    held: Any = changed
    *way, last = at.split(".")
    try:
        for step in way:
            held = held[int(step)] if isinstance(held, list) else held[step]
        if isinstance(held, list):
            held[int(last)] = to
        else:
            held[last] = to
    except (KeyError, IndexError, ValueError, TypeError):
        table.refuse(f"there is no such place in the rule: {at!r}", "at")
    return changed


class _PackReader:
    def __init__(self, source: Source, raw: Mapping[str, Any]) -> None:
        self.source = source
        self.table = Table(source, raw, "")
        head = self.table.table("pack")
        if head is None:
            self.table.refuse("is missing", "pack")
        # The language of the pack. One in a later language says so, and is then not looked at further.
        said = head.take("format", FORMAT)
        newer = _FORMAT.fullmatch(said) if isinstance(said, str) else None
        if newer is not None and int(newer[1]) > 1:
            raise PackNewer(source.name, source.line("", "format"), f"written in {said!r}, a later language")
        head.text("format", FORMAT, among=(FORMAT,))
        self.id = head.text("id")
        if not _ID.fullmatch(self.id):
            head.refuse("lower-case letters, digits and hyphens", "id")
        self.version = head.text("version")
        if not _ID.fullmatch(self.version):
            head.refuse("lower-case letters, digits and hyphens", "version")
        self.filters = Filters(source, self.table.take("define"))
        self.title, self.note = _texts(head, "title"), _texts(head, "note")
        self.zone = self.filters.zone(head, CANDIDATES)
        self.territory = head.texts("territory")
        for name in self.territory:
            if zone_exists(name) is None:
                head.refuse(f"no such time zone: {name!r}", "territory")
        self.liable = head.flag("principal_liable")
        head.done()

    def pack(self, data: bytes) -> Pack:
        rules = [self.rule(item) for item in self.table.tables("rule")]
        self.table.done()
        seen: set[str] = set()
        for rule in rules:
            if rule.name in seen:
                raise PackRefused(
                    self.source.name, self.source.line(rule.id), f"{rule.name} stands there twice"
                )
            seen.add(rule.name)
        return Pack(
            self.id, self.version, self.title, self.note, self.zone, tuple(rules), data, self.territory
        )

    def rule(self, found: Table) -> Rule:
        rule_id = found.value.get("id")
        if not isinstance(rule_id, str) or not _RULE_ID.fullmatch(rule_id):
            found.refuse("a rule needs an id of letters, digits and hyphens", "id")
        raw = {key: value for key, value in found.value.items() if key != "reading"}
        base = self._rule(raw, rule_id, ())
        readings = []
        table = Table(self.source, found.value, "", rule_id)
        for item in table.tables("reading"):
            name = item.text("name")
            if item.text("grade", among=GRADES) != "U":
                item.refuse("only a parameter of grade U has another reading", "grade")
            changed = dict(raw)
            sets = item.tables("set")
            if not sets:
                item.refuse("is missing", "set")
            for one in sets:
                changed = _replaced(one, changed, one.text("at"), one.take("to"))
                one.done()
            item.done()
            readings.append(Reading(name, self._rule(changed, rule_id, ()).params))
        return self._rule(raw, rule_id, tuple(readings)) if readings else base

    def _rule(self, raw: Mapping[str, Any], rule_id: str, readings: tuple[Reading, ...]) -> Rule:
        table = Table(self.source, raw, "", rule_id)
        table.take("id")
        kind = table.text("kind", among=KINDS)
        zone = self.filters.zone(table, self.zone)
        force = table.table("in_force")
        if force is None:
            table.refuse("is missing", "in_force")
        starts, ends = force.date("from"), force.date("to")
        if starts is None:
            force.refuse("is missing", "from")
        if ends is not None and ends < starts:
            force.refuse("the rule ends before it begins", "to")
        force.done()
        scope = table.table("scope")
        where = Scope()
        if scope is not None:
            where = Scope(
                capacity=scope.texts("capacity", among=CAPACITIES),
                places=scope.texts("places"),
                products=scope.texts("products", among=products()),
                charged_off=scope.flag("charged_off"),
            )
            scope.done()
        on = self.filters.entries(table.tables("on"))
        if not on or not all(entry.filter.types for entry in on):
            table.refuse("a list of filters with types is expected", "on")
        order = table.table("order")
        only: Order | None = None
        if order is not None:
            only = Order(
                order.text("which", among=("first", "later")), order.texts("per", among=("party", "debt"))
            )
            order.done()
        rule = Rule(
            id=rule_id,
            pack=self.id,
            version=table.text("version", self.version),
            kind=kind,
            cite=table.text("cite"),
            grade=table.text("grade", among=GRADES),
            modality=table.text("modality", among=MODALITIES),
            number=table.text("number", "", among=("policy",)),
            text=_texts(table, "text"),
            starts=starts,
            ends=ends,
            scope=where,
            on=on,
            params=_PARAMS[kind](table, self.filters, zone),
            outcome=table.text("outcome", "BREACH", among=OUTCOMES),
            zone=zone,
            territory=self.territory if zone in (CANDIDATES, RESIDENCE) else (zone,),
            order=only,
            readings=readings,
            enabled=table.flag("enabled", default=True),
            principal_liable=self.liable,
            facts=_facts(raw),
        )
        table.done()
        return rule


def parse_pack(data: bytes, name: str = "pack.toml") -> Pack:
    """A pack from its bytes. PackRefused, with line and reason, for anything that does not fit."""
    try:
        text = data.decode("utf-8")
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PackRefused(name, line, "not UTF-8") from error
    except RecursionError as error:
        raise PackRefused(name, 0, "tables or lists are nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        found = _WHERE.search(str(error))
        raise PackRefused(name, int(found[1]) if found else 0, _WHERE.sub("", str(error)).strip()) from error
    return _PackReader(Source(name, text), raw).pack(data)


@cache
def shipped() -> tuple[str, ...]:
    """Names of the packs that come with this release, `us-regf@1`, in order."""
    folder = resources.files("ledger.rules").joinpath("packs")
    names = (
        item.name.removesuffix(".toml").rpartition("-")
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    )
    return tuple(sorted(f"{pack}@{version}" for pack, _, version in names))


@cache
def shipped_pack(name: str) -> Pack:
    """A shipped pack, by `id@version`, or by its id for the newest version. KeyError where there is none."""
    if "@" not in name:
        name = max((one for one in shipped() if one.rpartition("@")[0] == name), default=name + "@")
    if name not in shipped():
        raise KeyError(name)
    file = resources.files("ledger.rules").joinpath("packs", name.replace("@", "-") + ".toml")
    return parse_pack(file.read_bytes(), file.name)


__all__ = ["PackRefused", "parse_pack", "shipped", "shipped_pack"]
