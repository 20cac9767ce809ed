"""The demonstration: one card case from its registration to a proof, and a forgery that is refused.

Everything happens in a temporary directory, through the same commands that a user types; they are shown as they run."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from ledger.errors import ConfigurationError, DuecourseError
from ledger.sdk.recorder import Recorder
from projections.cli.directory import LedgerDirectory
from projections.cli.lineup import Line
from projections.cli.scenario import ACCOUNT, AGENCY, steps

NAME: Final = "ledger.example.com/cards"


@click.command("demo")
@click.option(
    "--kafka",
    is_flag=True,
    help="On an Apache Kafka broker, started for this and ended after. Needs Java 17 and Maven.",
)
@click.option(
    "--keep", type=click.Path(path_type=Path), default=None, help="Keep everything in this new directory."
)
@click.option("--quick", is_flag=True, help="Say only how it ended.")
def demo_command(kafka: bool, keep: Path | None, quick: bool) -> None:
    """Found a ledger, play a card case through the SDK, prove it, and forge the proof."""
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        if keep is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duecourse-demo-")))
        else:
            keep.mkdir(parents=True)
            work = keep
        bootstrap = stack.enter_context(_broker(quick)) if kafka else ""
        _play(_Show(quick), work, bootstrap)
    click.echo(
        f"done in {time.monotonic() - start:.1f} s" + ("" if keep is None else f"; everything is in {keep}")
    )


@contextlib.contextmanager
def _broker(quick: bool) -> Iterator[str]:
    try:
        from ledger.testing.broker import KafkaBroker
    except ImportError as error:
        raise ConfigurationError("Kafka needs the extra: pip install 'duecourse[kafka]'") from error
    if not quick:
        click.echo("starting Apache Kafka on loopback …", err=True)
    with KafkaBroker() as broker:
        yield broker.bootstrap


class _Show:
    """Runs commands, and shows them as they are typed."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick

    def say(self, text: str) -> None:
        if not self._quick:
            click.secho(f"\n{text}", bold=True)

    def tell(self, text: str) -> None:
        if not self._quick:
            click.echo(text)

    def run(self, *arguments: str | Path, status: int = 0, lines: int = 0) -> str:
        """One command of duecourse; fails the demonstration unless it ends with `status`. `lines`: show only so many."""
        words = [str(argument) for argument in arguments]
        if not self._quick:
            click.secho(f"$ duecourse {shlex.join(words)}", fg="cyan")
        done = subprocess.run(
            [sys.executable, "-m", "projections.cli", *words], capture_output=True, text=True, check=False
        )
        if done.returncode != status:
            raise DemoFailed(
                f"duecourse {words[0]} ended with {done.returncode}, not {status}:\n{done.stdout}{done.stderr}"
            )
        if not self._quick:
            self._echo(done.stdout, lines)
        return done.stdout

    @staticmethod
    def _echo(text: str, lines: int) -> None:
        shown = text.splitlines()
        click.echo("\n".join(shown[:lines] if lines else shown))
        if lines and len(shown) > lines:
            click.secho(f"… {len(shown) - lines} more lines", dim=True)


class DemoFailed(DuecourseError):
    """The demonstration did not go as it must. That is a fault of the program: please report it."""


def _play(show: _Show, work: Path, bootstrap: str) -> None:
    ledger, bundle, forged = work / "ledger", work / "case.duecourse", work / "forged.duecourse"
    show.say("1. A bank's card centre founds its ledger, and lets two tools write into it.")
    log = ["--log", "kafka", "--bootstrap", bootstrap, "--replication", "1"] if bootstrap else []
    show.run("init", ledger, "--name", NAME, *log)
    show.run("registry", "add", ledger, "crm")
    show.run(
        "registry",
        "add",
        ledger,
        "dialler",
        "--types",
        "contact,disclosure",
        "--capacity",
        "agency",
        "--agency",
        AGENCY,
    )
    show.tell(
        "Its registrars adopt the rules for cards. One standard, on hours, they make binding for the house."
    )
    show.run("packs", "adopt", ledger, "cn-card", "--binding", "CN-01", "--from", "2026-01-01T00:00+08:00")

    show.say("2. What happened in one case is recorded, event by event, by those tools.")
    case = _record(show, ledger)

    show.say("3. The line sequences, seals and signs it. Anybody may look at the case.")
    show.run("run", ledger, "--once")
    show.run("case", "show", ledger, case)
    show.run("case", "timeline", ledger, case)
    show.tell("What do the rules say of it?")
    show.run("case", "findings", ledger, case)

    show.say("4. The proof of the case leaves the building, with the words of the complaint opened.")
    show.run("export", ledger, case, "-o", bundle, "--disclose", "words")

    show.say(
        "5. A regulator verifies it, with nothing but the file and their own trust file: every finding is made again."
    )
    trust = ledger / "trust.toml"
    show.run("verify", bundle, "--trust", trust, lines=56)
    show.run("verify", bundle, "--trust", trust, "--lang", "zh", "--html", work / "report.html", lines=44)

    show.say("6. Somebody changes one byte: the call after ten at night becomes one after nine.")
    data = bytearray(bundle.read_bytes())
    place = data.find(b"2026-03-11T14:05:00")
    data[place + len(b"2026-03-11T1")] = ord("3")
    forged.write_bytes(data)
    show.run("verify", forged, "--trust", trust, status=1, lines=10)
    show.tell("")


def _record(show: _Show, directory: Path) -> str:
    """Plays the scenario and gives the id of its case."""
    ledger = LedgerDirectory.open(directory)
    crm_file, dialler_file = (ledger.producer(name) / "producer.toml" for name in ("crm", "dialler"))
    with (
        Recorder.open(crm_file) as crm,
        Recorder.open(dialler_file) as dialler,
        Line(ledger, cadence_s=0.1) as line,
    ):
        before = crm
        for recorder, what, call in steps(crm, dialler):
            if recorder is not before:
                # The case's order is the ledger's: what one tool saw must be in before the other goes on.
                _hand_over(before, line)
                before = recorder
            call()
            show.tell(f"  {'crm' if recorder is crm else 'dialler':8} {what}")
        _hand_over(before, line)
        return crm.case(account=ACCOUNT).id


def _hand_over(recorder: Recorder, line: Line) -> None:
    deadline = time.monotonic() + 60
    while recorder.status().pending:
        if time.monotonic() > deadline:
            raise DemoFailed("no receipt came in a minute")
        line.step()
    line.drain()
