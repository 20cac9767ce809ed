"""What a pack is, once it was read: frozen values, every parameter by name. `model.py` makes them from TOML and
refuses what does not fit; `docs/writing-packs.md` says what each key means."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, TypeAlias

OUTCOMES = (
    "PASS",
    "BREACH",
    "PRESUMED_BREACH",
    "ADVISORY",
    "REVIEW",
    "NOT_APPLICABLE",
    "INSUFFICIENT_EVIDENCE",
)
FAIL = "FAIL"  # in a pack and inside the evaluator: whatever the rule's own `outcome` is
KINDS = ("TW", "FC", "PRE", "RSP", "ABS", "ATT", "VAL", "RET")
GRADES = ("T", "T*", "S", "U")
MODALITIES = ("must", "must_self_reg", "should", "advised", "policy")
CANDIDATES = "candidates"
RESIDENCE = "residence"


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on one member: `op` is the key that the pack used."""

    f: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: one of `types`, and everything else that is said. Empty means anything."""

    types: tuple[str, ...] = ()
    where: tuple[Test, ...] = ()
    roles: tuple[str, ...] = ()
    only_roles: tuple[str, ...] = ()
    capacity: tuple[str, ...] = ()
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """The event that member `f` names exists and passes the filter."""

    f: str
    filter: Filter


@dataclass(frozen=True, slots=True)
class Link:
    """How two events belong together: member `f` of the later one equals `to` of the earlier, or they share
    every key of `same`."""

    f: str = ""
    to: str = ""
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """An agreement that excuses. `scope` "@medium" is the one of the event's own medium."""

    scope: str
    given_to: str = ""
    form: tuple[str, ...] = ()
    max_dates: int = 0
    first_day: str = "after"  # "grant": the day of the grant is day 1; "after": the day after it is
    ended_by: tuple[Filter, ...] = ()
    covers: tuple[Filter, ...] = ()
    beyond: str = "REVIEW"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list in a rule: a filter, or a consent, with what follows from it."""

    filter: Filter = Filter()
    consent: Consent | None = None
    link: Link = Link()
    outcome: str = ""
    code: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time. The day of the start is not counted; the last day is included."""

    n: int
    unit: str = "days"
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """TW. Minutes of the local day. `permit` is closed at both ends, `forbid` is [start, end)."""

    forbid: tuple[tuple[int, int], ...] = ()
    permit: tuple[tuple[int, int], ...] = ()
    unread: bool = False
    zone: str = CANDIDATES
    touch: str = "start"
    message_at: str = "sent"
    excepts: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """FC. At most `n` in the window that ends with the event, or in `dates` dates from a starting event."""

    n: int
    window: str
    dates: int
    key: tuple[str, ...]
    zone: str = CANDIDATES
    count: tuple[Entry, ...] = ()
    exclude: tuple[Entry, ...] = ()
    after: tuple[Filter, ...] = ()
    unit: str = "call"
    complete: bool = False
    factors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """One way to satisfy a PRE rule."""

    filter: Filter
    link: Link = Link()
    delivered: bool = False
    gap: Span | None = None
    valid: Span | None = None
    run: int = 0
    run_dates: int = 0
    then_dates: int = 0
    broken_by: tuple[Filter, ...] = ()
    absent: tuple[Entry, ...] = ()
    stream: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One demand of a PRE rule: where the event passes `when`, one of `any` must have come before."""

    when: Filter
    any: tuple[Before, ...]
    code: str = ""


@dataclass(frozen=True, slots=True)
class MustPrecede:
    """PRE."""

    need: tuple[Need, ...]
    given: tuple[Entry, ...] = ()
    excepts: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One answer that must follow a trigger in time."""

    then: tuple[Entry, ...]
    within: Span | None
    until: str = ""
    itself: tuple[Filter, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class ResponseWithin:
    """RSP. `start` is `time`, `receipt` (delivered), `assumed` (with a span) or a member that holds a date or a
    time."""

    steps: tuple[Step, ...]
    start: str = "time"
    assumed: Span | None = None
    zone: str = CANDIDATES
    pause: tuple[Entry, ...] = ()
    resume: tuple[Entry, ...] = ()
    form: tuple[str, ...] = ()
    period: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """What begins a condition. A trigger of another form, or after its period, begins none and is named."""

    entry: Entry
    form: tuple[str, ...] = ()
    period: str = ""
    dates: int = 0
    dates_form: tuple[str, ...] = ()
    confirm_days: int = 0
    until: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Allow:
    """What may be done although the condition holds."""

    entry: Entry
    once: str = ""
    over: str = FAIL


@dataclass(frozen=True, slots=True)
class AbsenceAfter:
    """ABS."""

    start: tuple[Start, ...]
    end: tuple[Entry, ...] = ()
    end_at: str = ""
    almost: tuple[Start, ...] = ()
    match: tuple[str, ...] = ()
    allow: tuple[Allow, ...] = ()
    excepts: tuple[Entry, ...] = ()
    before_knowledge: str = ""
    last_day: str = "in"
    zone: str = CANDIDATES


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of an ATT rule: where everything that is said is true, `outcome` is the answer."""

    outcome: str
    code: str = ""
    filter: Filter = Filter()
    missing: tuple[str, ...] = ()
    prior: Before | None = None
    no_prior: Before | None = None
    linked: Before | None = None
    no_linked: Before | None = None
    consent: Consent | None = None
    overstay: tuple[str, int] | None = None
    skip: bool = False


@dataclass(frozen=True, slots=True)
class RequiresAttribute:
    """ATT. The first clause that fits answers; where none fits, PASS."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """What a VAL calculator looks for, and how long it is good for."""

    filter: Filter
    link: Link = Link()
    start: str = "time"
    end: str = ""
    dates: int = 0
    consent: Consent | None = None
    code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ValidAt:
    """VAL, with the parameters of its calculator."""

    calculator: str
    items: tuple[Item, ...] = ()
    every: bool = False
    stream: str = ""
    source: str = ""
    code: str = ""
    receipt: Span | None = None
    period: Span | None = None
    f: str = ""
    base: str = ""
    years: int = 0
    years_in: tuple[tuple[str, int], ...] = ()
    restart: tuple[Item, ...] = ()
    waiver: tuple[Filter, ...] = ()
    demands: tuple[Filter, ...] = ()
    apart: int = 0
    unpaid_months: int = 0
    evasion: Filter | None = None
    first_day: str = "after"
    zone: str = CANDIDATES
    given: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """RET. Kept until the later of `anchor` plus `keep`; `anchor` is `time`, `last_activity`, `cleared` or
    `end` of the stated member."""

    anchor: str
    keep: Span
    evidence: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    f: str = ""
    combine: str = "max"
    more: tuple[tuple[str, Span], ...] = ()
    zone: str = CANDIDATES


Params: TypeAlias = (
    TimeWindow
    | FrequencyCap
    | MustPrecede
    | ResponseWithin
    | AbsenceAfter
    | RequiresAttribute
    | ValidAt
    | Retention
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where, for whom and by whom the rule speaks. Empty means everywhere, everyone."""

    capacity: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    charged_off: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """An alternative meaning of an unconfirmed parameter, ready to be evaluated."""

    name: str
    params: Params


@dataclass(frozen=True, slots=True)
class Order:
    """Only the first event of a kind is meant, or only those after it, counted per `per`."""

    which: str
    per: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule."""

    id: str
    pack: str
    version: str
    kind: str
    cite: str
    grade: str
    modality: str
    number: str
    text: tuple[tuple[str, str], ...]
    starts: dt.date
    ends: dt.date | None
    scope: Scope
    on: tuple[Entry, ...]
    params: Params
    outcome: str = "BREACH"
    zone: str = ""
    territory: tuple[str, ...] = ()
    order: Order | None = None
    readings: tuple[Reading, ...] = ()
    enabled: bool = True
    principal_liable: bool = False
    facts: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """`US-06@1`."""
        return f"{self.id}@{self.version}"

    @property
    def needs_adoption(self) -> bool:
        """Whether it binds only where the registry's `pack_adopted` names it (law binds by itself)."""
        return self.modality != "must" or self.number == "policy"

    def in_language(self, language: str) -> str:
        return dict(self.text)[language]


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of one pack, and the bytes from which it was read."""

    id: str
    version: str
    title: tuple[tuple[str, str], ...]
    note: tuple[tuple[str, str], ...]
    zone: str
    rules: tuple[Rule, ...]
    data: bytes = field(repr=False, compare=False, default=b"")
    territory: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`us-regf@1`."""
        return f"{self.id}@{self.version}"

    def rule(self, rule_id: str) -> Rule:
        """The last version of a rule; KeyError where the pack has none of that name."""
        found = [rule for rule in self.rules if rule.id == rule_id]
        if not found:
            raise KeyError(rule_id)
        return found[-1]
