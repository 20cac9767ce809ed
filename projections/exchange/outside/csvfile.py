"""Reads a provider's CSV by its layout: every row, or none.

A row of an unknown width, a head line with an unknown column, a value that is not what its column must be: each is
listed with its line, and the whole file is refused. Rows that the layout's `only` leaves out are counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledger.kernel.canonical import is_identifier
from projections.exchange.mapping import minor_units
from projections.exchange.outside.clock import Clock, WrongTime, check_day
from projections.exchange.outside.layout import Layout
from projections.exchange.outside.records import Collector
from projections.exchange.outside.textfile import facts, opened_text

MEDIA_TYPE: Final = "text/csv"
CURRENCY_LETTERS: Final = 3


def read_csv(
    path: Path, layout: Layout, clock: Clock, collector: Collector, *, encoding: str | None = None
) -> None:
    """Adds the rows of one file to the collector. `ImportRefused` at once where the file is no text."""
    read = facts(path, MEDIA_TYPE)
    with opened_text(path, read, encoding) as text:
        collector.begin(read)
        rows = csv.reader(text, delimiter=layout.delimiter, strict=True)
        _Rows(layout, clock, collector).take(_numbered(rows, collector))


def _numbered(rows: Iterator[list[str]], collector: Collector) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins. A row that is no CSV ends the file: what follows cannot be told."""
    line = 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            collector.complain(line, f"not CSV: {error}")
            return
        if row:
            yield line, row
        line = rows.line_num + 1  # type: ignore[attr-defined]


class _Rows:
    """The columns of one file, found once for each shape of row."""

    def __init__(self, layout: Layout, clock: Clock, collector: Collector) -> None:
        self._layout = layout
        self._clock = clock
        self._collector = collector
        self._widths: dict[int, dict[str, int]] = {}
        if not layout.header:
            for shape in layout.shapes:
                self._widths[len(shape)] = {name: place for place, name in enumerate(shape)}

    def take(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        if self._layout.header and not self._head(rows):
            return
        take = self._payment if self._layout.channel == "payment" else self._contact
        widths, complain = self._widths, self._collector.complain
        only = self._layout.only
        for line, row in rows:
            columns = widths.get(len(row))
            if columns is None:
                wanted = " or ".join(str(width) for width in sorted(widths))
                complain(line, f"{len(row)} columns, where the layout has {wanted}")
                continue
            if only and not all(row[columns[name]] in values for name, values in only.items()):
                self._collector.records.skipped["left out by the layout"] += 1
                continue
            try:
                take(line, row, columns)
            except WrongTime as error:
                complain(line, f"{self._layout.reads.get('time', self._layout.reads.get('day'))}: {error}")

    def _head(self, rows: Iterator[tuple[int, list[str]]]) -> bool:
        complain = self._collector.complain
        line, names = next(rows, (1, []))
        unknown = [name for name in names if name not in self._layout.columns]
        missing = sorted(self._layout.needed() - set(names))
        # A head line may hold a person's data if the file has none: only its number of columns is told.
        for place, name in enumerate(names, 1):
            if name in unknown:
                shown = (
                    repr(name)
                    if is_identifier(name) and not any(c.isdigit() for c in name)
                    else "(not shown)"
                )
                complain(line, f"unknown column {shown}, the {place}. of {len(names)}")
        if len(set(names)) != len(names):
            complain(line, "a column stands twice in the head line")
        for name in missing:
            complain(line, f"there is no column {name!r}")
        self._widths = {len(names): {name: place for place, name in enumerate(names)}}
        return not unknown and not missing and len(set(names)) == len(names)

    def _id(self, line: int, row: list[str], columns: dict[str, int]) -> str | None:
        layout = self._layout
        found = row[columns[layout.reads["id"]]]
        if not found:
            self._collector.complain(line, f"{layout.reads['id']}: no id")
            return None
        found = layout.prefix + found
        if not is_identifier(found):
            self._collector.complain(
                line, f"{layout.reads['id']}: not an identifier (letters, digits, ._:/@+-)"
            )
            return None
        return found

    def _text(self, role: str, row: list[str], columns: dict[str, int]) -> str:
        column = self._layout.reads.get(role)
        return "" if column is None else row[columns[column]].strip()

    def _contact(self, line: int, row: list[str], columns: dict[str, int]) -> None:
        layout, clock = self._layout, self._clock
        found = self._id(line, row, columns)
        at_us = clock.instant(row[columns[layout.reads["time"]]].strip(), layout.time_format)
        if found is None:
            return
        number = self._text("to", row, columns)
        self._collector.add(
            line,
            id=found,
            at_us=at_us,
            day=clock.day(at_us),
            number=layout.number(number) if number else "",
            status=self._text("status", row, columns),
        )

    def _payment(self, line: int, row: list[str], columns: dict[str, int]) -> None:
        layout, clock = self._layout, self._clock
        found = self._id(line, row, columns)
        if "day" in layout.reads:
            at_us, day = -1, check_day(self._text("day", row, columns))
        else:
            at_us = clock.instant(self._text("time", row, columns), layout.time_format)
            day = clock.day(at_us)
        currency = self._text("currency", row, columns)
        if len(currency) != CURRENCY_LETTERS or not (currency.isascii() and currency.isupper()):
            self._collector.complain(
                line, f"{layout.reads['currency']}: not a currency of three capital letters"
            )
            return
        try:
            amount = minor_units(self._text("amount", row, columns), layout.digits)
        except ValueError as error:
            self._collector.complain(line, f"{layout.reads['amount']}: {error}")
            return
        if found is not None:
            self._collector.add(
                line,
                id=found,
                at_us=at_us,
                day=day,
                status=self._text("status", row, columns),
                amount=amount,
                currency=currency,
            )
