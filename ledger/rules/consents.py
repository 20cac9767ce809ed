"""Agreements that excuse: same party, scope, debts and dates, given before the act and not taken back. One that
was captured only after the act it excuses is no PASS, and is named."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.rules import calendar
from ledger.rules.calendar import DAY_US, MINUTE_US
from ledger.rules.facts import Event, View
from ledger.rules.match import select
from ledger.rules.shapes import Consent

_SCOPE_OF = {"sms": "text", "email": "email", "im": "im", "social": "im", "app": "im", "voice": "calls"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Excuse(NamedTuple):
    """The consent that answers for an event: `ok`, `late` (captured after the act) or `scope` (too narrow)."""

    state: str
    event: Event
    last_day: int | None


def _grants(view: View) -> dict[tuple[str, str], list[Event]]:
    """Grants and renewals by party and scope, in order."""
    found: dict[tuple[str, str], list[Event]] | None = view.memo.get("grants")
    if found is None:
        found = view.memo["grants"] = {}
        for event in view.of("consent.recorded"):
            if event.data["action"] != "withdraw":
                for scope in event.data["scope"]:
                    found.setdefault((event.data["party"], scope), []).append(event)
    return found


def _talks(view: View) -> dict[str, list[Event]]:
    """Grants by the talk in which they were given: these may come after the talk began."""
    found: dict[str, list[Event]] | None = view.memo.get("talks")
    if found is None:
        found = view.memo["talks"] = {}
        for event in view.of("consent.recorded"):
            if "given_in" in event.data:
                found.setdefault(view.contact_of(event.data["given_in"]), []).append(event)
    return found


def _candidates(
    spec: Consent, scope: str, party: str, event: Event, view: View
) -> Iterator[tuple[Event, bool]]:
    """Grants that may excuse, newest first, and whether each was given in the very contact that it excuses."""
    here = _talks(view).get(event.contact, ())
    for grant in reversed(here):
        if (
            grant.data["party"] == party
            and grant.data["action"] != "withdraw"
            and scope in grant.data["scope"]
        ):
            yield grant, True
    grants = _grants(view).get((party, scope), [])
    # Past its count of dates, whatever the zone, no older grant is good either.
    oldest = event.time - (spec.max_dates + 2) * DAY_US if spec.max_dates else None
    for n in range(bisect_left(grants, event.rank, key=lambda grant: grant.rank) - 1, -1, -1):
        if oldest is not None and grants[n].time < oldest:
            return
        if grants[n] not in here:
            yield grants[n], False


def _withdrawals(view: View) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] | None = view.memo.get("withdrawals")
    if found is None:
        found = view.memo["withdrawals"] = {}
        for event in view.of("consent.recorded"):
            if event.data["action"] == "withdraw":
                found.setdefault(event.data["party"], []).append(event)
    return found


def _withdrawn(grant: Event, event: Event, view: View) -> bool:
    for later in _withdrawals(view).get(grant.data["party"], ()):
        if grant.rank < later.rank < event.rank:
            named = later.data.get("consent")
            if named is None:
                if set(later.data["scope"]) & set(grant.data["scope"]):
                    return True
            else:
                target = view.ids.get(named)
                renewed = view.ids.get(grant.data.get("consent", ""))
                if target is not None and target in (grant, renewed):
                    return True
    return False


def in_windows(windows: Sequence[dict[str, object]], day: int, clock: int) -> bool:
    """Whether a local moment lies in one of the windows; a window does not hold its end."""
    weekday = WEEKDAYS[(day - 1) % 7]
    for window in windows:
        days = window.get("days")
        if isinstance(days, list) and weekday not in days:
            continue
        start, end = window["from_min"], window["to_min"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        if start * MINUTE_US <= clock < end * MINUTE_US:
            return True
    return False


def _ended(spec: Consent, grant: Event, event: Event, view: View) -> bool:
    if not spec.ended_by:
        return False
    enders = select(spec.ended_by, view)
    n = bisect_right(enders, grant.rank, key=lambda found: found.rank)
    given = view.contact_of(grant.data.get("given_in", ""))
    for later in enders[n:]:
        if later.rank >= event.rank:
            return False
        if set(later.parties) & set(event.parties) and later.contact not in (given, event.contact):
            return True
    return False


def last_day(spec: Consent, grant: Event, zone: str) -> int | None:
    """Last day on which a grant is good, by its own date and by the rule's count; None where neither ends it."""
    days = []
    if "expires" in grant.data:
        days.append(calendar.ordinal(grant.data["expires"]))
    if spec.max_dates:
        days.append(grant.day(zone) + spec.max_dates - (spec.first_day == "grant"))
    return min(days) if days else None


def _covers(spec: Consent, grant: Event, event: Event, zones: Sequence[str]) -> bool:
    data = grant.data
    if data.get("debts") is not None and not set(event.debts) <= set(data["debts"]):
        return False
    if spec.form and data["form"] not in spec.form:
        return False
    if spec.given_to and data["given_to"] != spec.given_to:
        return False
    if "zone" in data and calendar.zone(data["zone"]) is not None:
        zones = (data["zone"],)
    for zone in zones:
        day, clock = event.local(zone)
        end = last_day(spec, grant, zone)
        if end is not None and day > end:
            return False
        if "valid_from" in data and day < calendar.ordinal(data["valid_from"]):
            return False
        if spec.scope == "hours" and "windows" in data and not in_windows(data["windows"], day, clock):
            return False
    return True


def excuse(spec: Consent, event: Event, zones: Sequence[str], view: View) -> Excuse | None:
    """The newest consent that excuses this event for all its parties; None where none does."""
    scope = _SCOPE_OF.get(event.medium, "") if spec.scope == "@medium" else spec.scope
    best: Excuse | None = None
    for party in event.parties:
        for grant, in_talk in _candidates(spec, scope, party, event, view):
            if not _covers(spec, grant, event, zones):
                continue
            if _withdrawn(grant, event, view) or _ended(spec, grant, event, view):
                continue
            state = "ok"
            if grant.recorded > event.time and not (in_talk and not grant.late):
                state = "late"
            elif spec.covers and not in_talk and not _named(spec, event, view):
                state = "scope"
            found = Excuse(state, grant, last_day(spec, grant, zones[0]) if zones else None)
            if state == "ok":
                return found
            if best is None or (best.state == "scope" and state == "late"):
                best = found
    return best


def _named(spec: Consent, event: Event, view: View) -> bool:
    return event in select(spec.covers, view)
