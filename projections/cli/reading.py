"""Looking at cases: cases, case show, case timeline, case at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ledger.errors import ConfigurationError
from projections.case_state.query import case_state, case_state_at, cases
from projections.cli.describing import described, money, owed
from projections.cli.directory import LedgerDirectory
from projections.cli.findings import case_findings
from projections.cli.output import AS_JSON, LEDGER, say_json, table
from projections.cli.readings import case_shard, open_readings
from projections.cli.replay import case_at
from projections.timeline.query import timeline

_CASE = click.argument("case_id", metavar="CASE")
_INDEX = click.option(
    "--index", type=click.IntRange(0), default=None, help="As it stood after this entry of its shard."
)


@click.command("cases")
@LEDGER
@click.option("--stage", default=None, help="Only cases in this stage, e.g. overdue or entrusted.")
@click.option("--after", default="", metavar="CASE", help="Only cases behind this id, for paging.")
@click.option(
    "--limit", type=click.IntRange(1), default=None, help="At most so many. Default: 20 as text, all as JSON."
)
@AS_JSON
def cases_command(directory: Path, stage: str | None, after: str, limit: int | None, as_json: bool) -> None:
    """List the cases, by id."""
    ledger = LedgerDirectory.open(directory)
    if limit is None and not as_json:
        limit = 20
    with open_readings(ledger) as db:
        rows = list(cases(db, stage=stage, after=after.removeprefix("case/"), limit=limit))
        total = db.execute("SELECT COUNT(*) FROM case_state").fetchone()[0]
    if as_json:
        say_json(
            [
                {
                    "case": row.case,
                    "shard": row.shard,
                    "stage": row.state.stage,
                    "entries": row.state.events,
                    "owed": row.state.owed,
                    "last_index": row.state.last_index,
                    "last_time": row.state.last_time,
                }
                for row in rows
            ]
        )
        return
    if not rows:
        click.echo("no cases" + (f" in stage {stage}" if stage else "") + " yet")
        return
    lines = [
        (row.case, row.state.stage or "-", row.state.events, owed(row.state), row.state.last_time[:16])
        for row in rows
    ]
    click.echo(table(lines, ("case", "stage", "entries", "owed", "last event")))
    if len(rows) < total and not stage:
        click.echo(f"{len(rows)} of {total:,}; more: --after {rows[-1].case}")


@click.group("case")
def case_command() -> None:
    """One case: how it stands, and what happened in it."""


case_command.add_command(case_at)
case_command.add_command(case_findings)


@case_command.command("show")
@LEDGER
@_CASE
@_INDEX
@AS_JSON
def case_show(directory: Path, case_id: str, index: int | None, as_json: bool) -> None:
    """Show how CASE stands, now or after entry --index."""
    ledger = LedgerDirectory.open(directory)
    case, shard = case_shard(ledger, case_id)
    with open_readings(ledger) as db:
        if index is None:
            state = case_state(db, case, shard)
        else:
            log = ledger.open_log(shard, "reader")
            try:
                state = case_state_at(db, log, case, index)
            finally:
                log.close()
    if state is None:
        when = "" if index is None else f" up to entry {index}"
        raise ConfigurationError(f"no entry of case {case}{when} in {ledger.origin(shard)}")
    if as_json:
        say_json({"case": case, "origin": ledger.origin(shard), **state.value()})
    else:
        for line in described(case, ledger.origin(shard), state):
            click.echo(line)


@case_command.command("timeline")
@LEDGER
@_CASE
@click.option("--index", type=click.IntRange(0), default=None, help="Up to this entry of its shard.")
@AS_JSON
def case_timeline(directory: Path, case_id: str, index: int | None, as_json: bool) -> None:
    """Show what happened in CASE, in the order of the ledger. Protected fields are named, not opened."""
    ledger = LedgerDirectory.open(directory)
    case, shard = case_shard(ledger, case_id)
    with open_readings(ledger) as db:
        lines = list(timeline(db, case, shard, until=index))
    if not lines:
        raise ConfigurationError(f"no entry of case {case} in {ledger.origin(shard)}")
    if as_json:
        say_json([line.value() for line in lines])
        return
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        note = (
            "VOID"
            if line.voided
            else f"corrected by {line.corrected_by}"
            if line.corrected_by is not None
            else ""
        )
        if line.corrects is not None:
            note = f"corrects {line.corrects} {note}".strip()
        rows.append(
            (
                line.index,
                line.time[:19] + "Z",
                line.type,
                f"{line.actor} ({line.capacity})",
                _said(line),
                note,
            )
        )
    click.echo(table(rows, ("index", "happened", "type", "who", "what", "")))


_SAID = ("stage", "outcome", "kind", "status", "decision", "result", "reason", "medium", "months", "due_on")


def _said(line: Any) -> str:
    codes = [f"{line.codes[name]}" for name in _SAID if name in line.codes]
    codes += [
        money(line.codes[name], line.codes.get("currency", ""))
        for name in ("amount", "principal", "total")
        if name in line.codes
    ]
    codes += [f"[{name}]" for name in line.protected]
    return " ".join(codes)[:60]
