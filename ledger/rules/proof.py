"""Findings as they leave the building: what goes into `findings.json`, the same bytes whoever makes them
(docs/formats/findings.md). Pure: entries, opened fields, adopted packs and the seal's time in; findings out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from typing import Any, Final, NamedTuple

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import sha256
from ledger.rules import calendar
from ledger.rules.evaluate import Binding, evaluate
from ledger.rules.findings import Finding, Findings
from ledger.rules.model import parse_pack
from ledger.rules.shapes import CANDIDATES, Pack

# Streams whose entries are judged: the case, and what it leans on.
KINDS: Final = frozenset({"case", "agency", "staff", "source"})
# Outcomes that say that nothing is wrong: kept as one item for all events of a rule.
QUIET: Final = frozenset({"PASS", "NOT_APPLICABLE"})
# A case is judged as a whole: so many entries take some 300 MB (rule R21).
JUDGED_MAX: Final = 50_000
_BARE: Final = frozenset({"id", "version"})


def data_version() -> str:
    """The time zones and the holidays that findings rest on, as `findings.json` names them in `tzdata`."""
    return f"{calendar.tzdata_version()}+holidays.{metadata.version('holidays')}"


class Adoption(NamedTuple):
    """One `pack_adopted` of the registry. `starts` is a time; `binding` names the rules that bind from then on."""

    pack: str
    version: str
    digest: str
    binding: tuple[str, ...]
    starts: str

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Adoption:
        """From the entry's `data`, or the registry's record of it."""
        return cls(value["id"], value["version"], value["digest"], tuple(value["binding"]), value["from"])

    @property
    def name(self) -> str:
        """`cn-card@1`."""
        return f"{self.pack}@{self.version}"


def newest(adoptions: Iterable[Adoption]) -> dict[str, Adoption]:
    """By `id@version`, in the order in which names were first adopted: the last adoption of each."""
    found: dict[str, Adoption] = {}
    for adoption in adoptions:
        found[adoption.name] = adoption
    return found


@lru_cache(maxsize=64)
def open_pack(data: bytes, name: str) -> Pack:
    """The pack in these bytes. A file with nothing but `id` and `version` is a pack without rules.
    PackRefused (PackNewer for a later language) where it is none."""
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        table = {}
    if table.keys() == _BARE and all(canonical.is_identifier(table[key]) for key in _BARE):
        return Pack(table["id"], table["version"], (), (), CANDIDATES, (), data)
    return parse_pack(data, name)


def _bindings(adoptions: Iterable[Adoption], packs: Sequence[Pack]) -> list[Binding]:
    """Each rule that an adoption names binds from the local date of `from`, where the rule's law holds."""
    zones = {(pack.id, rule.id): rule.zone for pack in packs for rule in pack.rules}
    found: list[Binding] = []
    for adoption in adoptions:
        moment = canonical.parse_time(adoption.starts)
        for rule in adoption.binding:
            zone = zones.get((adoption.pack, rule), "")
            day = calendar.local(moment, zone if calendar.zone(zone) is not None else "UTC")[0]
            found.append(Binding(adoption.pack, (rule,), calendar.spelled(day)))
    return found


