"""The report as plain text, for a terminal or a file: no colour, no control character, whatever the bundle holds.

Everything is encoded so that a terminal shows it as text (rule R24). Evidence stands between quotation marks, apart
from the verdict, and a line of it never begins where a line of ours does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from ledger.verify.blocks import Facts, Items, Line, Quote, Section, Table
from ledger.verify.report import Report

_WIDTH = 100
_INDENT = "  "


def render(report: Report) -> Iterator[str]:
    """The lines of the report, each ended by a newline."""
    yield f"{report.headline}\n"
    yield from _wrapped(report.meaning, "")
    if report.caveat:
        yield from _wrapped(f"! {report.caveat}", "")
    for statement in report.statements:
        yield from _wrapped(_plain(statement), "")
    for section in report.sections:
        yield "\n"
        yield from _section(section)
    yield "\n"
    yield from _wrapped(report.colophon, "")


def _plain(line: Line) -> str:
    return "".join(_piece(piece) for piece in line)


def _piece(piece: str | Quote) -> str:
    if isinstance(piece, Quote):
        return f"“{piece.text}”" if piece.free else piece.text
    return piece


def _section(section: Section) -> Iterator[str]:
    yield f"{section.title}\n{'=' * _columns(section.title)}\n"
    if section.note:
        yield from _wrapped(section.note, "")
    match section.body:
        case Facts(rows):
            width = max(_columns(label) for label, _ in rows)
            for label, lines in rows:
                head = label + " " * (width - _columns(label)) + "  "
                for line in lines:
                    yield from _wrapped(_plain(line), " " * _columns(head), head)
                    head = " " * _columns(head)
        case Items(rows):
            for line in rows:
                yield from _wrapped(_plain(line), _INDENT, "- ")
        case Table():
            long = section.evidence or section.long
            yield from _long(section.body) if long else _table(section.body)


def _table(table: Table) -> Iterator[str]:
    """A short table: columns side by side. Of four, the last stands below the second, where there is room."""
    rows = [table.columns, *(tuple(_joined(cell.lines) for cell in row) for row in table.rows)]
    beside = len(table.columns) - 1 if len(table.columns) > 3 else len(table.columns)
    widths = [max(_columns(row[at]) for row in rows) for at in range(beside)]
    for row in rows:
        cells = (text + " " * (width - _columns(text)) for text, width in zip(row, widths, strict=False))
        yield "  ".join(cells).rstrip() + "\n"
        below = "".join(row[beside:])
        if below and row is not rows[0]:
            indent = " " * (widths[0] + 2)
            yield from _wrapped(below, indent, indent)


def _joined(lines: Iterable[Line]) -> str:
    return "; ".join(_plain(line) for line in lines if line)


def _long(table: Table) -> Iterator[str]:
    """A long table: one block for each row, every line named by its column."""
    width = max(_columns(column) for column in table.columns)
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            head = f"| {column}{' ' * (width - _columns(column))}  "
            for line in cell.lines:
                yield from _wrapped(_plain(line), "| " + " " * (_columns(head) - 2), head)
                head = "| " + " " * (_columns(head) - 2)
        yield "|\n"


def _columns(text: str) -> int:
    """Cells that a terminal needs: two for a wide character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _wrapped(text: str, indent: str, first: str | None = None) -> Iterator[str]:
    """Lines of at most the page's width. Breaks at spaces, and between characters where there is none."""
    line = indent if first is None else first
    room = _WIDTH - _columns(line)
    for word in text.split(" "):
        wide = _columns(word)
        if wide + 1 > room and line.strip() and line not in (indent, first):
            yield line.rstrip() + "\n"
            line, room = indent, _WIDTH - _columns(indent)
        while wide > room:
            kept = 0
            used = 0
            while kept < len(word) and used + _columns(word[kept]) <= max(room, 2):
                used += _columns(word[kept])
                kept += 1
            yield line + word[:kept] + "\n"
            word, line, room = word[kept:], indent, _WIDTH - _columns(indent)
            wide = _columns(word)
        line += word + " "
        room -= wide + 1
    yield line.rstrip() + "\n"
