"""What rules found, and what people do with it: exceptions, portfolio, access."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import click

from ledger.errors import ConfigurationError
from ledger.events import codes
from ledger.kernel.canonical import format_time, is_uuid
from ledger.rules.phrases import MODALITY
from ledger.rules.proof import Adoption
from ledger.sdk.recorder import Recorder
from projections.access_log.query import accesses, count_by_actor
from projections.case_state.query import case_state
from projections.cli.directory import LedgerDirectory, write_whole
from projections.cli.enrolment import settle
from projections.cli.lineup import clock_us
from projections.cli.output import AS_JSON, LEDGER, say_json, table
from projections.cli.readings import case_shard, open_readings
from projections.conformance.basis import opened
from projections.conformance.model import EXCEPTIONS, STATES
from projections.conformance.query import (
    ExceptionRow,
    adopted,
    count_exceptions,
    exceptions,
    judged_at,
    too_large,
)
from projections.conformance.shelf import Shelf
from projections.portfolio.model import DIMENSIONS, OUTCOMES
from projections.portfolio.picture import LANGUAGES, RuleText, draw
from projections.portfolio.query import cases, judged_cases, lines, weeks

_CASE = click.argument("case_id", metavar="CASE")
_PRODUCER = click.option(
    "--producer", required=True, help="In whose name it is recorded: an enrolled producer."
)
_ACTOR = click.option(
    "--actor", default=None, help="Who acts: an identifier, e.g. staff/<uuid>. Default: the producer's own."
)
_RULE = click.option("--rule", default="", help="Only this rule: FINE-05, or example-fines/FINE-05.")
_LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=None, help="At most so many. Default: 20 as text, all as JSON."
)
_CORRECTIVES: Sequence[codes.Corrective] = ("none", "coached", "apology", "case_moved", "discipline")


class _Listing(click.Group):
    """A group whose first word is a ledger directory unless it is one of the commands: then it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["list", *args]
        return super().parse_args(ctx, args)


@contextlib.contextmanager
def _open(ledger: LedgerDirectory) -> Iterator[sqlite3.Connection]:
    """The views. `ConfigurationError` where they were made by a release that did not have these yet."""
    with open_readings(ledger) as db:
        held = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
        if not {"access_log", "findings", "portfolio"} <= held:
            raise ConfigurationError(
                f"the views were made by an earlier release: read them again with duecourse run {ledger.root} --once"
            )
        yield db


def _today() -> str:
    return format_time(clock_us())[:10]


def _say_unjudged(ledger: LedgerDirectory, found: Sequence[Any]) -> bool:
    """Says by what nothing can be judged. True where nothing was adopted at all."""
    for one in found:
        if not one.at_hand:
            click.echo(
                f"! {one.pack}@{one.version} was adopted, but its bytes are not here: nothing is judged by it."
                f" Put the file that was adopted to {ledger.packs}/{one.pack}@{one.version}.toml",
                err=True,
            )
    return not found


@click.group(
    "exceptions",
    cls=_Listing,
    subcommand_metavar="LEDGER | COMMAND [ARGS]…",
    epilog="Example: duecourse exceptions ledger --state open --rule US-06",
)
def exceptions_command() -> None:
    """Findings that somebody must look at, worst first: who owns them, in which state, by when.

    `duecourse exceptions LEDGER` lists them, with the options of `exceptions list`. What becomes of them is recorded in
    their cases."""


