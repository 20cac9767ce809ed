"""Judges one case by packs: every rule over every event that it speaks of, in one pass over the case. Pure:
no clock (`as_of` is given), no reading of anything, the same findings for the same arguments.

Each event is judged by the version of a rule that was in force where and when it happened. `corrected` findings
take corrections into account, `first` ones stand beside them where these changed anything, `today` ones where
another version, or none, was in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.kernel import canonical
from ledger.rules import abs as absence
from ledger.rules import att, calendar, fc, pre, ret, rsp, tw, val
from ledger.rules.answers import PASS, Answer, Answers
from ledger.rules.facts import Event, View
from ledger.rules.findings import Finding, Findings
from ledger.rules.match import select
from ledger.rules.shapes import FAIL, Pack, Rule

_JUDGES: Mapping[str, Any] = {
    "TW": tw.judge,
    "FC": fc.judge,
    "PRE": pre.judge,
    "RSP": rsp.judge,
    "ATT": att.judge,
    "VAL": val.judge,
    "RET": ret.judge,
}
_SEVERE = frozenset({"BREACH", "PRESUMED_BREACH"})


@dataclass(frozen=True, slots=True)
class Binding:
    """What a registry's `pack_adopted` made binding: rules of a pack (none named: all), from a local date."""

    pack: str
    rules: tuple[str, ...]
    starts: str

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Binding:
        """From `{pack, rules, from}`; `from` may be a date or a time."""
        return cls(value["pack"], tuple(value["rules"]), value["from"][:10])


