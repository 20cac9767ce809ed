"""A sample of cases that nobody chose, exported and verified as one batch: sample."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import orjson

from ledger.errors import ConfigurationError, Refused
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.headmap import HeadMap
from ledger.kernel.note import Note
from ledger.kernel.tiles import TileTree
from ledger.tilestore.directory import DirectoryTiles
from ledger.verify.checks import judge
from ledger.verify.trust import Trust
from projections.bundle.export import Source, export_case
from projections.bundle.heads import HeadSource, from_cache, from_snapshot
from projections.cli.directory import LedgerDirectory, sync_directory, write_whole
from projections.cli.output import AS_JSON, LEDGER, progress, say_json, table
from projections.cli.readings import open_readings
from projections.engine.store import applied
from projections.exchange.out.draw import Drawn, draw, population, seed

FORMAT: Final = "duecourse sample 1"
# From best to worst, with the exit status of each.
STATUS: Final = {"VERIFIED": 0, "UNVERIFIABLE": 2, "ERROR": 3, "REJECTED": 1}
_WORST_FIRST: Final = tuple(reversed(STATUS))


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one case of the sample. `codes` are those of the verdict, or of the export that was
    refused, and then there is no file."""

    drawn: Drawn
    verdict: str
    codes: tuple[str, ...]
    entries: int
    file: str
    sha256: str

    def value(self) -> dict[str, Any]:
        return {
            "case": self.drawn.case,
            "codes": list(self.codes),
            "entries": self.entries,
            "file": self.file or None,
            "rank": self.drawn.rank.hex(),
            "sha256": self.sha256 or None,
            "shard": self.drawn.shard,
            "verdict": self.verdict,
        }


