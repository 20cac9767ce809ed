"""What a kind's evaluator says of one event, before scope, binding and readings are laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from ledger.rules.consents import excuse
from ledger.rules.facts import Event, View
from ledger.rules.match import fits
from ledger.rules.shapes import CANDIDATES, FAIL, RESIDENCE, Entry


class Answer(NamedTuple):
    """`rests` are places of events beside the judged one."""

    outcome: str
    codes: tuple[str, ...] = ()
    rests: tuple[int, ...] = ()


# None stands for "nothing to say": the event is judged elsewhere.
Answers: TypeAlias = list[Answer | None]

PASS = Answer("PASS")
NO_ZONE = Answer("INSUFFICIENT_EVIDENCE", ("no_zone",))
# From worst to best. What a missing fact could turn is worse than PASS; an open question is worse than that.
_ORDER = (
    "BREACH",
    FAIL,
    "PRESUMED_BREACH",
    "REVIEW",
    "ADVISORY",
    "INSUFFICIENT_EVIDENCE",
    "PASS",
    "NOT_APPLICABLE",
)
RANK = {outcome: rank for rank, outcome in enumerate(_ORDER)}


def worst(answers: Sequence[Answer]) -> Answer:
    """The worst answer; the first of equals."""
    return min(answers, key=lambda answer: RANK[answer.outcome])


def zones_of(event: Event, policy: str, fallback: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The zones in which an event is judged: a named one, or all in which the person may be. `fallback` is the
    zone of the law, or the outermost zones of its territory: these serve for what was no contact, since where
    nobody was contacted nobody was asked for a zone."""
    known = event.candidates if policy == CANDIDATES else event.residence
    if policy not in (CANDIDATES, RESIDENCE):
        return (policy,)
    if known or (len(fallback) > 1 and "parties" in event.data):
        return known
    return fallback


def excepted(excepts: Sequence[Entry], event: Event, zones: Sequence[str], view: View) -> Answer | None:
    """What an exception makes of an event that would fail without it; None where none speaks of it."""
    late: Answer | None = None
    for entry in excepts:
        if entry.consent is not None:
            if entry.filter.types and not fits(entry.filter, event, view):
                continue
            found = excuse(entry.consent, event, zones, view)
            if found is None:
                continue
            rests = (found.event.place,)
            if found.state == "ok":
                return Answer("PASS", ("consent",), rests)
            code = "exception_recorded_late" if found.state == "late" else "consent_scope"
            outcome = "REVIEW" if found.state == "late" else entry.consent.beyond
            late = late or Answer(outcome, (code,), rests)
        elif fits(entry.filter, event, view):
            return Answer(entry.outcome or "PASS", (entry.code or "exempt",))
    return late


def date_zone(event: Event, fallback: tuple[str, ...]) -> str:
    """The zone for a date that is looked up and not judged: the law's own, else the first that may be meant."""
    if len(fallback) == 1:
        return fallback[0]
    return next(iter((*event.candidates, *fallback)), "UTC")
