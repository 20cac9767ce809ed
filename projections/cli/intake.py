"""Logs of other systems in: import. The statements of outside sources are read in `outside.py`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from ledger.errors import LogUnavailable
from ledger.events.catalogue.common import Payload
from ledger.events.registry import event_class
from ledger.sdk.config import Actor, DeliverySettings
from ledger.sdk.ids import case_id, load_tenant_key, local_id
from ledger.sdk.recorder import Recorder
from ledger.sdk.streams import Said
from projections.cli.behind import Behind
from projections.cli.directory import LedgerDirectory
from projections.cli.enrolment import enrol, registrars, settle
from projections.cli.output import AS_JSON, progress, say_json, table
from projections.cli.outside import IMPORTS
from projections.cli.readings import views_are_current
from projections.exchange.importer import CaseEvents, Report, check_log, record_log
from projections.exchange.mapping import load_mapping

PRODUCER: Final = "importer"
# Signed together: as many as the formats allow. A log of the past is in no hurry, and its events come by the thousand.
DELIVERY: Final = DeliverySettings(mode="manual", flush_events=256, batch_events=2048, rejections="off")
# Without any receipt for so long, something is wrong with the line and not with its speed.
STALLED_S: Final = 300.0
WAIT_S: Final = 0.05


class _Sink:
    """The recorder behind the few words that an importer needs."""

    def __init__(self, recorder: Recorder, tenant_key: bytes, after: Callable[[], None]) -> None:
        self._recorder = recorder
        self._after = after
        self.deriver = _deriver(tenant_key)

    def mark(self, name: str) -> str | None:
        kept = self._recorder.bookmark(name)
        return None if kept is None else kept.decode()

    def record(self, cases: Sequence[CaseEvents], mark: tuple[str, str]) -> None:
        recorder = self._recorder
        drafts = []
        for account, events in cases:
            subject = recorder.case(account).subject
            for short, version, data, happened, event_id in events:
                payload = event_class(short, version)(**data)
                assert isinstance(payload, Payload)
                drafts.append(recorder.draft(payload, subject=subject, said=Said(time=happened, id=event_id)))
        recorder.record_many(drafts, bookmark=(mark[0], mark[1].encode()))
        self._after()


def _deriver(tenant_key: bytes) -> Callable[[str], Callable[[str], str]]:
    def of_account(account: str) -> Callable[[str], str]:
        subject = f"case/{case_id(tenant_key, account)}"
        return lambda label: local_id(tenant_key, "import", subject, label)

    return of_account


@click.group("import")
def import_command() -> None:
    """Bring logs of other systems into the ledger, through the SDK like any producer."""


for _statement in IMPORTS:
    import_command.add_command(_statement)


@import_command.command(
    "xes", epilog="Example: duecourse import xes fines.xes.zip --into ledger --mapping road-traffic-fines"
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--into", "directory", required=True, metavar="LEDGER", type=click.Path(path_type=Path, file_okay=False)
)
@click.option(
    "--mapping",
    "mapping_name",
    required=True,
    metavar="NAME_OR_FILE",
    help="A shipped mapping, or a mapping file.",
)
@click.option(
    "--skip-unmapped", is_flag=True, help="Leave out what the mapping has no place for, and list it."
)
@click.option("--check-only", is_flag=True, help="Read and map everything, record nothing.")
@click.option("--producer", default=PRODUCER, show_default=True, help="In whose name to record.")
@click.option("--no-run", is_flag=True, help="Only record and deliver; leave the rest to a `duecourse run`.")
@AS_JSON
def import_xes(
    file: Path, directory: Path, mapping_name: str, skip_unmapped: bool, check_only: bool, producer: str, no_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Import an event log in XES (.xes, .xes.gz, or a .zip with one).

    The whole file is read and mapped first: nothing is recorded from one with an error in it. Interrupted at any moment,
    the same command goes on where it stood. When it returns, everything is sealed and can be read and exported."""
    ledger = LedgerDirectory.open(directory)
    mapping = load_mapping(mapping_name)
    start = time.monotonic()
    tenant_key = _tenant_key(ledger, producer)
    checking = progress("checked", "bytes", quiet=as_json)
    checked = check_log(
        file, mapping, _deriver(tenant_key), skip_unmapped=skip_unmapped,
        progress=lambda _what, done, total: checking(done, total),
    )  # fmt: skip
    checking.finish()
    with checked:
        # Until here nothing has touched the ledger, not even to make the importer known to it.
        if not check_only:
            with Recorder.open(_enrolled(ledger, producer)) as recorder:
                line = _LineBehind(ledger, wanted=not no_run)
                with line.behind():
                    sink = _Sink(recorder, tenant_key, lambda: _deliver(recorder))
                    recording = progress("recorded", "cases", quiet=as_json)
                    record_log(checked, sink, progress=lambda _what, done, total: recording(done, total))
                    recording.finish()
                    _settle(recorder, line, as_json)
    _say(checked.report, time.monotonic() - start, check_only, as_json)


def _tenant_key(ledger: LedgerDirectory, producer: str) -> bytes:
    """The producer's, or the one that it will be given."""
    own = ledger.producer(producer) / "tenant.key"
    return load_tenant_key(own if own.exists() else ledger.keys / "tenant.key")


