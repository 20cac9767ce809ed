"""Which records of a statement the ledger has, and which of the ledger's the statement does not.

Two ways, in this order. (1) The provider's own id: the record's id is the event's `source_ref`. Their times must agree
within the tolerance, and for payments their amounts; where they do not, the pair is `differing`. (2) What is left, by the
contact point: within the tolerance, the record's number gives the event's contact point *in the event's own case*. Payments
that are left pair by day, currency and amount. Each record and each event is used once, and within one number the pairs
are as many as there can be.

Pure: everything comes in by the front door."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from projections.exchange.outside.records import Records

DEFAULT_TOLERANCE_US: Final = 10_000_000


class LedgerRecord(NamedTuple):
    """A call, message or payment as the ledger holds it, corrections applied."""

    shard: int
    idx: int
    event: str
    case: str  # "case/<uuid>"
    at_us: int
    day: str  # the provider's day of that instant
    ref: str
    point: str
    producer: str
    amount: int = 0
    currency: str = ""


@dataclass(slots=True)
class Matching:
    """`found` says of each record how: 0 not at all, or one of the marks below. `missing` are records that the ledger
    does not have, `extra` events of covered days that the statement does not have, `differing` pairs with one id whose
    times or amounts do not agree."""

    found: bytearray
    missing: list[int] = field(default_factory=list)
    extra: list[LedgerRecord] = field(default_factory=list)
    differing: list[tuple[int, LedgerRecord]] = field(default_factory=list)


BY_ID: Final = 1
BY_POINT: Final = 2
DIFFERS: Final = 3

SamePoint = Callable[[str, str], str]  # (case, number) -> the contact point's uuid in that case


def match(
    records: Records,
    ledger: Iterable[LedgerRecord],
    covered: Collection[str],
    point_of: SamePoint,
    *,
    tolerance_us: int = DEFAULT_TOLERANCE_US,
) -> Matching:
    """`ledger` may hold events of days that are not covered: they serve as partners at midnight, and are never extra."""
    found = bytearray(len(records))
    result = Matching(found)
    left: list[LedgerRecord] = []
    index, at, payment = records.index, records.at, records.channel == "payment"
    for event in ledger:
        number = index.get(event.ref) if event.ref else None
        if number is None or found[number]:
            left.append(event)
        elif _agree(records, number, event, tolerance_us, payment=payment):
            found[number] = BY_ID
        else:
            found[number] = DIFFERS
            result.differing.append((number, event))
    open_numbers = [number for number in range(len(records)) if not found[number]]
    if open_numbers and left:
        if payment:
            left = _by_amount(records, open_numbers, left, found)
        else:
            left = _by_point(records, open_numbers, left, found, point_of, tolerance_us)
    result.missing = [number for number in open_numbers if not found[number]]
    result.extra = [event for event in left if event.day in covered]
    result.missing.sort(key=lambda n: (records.days[n], at[n], records.ids[n]))
    result.extra.sort(key=lambda event: (event.at_us, event.shard, event.idx))
    result.differing.sort(key=lambda pair: (pair[1].at_us, pair[0]))
    return result


def _agree(records: Records, number: int, event: LedgerRecord, tolerance_us: int, *, payment: bool) -> bool:
    if payment:
        return records.amounts[number] == event.amount and records.currencies[number] == event.currency
    return abs(records.at[number] - event.at_us) <= tolerance_us


def _by_amount(
    records: Records, numbers: list[int], left: list[LedgerRecord], found: bytearray
) -> list[LedgerRecord]:
    waiting: dict[tuple[str, str, int], list[int]] = {}
    for number in reversed(numbers):
        key = (records.days[number], records.currencies[number], records.amounts[number])
        waiting.setdefault(key, []).append(number)
    rest = []
    for event in left:
        alike = waiting.get((event.day, event.currency, event.amount))
        if alike:
            found[alike.pop()] = BY_POINT
        else:
            rest.append(event)
    return rest


def _by_point(
    records: Records,
    numbers: list[int],
    left: list[LedgerRecord],
    found: bytearray,
    point_of: SamePoint,
    tolerance_us: int,
) -> list[LedgerRecord]:
    at = records.at
    dialled = sorted((n for n in numbers if records.numbers[n]), key=lambda n: at[n])
    if not dialled:
        return left
    times = [at[n] for n in dialled]
    known: dict[tuple[str, str], str] = {}
    rest: list[LedgerRecord] = []
    groups: dict[str, list[LedgerRecord]] = {}
    for event in left:
        number = _number_of(event, records, dialled, times, known, point_of, tolerance_us)
        if number:
            groups.setdefault(number, []).append(event)
        else:
            rest.append(event)
    by_number: dict[str, list[int]] = {}
    for place in dialled:
        if records.numbers[place] in groups:
            by_number.setdefault(records.numbers[place], []).append(place)
    for number, events in groups.items():
        rest += _pair(events, by_number[number], at, found, tolerance_us)
    return rest


def _number_of(
    event: LedgerRecord,
    records: Records,
    dialled: list[int],
    times: list[int],
    known: dict[tuple[str, str], str],
    point_of: SamePoint,
    tolerance_us: int,
) -> str:
    """The number that the event's contact point stands for, if one was dialled within the tolerance; nearest first,
    since each try costs an HMAC."""
    if not event.point:
        return ""
    told = known.get((event.case, event.point))
    if told is not None:
        return told
    tried: set[str] = set()
    right = bisect_left(times, event.at_us)
    left = right - 1
    low, high = event.at_us - tolerance_us, event.at_us + tolerance_us
    while True:
        before = event.at_us - times[left] if left >= 0 and times[left] >= low else -1
        behind = times[right] - event.at_us if right < len(times) and times[right] <= high else -1
        if before < 0 and behind < 0:
            return ""
        if behind < 0 or 0 <= before <= behind:
            place, left = dialled[left], left - 1
        else:
            place, right = dialled[right], right + 1
        number = records.numbers[place]
        if number not in tried:
            tried.add(number)
            if point_of(event.case, number) == event.point:
                known[event.case, event.point] = number
                return number


def _pair(
    events: list[LedgerRecord], places: list[int], at: array[int], found: bytearray, tolerance_us: int
) -> list[LedgerRecord]:
    """Pairs events and records of one number, both in the order of time. Taking the earliest partner that is left
    gives as many pairs as there can be, since all tolerances are equal. Returns the events without one."""
    events.sort(key=lambda event: (event.at_us, event.shard, event.idx))
    rest, following = [], 0
    for event in events:
        while following < len(places) and at[places[following]] < event.at_us - tolerance_us:
            following += 1
        if following < len(places) and at[places[following]] <= event.at_us + tolerance_us:
            found[places[following]] = BY_POINT
            following += 1
        else:
            rest.append(event)
    return rest