@exceptions_command.command("list")
@LEDGER
@_RULE
@click.option("--state", type=click.Choice(STATES), default=None, help="Only those in this state.")
@click.option("--outcome", type=click.Choice(EXCEPTIONS), default=None)
@click.option("--owner", default="", metavar="UUID", help="Only those of this member of the staff.")
@click.option("--case", "case_id", default="", metavar="CASE", help="Only those of this case.")
@_LIMIT
@AS_JSON
def exceptions_list(
    directory: Path, rule: str, state: str | None, outcome: str | None, owner: str, case_id: str,
    limit: int | None, as_json: bool,
) -> None:  # fmt: skip
    """List the exceptions, worst first and then by age."""
    ledger = LedgerDirectory.open(directory)
    case = case_shard(ledger, case_id)[0] if case_id else ""
    if limit is None and not as_json:
        limit = 20
    asked = {
        "rule": rule,
        "state": state or "",
        "owner": owner.removeprefix("staff/"),
        "case": case,
        "outcome": outcome or "",
    }
    with _open(ledger) as db:
        packs, moments, unjudged = adopted(db), judged_at(db), too_large(db)
        rows = list(exceptions(db, **asked, limit=limit))
        counts = count_exceptions(db, **asked)
    today = _today()
    if as_json:
        say_json(
            {
                "cases_too_large": unjudged,
                "as_of": {ledger.origin(shard): moment for shard, moment in moments.items()},
                "counts": counts,
                "exceptions": [row.value(today) for row in rows],
                "packs_missing": sorted({f"{one.pack}@{one.version}" for one in packs if not one.at_hand}),
            }
        )
        return
    if _say_unjudged(ledger, packs):
        click.echo(f"no rule pack is adopted yet: duecourse packs adopt {directory} PACK")
        return
    for one in unjudged:
        click.echo(f"! case {one} has more entries than are judged: nothing is said of it", err=True)
    if not rows:
        click.echo("no exceptions" + (" of that kind" if any(asked.values()) else ""))
        return
    shown = [
        (
            row.outcome,
            f"{row.pack}/{row.rule}",
            row.case,
            row.index,
            row.state,
            row.owner or "-",
            row.deadline + (" !" if row.state != "closed" and row.deadline < today else ""),
            " ".join(row.codes),
        )
        for row in rows
    ]
    click.echo(table(shown, ("outcome", "rule", "case", "entry", "state", "owner", "until", "why")))
    total = sum(counts.values())
    said = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in EXCEPTIONS if outcome in counts)
    click.echo(f"{len(rows):,} of {total:,} ({said})")


@exceptions_command.command(
    "assign", epilog="Example: duecourse exceptions assign ledger CASE --staff UUID --producer crm"
)
@LEDGER
@_CASE
@click.option("--staff", required=True, metavar="UUID", help="Who is responsible from now on.")
@_PRODUCER
@_ACTOR
@AS_JSON
def exceptions_assign(
    directory: Path, case_id: str, staff: str, producer: str, actor: str | None, as_json: bool
) -> None:
    """Make somebody responsible for CASE, and so the owner of its exceptions.

    Recorded in the case as case.assigned. An agency that has the case keeps it."""
    ledger = LedgerDirectory.open(directory)
    staff = staff.removeprefix("staff/")
    if not is_uuid(staff):
        raise ConfigurationError(f"{staff!r} is not the uuid of a member of the staff")
    settings = _settings(ledger, producer)
    case, shard = case_shard(ledger, case_id)
    settle(ledger)
    with _open(ledger) as db:
        state = case_state(db, case, shard)
    if state is None:
        raise ConfigurationError(f"there is no case {case}")
    # An assignment without an agency would take the case from the one that has it.
    with Recorder.open(settings) as recorder:
        done = recorder.case(id=case).assigned(staff=staff, to_agency=state.agency or None, actor=actor)
        recorder.deliver_once()
    settle(ledger)
    if as_json:
        say_json({"case": case, "event": done.id, "owner": staff})
    else:
        click.echo(f"case {case} and its exceptions are assigned to {staff}: recorded in it")


