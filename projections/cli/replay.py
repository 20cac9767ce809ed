"""A case as it stood, and as it was known then: case at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_time
from projections.case_state.model import CaseEvent
from projections.case_state.replay import NOW, Known, Replayed, differences, replay
from projections.cli.describing import described
from projections.cli.directory import LedgerDirectory
from projections.cli.output import AS_JSON, LEDGER, say_json
from projections.cli.readings import case_shard, open_readings
from projections.engine.runner import entries_at
from projections.engine.streams import places

_HOW = {
    "later": "known only later",
    "corrected": "corrected later",
    "gone": "voided later, or moved to another time",
}


@click.command(
    "at",
    epilog="Example: duecourse case at ledger CASE --time 2026-03-05T12:00+08:00 --known-at 2026-04-01T00:00Z",
)
@LEDGER
@click.argument("case_id", metavar="CASE")
@click.option("--index", type=click.IntRange(0), default=None, help="After this entry of the case's shard.")
@click.option("--time", "time", metavar="T", default=None, help="At this moment; with Z or an offset.")
@click.option(
    "--known-at", metavar="K", default=None, help="With --time: by what the ledger had then. Default: T."
)
@AS_JSON
def case_at(
    directory: Path, case_id: str, index: int | None, time: str | None, known_at: str | None, as_json: bool
) -> None:
    """Show CASE as it stood at a moment, and as it was known then.

    Two readings of one moment. "As it was known": the entries that the ledger had by --known-at, and of the events in
    them those that had happened by --time. An event that was reported late, or corrected later, is not there, or is
    there with the mistake. "As it stood": the same moment, by everything that is known today; late entries count at the
    time when the event happened, and every event as it was last corrected. What differs is listed by entry.

    With --index the ledger had the entries up to that one, and the moment is the time when the case's last one of them was
    sequenced. Of an imported log, whose events all happened before they were entered, ask with --time and a --known-at
    behind the import: before it nothing was known."""
    if (index is None) == (time is None):
        raise ConfigurationError("give either --index or --time")
    if known_at is not None and time is None:
        raise ConfigurationError("--known-at goes with --time: an index says by itself what was known")
    ledger = LedgerDirectory.open(directory)
    case, shard = case_shard(ledger, case_id)
    events = _events(ledger, case, shard)
    if index is not None:
        known = Known(index=index)
        seen = known.of(events)
        if not seen:
            raise ConfigurationError(f"no entry of case {case} up to entry {index} in {ledger.origin(shard)}")
        moment = seen[-1].sequenced
        then = replay(events, known)
    else:
        moment = moment_of(time or "", "--time")
        known = Known(time=moment if known_at is None else moment_of(known_at, "--known-at"))
        then = replay(events, known, at=moment)
    stood = replay(events, NOW, at=moment)
    differ = differences(then, stood)
    if as_json:
        say_json(
            {
                "case": case,
                "origin": ledger.origin(shard),
                "time": moment,
                "known_up_to": {"index": known.index} if known.time is None else {"time": known.time},
                "known": _value(then),
                "stood": _value(stood),
                "differences": [one._asdict() for one in differ],
            }
        )
        return
    upto = f"entries up to {known.index}" if known.time is None else f"entries sequenced up to {known.time}"
    click.echo(f"as it was known: {upto}")
    for line in _lines(case, ledger.origin(shard), then):
        click.echo(line)
    click.echo(f"\nas it stood at {moment}, by what is known today")
    if not differ:
        click.echo("the same: nothing that came later changes it")
        return
    for line in _lines(case, ledger.origin(shard), stood):
        click.echo(line)
    for one in differ:
        click.echo(f"  entry {one.entry}  {one.type} of {one.time[:19]}Z: {_HOW[one.how]}")


def _events(ledger: LedgerDirectory, case: str, shard: int) -> list[CaseEvent]:
    with open_readings(ledger) as db:
        found = places(db, f"case/{case}", shard)
        if not found:
            raise ConfigurationError(f"no entry of case {case} in {ledger.origin(shard)}")
        log = ledger.open_log(shard, "reader")
        try:
            return [CaseEvent.of(entry) for entry in entries_at(log, found)]
        finally:
            log.close()


def _value(replayed: Replayed) -> dict[str, Any] | None:
    """The state as JSON, with the entries that it rests on; None where nothing was known or had happened."""
    if not replayed.events:
        return None
    return {**replayed.state.value(), "entries": [event.idx for event in replayed.events]}


def _lines(case: str, origin: str, replayed: Replayed) -> Iterator[str]:
    if not replayed.events:
        yield f"case {case} in {origin}: nothing"
        return
    yield from described(case, origin, replayed.state)
    yield f"  told by       {len(replayed.events)} events that had happened"


def moment_of(text: str, option: str) -> str:
    """A moment in UTC in the ledger's spelling, from ISO 8601 with Z or an offset. `ConfigurationError`
    otherwise: a time without a zone could be any of forty."""
    if is_time(text):
        return text
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            raise ConfigurationError(f"{option}: {text!r} has no zone: add Z, or an offset like +08:00")
        utc = parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(f"{option}: {text!r} is no moment like 2026-03-05T12:00:00Z") from error
    return f"{utc.year:04d}-{utc:%m-%dT%H:%M:%S}.{utc.microsecond:06d}Z"