def _enrolled(ledger: LedgerDirectory, producer: str) -> Path:
    settings = ledger.producer(producer) / "producer.toml"
    if settings.exists():
        return settings
    return enrol(
        ledger,
        producer,
        types=[
            "case",
            "contact",
            "debt",
            "dispute",
            "document",
            "hold",
            "legal",
            "party",
            "payment",
            "plan",
            "complaint",
        ],
        capacities=["first_party"],
        tenant="bank",
        actor=Actor(id="import", role="importer", capacity="first_party"),
        signers=registrars(ledger),
        delivery=DELIVERY,
    )


def _deliver(recorder: Recorder) -> None:
    # What cannot be sent now stays in the outbox and is sent with a later batch.
    with contextlib.suppress(LogUnavailable):
        recorder.deliver_once()


class _LineBehind:
    """The line that works while the import records: a process of its own, unless one serves the ledger already."""

    def __init__(self, ledger: LedgerDirectory, *, wanted: bool) -> None:
        self._ledger = ledger
        self._wanted = wanted
        self._behind = Behind(["run", str(ledger.root), "--two-cores", "--until-eof", "--json"])

    @contextlib.contextmanager
    def behind(self) -> Iterator[None]:
        self.keep_going()
        try:
            yield
        finally:
            ours = self._behind.going
            status = self._behind.end()
        if self._wanted and (status or not ours):
            self._await_views()

    def _await_views(self) -> None:
        """Until what is sealed can be read, where another process serves the ledger; and if none does (any more),
        by working the line here, which also says what is wrong with it."""
        deadline = time.monotonic() + STALLED_S
        while not settle(self._ledger):
            if views_are_current(self._ledger):
                return
            if time.monotonic() > deadline:
                raise LogUnavailable(
                    "everything is recorded and sealed, and the views do not follow: see `duecourse status`"
                )
            time.sleep(WAIT_S)

    def keep_going(self) -> None:
        """Starts the line if nobody serves the ledger (any more)."""
        if not self._wanted or self._behind.going:
            return
        with self._ledger.running() as free:
            pass
        if free:
            self._behind.keep_going()


def _settle(recorder: Recorder, line: _LineBehind, as_json: bool) -> None:
    """Waits until a signed receipt covers everything that was recorded."""
    told = progress("sequenced and sealed", "events", quiet=as_json)
    left, moved = recorder.status().pending, time.monotonic()
    total = left
    while left:
        _deliver(recorder)
        now = recorder.status().pending
        if now < left:
            left, moved = now, time.monotonic()
        elif time.monotonic() - moved > STALLED_S:
            raise LogUnavailable(
                f"{left:,} events are recorded and delivered, and no receipt came for {STALLED_S:.0f} s."
                " Nothing is lost: see `duecourse status`, then run the same import again"
            )
        told(total - left, total)
        line.keep_going()
        time.sleep(WAIT_S)
    told.finish()


def _say(report: Report, seconds: float, check_only: bool, as_json: bool) -> None:
    unmapped: list[dict[str, Any]] = [
        {"activity": activity, "count": listed.count, "places": listed.places, "why": why}
        for (activity, why), listed in report.unmapped.items()
    ]
    attributes: list[dict[str, Any]] = [
        {"activity": activity, "attribute": key, "count": listed.count, "places": listed.places}
        for (activity, key), listed in report.attributes.items()
    ]
    left_out = [
        {"activity": activity, "attribute": key, "count": count}
        for (activity, key), count in sorted(report.left_out.items())
    ]
    if as_json:
        answer: dict[str, Any] = {
            "activities": dict(report.activities),
            "attributes_left_out": attributes,
            "events": report.events,
            "left_out": left_out,
            "recorded_cases": report.recorded_traces,
            "recorded_events": report.recorded_events,
            "resumed_at": report.resumed_at,
            "seconds": round(seconds, 1),
            "sha256": report.sha256,
            "skipped": dict(report.skipped),
            "source_events": report.source_events,
            "cases": report.traces,
            "types": dict(report.types),
            "unmapped": unmapped,
        }
        say_json(answer)
        return
    click.echo(
        f"{report.source_events:,} events of {report.traces:,} cases were read, as {report.events:,} events of the catalogue"
    )
    click.echo(
        table(
            [(name, f"{count:,}") for name, count in report.activities.most_common()], ("activity", "events")
        )
    )
    for one in unmapped:
        click.echo(
            f"not mapped: {one['activity'] or '(none)'}: {one['why']}: {one['count']:,}, first at {one['places'][0]}"
        )
    for one in attributes:
        click.echo(
            f"not carried over: {one['attribute']} of {one['activity']}: {one['count']:,}, first at {one['places'][0]}"
        )
    if left_out:
        names = sorted({str(one["attribute"]) for one in left_out})
        click.echo(f"left out, as the mapping says: {', '.join(names)}")
    if check_only:
        click.echo("nothing was recorded: --check-only")
        return
    resumed = f" (an earlier run had recorded {report.resumed_at:,} cases)" if report.resumed_at else ""
    click.echo(
        f"{report.recorded_events:,} events of {report.recorded_traces:,} cases were recorded{resumed},"
        f" sealed and read, in {seconds:,.0f} s"
    )
