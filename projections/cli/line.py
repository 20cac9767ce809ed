"""Working the line and looking after it: run, status, rebuild, fsck."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from ledger.custody.file import FileSigner
from ledger.errors import ConfigurationError, DuecourseError
from ledger.events.schemas import check_event
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.registry import shared_statements
from ledger.sequencer.fsck import FsckReport, fsck
from ledger.sequencer.run import quiet_collector
from ledger.tilestore.directory import DirectoryTiles
from projections.cli.directory import LedgerDirectory
from projections.cli.lineup import CADENCE_S, Line, read_views
from projections.cli.output import AS_JSON, LEDGER, progress, say_json
from projections.cli.readings import all_views, open_readings
from projections.engine.rebuild import open_or_begin_again, rebuild
from projections.engine.runner import Shard
from projections.engine.store import applied

_CADENCE_MIN_S: Final = 0.1
# Commands that look at the ledger or order something in it hold it for a moment.
PATIENCE_S: Final = 2.0
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


@click.command("run")
@LEDGER
@click.option("--once", is_flag=True, help="Work until nothing is left, then end.")
@click.option(
    "--cadence", type=click.FloatRange(_CADENCE_MIN_S, 3600), default=CADENCE_S, show_default=True,
    help="Seconds between checkpoints while there is news.",
)  # fmt: skip
@click.option(
    "--two-cores/--one-core", default=False, show_default=True,
    help="Recompute roots and publish tiles in a second process: faster under load, slower to start.",
)  # fmt: skip
@click.option(
    "--views-only", is_flag=True, hidden=True, help="Only keep the views; the line is run by another."
)
@click.option(
    "--until-eof", is_flag=True, hidden=True, help="End, like on SIGTERM, when standard input does."
)
@AS_JSON
def run_command(
    directory: Path,
    once: bool,
    cadence: float,
    two_cores: bool,
    views_only: bool,
    until_eof: bool,
    as_json: bool,
) -> None:
    """Sequence what producers send, sign checkpoints, and keep the views: the whole line in one command.

    Ends on Ctrl-C or SIGTERM; a kill at any moment loses nothing."""
    ledger = LedgerDirectory.open(directory)
    if views_only:
        with _stopping(until_eof=until_eof) as stopped:
            read_views(ledger, stopped.is_set)
        return
    with ledger.running(PATIENCE_S) as mine:
        if not mine:
            raise ConfigurationError(f"another process runs {directory} already")
        told = progress("sequenced", "entries", quiet=as_json)
        quiet_collector()
        with Line(ledger, cadence_s=cadence, own_process=two_cores) as line:
            if once:
                size = line.drain(told)
            else:
                if not as_json:
                    click.echo(f"serving {ledger.name}, {ledger.shards} shards; Ctrl-C ends it", err=True)
                size = _serve(line, told, until_eof=until_eof)
        told.finish()
    if as_json:
        say_json({"entries": size})
    else:
        click.echo(f"{size:,} entries are sealed and read")


def _serve(line: Line, told: Callable[[int], None], *, until_eof: bool) -> int:
    with _stopping(until_eof=until_eof) as stopped:
        line.run(stopped.is_set, told)
        return line.drain()


@contextmanager
def _stopping(*, until_eof: bool) -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, and with `until_eof` the end of standard input."""
    stopped = threading.Event()
    before = [signal.signal(number, lambda _number, _frame: stopped.set()) for number in _STOPPING]
    if until_eof:
        # The one that started us holds the other end: when it is gone, however it went, so are we.
        def wait_for_eof() -> None:
            sys.stdin.buffer.read()
            stopped.set()

        threading.Thread(target=wait_for_eof, daemon=True).start()
    try:
        yield stopped
    finally:
        for number, handler in zip(_STOPPING, before, strict=True):
            signal.signal(number, handler)


@click.command("rebuild")
@LEDGER
@click.option(
    "--check", is_flag=True, help="Say whether the live views were equal to the rebuilt ones; 1 if not."
)
@AS_JSON
def rebuild_command(directory: Path, check: bool, as_json: bool) -> None:
    """Make every view anew from the ledger, beside the old ones, and put them in their place."""
    ledger = LedgerDirectory.open(directory)
    told = progress("read", "entries", quiet=as_json)
    start = time.monotonic()
    logs = [ledger.open_log(shard, "reader") for shard in range(ledger.shards)]
    try:
        shards = [Shard(log, ledger.origin(n), ledger.log_keys[n]) for n, log in enumerate(logs)]
        with open_or_begin_again(ledger.views, all_views(ledger)) as store:
            before = store.digests(store.generation) if check else {}
            after = rebuild(store, shards, progress=lambda _origin, done, total: told(done, total))
    finally:
        for log in logs:
            log.close()
    told.finish()
    equal = not check or before == after
    if as_json:
        say_json(
            {
                "digests": after,
                "equal": equal if check else None,
                "seconds": round(time.monotonic() - start, 3),
            }
        )
    else:
        for name, digest in sorted(after.items()):
            click.echo(f"{name}: {digest}")
        if check:
            click.echo("the live views were equal" if equal else "the live views DIFFERED and were replaced")
    if not equal:
        raise click.exceptions.Exit(1)