def _armed(pack: Pack, named: frozenset[tuple[str, str]]) -> Pack:
    """The pack with those rules on that are off by default and that an adoption names."""
    if not any((pack.id, rule.id) in named and not rule.enabled for rule in pack.rules):
        return pack
    rules = (replace(rule, enabled=True) if (pack.id, rule.id) in named else rule for rule in pack.rules)
    return replace(pack, rules=tuple(rules))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Findings over one case. `indexes` are the entries' indexes in the ledger, by place."""

    findings: Findings
    indexes: tuple[int, ...]
    packs: tuple[Pack, ...]

    def items(self) -> list[dict[str, Any]]:
        """The list in `findings.json`, in its order."""
        return [item for _, item in sorted(self._keyed(), key=lambda one: one[0])]

    def loud(self) -> list[Finding]:
        """Findings that say more than that nothing is wrong, in the same order."""
        found = [one for one in self.findings.single if one.outcome not in QUIET]
        for (_, outcome, codes, reading), (rule, places) in self.findings.groups.items():
            if outcome not in QUIET:
                found += [Finding(rule, place, outcome, codes, (place,), reading) for place in places]
        return sorted(found, key=self._order)

    def _order(self, finding: Finding) -> tuple[Any, ...]:
        rule, indexes = finding.rule, self.indexes
        rests = [indexes[place] for place in finding.rests]
        codes = sorted(set(finding.codes))
        return (
            rule.pack,
            rule.id,
            rule.version,
            indexes[finding.event],
            finding.reading,
            finding.outcome,
            codes,
            rests,
        )

    def _keyed(self) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
        indexes = self.indexes
        quiet: dict[tuple[str, str, str, str, tuple[str, ...], str], list[int]] = {}
        for (_, outcome, codes, reading), (rule, places) in self.findings.groups.items():
            if outcome in QUIET and places:
                key = (rule.pack, rule.id, rule.version, outcome, tuple(sorted(set(codes))), reading)
                quiet.setdefault(key, []).extend([indexes[place] for place in places])
        for (pack, rule_id, version, outcome, said, reading), events in quiet.items():
            events.sort()
            yield (
                (pack, rule_id, version, events[0], reading, outcome, list(said), []),
                {
                    "codes": list(said),
                    "events": events,
                    "outcome": outcome,
                    "reading": reading,
                    "rule": f"{pack}/{rule_id}@{version}",
                },
            )
        singles = [one for one in self.findings.single if one.outcome in QUIET]
        for finding in [*singles, *self.loud()]:
            order = self._order(finding)
            yield (
                order,
                {
                    "codes": order[6],
                    "event": order[3],
                    "outcome": finding.outcome,
                    "reading": finding.reading,
                    "rests_on": order[7],
                    "rule": f"{finding.rule.pack}/{finding.rule.name}",
                },
            )


def prepared(
    packs: Mapping[str, Pack], adoptions: Sequence[Adoption]
) -> tuple[tuple[Pack, ...], list[Binding]]:
    """The packs in the order of their adoption, with the rules on that an adoption names; and what binds when. For
    those who judge many cases by the same."""
    named = frozenset((adoption.pack, rule) for adoption in adoptions for rule in adoption.binding)
    held = tuple(_armed(packs[name], named) for name in newest(adoptions) if name in packs)
    return held, _bindings(adoptions, held)


def judge(
    events: Iterable[tuple[int, Mapping[str, Any]]],
    packs: Mapping[str, Pack],
    adoptions: Sequence[Adoption],
    *,
    as_of: str,
) -> Judgement:
    """Judges one case by the packs that were adopted, each by its own adoptions.

    `events` are index and event of every entry of the streams of `KINDS` that are at hand, ascending; opened
    fields stand opened in them. `packs` are by `id@version`, and may lack some. `as_of` is the seal's time.
    Refused (E_LIMIT) for more entries than `JUDGED_MAX`."""
    told = [(index, event) for index, event in events if event["subject"].partition("/")[0] in KINDS]
    held, bindings = prepared(packs, adoptions)
    if not any(pack.rules for pack in held):
        return Judgement(Findings([]), (), held)
    if len(told) > JUDGED_MAX:
        raise Refused("E_LIMIT", f"{len(told)} entries to judge are more than {JUDGED_MAX}")
    findings = evaluate(held, [event for _, event in told], as_of=as_of, bindings=bindings)
    return Judgement(findings, tuple(index for index, _ in told), held)


def document(
    items: Sequence[Mapping[str, Any]], packs: Iterable[tuple[str, str, bytes]], tzdata: str
) -> bytes:
    """The bytes of `findings.json`. `packs` are id, version and bytes, ascending."""
    return canonical.dumps(
        {
            "findings": list(items),
            "packs": [
                {"digest": sha256(data).hex(), "id": pack, "version": version}
                for pack, version, data in packs
            ],
            "tzdata": tzdata,
        }
    )


def with_opened(event: dict[str, Any], opened: Mapping[str, Any]) -> dict[str, Any]:
    """The event with these values (by pointer) in the place of their protected fields. Changes it in place; every
    pointer leads to a field of it."""
    for pointer, value in opened.items():
        held: Any = event
        *way, last = pointer.split("/")[1:]
        for token in way:
            held = held[int(token)] if isinstance(held, list) else held[token]
        if isinstance(held, list):
            held[int(last)] = value
        else:
            held[last] = value
    return event
