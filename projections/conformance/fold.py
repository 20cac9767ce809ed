"""From the entries of one case to its findings: a pure function of the entries, the basis and a moment.

**As of.** Some findings depend on the time at which they are asked: an answer that is not due yet is a breach once its
day is over. The moment is the newest `sequenced` that the view has read, never the clock of a machine, so the same
entries give the same findings on any day. `look_us` says when time alone can change them next; the view judges the
case again with the first batch that reaches it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from ledger.kernel.canonical import format_time
from ledger.rules import calendar, proof
from ledger.rules.evaluate import evaluate
from ledger.rules.facts import CONTACT_TYPES, Event, moment, resolve
from ledger.rules.findings import Finding
from ledger.rules.shapes import CANDIDATES, RESIDENCE, Rule
from projections.conformance.basis import Basis
from projections.conformance.model import EXCEPTIONS, CaseFindings, Cell, Found, Told

_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_DUE: Final = "due:"
_AGENCIES: Final = ("agency", "recipient_agency", "to_agency", "transferee")
_ITEMISED: Final = "duecourse.debt.itemised.v1"
_CONTACTS: Final = frozenset(f"duecourse.{name}.v1" for name in CONTACT_TYPES)
_SETTLING: Final = frozenset(("duecourse.case.assigned", "duecourse.conduct.reviewed"))
# How a review names the exception that it closes, in `source_ref`.
CLOSES: Final = "exception"


def closing_ref(pack: str, rule: str, outcome: str) -> str:
    """The `source_ref` of a review that closes the exception of this rule about the event that it is about, as long
    as the outcome stays what it is."""
    return f"{CLOSES}/{pack}/{rule}/{outcome}"


def references(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Streams of agencies and staff that the events of a case name."""
    found: set[str] = set()
    for event in events:
        data = event["data"]
        if event["actorid"].startswith(("staff/", "agency/")):
            found.add(event["actorid"])
        staff = data.get("staff", ())
        found.update(f"staff/{one}" for one in ((staff,) if isinstance(staff, str) else staff))
        found.update(f"agency/{data[name]}" for name in _AGENCIES if isinstance(data.get(name), str))
    return frozenset(found)


