"""Proofs out of the building, and their verification: export, verify, link."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.custody.file import VaultKey
from ledger.errors import ConfigurationError
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.note import Note
from ledger.kernel.tiles import TileTree
from ledger.tilestore.directory import DirectoryTiles
from ledger.vault.sealing import Opener
from ledger.vault.sqlite import SqliteVault
from ledger.verify.__main__ import main as verify_main
from ledger.verify.link import make_link
from projections.bundle.export import Bundle, Source, export_case, write_bundle
from projections.bundle.heads import from_snapshot
from projections.cli.directory import LedgerDirectory, write_whole
from projections.cli.output import AS_JSON, LEDGER, say_json
from projections.cli.readings import case_shard, open_readings


@click.command("export", epilog="Example: duecourse export ledger CASE -o case.duecourse --disclose to")
@LEDGER
@click.argument("case_id", metavar="CASE")
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The bundle to write.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@click.option(
    "--disclose", "disclose", multiple=True, metavar="FIELD",
    help="Open this protected field for the reader, e.g. to or words, or a pointer like /data/to; repeat. Needs the vault.",
)  # fmt: skip
@click.option(
    "--without-findings",
    is_flag=True,
    help="Leave out the adopted rule packs and their findings. The verdict will name what is missing.",
)
@AS_JSON
def export_command(
    directory: Path,
    case_id: str,
    output: Path,
    force: bool,
    disclose: Sequence[str],
    without_findings: bool,
    as_json: bool,
) -> None:
    """Write the proof of CASE into one file: its entries, that they are in the ledger, and that there are no others;
    and what the adopted rules say of it, with the rule packs.

    The same export twice gives the same bytes."""
    if output.exists() and not force:
        raise ConfigurationError(f"{output} exists: choose another name, or --force")
    ledger = LedgerDirectory.open(directory)
    case, shard = case_shard(ledger, case_id)
    made = _export(ledger, case, shard, disclose, findings=not without_findings)
    write_bundle(output, made.data, force=force)
    if as_json:
        say_json(
            {
                "bytes": len(made.data),
                "bytes_beyond_entries": len(made.data) - made.entries_bytes,
                "case": case,
                "disclosed": made.disclosed,
                "entries": made.entries,
                "erased": [{"index": index, "pointer": pointer} for index, pointer in made.erased],
                "file": str(output),
                "findings": dict(made.outcomes),
                "origin": made.origin,
                "packs": list(made.packs),
                "packs_missing": dict(made.lacking),
                "sha256": made.sha256,
                "streams": [{"count": count, "stream": name} for name, count in made.streams],
                "tree_size": made.tree_size,
            }
        )
        return
    click.echo(
        f"{output}: {made.entries} entries of {len(made.streams)} streams, as of {made.tree_size:,} entries of"
        f" {made.origin}; {len(made.data):,} bytes, {made.disclosed} fields opened"
    )
    if made.packs:
        found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(made.outcomes.items()))
        click.echo(f"judged by {', '.join(made.packs)}: {found or 'nothing to look at'}")
    for name, why in made.lacking.items():
        click.echo(f"! {name} was adopted and is left out, and the verdict will say so: {why}", err=True)
    for index, pointer in made.erased:
        click.echo(f"erased for good, and not opened: {pointer} of entry {index}")
    click.echo(f"sha256 {made.sha256}")


def _export(
    ledger: LedgerDirectory, case: str, shard: int, disclose: Sequence[str], *, findings: bool
) -> Bundle:
    with open_readings(ledger) as db:
        source = source_of(ledger, shard, db)
        if not disclose:
            return export_case(source, case, findings=findings)
        with SqliteVault(ledger.vault, create=False) as vault:
            opener = Opener(vault, VaultKey.load(ledger.keys / "vault.pem"))
            return export_case(
                source,
                case,
                disclose=disclose,
                open_field=lambda event, pointer: opener.open_field(event, pointer).disclosure,
                findings=findings,
            )


def source_of(ledger: LedgerDirectory, shard: int, db: sqlite3.Connection) -> Source:
    """One shard of a ledger directory, as an export reads it."""
    return Source(
        tiles=DirectoryTiles(ledger.tiles(shard)),
        log_key=ledger.log_keys[shard],
        views=db,
        shard=shard,
        heads=[from_snapshot(ledger.state(shard), ledger.origin(shard))],
        cache=ledger.state(shard) / "heads",
        packs=ledger.packs,
    )


@click.command(
    "verify",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify_command(arguments: Sequence[str]) -> None:
    """Judge a bundle by the reader's own trust file: VERIFIED, REJECTED or UNVERIFIABLE."""
    raise click.exceptions.Exit(verify_main(list(arguments)))


@click.command("link")
@LEDGER
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The checkpoint that the reader remembers.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The link file to write.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@AS_JSON
def link_command(directory: Path, state: Path, output: Path, force: bool, as_json: bool) -> None:
    """Prove that today's checkpoint only adds to the one in --state, for `duecourse verify --link`."""
    if output.exists() and not force:
        raise ConfigurationError(f"{output} exists: choose another name, or --force")
    ledger = LedgerDirectory.open(directory)
    remembered = state.read_bytes()
    origin = Note.parse(remembered).text.partition("\n")[0]
    shard = next((n for n in range(ledger.shards) if ledger.origin(n) == origin), None)
    if shard is None:
        raise ConfigurationError(f"{state} is a checkpoint of {origin!r}, which is no shard of {ledger.name}")
    old = open_statement(remembered, ledger.log_keys[shard], Checkpoint)
    tiles = DirectoryTiles(ledger.tiles(shard))
    note = tiles.checkpoint()
    if note is None:
        raise ConfigurationError(f"{origin} has no checkpoint yet: run `duecourse run {directory} --once`")
    new = open_statement(note, ledger.log_keys[shard], Checkpoint)
    if old.size > new.size:
        raise ConfigurationError(
            f"the remembered checkpoint has {old.size} entries, this ledger {new.size}: rolled back?"
        )
    tree = TileTree(tiles.read_tile, new.size)
    write_whole(output, make_link(origin, old.size, new.size, tree.node))
    if as_json:
        say_json({"file": str(output), "from": old.size, "origin": origin, "to": new.size})
    else:
        click.echo(f"{output}: from {old.size:,} to {new.size:,} entries of {origin}")
