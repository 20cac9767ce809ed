"""What the adopted rules say of a case: case findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from ledger.rules.findings import Finding, sentence
from ledger.rules.local import CaseZones, LocalTime
from ledger.rules.phrases import OUTCOME
from ledger.rules.proof import QUIET, Judgement
from projections.bundle.export import judge_case
from projections.cli.directory import LedgerDirectory
from projections.cli.output import AS_JSON, LEDGER, say_json
from projections.cli.proof import source_of
from projections.cli.readings import case_shard, open_readings

# What a reader asks about first.
_ORDER: Final = (
    "BREACH",
    "PRESUMED_BREACH",
    "ADVISORY",
    "REVIEW",
    "INSUFFICIENT_EVIDENCE",
    "PASS",
    "NOT_APPLICABLE",
)
_READINGS: Final = {
    "first": {"en": "as first recorded, before corrections", "zh": "按首次记录，未计更正"},
    "today": {"en": "by the version of the rule that holds today", "zh": "按现行版本的规则"},
}


@click.command("findings", epilog="Example: duecourse case findings ledger CASE --lang zh")
@LEDGER
@click.argument("case_id", metavar="CASE")
@click.option(
    "--rule", "rules", multiple=True, metavar="RULE", help="Only this rule, e.g. CN-01; repeat for more."
)
@click.option(
    "--all", "every", is_flag=True, help="Also what is followed and what does not apply, event by event."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@AS_JSON
def case_findings(
    directory: Path, case_id: str, rules: Sequence[str], every: bool, lang: str, as_json: bool
) -> None:
    """Show what the adopted rule packs say of CASE as of the last checkpoint, the worst first.

    They are the findings that `duecourse export` writes into a bundle and every verifier makes again; protected
    fields stay closed here. A rule over something that nobody recorded is INSUFFICIENT_EVIDENCE, never PASS."""
    ledger = LedgerDirectory.open(directory)
    case, shard = case_shard(ledger, case_id)
    with open_readings(ledger) as db:
        judgement, adopted, gathered = judge_case(source_of(ledger, shard, db), case)
    for name, why in adopted.lacking.items():
        click.echo(f"! {name} was adopted, and nothing is judged by it: {why}", err=True)
    zones = CaseZones(entry.event for entry in gathered.streams[f"case/{case}"])
    local = {entry.index: (entry.event["time"], zones.of(entry.event)) for entry in gathered.in_order()}
    if as_json:
        items = [item for item in judgement.items() if _wanted(item["rule"], rules)]
        say_json(
            {
                "as_of": gathered.seal.sequenced,
                "case": case,
                "findings": [_with_time(item, local) for item in items],
                "origin": gathered.origin,
                "packs": [pack.name for pack in judgement.packs],
            }
        )
        return
    if not judgement.packs:
        click.echo(
            f"no rule pack is adopted: duecourse packs adopt {directory} PACK    (duecourse packs list lists them)"
        )
        return
    found = _sorted(judgement, every)
    shown = [finding for finding in found if _wanted(f"{finding.rule.pack}/{finding.rule.name}", rules)]
    for finding in shown:
        for line in _lines(finding, judgement, local, lang):
            click.echo(line)
    click.echo(_summary(judgement, lang))


def _wanted(rule: str, rules: Sequence[str]) -> bool:
    """`cn-card/CN-01@1` is meant by itself, without its pack, and without its version."""
    if not rules:
        return True
    bare = rule.rpartition("/")[2]
    return any(one in (rule, rule.partition("@")[0], bare, bare.partition("@")[0]) for one in rules)


def _sorted(judgement: Judgement, every: bool) -> list[Finding]:
    rank = {outcome: place for place, outcome in enumerate(_ORDER)}
    found = [finding for finding in judgement.findings if every or finding.outcome not in QUIET]
    return sorted(found, key=lambda f: (f.reading != "corrected", rank[f.outcome], f.event))


def _lines(
    finding: Finding, judgement: Judgement, local: dict[int, tuple[str, tuple[LocalTime, ...]]], lang: str
) -> Sequence[str]:
    index = judgement.indexes[finding.event]
    time, there = local[index]
    clocks = "".join(f" = {at.time} {at.zone}" for at in there)
    reading = "" if finding.reading == "corrected" else f"  ({_READINGS[finding.reading][lang]})"
    entry = f"entry {index}" if lang == "en" else f"第 {index} 条"
    return (
        f"{finding.outcome}  {entry}, {time[:19]}Z{clocks}{reading}",
        f"  {sentence(finding, lang, judgement.indexes)}",
        "",
    )


def _summary(judgement: Judgement, lang: str) -> str:
    counted = Counter(finding.outcome for finding in judgement.findings if finding.reading == "corrected")
    packs = ", ".join(pack.name for pack in judgement.packs)
    said = ", ".join(f"{OUTCOME[one][lang]}: {counted[one]}" for one in _ORDER if counted[one])
    return f"{packs}: {said}"


def _with_time(item: dict[str, Any], local: dict[int, tuple[str, tuple[LocalTime, ...]]]) -> dict[str, Any]:
    if "event" not in item:
        return item
    time, there = local[item["event"]]
    return {**item, "local": [{"time": at.time, "zone": at.zone} for at in there], "time": time}