@exceptions_command.command(
    "close",
    epilog="Example: duecourse exceptions close ledger CASE --rule US-06 --corrective coached --producer crm",
)
@LEDGER
@_CASE
@click.option("--rule", required=True, help="The rule: FINE-05, or example-fines/FINE-05.")
@click.option(
    "--entry",
    type=click.IntRange(0),
    default=None,
    help="Index of the entry that it is about, if there are several.",
)
@click.option(
    "--corrective", type=click.Choice(list(_CORRECTIVES)), required=True, help="What was done about it."
)
@click.option(
    "--codes", "found", default="", help="Conduct that the review found, separated by commas; default none."
)
@_PRODUCER
@_ACTOR
@AS_JSON
def exceptions_close(
    directory: Path, case_id: str, rule: str, entry: int | None, corrective: str, found: str, producer: str,
    actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Close an exception of CASE after a person has looked at it.

    Recorded in the case as conduct.reviewed about the judged event. The finding stays what it is; if its outcome changes
    later, the exception is open again."""
    ledger = LedgerDirectory.open(directory)
    settings = _settings(ledger, producer)
    case, _ = case_shard(ledger, case_id)
    settle(ledger)
    row = _one(ledger, case, rule, entry)
    with Recorder.open(settings) as recorder:
        done = recorder.case(id=case).conduct_reviewed(
            about=row.event,
            sample="targeted",
            found_by="person",
            codes=cast("list[codes.Conduct]", [one.strip() for one in found.split(",") if one.strip()]),
            corrective=cast("codes.Corrective", corrective),
            source_ref=row.closing,
            actor=actor,
        )
        recorder.deliver_once()
    settle(ledger)
    if as_json:
        say_json({"case": case, "entry": row.index, "event": done.id, "rule": f"{row.pack}/{row.rule}"})
    else:
        click.echo(f"{row.pack}/{row.rule} about entry {row.index} of case {case} is closed: recorded in it")


def _settings(ledger: LedgerDirectory, producer: str) -> Path:
    settings = ledger.producer(producer) / "producer.toml"
    if not settings.exists():
        raise ConfigurationError(
            f"{producer} is not enrolled here: duecourse registry add {ledger.root} {producer}"
        )
    return settings


def _one(ledger: LedgerDirectory, case: str, rule: str, entry: int | None) -> ExceptionRow:
    with _open(ledger) as db:
        rows = [row for row in exceptions(db, case=case, rule=rule) if row.state != "closed"]
    if entry is not None:
        rows = [row for row in rows if row.index == entry]
    if not rows:
        raise ConfigurationError(f"no exception of {rule} waits in case {case}")
    if len(rows) > 1:
        named = ", ".join(f"{row.pack}/{row.rule} at {row.index}" for row in rows[:5])
        raise ConfigurationError(f"several wait: say which with --entry, and the whole rule: {named}")
    return rows[0]


@click.command(
    "portfolio", epilog="Example: duecourse portfolio ledger --rule FINE-05 --outcome BREACH --cases"
)
@LEDGER
@click.option("--by", type=click.Choice(DIMENSIONS), default="rule", show_default=True)
@_RULE
@click.option("--outcome", type=click.Choice(OUTCOMES), default=None)
@click.option(
    "--agency", default=None, metavar="UUID", help='Only what this agency did; "" for the house itself.'
)
@click.option("--product", default=None, help="Only about debts of this product.")
@click.option("--week", default="", metavar="2026-W10", help="Only this ISO week.")
@click.option("--cases", "drill", is_flag=True, help="The cases behind the numbers instead.")
@_LIMIT
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Draw it into this file."
)
@click.option("--title", default=None, help="Over the picture.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the picture.")
@AS_JSON
def portfolio_command(
    directory: Path, by: str, rule: str, outcome: str | None, agency: str | None, product: str | None, week: str,
    drill: bool, limit: int | None, svg: Path | None, title: str | None, lang: str, as_json: bool,
) -> None:  # fmt: skip
    """Count what the rules found over all cases, by rule, agency, product or ISO week, and go down to the cases."""
    ledger = LedgerDirectory.open(directory)
    if limit is None and not as_json:
        limit = 20
    with _open(ledger) as db:
        packs = adopted(db)
        if svg is not None:
            picture = draw(
                weeks(db, rule=rule, agency=agency),
                title=title or ledger.name,
                cases=judged_cases(db),
                as_of=max(judged_at(db).values(), default="")[:10],
                texts=_texts(ledger, packs, lang),
                language=lang,
            )
            write_whole(svg, picture.encode())
        if drill:
            behind = list(
                cases(
                    db,
                    rule=rule,
                    outcome=outcome or "",
                    agency=agency,
                    product=product,
                    week=week,
                    limit=limit,
                )
            )
        else:
            rows = lines(db, by, rule=rule, outcome=outcome or "", agency=agency, product=product, week=week)
    if as_json and drill:
        say_json([one._asdict() for one in behind])
        return
    if as_json:
        say_json(
            {
                "by": by,
                "packs_missing": sorted({f"{one.pack}@{one.version}" for one in packs if not one.at_hand}),
                "rows": [{by: row.name, "counts": row.counts, "findings": row.total} for row in rows],
            }
        )
        return
    if _say_unjudged(ledger, packs):
        click.echo(f"no rule pack is adopted yet: duecourse packs adopt {directory} PACK")
        return
    if drill:
        click.echo(table([tuple(one) for one in behind], ("case", "shard", "findings")))
        return
    seen = [one for one in OUTCOMES if any(one in row.counts for row in rows)]
    shown = [
        (row.name or "-", f"{row.total:,}", *(f"{row.counts.get(o, 0):,}" for o in seen)) for row in rows
    ]
    click.echo(table(shown, (by, "findings", *seen)))
    if svg is not None:
        click.echo(f"drawn: {svg}")


def _texts(ledger: LedgerDirectory, packs: Sequence[Any], language: str) -> dict[str, RuleText]:
    """What each adopted rule asks, by the newest version that is at hand."""
    found: dict[str, RuleText] = {}
    graded = "依据等级" if language == "zh" else "grade"
    for one in packs:
        pack = opened(
            Adoption(one.pack, one.version, one.digest, one.binding, one.starts), Shelf(ledger.packs)
        )
        for rule in pack.rules if pack is not None else ():
            found[f"{rule.pack}/{rule.id}"] = RuleText(
                rule.in_language(language),
                f"{MODALITY[rule.modality][language]} · {graded} {rule.grade}",
            )
    return found


@click.command("access", epilog="Example: duecourse access ledger --case CASE")
@LEDGER
@click.option("--case", "case_id", default="", metavar="CASE", help="Only the data of this case.")
@click.option("--actor", default="", help="Only what this one did: an identifier, e.g. staff/<uuid>.")
@click.option("--action", default="", help="Only this: access, export, disclose, erase, restrict …")
@click.option("--purpose", default="", help="Only for this purpose.")
@click.option("--by-actor", is_flag=True, help="How often each did what, and what for.")
@_LIMIT
@AS_JSON
def access_command(
    directory: Path, case_id: str, actor: str, action: str, purpose: str, by_actor: bool, limit: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show who looked at personal data, exported, disclosed or erased it, and what for, newest first.

    It shows what was recorded. Protected fields are named, not opened."""
    ledger = LedgerDirectory.open(directory)
    case = case_shard(ledger, case_id)[0] if case_id else ""
    if limit is None and not as_json:
        limit = 20
    with _open(ledger) as db:
        if by_actor:
            counts = count_by_actor(db)
        else:
            rows = list(accesses(db, case=case, actor=actor, action=action, purpose=purpose, limit=limit))
    if by_actor:
        names = ("actor", "action", "purpose", "times")
        if as_json:
            say_json([dict(zip(names, one, strict=True)) for one in counts])
        else:
            click.echo(table(counts, names) if counts else "nothing was recorded yet")
        return
    if as_json:
        say_json([row.value() for row in rows])
        return
    if not rows:
        click.echo("nothing of the kind was recorded")
        return
    shown = [
        (
            row.time[:19] + "Z",
            row.actor,
            row.action,
            row.purpose,
            ",".join(row.fields),
            row.case,
            "VOID" if row.voided else "" if row.corrected_by is None else f"corrected by {row.corrected_by}",
        )
        for row in rows
    ]
    click.echo(table(shown, ("when", "who", "did", "what for", "fields", "case", "")))