class _Judging:
    """One rule version over one view."""

    def __init__(self, rule: Rule, view: View, bindings: Sequence[Binding], today: bool) -> None:
        self.rule, self.view, self.today = rule, view, today
        self.zone = next(iter(rule.territory), "UTC")
        self.starts = 1 if today else rule.starts.toordinal()
        self.ends = 1 << 30 if today or rule.ends is None else rule.ends.toordinal()
        self.bound = 1 << 30
        if not rule.needs_adoption:
            self.bound = 0
        for binding in bindings:
            if binding.pack == rule.pack and (rule.id in binding.rules or not binding.rules):
                self.bound = min(self.bound, calendar.ordinal(binding.starts))

    def day(self, event: Event) -> int:
        """Local date of an event: where the person may be, else where the rule's law holds."""
        if event.candidates:
            return event.day(event.candidates[0])
        return event.day(self.zone)

    def scope(self, event: Event) -> str:
        """Why the rule does not speak of an event; "" where it does."""
        scope, view = self.rule.scope, self.view
        if scope.capacity and event.capacity not in scope.capacity:
            return "scope_capacity"
        if scope.places:
            place = view.residence(event.time)
            if place and not any(place == p or place.startswith(p + "-") for p in scope.places):
                return "scope_place"
        if scope.products and event.debts:
            known = {view.products[debt] for debt in event.debts if debt in view.products}
            if known and not known & set(scope.products):
                return "scope_product"
        if scope.charged_off and event.debts:
            dates = [view.charged_off[debt] for debt in event.debts if debt in view.charged_off]
            if dates and not any(date and calendar.ordinal(date) <= self.day(event) for date in dates):
                return "scope_product"
        return ""

    def split(self, events: list[Event]) -> tuple[list[Event], dict[str, list[Event]]]:
        """Events of which the rule speaks, and the others by the reason why not."""
        scope = self.rule.scope
        out: dict[str, list[Event]] = {}
        if len(self.view.residences) < 2 and scope.places and events:
            # One place for the whole case: either every event is in it or none is.
            place = self.view.residence(0)
            if place and not any(place == p or place.startswith(p + "-") for p in scope.places):
                if not scope.capacity:
                    return [], {"scope_place": list(events)}
                wrong = [event for event in events if event.capacity not in scope.capacity]
                gone = set(map(id, wrong))
                out["scope_capacity"] = wrong
                out["scope_place"] = [event for event in events if id(event) not in gone]
                return [], out
        simple = not (scope.products or scope.charged_off) and (
            not scope.places or len(self.view.residences) < 2
        )
        capacity = frozenset(scope.capacity)
        starts, ends = self.starts, self.ends
        low, high = self.view.days
        if simple and starts <= low and high <= ends and (not capacity or self.view.capacities <= capacity):
            return events, {}
        targets: list[Event] = []
        for event in events:
            reason = (
                self.scope(event)
                if not simple or event.capacity not in (capacity or self.view.capacities)
                else ""
            )
            if not reason and not starts <= self.day(event) <= ends:
                reason = "not_in_force"
            if reason:
                out.setdefault(reason, []).append(event)
            else:
                targets.append(event)
        return targets, out

    def ordered(self, events: list[Event]) -> list[Event]:
        """Only the first of each, or only the later ones, where the rule says so."""
        order = self.rule.order
        if order is None:
            return events
        seen: set[Any] = set()
        kept: list[Event] = []
        for event in events:
            keys = [
                (p, d)
                for p in event.parties or ("",)
                for d in (event.debts if "debt" in order.per else ("",))
            ]
            new = not all(key in seen for key in keys)
            seen.update(keys)
            if new == (order.which == "first"):
                kept.append(event)
        return kept

    def judge(self, targets: Sequence[Event]) -> list[tuple[Event, Answer]]:
        """Readings compared, grades and binding laid over the kind's answers."""
        rule = self.rule
        readings = (rule.params, *(reading.params for reading in rule.readings))
        if rule.kind == "ABS":
            results = absence.judge(readings, self.view, targets, rule.territory, rule.on)  # type: ignore[arg-type]
        else:
            results = _JUDGES[rule.kind](readings, self.view, targets, rule.territory)
        base: Answers = results[0]
        others = [(rule.readings[n].name, other) for n, other in enumerate(results[1:]) if other is not base]
        found: list[tuple[Event, Answer]] = []
        for n, event in enumerate(targets):
            answer = base[n]
            if answer is None:
                continue
            if answer is not PASS or others:
                answer = self._final(event, answer)
                for name, other in others:
                    alternative = other[n]
                    if alternative is not None and alternative is not base[n]:
                        answer = _compare(answer, self._final(event, alternative), name)
            found.append((event, answer))
        return found

    def _final(self, event: Event, answer: Answer) -> Answer:
        rule = self.rule
        outcome, codes, rests = answer
        if outcome == FAIL:
            outcome = rule.outcome
        if outcome == "PASS":
            return answer
        if rule.grade == "U" and outcome not in ("NOT_APPLICABLE", "INSUFFICIENT_EVIDENCE"):
            outcome = "REVIEW"
            if "unconfirmed" not in codes:
                codes += ("unconfirmed",)
        if outcome in _SEVERE and rule.needs_adoption:
            day = calendar.local(self.view.as_of, self.zone)[0] if self.today else self.day(event)
            if day < self.bound:
                outcome = "ADVISORY"
                codes += ("not_binding",)
            elif rule.modality == "advised":
                outcome = "ADVISORY"
        if outcome in _SEVERE and event.capacity == "agency" and rule.principal_liable:
            codes += ("liable_agency", "liable_principal")
        return Answer(outcome, codes, rests)


def _compare(answer: Answer, other: Answer, name: str) -> Answer:
    """Equal outcomes stand; different ones are a REVIEW that names the other reading."""
    if "readings_differ" not in answer.codes and answer.outcome == other.outcome:
        return answer
    if answer.outcome == other.outcome:
        return answer
    codes = tuple(dict.fromkeys((*answer.codes, "readings_differ", name, *other.codes)))
    rests = tuple(dict.fromkeys((*answer.rests, *other.rests)))
    return Answer("REVIEW", codes, rests)


def _versions(packs: Iterable[Pack], extras: bool) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for pack in packs:
        for rule in pack.rules:
            if rule.enabled or extras:
                found.setdefault(f"{rule.pack}/{rule.id}", []).append(rule)
    return found


