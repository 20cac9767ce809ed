"""Statements of outside sources: import cdr, sms, mail and payments; reconcile; statement prove and check.

What is printed names no person: of a number its last two digits, of an address nothing, of an id that could tell
something a keyed digest."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from re import ASCII
from re import compile as pattern
from typing import Any, Final, TypeVar

import click

from ledger.errors import ConfigurationError, ImportRefused, LogUnavailable, Refused
from ledger.kernel import canonical
from ledger.sdk.config import Actor, DeliverySettings
from ledger.sdk.ids import load_tenant_key
from ledger.sdk.recorder import Recorder
from ledger.sdk.streams import RecordedEvent, Said
from projections.cli.directory import LedgerDirectory, write_whole
from projections.cli.enrolment import enrol, registrars, settle
from projections.cli.output import AS_JSON, LEDGER, say_json, table
from projections.cli.readings import open_readings, views_are_current
from projections.exchange.outside.commitments import RecordProof, prove, source_id
from projections.exchange.outside.compare import Change, Comparison, changes, compare
from projections.exchange.outside.ledgerside import Counted, counted, known_messages, ledger_records
from projections.exchange.outside.records import Bounce, Channel, keyed, mask, shown_id
from projections.exchange.outside.statement import UNITS, Reading, Statement, read_statement

KINDS: Final[dict[str, Channel]] = {"cdr": "call", "sms": "sms", "mail": "mail", "payments": "payment"}
DELIVERY: Final = DeliverySettings(mode="manual", flush_events=256, rejections="off")
LISTED: Final = 20
# Without any receipt for so long, something is wrong with the line and not with its speed.
STALLED_S: Final = 300.0
WAIT_S: Final = 0.05
_NAME = pattern(r"[a-z0-9][a-z0-9.-]{0,54}", ASCII)
F = TypeVar("F", bound=Callable[..., Any])


# -- options that all of them share ----------------------------------------------------------------------------------

_READING: Final = (
    click.option("--layout", default="", metavar="NAME_OR_FILE", help="Of a CSV: a shipped layout, or a layout file."),
    click.option("--zone", "days", default="", metavar="ZONE", help="Where the provider counts its days: an IANA zone."),
    click.option("--times-zone", "times", default="", metavar="ZONE", help="In which times without a zone are written."),
    click.option("--fold", type=click.Choice(["earlier", "later"]), default=None,
                 help="Which of two is meant, when a local time came twice."),
    click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]), default=None, help="If it cannot be told."),
    click.option("--from", "first", default="", metavar="DAY", help="First day that the statement covers."),
    click.option("--to", "last", default="", metavar="DAY", help="Last day that the statement covers."),
    click.option("--reference", type=click.Choice(["bank", "end-to-end"]), default="bank", show_default=True,
                 help="Of camt.053: which reference is the id."),
)  # fmt: skip
_MATCHING: Final = (
    click.option("--recorded-by", "producers", multiple=True, metavar="PRODUCER",
                 help="Whose events the source must know; may be repeated. Default: everybody's."),
    click.option("--tolerance", type=click.FloatRange(0, 3600), default=10.0, show_default=True, metavar="SECONDS",
                 help="How far two clocks may be apart."),
    click.option("--limit", type=click.IntRange(1), default=None,
                 help="List at most so many of each. Default: 20 as text, all as JSON."),
)  # fmt: skip


def _with(options: Iterable[Callable[[F], F]]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(list(options)):
            command = option(command)
        return command

    return add


def _name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and _NAME.fullmatch(value) is None:
        raise click.BadParameter("a source's name is [a-z0-9][a-z0-9.-]{0,54}")
    return value


def _reading(kind: str, options: dict[str, Any]) -> Reading:
    names = ("layout", "days", "times", "encoding", "first", "last", "reference")
    given = {name: options.pop(name) for name in names}
    return Reading(channel=KINDS[kind], fold=options.pop("fold") or "", **given)


def _tenant_key(ledger: LedgerDirectory) -> bytes:
    return load_tenant_key(ledger.keys / "tenant.key")


# -- comparing -------------------------------------------------------------------------------------------------------


def _compared(
    ledger: LedgerDirectory,
    db: sqlite3.Connection,
    statement: Statement,
    source: str,
    producers: Sequence[str],
    tolerance: float,
) -> Comparison:
    days = list(statement.days)
    tolerance_us = round(tolerance * 1_000_000)
    held = ledger_records(
        db,
        statement.channel,
        statement.clock,
        days[0],
        days[-1],
        tolerance_us=tolerance_us,
        producers=producers,
    )
    return compare(statement, held, tenant_key=_tenant_key(ledger), source=source, tolerance_us=tolerance_us)


def _need_current(ledger: LedgerDirectory) -> None:
    """What is sealed and not read yet would be told as missing."""
    if not views_are_current(ledger):
        raise LogUnavailable(
            f"the views are behind the ledger: duecourse run {ledger.root} --once, then again"
        )


def _unknown_bounces(db: sqlite3.Connection, statement: Statement) -> list[Bounce]:
    bounces = statement.records.bounces
    if not bounces:
        return []
    known = known_messages(db, statement.channel, {bounce.id for bounce in bounces})
    return [bounce for bounce in bounces if bounce.id not in known]


def _value(
    ledger: LedgerDirectory, comparison: Comparison, bounces: Sequence[Bounce], source: str, limit: int | None
) -> dict[str, Any]:
    """Everything that is told of a comparison, as JSON. No number, address or account is in it."""
    key = _tenant_key(ledger)
    statement, matching = comparison.statement, comparison.matching
    records = statement.records

    def of_statement(number: int) -> dict[str, Any]:
        told: dict[str, Any] = {
            "day": records.days[number],
            "id": shown_id(records.ids[number], records.numbers[number], key, records.channel),
            "place": records.place(number),
        }
        if records.at[number] >= 0:
            told["time"] = canonical.format_time(records.at[number])
        if records.numbers[number]:
            told["number"] = mask(records.numbers[number]) or f"keyed:{keyed(key, records.numbers[number])}"
        return told

    def of_ledger(event: Any) -> dict[str, Any]:
        return {
            "case": event.case.removeprefix("case/"),
            "event": event.event,
            "index": event.idx,
            "origin": ledger.origin(event.shard),
            "producer": event.producer,
            "time": canonical.format_time(event.at_us),
        }

    return {
        "bounces": {
            "read": len(records.bounces),
            "without_message": [
                {"id": f"keyed:{keyed(key, one.id)}", "place": f"{records.files[one.file].name}:{one.line}"}
                for one in bounces[:limit]
            ],
        },
        "channel": statement.channel,
        "days": [
            {
                "day": day.day,
                "differing": day.differing,
                "found": day.found,
                "ledger_only": day.extra,
                "matched_by_contact_point"
                if statement.channel != "payment"
                else "matched_by_amount": day.by_point,
                "matched_by_id": day.by_id,
                "root": day.root.hex(),
                "source_only": day.missing,
                "stated": day.stated,
            }
            for day in comparison.days
        ],
        "differing": [
            {"ledger": of_ledger(event), "source": of_statement(number)}
            for number, event in matching.differing[:limit]
        ],
        "differs": comparison.differs or bool(bounces),
        "files": [
            {"bytes": file.size, "media_type": file.media_type, "name": file.name, "sha256": file.sha256}
            for file in records.files
        ],
        "ledger_only": [of_ledger(event) for event in matching.extra[:limit]],
        "records": len(records),
        "skipped": dict(records.skipped),
        "source": source,
        "source_only": [of_statement(number) for number in matching.missing[:limit]],
        "zone": statement.zone,
    }


def _say(told: dict[str, Any]) -> None:
    ways = "matched_by_amount" if told["channel"] == "payment" else "matched_by_contact_point"
    click.echo(f"{told['records']:,} records of the source, days of {told['zone']}")
    for why, count in sorted(told["skipped"].items()):
        click.echo(f"left out: {count:,} {why}")
    heads = ("day", "stated", "found", "by id", "by amount" if ways.endswith("amount") else "by contact point",
             "only the source", "only the ledger", "differing")  # fmt: skip
    rows = [
        [day["day"], *(f"{day[name]:,}" for name in (
            "stated", "found", "matched_by_id", ways, "source_only", "ledger_only", "differing"))]
        for day in told["days"]
    ]  # fmt: skip
    click.echo(table(rows, heads))
    totals = {
        name: sum(day[name] for day in told["days"]) for name in ("source_only", "ledger_only", "differing")
    }
    _listed("the source saw, the ledger did not", [_source_row(one) for one in told["source_only"]],
            totals["source_only"])  # fmt: skip
    _listed("the ledger holds, the source does not", [_ledger_row(one) for one in told["ledger_only"]],
            totals["ledger_only"])  # fmt: skip
    _listed(
        "one id, and times or amounts that do not agree",
        [f"{_source_row(one['source'])} | {_ledger_row(one['ledger'])}" for one in told["differing"]],
        totals["differing"],
    )
    unknown = told["bounces"]["without_message"]
    _listed("bounces of messages that the ledger does not hold", [f"{one['place']}  {one['id']}" for one in unknown],
            len(unknown))  # fmt: skip
    click.echo("they DIFFER" if told["differs"] else "they agree")


def _listed(what: str, rows: Sequence[str], total: int) -> None:
    if not total:
        return
    click.echo(f"{what}: {total:,}")
    for row in rows:
        click.echo(f"  {row}")
    if len(rows) < total:
        click.echo(f"  and {total - len(rows):,} more: --limit")


def _source_row(one: dict[str, Any]) -> str:
    return "  ".join(str(one[name]) for name in ("place", "time", "number", "id") if name in one)


def _ledger_row(one: dict[str, Any]) -> str:
    return f"{one['origin']} entry {one['index']}  {one['time']}  case {one['case']}"


@click.command(
    "reconcile",
    epilog="Example: duecourse reconcile ledger --source Master.csv --layout asterisk-cdr-csv --times-zone Asia/Shanghai",
)
@LEDGER
@click.option("--source", "files", multiple=True, required=True, metavar="FILE",
              type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A file of the provider; may be repeated: all files of a statement.")  # fmt: skip
@click.option(
    "--kind", type=click.Choice(list(KINDS)), default="cdr", show_default=True, help="What the files are."
)
@click.option("--name", default=None, callback=_name, help="The source, as it was imported under.")
@_with(_READING)
@_with(_MATCHING)
@AS_JSON
def reconcile_command(
    directory: Path, files: tuple[Path, ...], kind: str, name: str | None, producers: tuple[str, ...],
    tolerance: float, limit: int | None, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Match a provider's statement with the ledger, and list what only one of them has.

    Records nothing. Exit status 1 when they differ."""
    ledger = LedgerDirectory.open(directory)
    statement = read_statement(files, _reading(kind, options))
    source = source_id(_tenant_key(ledger), statement.channel, name or kind)
    _need_current(ledger)
    with open_readings(ledger) as db:
        comparison = _compared(ledger, db, statement, source, producers, tolerance)
        bounces = _unknown_bounces(db, statement)
    told = _value(ledger, comparison, bounces, source, limit or (None if as_json else LISTED))
    if as_json:
        say_json(told)
    else:
        _say(told)
    if told["differs"]:
        raise click.exceptions.Exit(1)


