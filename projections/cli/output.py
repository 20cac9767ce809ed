"""How commands speak: plain text for people, one JSON value for programs, progress on the error stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import click
import orjson

LEDGER: Final = click.argument(
    "directory", metavar="LEDGER", type=click.Path(path_type=Path, file_okay=False)
)
AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON value instead of text.")


def say_json(value: Any) -> None:
    """One JSON value on standard output, keys sorted, indented for people who look at it anyway."""
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    click.echo(data, nl=False)


def table(rows: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    """Left-aligned columns; wide (Chinese) characters count as two."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(heads))]
    lines = [
        "  ".join(cell + " " * (widths[i] - _width(cell)) for i, cell in enumerate(row)) for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    return sum(2 if "\u1100" <= character <= "\uffdc" else 1 for character in text)


class Progress(Protocol):
    """Told how far a long work is. `total` 0 means unknown."""

    def __call__(self, done: int, total: int = 0) -> None: ...

    def finish(self) -> None: ...


class _Silent:
    def __call__(self, done: int, total: int = 0) -> None:
        pass

    def finish(self) -> None:
        pass


class _Line:
    """One line on a terminal, rewritten a few times a second; one line in ten seconds where it is not a terminal."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._start = time.monotonic()
        self._shown = self._start
        self._said = False
        self._terminal = sys.stderr.isatty()
        self._last = (0, 0)

    def __call__(self, done: int, total: int = 0) -> None:
        self._last = (done, total)
        now = time.monotonic()
        if now - self._shown < (0.2 if self._terminal else 10.0):
            return
        self._shown = now
        self._said = True
        self._show()

    def _show(self) -> None:
        done, total = self._last
        elapsed = max(time.monotonic() - self._start, 0.001)
        text = f"{self._what}: {done:,}"
        if total:
            text += f" of {total:,} ({100 * done // total} %)"
        text += f" {self._unit}, {done / elapsed:,.0f}/s"
        if total and done:
            text += f", {max(0, total - done) * elapsed / done:,.0f} s left"
        if self._terminal:
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        else:
            click.echo(text, err=True)

    def finish(self) -> None:
        if self._terminal and self._said:
            self._show()
            click.echo(err=True)


def progress(what: str, unit: str, *, quiet: bool = False) -> Progress:
    """Progress on the error stream, so that standard output stays what a program reads."""
    return _Silent() if quiet else _Line(what, unit)
