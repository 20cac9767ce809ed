"""What is known of a case: stage, debts, holds, plan, who may be contacted how, what is open, the last
contact.

Frozen values, in the words and units of the catalogue: money in minor units, dates as written, moments in
UTC. A state says what the events of the case say, up to one index; it judges nothing, and knows no clock:
what is in force on a day is asked with the day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import orjson

from ledger.kernel.entry import Entry


class CaseEvent(NamedTuple):
    """One event of a case, as a fold reads it. `data` is the payload; treat it as frozen. `id` is that of the
    event whose place it takes, where it corrects one."""

    idx: int
    seq: int
    id: str
    type: str
    time: str
    data: dict[str, Any]
    corrects: str = ""
    sequenced: str = ""

    @classmethod
    def of(cls, entry: Entry) -> CaseEvent:
        event = entry.event
        return cls(
            entry.index,
            entry.stream_seq,
            event["id"],
            event["type"],
            event["time"],
            event["data"],
            event.get("corrects", ""),
            entry.sequenced,
        )


@dataclass(frozen=True, slots=True)
class Debt:
    """One debt as last itemised, and what was recorded after that: an itemisation states everything before
    it.

    `charged`, `waived` and `paid` are sums since then. `currency` is empty, and nothing is itemised, where
    events speak of a debt that the case has not itemised."""

    debt: str
    currency: str = ""
    product: str = ""
    principal: int = 0
    interest: int = 0
    fees: int = 0
    itemised_on: str = ""
    due_on: str = ""
    charged: int = 0
    waived: int = 0
    paid: int = 0
    cleared: bool = False
    fees_stopped: bool = False
    interest_stopped: bool = False
    transferee: str = ""
    transferred_on: str = ""

    @property
    def balance(self) -> int:
        return self.principal + self.interest + self.fees + self.charged - self.waived - self.paid


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that was started. `hold` is the id of its event; `until` the last day still protected, empty
    while none is known."""

    hold: str
    kind: str
    blocks: tuple[str, ...]
    debts: tuple[str, ...]
    starts: str
    until: str
    ended: bool = False
    about: str = ""
    extends: str = ""

    def in_force(self, day: str) -> bool:
        """On this date (`YYYY-MM-DD`), first and last day included."""
        return self.starts[:10] <= day and (not self.until or day <= self.until)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan in its newest state: proposed, accepted, rejected, countered, agreed or breached."""

    plan: str
    status: str
    by: str = ""
    debts: tuple[str, ...] = ()
    months: int | None = None
    amount: int | None = None
    total: int | None = None
    currency: str = ""
    first_due_on: str = ""
    last_due_on: str = ""
    breached_on: str = ""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something that limits contact: a person's `status` (code: contact_allowed), a `preference` (code: its
    kind) or a `cease` request (code: its scope). `event` is where it comes from."""

    event: str
    source: str
    party: str
    code: str
    since: str
    media: tuple[str, ...] = ()
    contact_points: tuple[str, ...] = ()
    place_kind: str = ""
    expires: str = ""

    def in_force(self, day: str) -> bool:
        return not self.expires or day <= self.expires


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """A dispute or complaint that nobody has answered yet. `about`: its request or category."""

    event: str
    raised: str
    about: str
    debts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """The latest contact by the time at which it happened. `outcome`: of a call; `kind` or summary of the
    others."""

    event: str
    type: str
    time: str
    medium: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each the reading holds. Delivery reports and notices of visits are no contacts."""

    calls: int = 0
    conversations: int = 0
    messages: int = 0
    visits: int = 0
    third_party: int = 0
    inbound: int = 0
    payments: int = 0


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as of `last_index`. `events` counts the entries of its stream; `corrections` those among them
    that correct another, `voided` how many events have been voided, `dangling` corrections that fit no event
    of the case."""

    origin: str = ""
    stage: str = ""
    places: tuple[str, ...] = ()
    closed: str = ""
    staff: str = ""
    agency: str = ""
    debts: tuple[Debt, ...] = ()
    unallocated: tuple[tuple[str, int], ...] = ()
    holds: tuple[Hold, ...] = ()
    plans: tuple[Plan, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    disputes: tuple[OpenMatter, ...] = ()
    complaints: tuple[OpenMatter, ...] = ()
    promise: tuple[int, str, str] | None = None
    hardship: str = ""
    plan_justified: bool | None = None
    legal_step: str = ""
    last_contact: Contact | None = None
    counts: Counts = Counts()
    events: int = 0
    corrections: int = 0
    voided: int = 0
    dangling: int = 0
    renamed: tuple[tuple[str, str], ...] = ()
    last_index: int = -1
    last_time: str = ""
    last_sequenced: str = ""

    @property
    def plan(self) -> Plan | None:
        """The plan that changed last."""
        return self.plans[-1] if self.plans else None

    @property
    def owed(self) -> dict[str, int]:
        """Balance by currency, over the debts that are itemised and not transferred away."""
        sums: dict[str, int] = {}
        for debt in self.debts:
            if debt.currency and not debt.transferee:
                sums[debt.currency] = sums.get(debt.currency, 0) + debt.balance
        for currency, amount in self.unallocated:
            sums[currency] = sums.get(currency, 0) - amount
        return sums

    def encode(self) -> bytes:
        """One spelling for one state; what is empty is left out."""
        told = {name: value for name in _NAMES if (value := getattr(self, name)) != _EMPTY[name]}
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        value = orjson.loads(data)
        for name in value.keys() & _READ.keys():
            value[name] = _READ[name](value[name])
        return cls(**value)

    def value(self) -> dict[str, Any]:
        """As JSON for people and scripts: what is known, with balances worked out, without bookkeeping."""
        value: dict[str, Any] = orjson.loads(orjson.dumps(self))
        for item, debt in zip(value["debts"], self.debts, strict=True):
            item["balance"] = debt.balance
        value["owed"] = self.owed
        value["plan"] = value["plans"][-1] if value["plans"] else None
        if self.promise is not None:
            value["promise"] = dict(zip(("amount", "currency", "due_on"), self.promise, strict=True))
        value["unallocated"] = dict(self.unallocated)
        del value["renamed"]
        return value


_NAMES = tuple(f.name for f in fields(CaseState))
_EMPTY = {name: getattr(CaseState(), name) for name in _NAMES}


def _pairs(value: list[Any]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(pair) for pair in value)


def _list_of(kind: type) -> Callable[[list[dict[str, Any]]], tuple[Any, ...]]:
    inner = tuple(f.name for f in fields(kind) if str(f.type).startswith("tuple"))

    def made(items: list[dict[str, Any]]) -> tuple[Any, ...]:
        for item in items:
            for name in inner:
                item[name] = tuple(item[name])
        return tuple(kind(**item) for item in items)

    return made


# How a member comes back from JSON, where that is not as it stands.
_READ: dict[str, Callable[[Any], Any]] = {
    "complaints": _list_of(OpenMatter),
    "counts": lambda value: Counts(**value),
    "debts": _list_of(Debt),
    "disputes": _list_of(OpenMatter),
    "holds": _list_of(Hold),
    "last_contact": lambda value: Contact(**value),
    "places": tuple,
    "plans": _list_of(Plan),
    "promise": tuple,
    "renamed": _pairs,
    "restrictions": _list_of(Restriction),
    "unallocated": _pairs,
}