# -- importing -------------------------------------------------------------------------------------------------------


def _import(
    kind: str, files: tuple[Path, ...], directory: Path, name: str, check_only: bool, replace: bool, no_run: bool,
    producers: tuple[str, ...], tolerance: float, limit: int | None, as_json: bool, options: dict[str, Any],
) -> None:  # fmt: skip
    ledger = LedgerDirectory.open(directory)
    statement = read_statement(files, _reading(kind, options))
    source = source_id(_tenant_key(ledger), statement.channel, name)
    # Until here nothing has touched the ledger, not even to make the source known to it.
    unit = UNITS.get(statement.channel)
    if check_only or unit is None:
        _need_current(ledger)
        with open_readings(ledger) as db:
            comparison = _compared(ledger, db, statement, source, producers, tolerance)
            bounces = _unknown_bounces(db, statement)
        recorded, corrected = 0, 0
    else:
        with Recorder.open(_enrolled(ledger, name)) as recorder:
            if no_run:
                _need_current(ledger)
            else:
                _bring_up(ledger, recorder)
            with open_readings(ledger) as db:
                before = counted(db, source, ledger.shards, lambda shard: ledger.open_log(shard, "reader"))
                comparison = _compared(ledger, db, statement, source, producers, tolerance)
                bounces = _unknown_bounces(db, statement)
            wanted, elsewhere = changes(comparison, before)
            if elsewhere and not replace:
                raise ImportRefused(
                    f"of {len(elsewhere)} days ({elsewhere[0]} first) other files were counted before: give all files of"
                    " a day together, or say --replace. Nothing was imported",
                    files[0].name,
                )
            wanted = _not_waiting(recorder, statement, wanted)
            _record(recorder, ledger, source, statement, wanted)
            recorded, corrected = len(wanted), sum(one.corrects is not None for one in wanted)
            if no_run:
                _deliver(recorder)
            else:
                _bring_up(ledger, recorder)
    told = _value(ledger, comparison, bounces, source, limit or (None if as_json else LISTED))
    told |= {"corrected": corrected, "recorded": recorded}
    if as_json:
        say_json(told)
        return
    _say(told)
    if check_only:
        click.echo("nothing was recorded: --check-only")
    elif unit is None:
        click.echo("nothing was recorded: the catalogue has no unit for payments")
    else:
        click.echo(
            f"{recorded} counts were recorded, {corrected} of them in place of earlier ones, in source/{source}"
        )


