"""Out to other people's tools: extract."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from projections.cli.directory import LedgerDirectory
from projections.cli.output import AS_JSON, LEDGER, progress, say_json
from projections.cli.readings import open_readings
from projections.exchange.out.formats import FORMATS, check, extract
from projections.exchange.out.source import Selection, Source

_CHUNK: Final = 1 << 20


@click.command("extract", epilog="Example: duecourse extract ledger --format xes -o cases.xes.gz")
@LEDGER
@click.option("--format", "form", required=True, type=click.Choice(FORMATS), help="For which tool.")
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write. A name in .gz is packed (xes, ocel-json, csv).",
)
@click.option("--case", "cases", multiple=True, metavar="CASE", help="Only this case; repeat for more.")
@click.option("--stage", default=None, help="Only cases in this stage, e.g. overdue or entrusted.")
@click.option(
    "--every-entry",
    is_flag=True,
    help="Also what was corrected or voided, and the corrections, each marked. Without it every event stands"
    " once, as it was last corrected.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@AS_JSON
def extract_command(
    directory: Path, form: str, output: Path, cases: Sequence[str], stage: str | None, every_entry: bool, force: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Write cases for other tools: process mining (XES, OCEL 2.0), spreadsheets (CSV), queries (Parquet).

    One case, a selection or all of them, from the readings. It is no proof: for that there is `duecourse export`.
    Protected fields are named and never opened. Times are UTC. The same ledger gives the same file. Parquet needs
    DuckDB: pip install 'duecourse[parquet]'."""
    check(form, output, force=force)
    ledger = LedgerDirectory.open(directory)
    with open_readings(ledger) as db:
        source = Source(db, ledger.name, ledger.shards, Selection(tuple(cases), stage, every_entry))
        total = source.total()
        told = progress("written", "cases", quiet=as_json)
        counted = extract(source, form, output, force=force, progress=lambda done: told(done, total))
        told.finish()
        state = source.state()
    size, digest = _measured(output)
    if as_json:
        said = {"bytes": size, "entries": state, "file": str(output), "format": form, "sha256": digest}
        say_json({**said, **counted})
        return
    what = ", ".join(f"{number:,} {name}" for name, number in counted.items())
    click.echo(f"{output}: {what}; {size:,} bytes, {form}")
    click.echo(f"sha256 {digest}")
    if not counted["cases"]:
        click.echo(
            "no case was selected" + (f": none is in stage {stage}" if stage is not None else ""), err=True
        )


def _measured(path: Path) -> tuple[int, str]:
    """Length and SHA-256 of a file of any size."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
