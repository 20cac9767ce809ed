"""What a rule says of an event, as data and as a sentence in English and Chinese. A finding names the rule and
its version, the outcome, the codes of what it turned on, and the entries on which it rests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.rules.phrases import CODES, DATED, MODALITY, OUTCOME
from ledger.rules.shapes import Rule

_SEVERITY = (
    "BREACH",
    "PRESUMED_BREACH",
    "REVIEW",
    "ADVISORY",
    "INSUFFICIENT_EVIDENCE",
    "PASS",
    "NOT_APPLICABLE",
)


class Finding(NamedTuple):
    """`event` and `rests` are places in the case; `rests` begins with the event itself."""

    rule: Rule
    event: int
    outcome: str
    codes: tuple[str, ...]
    rests: tuple[int, ...]
    reading: str


class Findings:
    """All findings over one case. Those that rest on nothing but their event are kept in groups, since most
    findings say that nothing was wrong; iterating gives them one by one, by rule and then by event."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = list(ids)
        self.single: list[Finding] = []
        self.groups: dict[tuple[str, str, tuple[str, ...], str], tuple[Rule, list[int]]] = {}

    def group(self, rule: Rule, outcome: str, codes: tuple[str, ...], reading: str) -> list[int]:
        """The places to which one finding applies; append to it."""
        key = (f"{rule.pack}/{rule.id}@{rule.version}", outcome, codes, reading)
        kept = self.groups.get(key)
        if kept is None:
            kept = self.groups[key] = (rule, [])
        return kept[1]

    def add_first(self, before: Findings) -> None:
        """Takes the findings of the reading without corrections, where they differ."""
        known = {(f.rule.name, f.rule.pack, f.event, f.outcome) for f in self if f.reading == "corrected"}
        for finding in before:
            if (finding.rule.name, finding.rule.pack, finding.event, finding.outcome) not in known:
                self.single.append(finding)

    def __iter__(self) -> Iterator[Finding]:
        every = list(self.single)
        for (_, outcome, codes, reading), (rule, places) in self.groups.items():
            every += [Finding(rule, place, outcome, codes, (place,), reading) for place in places]
        every.sort(key=lambda f: (f.rule.pack, f.rule.id, f.rule.version, f.event, f.reading))
        return iter(every)

    def __len__(self) -> int:
        return len(self.single) + sum(len(places) for _, places in self.groups.values())

    def of(self, rule: str, event: str, reading: str = "corrected") -> Finding | None:
        """The finding of a rule about an event; where a reading says nothing of its own, the corrected one. A
        number without its letter (`CN-23` of `CN-23a` and `CN-23b`) means the worst of its rules."""
        place = self.ids.index(event)
        here = [f for f in self if f.event == place]
        found = [f for f in here if f.rule.id == rule]
        if not found:
            found = [f for f in here if f.rule.id[:-1] == rule and f.rule.id[-1].islower()]
            found.sort(key=lambda f: _SEVERITY.index(f.outcome))
        for wanted in (reading, "corrected"):
            for finding in found:
                if finding.reading == wanted:
                    return finding
        return None

    def value(self, finding: Finding) -> dict[str, Any]:
        """`{rule, event, outcome, codes, rests_on, reading}` of one finding, events by id."""
        return {
            "codes": sorted(finding.codes),
            "event": self.ids[finding.event],
            "outcome": finding.outcome,
            "reading": finding.reading,
            "rests_on": [self.ids[place] for place in finding.rests],
            "rule": f"{finding.rule.pack}/{finding.rule.name}",
        }


def _phrase(code: str, language: str) -> str:
    head, colon, date = code.partition(":")
    if colon and head in DATED:
        return DATED[head][language].format(date=date)
    known: Mapping[str, str] | None = CODES.get(code)
    if known is None:
        return f"reading “{code}”" if language == "en" else f"另一种读法“{code}”"
    return known[language]


def sentence(finding: Finding, language: str, indexes: Sequence[int] | None = None) -> str:
    """One finding for a reader: what was asked, by whom, what came out, why, and on which entries it rests.

    `indexes` are the entries' indexes in the ledger, by place; without them places are shown. `language` is
    `en` or `zh`."""
    rule = finding.rule
    rests = [indexes[place] if indexes else place for place in finding.rests]
    why = [_phrase(code, language) for code in finding.codes]
    facts = [f"{name} = {value}" for name, value in rule.facts]
    outcome, modality = OUTCOME[finding.outcome][language], MODALITY[rule.modality][language]
    if language == "zh":
        text = f"{rule.name}（{rule.cite}，依据等级 {rule.grade}，{modality}）：{outcome}。"
        text += f"规则：{rule.in_language('zh')}"
        text += f"原因：{'；'.join(why)}。" if why else ""
        text += f"参数：{'；'.join(facts)}。" if facts else ""
        text += f"所依据的条目：{'、'.join(map(str, rests))}。"
        return text
    text = f"{rule.name} ({rule.cite}; grade {rule.grade}; {modality}): {outcome}. "
    text += f"Rule: {rule.in_language('en')} "
    text += f"Because: {'; '.join(why)}. " if why else ""
    text += f"Parameters: {'; '.join(facts)}. " if facts else ""
    return text + f"It rests on {'entries' if len(rests) > 1 else 'entry'} {', '.join(map(str, rests))}."
