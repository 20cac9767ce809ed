"""`python -m ledger.verify BUNDLE --trust FILE`: the verifier without the rest of duecourse.

Exit status: 0 VERIFIED, 1 REJECTED, 2 UNVERIFIABLE, 3 no verdict (a file of the reader's cannot be used, or the
verifier failed). Nothing is written but what `--html` and `--remember` name, and, where the ledger has contradicted
itself, the two notes beside the state file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, cast

from ledger.errors import ConfigurationError, Refused
from ledger.verify.checks import failed, judge
from ledger.verify.container import Limits, read_file
from ledger.verify.i18n import LANGUAGES, Lang
from ledger.verify.pages import compare_report, html_pieces, text_lines
from ledger.verify.trust import Trust
from ledger.verify.verdict import EXIT, Problem, Verdict

_SMALL_FILE = 1 << 20
_PAGE_MAX = 1 << 30


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.stderr.write(f"{self.prog}: {message}\n")
        sys.exit(EXIT["ERROR"])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ledger.verify",
        description="Judges a bundle by nothing but the reader's own trust file. No network, no clock.",
        epilog="exit status: 0 VERIFIED, 1 REJECTED, 2 UNVERIFIABLE, 3 no verdict",
        allow_abbrev=False,
    )
    parser.add_argument("bundle", type=Path, help="the .duecourse file")
    parser.add_argument("--trust", type=Path, required=True, metavar="FILE", help="whom you trust (TOML)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="a checkpoint that you remember")
    parser.add_argument("--link", type=Path, metavar="FILE", help="proof from that checkpoint to this one")
    parser.add_argument("--at", metavar="TIME", help="your time, YYYY-MM-DDThh:mm:ss.ffffffZ")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument("--html", type=Path, metavar="OUT", help="write a page made from what was proved")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of report and page")
    parser.add_argument(
        "--compare-report", type=Path, metavar="FILE", help="is FILE the page for this bundle?"
    )
    parser.add_argument(
        "--remember", action="store_true", help="after VERIFIED, keep the checkpoint in --state"
    )
    parser.add_argument(
        "--trust-on-first-use", action="store_true", help="with --remember: the state file need not exist yet"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verification and returns the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        verdict = _run(asked)
        _write(asked, verdict)
    except ConfigurationError as error:
        verdict = failed("UNUSABLE", str(error))
        _print(asked, verdict)
    except Exception as error:  # noqa: BLE001 - a crash is never a pass, and never a traceback
        verdict = failed("UNEXPECTED", type(error).__name__)
        _print(asked, verdict)
    return verdict.exit_code


def _run(asked: argparse.Namespace) -> Verdict:
    trust = Trust.load(asked.trust)
    if asked.remember and asked.state is None:
        raise ConfigurationError("--remember keeps the checkpoint in the file of --state: name one")
    state = _state(asked)
    limits = Limits()
    try:
        data = read_file(asked.bundle, limits)
    except Refused as error:
        return Verdict(
            "REJECTED", errors=(Problem(error.code, "bundle", error.detail),), trust_sha256=trust.fingerprint
        )
    verdict = judge(
        data,
        trust,
        state=state,
        link=_small(asked.link, "link file") if asked.link else None,
        at=asked.at,
        limits=limits,
    )
    if asked.compare_report is not None and verdict.verdict != "ERROR":
        verdict = compare_report(verdict, _small(asked.compare_report, "report", _PAGE_MAX))
    return verdict


def _state(asked: argparse.Namespace) -> bytes | None:
    """The state file. One that is not there is no first use, unless the reader says that it is."""
    if asked.state is None:
        return None
    if asked.trust_on_first_use and asked.remember and not asked.state.exists():
        return None
    return _small(asked.state, "state file")


def _small(path: Path, what: str, limit: int = _SMALL_FILE) -> bytes:
    try:
        if not path.is_file():
            raise ConfigurationError(f"{what}: no such file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(f"{what}: cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise ConfigurationError(f"{what}: larger than {limit} bytes")
    return data


def _write(asked: argparse.Namespace, verdict: Verdict) -> None:
    if verdict.evidence and asked.state is not None:
        kept = asked.state.with_name(f"{asked.state.name}.evidence")
        _replace(kept, (note + b"\n" for note in verdict.evidence))
        sys.stderr.write("The ledger has contradicted itself: both notes are kept beside the state file.\n")
    if asked.remember and verdict.verdict == "VERIFIED":
        _replace(asked.state, [verdict.checkpoint])
    if asked.html is not None:
        _replace(asked.html, (piece.encode() for piece in html_pieces(verdict, asked.lang)))
    _print(asked, verdict)


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    """All or nothing: a page or a state under its name is whole."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path.name}: cannot be written: {error.strerror}") from error


def _print(asked: argparse.Namespace, verdict: Verdict) -> None:
    # The report is UTF-8 whatever the terminal's settings are: what a reader sees does not depend on them.
    out = sys.stdout.buffer
    if asked.json:
        out.write(verdict.json())
    else:
        for line in text_lines(verdict, cast("Lang", asked.lang)):
            out.write(line.encode())
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