def _evaluate(
    versions: Sequence[Rule], view: View, bindings: Sequence[Binding], reading: str, found: Findings
) -> None:
    """All versions of one rule: each event by the last version that is in force on its day."""
    today = reading == "today"
    if today:
        newest = versions[-1]
        judging = _Judging(newest, view, bindings, today=True)
        wanted = {event.place for event in _outdated(versions, view)}
        # A rule that is no longer in force says nothing of what today's law would say.
        day = calendar.local(view.as_of, judging.zone)[0]
        still = newest.starts.toordinal() <= day and (newest.ends is None or day <= newest.ends.toordinal())
        if wanted and still:
            _add(judging, view, wanted, reading, found)
        return
    if len(versions) == 1:
        _add(_Judging(versions[0], view, bindings, today=False), view, None, reading, found)
        return
    taken: set[int] = set()
    for n, rule in enumerate(reversed(versions)):
        judging = _Judging(rule, view, bindings, today=False)
        targets, out = judging.split(select([entry.filter for entry in rule.on], view))
        mine = {event.place for event in targets} - taken
        oldest = n == len(versions) - 1
        if oldest:
            mine |= {event.place for held in out.values() for event in held} - taken
        taken |= mine
        if mine:
            _add(judging, view, mine, reading, found)


def _outdated(versions: Sequence[Rule], view: View) -> list[Event]:
    """Events for which another version than the last, or none, was in force."""
    newest = versions[-1]
    judging = _Judging(newest, view, (), today=False)
    _, out = judging.split(select([entry.filter for entry in newest.on], view))
    return out.get("not_in_force", [])


def _add(judging: _Judging, view: View, only: set[int] | None, reading: str, found: Findings) -> None:
    rule = judging.rule
    targets, out = judging.split(select([entry.filter for entry in rule.on], view))
    targets = judging.ordered(targets)
    late = view.late
    for reason, events in out.items():
        if only is None and not late:
            found.group(rule, "NOT_APPLICABLE", (reason,), reading).extend([event.place for event in events])
            continue
        for event in events:
            if only is None or event.place in only:
                why = (reason, "late_entry") if event.place in late else (reason,)
                found.group(rule, "NOT_APPLICABLE", why, reading).append(event.place)
    if not targets:
        return
    passed = found.group(rule, "PASS", (), reading)
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for event, answer in judging.judge(targets):
        place = event.place
        if only is not None and place not in only:
            continue
        if answer is PASS and not late:
            passed.append(place)
            continue
        outcome, codes, rests = answer
        if late and (place in late or not late.isdisjoint(rests)):
            codes += ("late_entry",)
        if rests:
            rests = tuple(dict.fromkeys((place, *rests)))
            found.single.append(Finding(rule, place, outcome, codes, rests, reading))
        else:
            kept = groups.get((outcome, codes))
            if kept is None:
                kept = groups[outcome, codes] = found.group(rule, outcome, codes, reading)
            kept.append(place)


def evaluate(
    packs: Sequence[Pack],
    events: Sequence[Mapping[str, Any]],
    *,
    as_of: str,
    bindings: Sequence[Binding] = (),
    extras: bool = False,
) -> Findings:
    """Findings of `packs` (of one pack: oldest version first) over the events of one case, in their order of
    arrival, with those streams of agencies, staff and sources that the case leans on. Protected members stand
    opened, or as they are stored. Rules that are off by default are judged with `extras`."""
    moment = canonical.parse_time(as_of)
    versions = _versions(packs, extras)
    view = View(events, as_of=moment)
    found = Findings([event["id"] for event in events])
    for rules in versions.values():
        _evaluate(rules, view, bindings, "corrected", found)
        if any(rule.starts.toordinal() > _first_day(view) or rule.ends is not None for rule in rules):
            _evaluate(rules, view, bindings, "today", found)
    if view.corrected_any:
        first = View(events, as_of=moment, corrected=False)
        before = Findings(found.ids)
        for rules in versions.values():
            _evaluate(rules, first, bindings, "first", before)
        found.add_first(before)
    return found


def _first_day(view: View) -> int:
    """A day that no event of the case lies before, in any zone."""
    if not view.events:
        return 1 << 30
    return view.days[0]
