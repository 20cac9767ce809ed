"""Forgetting a person: erase."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import click

from ledger.errors import ConfigurationError
from ledger.events.codes import DataPurpose
from ledger.kernel.canonical import format_time
from ledger.sdk.recorder import Recorder
from ledger.vault.erase import erase_person
from ledger.vault.sqlite import SqliteVault
from projections.cli.directory import LedgerDirectory
from projections.cli.enrolment import settle
from projections.cli.lineup import clock_us
from projections.cli.output import AS_JSON, LEDGER, say_json
from projections.cli.readings import case_shard

_PURPOSES: Sequence[DataPurpose] = ("subject_right", "retention")


@click.command(
    "erase", epilog="Example: duecourse erase ledger CASE --producer crm --purpose subject_right --yes"
)
@LEDGER
@click.argument("case_id", metavar="CASE")
@click.option(
    "--party", default=None, metavar="UUID", help="Only this person of the case. Default: everybody in it."
)
@click.option("--producer", required=True, help="In whose name the erasure is recorded.")
@click.option("--purpose", type=click.Choice(list(_PURPOSES)), required=True)
@click.option(
    "--about", default=None, metavar="EVENT", help="Id of the event of the request that this answers."
)
@click.option("--yes", is_flag=True, help="Do not ask: what is erased does not come back.")
@AS_JSON
def erase_command(
    directory: Path,
    case_id: str,
    party: str | None,
    producer: str,
    purpose: str,
    about: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Destroy the protecting keys of CASE in the vault: what they protect can never be opened again.

    The erasure is recorded in the case first; if it cannot be recorded, nothing is erased. Entries and proofs stay as they
    are. Disclosures that were handed out before stay with whoever has them, and so does every copy of the vault."""
    ledger = LedgerDirectory.open(directory)
    case, _ = case_shard(ledger, case_id)
    settings = ledger.producer(producer) / "producer.toml"
    if not settings.exists():
        raise ConfigurationError(
            f"{producer} is not enrolled here: duecourse registry add {directory} {producer}"
        )
    if not yes and not click.confirm(f"Erase what is protected in case {case}, for ever?", err=True):
        raise click.Abort
    settle(ledger)
    with Recorder.open(settings) as recorder, SqliteVault(ledger.vault, create=False) as vault:
        stream = recorder.case(id=case)
        done = erase_person(
            vault,
            stream=stream.subject,
            party=party,
            erased_at=format_time(clock_us()),
            purpose=cast("DataPurpose", purpose),
            record=stream.record,
            about=about,
        )
        recorder.forget_keys(stream.subject, party)
        recorder.deliver_once()
    settle(ledger)
    if as_json:
        say_json({"case": case, "destroyed": done.destroyed, "party": party})
    else:
        click.echo(f"{done.destroyed} keys of case {case} are destroyed; the erasure is recorded in it")