@click.command("sample", epilog="Example: duecourse sample ledger --size 50 -o sample")
@LEDGER
@click.option(
    "--size", required=True, type=click.IntRange(1), help="How many cases; all where there are fewer."
)
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="A new directory for the bundles, the checkpoints and the summary.",
)
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Draw by this signed checkpoint, one for each shard, instead of by the newest; repeat.",
)
@click.option(
    "--trust",
    "trust_file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Verify by this trust file. Default: the ledger's own trust.toml.",
)
@AS_JSON
def sample_command(
    directory: Path, size: int, output: Path, notes: Sequence[Path], trust_file: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Draw cases by chance, export each with its proof, and verify them all.

    Nobody chooses the cases: the root of a signed checkpoint is the seed, and the same checkpoint draws the same cases
    again (docs/exporting.md has the derivation). Exit status: that of the worst verdict."""
    if output.exists():
        raise ConfigurationError(f"{output} is there already: name a new directory")
    if not output.absolute().parent.is_dir():
        raise ConfigurationError(f"there is no directory {output.absolute().parent}")
    ledger = LedgerDirectory.open(directory)
    trust = Trust.load(trust_file or ledger.trust_file)
    signed = _given(ledger, notes) if notes else _newest(ledger)
    checkpoints = [checkpoint for _, checkpoint in signed]
    with open_readings(ledger) as db, _new_directory(output) as folder:
        _check_current(db, checkpoints)
        key = seed(checkpoints)
        drawn = draw(key, population(db, checkpoints), size)
        count = sum(1 for _ in population(db, checkpoints))
        if not count:
            raise ConfigurationError(
                "no case has an entry under these checkpoints: there is nothing to draw from"
            )
        told = progress("verified", "cases", quiet=as_json)
        batch = _Batch(ledger, db, trust)
        judged: list[Judged] = []
        for one in drawn:
            judged.append(batch.judge(one, folder))
            told(len(judged), len(drawn))
        told.finish()
        for shard, (note, _) in enumerate(signed):
            write_whole(folder / f"checkpoint-{shard}", note)
        summary = _summary(ledger, checkpoints, key, size, count, judged, trust)
        write_whole(
            folder / "sample.json", orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        )
    if as_json:
        say_json(summary)
    else:
        _say(output, summary, judged)
    raise click.exceptions.Exit(STATUS[summary["verdict"]])


# -- checkpoints ---------------------------------------------------------------------------------------------


def _newest(ledger: LedgerDirectory) -> list[tuple[bytes, Checkpoint]]:
    found = []
    for shard in range(ledger.shards):
        note = DirectoryTiles(ledger.tiles(shard)).checkpoint()
        if note is None:
            raise ConfigurationError(
                f"{ledger.origin(shard)} has no checkpoint yet: run `duecourse run {ledger.root} --once`"
            )
        found.append((note, open_statement(note, ledger.log_keys[shard], Checkpoint)))
    return found


def _given(ledger: LedgerDirectory, notes: Sequence[Path]) -> list[tuple[bytes, Checkpoint]]:
    """The checkpoints in these files, by shard. Each must be signed, and one that today's tree only adds to."""
    found: dict[int, tuple[bytes, Checkpoint]] = {}
    newest = _newest(ledger)
    origins = {ledger.origin(shard): shard for shard in range(ledger.shards)}
    for path in notes:
        data = path.read_bytes()
        shard = origins.get(Note.parse(data).text.partition("\n")[0], -1)
        if shard < 0 or shard in found:
            raise ConfigurationError(
                f"{path} is no checkpoint of a shard of {ledger.name}, or the second of one"
            )
        old = open_statement(data, ledger.log_keys[shard], Checkpoint)
        size = newest[shard][1].size
        if old.size > size:
            raise ConfigurationError(
                f"{path} is of {old.size} entries, {ledger.origin(shard)} has {size}: rolled back?"
            )
        tree = TileTree(DirectoryTiles(ledger.tiles(shard)).read_tile, size)
        if old.size and tree.node(0, old.size) != old.root:
            raise Refused("E_CONSISTENCY", "the published tree does not contain this checkpoint", str(path))
        found[shard] = data, old
    if len(found) != ledger.shards:
        raise ConfigurationError(f"{ledger.name} has {ledger.shards} shards: give a checkpoint of each")
    return [found[shard] for shard in range(ledger.shards)]


def _check_current(db: sqlite3.Connection, checkpoints: Sequence[Checkpoint]) -> None:
    """A view that lags would draw from fewer cases, and so other ones."""
    read = applied(db)
    for one in checkpoints:
        if read.get(one.origin, 0) < one.size:
            raise ConfigurationError(
                f"the views hold {read.get(one.origin, 0)} of {one.size} entries of {one.origin}:"
                " run the ledger once more"
            )


# -- the batch -----------------------------------------------------------------------------------------------


class _Batch:
    """Exports and verifies one case after the other; what is the same for all is read once."""

    def __init__(self, ledger: LedgerDirectory, db: sqlite3.Connection, trust: Trust) -> None:
        self._ledger = ledger
        self._db = db
        self._trust = trust
        self._sources: dict[int, Source] = {}

    def _source(self, shard: int) -> Source:
        ledger = self._ledger
        if shard not in self._sources:
            cache = ledger.state(shard) / "heads"
            self._sources[shard] = Source(
                tiles=DirectoryTiles(ledger.tiles(shard)),
                log_key=ledger.log_keys[shard],
                views=self._db,
                shard=shard,
                heads=[
                    _once(from_snapshot(ledger.state(shard), ledger.origin(shard))),
                    _once(from_cache(cache)),
                ],
                cache=cache,
                packs=ledger.packs,
            )
        return self._sources[shard]

    def judge(self, drawn: Drawn, folder: Path) -> Judged:
        try:
            bundle = export_case(self._source(drawn.shard), drawn.case)
        except Refused as error:
            # The ledger cannot prove this case: that is a result, and the others are still to be seen.
            return Judged(drawn, "REJECTED", (error.code,), 0, "", "")
        name = f"{drawn.case}.duecourse"
        write_whole(folder / name, bundle.data)
        verdict = judge(bundle.data, self._trust)
        codes = tuple(sorted({problem.code for problem in verdict.errors}))
        return Judged(drawn, verdict.verdict, codes, bundle.entries, name, bundle.sha256)


def _once(source: HeadSource) -> HeadSource:
    """Reads a map the first time that there is one, and gives the same one from then on."""
    kept: list[HeadMap] = []

    def again() -> HeadMap | None:
        if not kept and (found := source()) is not None:
            kept.append(found)
        return kept[0] if kept else None

    return again


@contextlib.contextmanager
def _new_directory(path: Path) -> Iterator[Path]:
    """A directory that appears under its name whole, or not at all."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(6)}.draft")
    try:
        made.mkdir()
        try:
            yield made
            sync_directory(made)
            # Two that sample to one place: the second finds it taken.
            made.rename(path)
            sync_directory(path.absolute().parent)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror or error}") from error


# -- telling -------------------------------------------------------------------------------------------------


def _summary(
    ledger: LedgerDirectory, checkpoints: Sequence[Checkpoint], key: bytes, size: int, count: int,
    judged: Sequence[Judged], trust: Trust,
) -> dict[str, Any]:  # fmt: skip
    verdicts = Counter(one.verdict for one in judged)
    return {
        "asked_for": size,
        "cases": [one.value() for one in judged],
        "checkpoints": [
            {"origin": one.origin, "root": one.root.hex(), "size": one.size} for one in checkpoints
        ],
        "format": FORMAT,
        "ledger": ledger.name,
        "population": count,
        "seed": key.hex(),
        "trust_sha256": trust.fingerprint,
        "verdict": next(name for name in _WORST_FIRST if verdicts[name]),
        "verdicts": {name: verdicts[name] for name in STATUS},
    }


def _say(output: Path, summary: dict[str, Any], judged: Sequence[Judged]) -> None:
    click.echo(f"drawn: {len(judged):,} of {summary['population']:,} cases of {summary['ledger']}")
    for one in summary["checkpoints"]:
        click.echo(f"  by {one['origin']}, {one['size']:,} entries, root {one['root']}")
    click.echo(f"  seed {summary['seed']}")
    rows = [
        (number, one.drawn.case, one.entries or "-", one.verdict, " ".join(one.codes))
        for number, one in enumerate(judged, 1)
    ]
    click.echo(table(rows, ("", "case", "entries", "verdict", "")))
    told = ", ".join(f"{number} {name}" for name, number in summary["verdicts"].items() if number)
    click.echo(f"{summary['verdict']}: {told}; bundles and sample.json in {output}")