def _enrolled(ledger: LedgerDirectory, name: str) -> Path:
    producer = f"source-{name}"
    settings = ledger.producer(producer) / "producer.toml"
    if settings.exists():
        return settings
    return enrol(
        ledger,
        producer,
        types=["source"],
        capacities=["system"],
        tenant="bank",
        actor=Actor(id="reconcile", role="reconciler", capacity="system"),
        signers=registrars(ledger),
        delivery=DELIVERY,
    )


def _mark(statement: Statement) -> str:
    return f"statement:{statement.channel}:{statement.digest}"


def _spelt(wanted: Sequence[Change]) -> bytes:
    rows = [
        [one.payload.day, one.payload.stated, one.payload.found, one.corrects is not None] for one in wanted
    ]
    return canonical.dumps(rows)


def _not_waiting(recorder: Recorder, statement: Statement, wanted: list[Change]) -> list[Change]:
    """Nothing, where exactly these counts were recorded before and still wait to be sequenced: an import that was
    killed behind its one transaction, or one with --no-run."""
    if not wanted or not recorder.status().pending:
        return wanted
    if recorder.bookmark(_mark(statement)) == _spelt(wanted):
        return []
    # A count that is not in the ledger yet cannot be corrected, and a second one of the same day must not stand beside it.
    raise LogUnavailable(
        "an earlier count of this source waits to be sequenced: run the import again without --no-run, or `duecourse run`"
    )


