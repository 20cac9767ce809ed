"""The part of a report that says what the rules say: findings, worst first, rules that are followed, and the packs."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.rules.findings import Finding
from ledger.rules.local import LocalTime
from ledger.rules.phrases import CODES, DATED, GRADE, MODALITY, OUTCOME
from ledger.verify.blocks import Cell, Facts, Items, Line, Quote, Section, Table, quote
from ledger.verify.i18n import Lang, label
from ledger.verify.judged import Judged, PackSeen

# Findings past these are counted: whoever reads so many reads the JSON.
SHOWN_MAX = 1_000
_ENTRIES_SHOWN = 12


def statement(judged: Judged, lang: Lang) -> Line:
    """One line for the top of the page: the packs, and how many findings of each outcome."""
    counts = [
        label(lang, "says_count", outcome=OUTCOME[outcome][lang], count=str(count))
        for outcome, count in judged.outcomes.items()
    ]
    separator = label(lang, "list_separator")
    packs = separator.join(pack.name for pack in judged.packs)
    before, after = label(lang, "says_findings", packs="\0", counts=separator.join(counts)).split("\0")
    return (before, Quote(quote(packs, lang).text), after)


def sections(judged: Judged, lang: Lang) -> Iterator[Section]:
    """The findings that say more than that nothing is wrong, and the rules that are followed."""
    note = label(lang, "findings_note")
    if judged.loud:
        columns = tuple(label(lang, f"col_{name}") for name in ("finding", "rule", "when", "because"))
        body = Table(label(lang, "findings"), columns, _rows(judged, lang))
        yield Section("findings", label(lang, "findings"), note, body, long=True)
    else:
        yield Section("findings", label(lang, "findings"), note, Items(((label(lang, "findings_none"),),)))
    rows = (
        (Cell(((Quote(rule),),)), Cell(((str(passed),),)), Cell(((str(outside),),)))
        for rule, passed, outside in judged.by_rule()
    )
    columns = tuple(label(lang, f"col_{name}") for name in ("rule", "passed", "outside"))
    title = label(lang, "followed")
    yield Section("followed", title, label(lang, "followed_note"), Table(title, columns, rows))


def packs(judged: Judged, lang: Lang) -> Section:
    """Which packs judged, and whether they are the ones that a reader may know by these names."""
    rows = tuple((pack.name, tuple(_pack(pack, lang))) for pack in judged.packs)
    return Section("packs", label(lang, "rule_packs"), "", Facts(rows))


def _pack(pack: PackSeen, lang: Lang) -> Iterator[Line]:
    yield (label(lang, f"pack_{pack.origin}", rules=str(pack.rules)),)
    if pack.binding:
        rules = label(lang, "list_separator").join(pack.binding)
        yield (label(lang, "pack_binding", rules=rules),)
    else:
        yield (label(lang, "pack_advice"),)
    yield (f"SHA-256 {pack.sha256}",)


def _rows(judged: Judged, lang: Lang) -> Iterator[tuple[Cell, ...]]:
    for finding in judged.loud[:SHOWN_MAX]:
        yield _row(judged, finding, lang)
    left = len(judged.loud) - SHOWN_MAX
    if left > 0:
        yield (Cell(((label(lang, "more_findings", count=str(left)),),)), Cell(()), Cell(()), Cell(()))


def _row(judged: Judged, finding: Finding, lang: Lang) -> tuple[Cell, ...]:
    rule = finding.rule
    outcome: list[Line] = [(OUTCOME[finding.outcome][lang],), (finding.outcome,)]
    if finding.reading != "corrected":
        outcome.append((label(lang, f"reading_{finding.reading}"),))
    grade = label(lang, "grade", grade=rule.grade, meaning=GRADE[rule.grade][lang])
    said: list[Line] = [
        (Quote(f"{rule.pack}/{rule.name}"),),
        (quote(rule.cite, lang),),
        (f"{MODALITY[rule.modality][lang]}{label(lang, 'list_separator')}{grade}",),
        (quote(rule.in_language(lang), lang),),
    ]
    time, local = judged.when(finding)
    when: list[Line] = [(label(lang, "about_entry", index=str(judged.index(finding.event))),), (time,)]
    when += [local_time(one, lang) for one in local]
    why: list[Line] = [_phrase(code, lang) for code in finding.codes]
    why += [(f"{name} = ", quote(value, lang)) for name, value in rule.facts]
    why.append((label(lang, "rests_on", entries=_entries(judged, finding, lang)),))
    return Cell(tuple(outcome)), Cell(tuple(said)), Cell(tuple(when)), Cell(tuple(why))


def _entries(judged: Judged, finding: Finding, lang: Lang) -> str:
    shown = [str(judged.index(place)) for place in finding.rests[:_ENTRIES_SHOWN]]
    left = len(finding.rests) - len(shown)
    return label(lang, "list_separator").join(shown) + (f" … (+{left})" if left else "")


def _phrase(code: str, lang: Lang) -> Line:
    """Our words for a code; a pack's own code, or the name of a reading, as it stands."""
    head, colon, date = code.partition(":")
    if colon and head in DATED:
        return (DATED[head][lang].format(date=date),)
    known = CODES.get(code)
    return (quote(code, lang),) if known is None else (known[lang],)


def local_time(at: LocalTime, lang: Lang) -> Line:
    """A time on the debtor's own clock."""
    return (label(lang, "local", time=at.time, zone=at.zone),)
