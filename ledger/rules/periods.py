"""The validation period of a debt: when a notice is taken to have been received, and the last day on which it
can be answered. ABS rules ask whether something fell into it, VAL rules what its end must be."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.rules import calendar
from ledger.rules.answers import date_zone
from ledger.rules.facts import Event, View
from ledger.rules.match import select
from ledger.rules.shapes import Filter, Span, Test

RECEIPT = Span(5, "business_days", "US-6103")
PERIOD = Span(30, "days")
NOTICES = (
    Filter(types=("contact.message_sent",), where=(Test("kind", "in", ("validation_notice",)),)),
    Filter(types=("disclosure.given",), where=(Test("kinds", "any", ("validation",)),)),
)


def validation(event: Event, zone: str, receipt: Span, period: Span) -> tuple[int, int]:
    """Assumed receipt and last day, as day numbers."""
    received = calendar.add(event.day(zone), receipt.n, receipt.unit, receipt.calendar)
    return received, calendar.add(received, period.n, period.unit, period.calendar)


def last_day(notice: Event, fallback: tuple[str, ...]) -> int:
    """Last day of the period that a notice began: what it states, where that is later than the law's."""
    zone = date_zone(notice, fallback)
    _, end = validation(notice, zone, RECEIPT, PERIOD)
    stated = notice.data.get("period_ends_on")
    return max(end, calendar.ordinal(stated)) if stated else end


def in_period(event: Event, fallback: tuple[str, ...], view: View) -> bool:
    """Whether an event falls into the validation period of one of its debts, or before one began."""
    notices: Sequence[Event] = [
        notice
        for notice in select(NOTICES, view)
        if notice.rank < event.rank and (not notice.debts or set(notice.debts) & set(event.debts))
    ]
    if not notices:
        return True
    zone = date_zone(event, fallback)
    return any(event.day(zone) <= last_day(notice, fallback) for notice in notices)