@click.command("fsck")
@LEDGER
@click.option("--shard", type=click.IntRange(0), default=None, help="Only this shard.")
@AS_JSON
def fsck_command(directory: Path, shard: int | None, as_json: bool) -> None:
    """Check the whole ledger: every signature, schema, chain, seal and tile.

    Names the exact index of any damage. Writes nothing."""
    ledger = LedgerDirectory.open(directory)
    reports = [_fsck_shard(ledger, n, as_json) for n in ledger.only(shard)]
    differing = shared_statements([report.registry for report in reports if report.registry is not None])
    sound = all(report.ok for report in reports) and not differing
    if as_json:
        say_json(
            {
                "entries": sum(report.entries for report in reports),
                "ok": sound,
                "shards": [report.value() for report in reports],
                "shards_differ_in": differing,
            }
        )
    else:
        for report in reports:
            _say(report)
        if differing:
            click.echo(f"  ! the shards' registries say different things: {', '.join(differing)}")
    if not sound:
        raise click.exceptions.Exit(1)


def _say(report: FsckReport) -> None:
    published = "nothing" if report.published is None else f"{report.published:,}"
    click.echo(
        f"{report.origin}: {report.entries:,} entries, {report.sealed:,} under a checkpoint, {published} published,"
        f" {report.tiles:,} tiles: {'sound' if report.ok else 'DAMAGED'}"
    )
    for reason, count in sorted(report.dead.items()):
        click.echo(f"  {count:,} dead records: {reason}")
    for finding in report.findings:
        place = "" if finding.index is None else f" at index {finding.index}"
        click.echo(f"  ! {finding.where}{place}: {finding.code}: {finding.detail}")
    if report.findings_left_out:
        click.echo(f"  ! and {report.findings_left_out:,} more")


def _fsck_shard(ledger: LedgerDirectory, shard: int, as_json: bool) -> FsckReport:
    told = progress(f"checked {ledger.origin(shard)}", "entries", quiet=as_json)
    log = ledger.open_log(shard, "reader")
    try:
        return fsck(
            log,
            DirectoryTiles(ledger.tiles(shard)),
            ledger.origin(shard),
            ledger.log_keys[shard],
            check_event,
            progress=told,
        )
    finally:
        log.close()
        told.finish()


@click.command("status")
@LEDGER
@AS_JSON
def status_command(directory: Path, as_json: bool) -> None:
    """Show in one screen how far everything is, and what to do if something is wrong."""
    ledger = LedgerDirectory.open(directory)
    shards = [_shard_status(ledger, shard) for shard in range(ledger.shards)]
    todo = [line for shard in shards for line in shard["todo"]] + _key_complaints(ledger)
    with ledger.running() as free:
        pass
    answer = {
        "name": ledger.name,
        "log": ledger.log.kind,
        "running": not free,
        "shards": shards,
        "todo": todo,
    }
    if as_json:
        say_json(answer)
        return
    click.echo(f"{ledger.name} on {ledger.log.kind}; the line is {'not running' if free else 'running'}")
    for one in shards:
        click.echo(
            f"  {one['origin']}: checkpoint {one['checkpoint_size']:,}, read into the views {one['views_position']:,},"
            f" waiting {one['waiting']:,}, dead letters {one['dead_letters']:,}"
        )
    for line in todo:
        click.echo(f"  ! {line}")
    if not todo:
        click.echo("  nothing to do")


def _shard_status(ledger: LedgerDirectory, shard: int) -> dict[str, Any]:
    origin = ledger.origin(shard)
    one: dict[str, Any] = {
        "origin": origin, "checkpoint_size": 0, "views_position": _views_position(ledger, origin),
        "waiting": 0, "dead_letters": 0, "todo": [],
    }  # fmt: skip
    try:
        log = ledger.open_log(shard, "sequencer")
        try:
            note = DirectoryTiles(ledger.tiles(shard)).checkpoint()
            if note is not None:
                one["checkpoint_size"] = open_statement(note, ledger.log_keys[shard], Checkpoint).size
            one["waiting"] = max(0, log.submissions_end() - _consumed(ledger, shard))
            one["dead_letters"] = log.dead_letter_count()
            one["todo"] += [f"{origin}: {complaint}" for complaint in log.check()]
        finally:
            log.close()
    except DuecourseError as error:
        one["todo"].append(f"{origin}: {error}")
    if one["dead_letters"]:
        one["todo"].append(
            f"{origin}: {one['dead_letters']} submissions were signed by no registered producer, or refused as orders"
        )
    if one["views_position"] < one["checkpoint_size"]:
        one["todo"].append(f"{origin}: the views are behind: duecourse run {ledger.root} --once")
    return one


def _consumed(ledger: LedgerDirectory, shard: int) -> int:
    """How many submissions the sequencer had taken in when it left its last snapshot; those since then count as waiting."""
    from ledger.sequencer import snapshot

    found = snapshot.read(ledger.state(shard), ledger.origin(shard))
    return 0 if found is None else found.submissions


def _views_position(ledger: LedgerDirectory, origin: str) -> int:
    if not ledger.views.exists():
        return 0
    with open_readings(ledger) as db:
        return applied(db).get(origin, 0)


def _key_complaints(ledger: LedgerDirectory) -> list[str]:
    complaints = []
    for shard in range(ledger.shards):
        try:
            FileSigner.load(ledger.keys / f"log-{shard}.pem")
        except ConfigurationError as error:
            complaints.append(str(error))
    return complaints