def _record(
    recorder: Recorder, ledger: LedgerDirectory, source: str, statement: Statement, wanted: Sequence[Change]
) -> None:
    """All counts of a statement in one transaction of the outbox, and with them the mark that says so."""
    if not wanted:
        return
    stream = recorder.source(source)
    with recorder.batch(bookmark=(_mark(statement), _spelt(wanted))):
        for one in wanted:
            corrects = None if one.corrects is None else _reference(one.corrects, ledger.shards)
            stream.record(one.payload, Said(corrects=corrects))


def _reference(before: Counted, shards: int) -> RecordedEvent:
    handles = [
        RecordedEvent(identity, "source.counted", "", "", "", shard)
        for shard, identity in sorted(before.ids.items())
    ]
    if len(handles) != shards:
        raise LogUnavailable(
            "an earlier count does not stand in every shard yet: duecourse run LEDGER --once"
        )
    handles[0].copies = tuple(handles)
    return handles[0]


def _deliver(recorder: Recorder) -> None:
    # What cannot be sent now stays in the outbox, and is sent the next time.
    with contextlib.suppress(LogUnavailable):
        recorder.deliver_once()


def _bring_up(ledger: LedgerDirectory, recorder: Recorder) -> None:
    """Until everything that was recorded is sequenced, sealed and read."""
    left, moved = -1, time.monotonic()
    while True:
        _deliver(recorder)
        mine = settle(ledger)
        _deliver(recorder)
        now = recorder.status().pending
        if not now and views_are_current(ledger):
            return
        if now != left:
            left, moved = now, time.monotonic()
        elif time.monotonic() - moved > STALLED_S:
            raise LogUnavailable(
                f"{now:,} counts are recorded and delivered, and no receipt came for {STALLED_S:.0f} s. Nothing is lost:"
                " see `duecourse status`, then run the same import again"
            )
        if not mine:
            time.sleep(WAIT_S)


_IMPORT: Final = (
    click.argument("files", metavar="FILE...", nargs=-1, required=True,
                   type=click.Path(path_type=Path, exists=True, dir_okay=False)),
    click.option("--into", "directory", required=True, metavar="LEDGER",
                 type=click.Path(path_type=Path, file_okay=False)),
    click.option("--name", required=True, callback=_name, help="What you call the source, as carrier-a."),
    *_READING,
    *_MATCHING,
    click.option("--check-only", is_flag=True, help="Read and compare everything, record nothing."),
    click.option("--replace", is_flag=True, help="Let these files take the place of others that were counted."),
    click.option("--no-run", is_flag=True, help="Only record; leave the rest to a `duecourse run`."),
    AS_JSON,
)  # fmt: skip
_EVERY: Final = """

    All files of a statement together are read first, and nothing is recorded if there is an error in them. Then each day
    is compared with the ledger, and the source's stream gets one signed count a day. Given again, counts that have
    changed are corrected."""


