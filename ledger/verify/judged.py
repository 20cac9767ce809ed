"""What the adopted rules say of a proved case, ready to be shown: findings with the time on the debtor's own clock,
and the packs, each compared with the one of that name that this release ships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ledger.kernel.digest import sha256
from ledger.rules.findings import Finding, sentence
from ledger.rules.local import CaseZones, LocalTime
from ledger.rules.model import shipped, shipped_pack
from ledger.rules.proof import QUIET, Adoption, Judgement, data_version
from ledger.rules.shapes import OUTCOMES, Pack

# "shipped": to the byte the pack that comes with this verifier; "changed": another one under that name; "own": a
# name that this verifier does not ship.
Origin = Literal["shipped", "changed", "own"]
# From what a reader asks about first to what is no trouble.
SEVERITY = (
    "BREACH",
    "PRESUMED_BREACH",
    "ADVISORY",
    "REVIEW",
    "INSUFFICIENT_EVIDENCE",
    "PASS",
    "NOT_APPLICABLE",
)
assert set(SEVERITY) == set(OUTCOMES)


@dataclass(frozen=True, slots=True)
class PackSeen:
    """One pack by which the case was judged."""

    name: str
    sha256: str
    rules: int
    binding: tuple[str, ...]
    origin: Origin

    @classmethod
    def of(cls, pack: Pack, adoptions: Sequence[Adoption]) -> PackSeen:
        named = {rule for one in adoptions if one.pack == pack.id for rule in one.binding}
        binding = tuple(rule.id for rule in pack.rules if rule.id in named)
        return cls(
            pack.name, sha256(pack.data).hex(), len(pack.rules), tuple(dict.fromkeys(binding)), _origin(pack)
        )

    def value(self) -> dict[str, Any]:
        return {
            "binding": list(self.binding),
            "pack": self.name,
            "rules": self.rules,
            "sha256": self.sha256,
            "shipped": self.origin,
        }


def _origin(pack: Pack) -> Origin:
    if pack.name not in shipped():
        return "own"
    return "shipped" if shipped_pack(pack.name).data == pack.data else "changed"


class Clock:
    """When each event happened: UTC, and the debtor's own clock. `events` gives index and event of all that may be
    asked for, as often as it is called."""

    def __init__(self, events: Callable[[], Iterator[tuple[int, Mapping[str, Any]]]]) -> None:
        self._events = events

    @cached_property
    def zones(self) -> CaseZones:
        return CaseZones(event for _, event in self._events())

    @cached_property
    def _times(self) -> dict[int, tuple[str, tuple[LocalTime, ...]]]:
        zones = self.zones
        return {index: (event["time"], zones.of(event)) for index, event in self._events()}

    def when(self, index: int) -> tuple[str, tuple[LocalTime, ...]]:
        return self._times[index]


class Judged:
    """The findings of a proved case."""

    def __init__(self, judgement: Judgement, packs: tuple[PackSeen, ...], clock: Clock) -> None:
        self.judgement, self.packs = judgement, packs
        self._clock = clock

    @cached_property
    def loud(self) -> tuple[Finding, ...]:
        """What is more than "nothing is wrong", the worst first, then in the order of the ledger."""
        indexes = self.judgement.indexes
        rank = {outcome: place for place, outcome in enumerate(SEVERITY)}
        found = self.judgement.loud()
        return tuple(
            sorted(found, key=lambda f: (f.reading != "corrected", rank[f.outcome], indexes[f.event]))
        )

    def when(self, finding: Finding) -> tuple[str, tuple[LocalTime, ...]]:
        """When the judged event happened: UTC, and the debtor's own clock."""
        return self._clock.when(self.judgement.indexes[finding.event])

    @property
    def packs_with_rules(self) -> tuple[PackSeen, ...]:
        return tuple(pack for pack in self.packs if pack.rules)

    def index(self, place: int) -> int:
        return self.judgement.indexes[place]

    @cached_property
    def outcomes(self) -> Mapping[str, int]:
        """How many events have which outcome, corrections taken into account."""
        found: Counter[str] = Counter(
            f.outcome for f in self.judgement.findings.single if f.reading == "corrected"
        )
        for (_, outcome, _, reading), (_, places) in self.judgement.findings.groups.items():
            if reading == "corrected":
                found[outcome] += len(places)
        return {outcome: found[outcome] for outcome in SEVERITY if found[outcome]}

    def by_rule(self) -> Iterator[tuple[str, int, int]]:
        """Rule, events that it finds followed, events to which it does not apply; by rule."""
        found: Counter[tuple[str, str]] = Counter()
        for (_, outcome, _, reading), (rule, places) in self.judgement.findings.groups.items():
            if reading == "corrected" and outcome in QUIET:
                found[f"{rule.pack}/{rule.name}", outcome] += len(places)
        for one in self.judgement.findings.single:
            if one.reading == "corrected" and one.outcome in QUIET:
                found[f"{one.rule.pack}/{one.rule.name}", one.outcome] += 1
        for name in sorted({rule for rule, _ in found}):
            yield name, found[name, "PASS"], found[name, "NOT_APPLICABLE"]

    def value(self) -> dict[str, Any]:
        """`findings`, `packs` and `zone_data` of the verdict's JSON. A finding that is more than quiet has its times
        and its sentence beside what stands in `findings.json`."""
        items = self.judgement.items()
        loud = iter(self.judgement.loud())
        told = [item if item["outcome"] in QUIET else self._told(next(loud), item) for item in items]
        return {"findings": told, "packs": [pack.value() for pack in self.packs], "zone_data": data_version()}

    def _told(self, finding: Finding, item: Mapping[str, Any]) -> dict[str, Any]:
        time, local = self.when(finding)
        indexes = self.judgement.indexes
        return {
            **item,
            "local": [{"time": one.time, "zone": one.zone} for one in local],
            "sentence": {language: sentence(finding, language, indexes) for language in ("en", "zh")},
            "time": time,
        }