def contact_days(events: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    """Days (ordinals, UTC, and the ones beside them, since local days begin elsewhere) on which there were
    contacts."""
    days = {
        dt.date.fromisoformat(event["time"][:10]).toordinal()
        for event in events
        if event["type"] in _CONTACTS
    }
    return frozenset(day + beside for day in days for beside in (-1, 0, 1))


def case_findings(case: Sequence[Told], others: Sequence[Told], basis: Basis, *, as_of: str) -> CaseFindings:
    """The findings of one case. `case` are its entries in order, `others` those of the streams on which it leans."""
    if len(case) + len(others) > proof.JUDGED_MAX:
        return CaseFindings(too_large=True)
    told = case if not others else sorted((*case, *others), key=lambda one: one.idx)
    kinds = frozenset([event["type"].rpartition(".v")[0] for _, _, event in told])
    packs = basis.speaking_of(kinds)
    if not packs:
        return CaseFindings()
    findings = evaluate(packs, [event for _, _, event in told], as_of=as_of, bindings=basis.bindings)
    filing = _Filing(told, kinds, as_of)
    for (_, outcome, codes, reading), (rule, places) in findings.groups.items():
        if reading == "corrected" and places:
            filing.file(rule, outcome, codes, places, basis)
    for finding in findings.single:
        if finding.reading == "corrected":
            filing.single(finding, basis)
    found = filing.found
    if found and not _SETTLING.isdisjoint(kinds):
        found = _settled(found, case)
    return CaseFindings(found=tuple(found), counts=filing.counts, look_us=filing.look_us)


class _Filing:
    """Puts findings where they are kept, and finds the next moment to look."""

    def __init__(self, told: Sequence[Told], kinds: frozenset[str], as_of: str) -> None:
        self.told = told
        self.kinds = kinds
        self.now_us = moment(as_of)
        self.found: list[Found] = []
        self.counts: Counter[Cell] = Counter()
        self.look_us: int | None = None
        self._weeks: dict[tuple[int, str], str] = {}
        self._zones: frozenset[str] | None = None
        self._products: dict[str, str] = {}
        for _, _, event in told:
            if event["type"] == _ITEMISED:
                self._products[event["data"]["debt"]] = event["data"]["product"]
        every = set(self._products.values())
        self._only = every.pop() if len(every) == 1 else ""

    def file(
        self, rule: Rule, outcome: str, codes: tuple[str, ...], places: Iterable[int], basis: Basis
    ) -> None:
        """One finding about each of these places, resting on nothing else."""
        if outcome in EXCEPTIONS:
            for place in places:
                self.single(Finding(rule, place, outcome, codes, (place,), "corrected"), basis)
            return
        for place in places:
            self.counts[self._cell(rule, outcome, place)] += 1
        self._time(rule, outcome, codes, basis)

    def single(self, finding: Finding, basis: Basis) -> None:
        rule, place, outcome, codes, rests, _ = finding
        cell = self._cell(rule, outcome, place)
        self.counts[cell] += 1
        self._time(rule, outcome, codes, basis)
        if outcome not in EXCEPTIONS:
            return
        told = self.told
        since = max([told[one].sequenced for one in rests])
        for code in codes:
            if code.startswith(_DUE):
                over = min(_midnight_after(code[len(_DUE) :], zone) for zone in self._zones_of(rule))
                since = max(since, format_time(over))
        self.found.append(
            Found(
                pack=rule.pack,
                rule=rule.id,
                version=rule.version,
                outcome=outcome,
                index=told[place].idx,
                event=told[place].event["id"],
                codes=tuple(sorted(set(codes))),
                rests=tuple(told[one].idx for one in rests),
                since=since,
                cell=cell,
            )
        )

    def _cell(self, rule: Rule, outcome: str, place: int) -> Cell:
        event = self.told[place].event
        data = event["data"]
        debts = data.get("debts") or ((data["debt"],) if "debt" in data else ())
        product = self._products.get(debts[0], "") if debts else self._only
        return Cell(rule.pack, rule.id, outcome, data.get("agency", ""), product, self._week(rule, place))

    def _week(self, rule: Rule, place: int) -> str:
        zone = _zone_of(rule)
        if not zone:
            stated = self.told[place].event["data"].get("zones") or ()
            zone = next((one["zone"] for one in stated if calendar.zone(one["zone"]) is not None), "UTC")
        week = self._weeks.get((place, zone))
        if week is None:
            day = calendar.local(moment(self.told[place].event["time"]), zone)[0]
            week = self._weeks[place, zone] = _week_of(day)
        return week

    def _time(self, rule: Rule, outcome: str, codes: Iterable[str], basis: Basis) -> None:
        """Whether time alone may change a finding: where an answer is due, as long as the day is not over everywhere
        in which it may be judged; and daily, where a pause moves that day."""
        if outcome == "PASS" or rule.kind != "RSP":
            return
        zones = self._zones_of(rule)
        for code in codes:
            if code.startswith(_DUE):
                for one in zones:
                    self._look(_midnight_after(code[len(_DUE) :], one))
        if not self.kinds.isdisjoint(basis.pausing(rule)):
            for one in zones:
                day = calendar.local(self.now_us, one)[0]
                self._look(_midnight_after(calendar.spelled(day), one))

    def _look(self, at_us: int) -> None:
        if at_us > self.now_us and (self.look_us is None or at_us < self.look_us):
            self.look_us = at_us

    def _zones_of(self, rule: Rule) -> Iterable[str]:
        """Every zone in which a day of the rule may be judged."""
        zone = _zone_of(rule)
        return (zone,) if zone else self._every_zone().union(rule.territory)

    def _every_zone(self) -> frozenset[str]:
        """Every zone in which an event of the case may be judged."""
        if self._zones is None:
            named = {"UTC"}
            for _, _, event in self.told:
                data = event["data"]
                named.update(one["zone"] for one in data.get("zones", ()))
                named.add(data.get("zone", "UTC"))
            self._zones = frozenset(name for name in named if calendar.zone(name) is not None)
        return self._zones


def _zone_of(rule: Rule) -> str:
    """The zone that a rule names, or "" where it asks for those of the person."""
    return "" if rule.zone in ("", CANDIDATES, RESIDENCE) else rule.zone


@lru_cache(4096)
def _week_of(day: int) -> str:
    year, number, _ = dt.date.fromordinal(day).isocalendar()
    return f"{year:04}-W{number:02}"


@lru_cache(4096)
def _midnight_after(date: str, zone: str) -> int:
    """The first moment at which the day is over in the zone, us since the epoch."""
    following = calendar.ordinal(date) + 1
    at = (following - _EPOCH_DAY) * calendar.DAY_US
    # Local midnights fall on quarters of an hour; those of a day lie within 15 hours of the UTC one.
    low, high = -60, 60
    quarter = calendar.DAY_US // 96
    while low < high:
        middle = (low + high) // 2
        if calendar.local(at + middle * quarter, zone)[0] >= following:
            high = middle
        else:
            low = middle + 1
    return at + low * quarter


def _settled(found: Sequence[Found], case: Sequence[Told]) -> list[Found]:
    """Findings with their owner, and with the review that closed them. What was corrected away counts no more."""
    standing, ids = resolve([Event(place, one.event) for place, one in enumerate(case)], corrected=True)
    owner = ""
    closed: dict[tuple[str, str], int] = {}
    for event in sorted(standing, key=lambda one: one.place):
        if event.type == "case.assigned":
            owner = event.data.get("staff", owner)
        elif event.type == "conduct.reviewed" and event.data["found_by"] == "person":
            ref = event.data.get("source_ref", "")
            if ref.startswith(f"{CLOSES}/"):
                about = ids.get(event.data["about"])
                closed[about.id if about is not None else event.data["about"], ref] = case[event.place].idx
    result = []
    for one in found:
        review = closed.get((one.event, closing_ref(one.pack, one.rule, one.outcome)))
        result.append(replace(one, owner=owner, closed_by=review))
    return result