def _importer(kind: str, help_text: str, example: str) -> click.Command:
    @click.command(kind, help=help_text + _EVERY, epilog=f"Example: duecourse import {kind} {example}")
    @_with(_IMPORT)
    def command(
        files: tuple[Path, ...], directory: Path, name: str, check_only: bool, replace: bool, no_run: bool,
        producers: tuple[str, ...], tolerance: float, limit: int | None, as_json: bool, **options: Any,
    ) -> None:  # fmt: skip
        _import(
            kind,
            files,
            directory,
            name,
            check_only,
            replace,
            no_run,
            producers,
            tolerance,
            limit,
            as_json,
            options,
        )

    return command


IMPORTS: Final = (
    _importer("cdr", "Count a dialler's call-detail records (CSV with a layout).",
              "Master.csv --into ledger --name carrier-a --layout asterisk-cdr-csv --times-zone Asia/Shanghai"),
    _importer("sms", "Count SMS delivery receipts (SMPP text, or CSV with a layout).",
              "receipts.txt --into ledger --name gateway --times-zone Asia/Shanghai"),
    _importer("mail", "Count sent mail (.eml or mbox), and read bounces (RFC 3464).",
              "sent.mbox --into ledger --name mailer --zone Europe/London"),
    _importer("payments", "Compare payments (camt.053, or CSV with a layout) with the ledger.",
              "statement.xml --into ledger --name bank --zone Europe/Berlin"),
)  # fmt: skip


# -- disputes about one record ---------------------------------------------------------------------------------------


@click.group("statement")
def statement_command() -> None:
    """One record of a statement: prove that it was in it."""


@statement_command.command("prove")
@LEDGER
@click.option("--source", "files", multiple=True, required=True, metavar="FILE",
              type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A file of the statement, as it was imported; may be repeated.")  # fmt: skip
@click.option(
    "--kind", type=click.Choice(list(KINDS)), default="cdr", show_default=True, help="What the files are."
)
@click.option("--name", required=True, callback=_name, help="The source, as it was imported under.")
@click.option("--record", required=True, metavar="ID", help="The provider's id of the record.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False))
@_with(_READING)
def statement_prove(
    directory: Path, files: tuple[Path, ...], kind: str, name: str, record: str, output: Path, **options: Any
) -> None:
    """Write a proof that the statement of a source had this record when it was counted.

    The proof holds the record itself, number included, and the key of that one record: hand it to nobody else."""
    ledger = LedgerDirectory.open(directory)
    statement = read_statement(files, _reading(kind, options))
    number = statement.records.index.get(record)
    if number is None:
        raise ConfigurationError("the statement has no record with that id")
    key = _tenant_key(ledger)
    proof = prove(statement.records, number, key, source_id(key, statement.channel, name))
    found = _standing(ledger, proof)
    if found is None:
        raise Refused(
            "E_CONTEXT", "no count in the ledger has this root: other files, or another layout or zone?"
        )
    write_whole(output, canonical.dumps(proof.value()), 0o600)
    click.echo(
        f"record {proof.index + 1:,} of {proof.size:,} of {proof.day}, under the root {proof.root.hex()}"
    )
    click.echo(f"that root stands in source/{proof.source}, event {found.ids[min(found.ids)]}")


@statement_command.command("check")
@click.argument("proof_file", metavar="PROOF", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--ledger", "directory", default=None, metavar="LEDGER",
              type=click.Path(path_type=Path, file_okay=False), help="Look the root up here.")  # fmt: skip
@click.option("--root", default=None, metavar="HEX", help="The root, out of a verified source.counted.")
def statement_check(proof_file: Path, directory: Path | None, root: str | None) -> None:
    """Check a proof of one record against a ledger, or against a root from a verified bundle."""
    if (directory is None) == (root is None):
        raise click.UsageError("give one of --ledger and --root")
    proof = RecordProof.parse(proof_file.read_bytes())
    proof.check()
    if root is not None and proof.root != canonical.unhex(root):
        raise Refused("E_INCLUSION", "the record stands under another root than the one given")
    if directory is not None and _standing(LedgerDirectory.open(directory), proof) is None:
        raise Refused("E_INCLUSION", "no count of that source and day in the ledger has this root")
    click.echo(
        f"the record stood in the statement of {proof.day} (source/{proof.source}), which had {proof.size:,}"
    )


def _standing(ledger: LedgerDirectory, proof: RecordProof) -> Counted | None:
    """The count with the proof's root in the ledger; None if there is none, or another took its place."""
    with open_readings(ledger) as db:
        found = counted(db, proof.source, ledger.shards, lambda shard: ledger.open_log(shard, "reader"))
    return next(
        (one for (_, day), one in found.items() if day == proof.day and one.root == proof.root.hex()), None
    )
