"""Writes a table of events: CSV (RFC 4180), or Parquet by way of DuckDB.

CSV is opened in spreadsheets, which take a cell that begins with one of a few characters for a formula. Every
text cell that begins so, or with an apostrophe, gets an apostrophe in front (`guarded`); taking one leading
apostrophe away gives the text back. Numbers are written as numbers, also negative ones."""

from __future__ import annotations

import csv
import importlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from ledger.errors import ConfigurationError
from projections.exchange.out.columns import Column, Kind, columns, known_members, row
from projections.exchange.out.draft import stream
from projections.exchange.out.source import Source, described

if TYPE_CHECKING:
    from types import ModuleType

# With their full-width forms, which some spreadsheets take for the same; tab, carriage return and line feed
# are skipped by some before they look.
FORMULA_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠")
_APOSTROPHE: Final = "'"
_BATCH_CASES: Final = 2000
_DUCKDB_TYPES: Final[dict[Kind, str]] = {
    "text": "VARCHAR",
    "int": "BIGINT",
    "bool": "BOOLEAN",
    "time": "TIMESTAMPTZ",
    "date": "DATE",
}


def guarded(text: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula."""
    first = text.lstrip(" \u00a0\u3000")[:1]
    return _APOSTROPHE + text if first in FORMULA_STARTS or first == _APOSTROPHE else text


def write_csv(
    source: Source, path: Path, progress: Callable[[int], None], *, packed: bool = False
) -> dict[str, int]:
    """Writes the file anew, and returns how many cases and events it has. Columns are those of every event,
    and those of the types that are there."""
    counted = {"cases": 0, "events": 0}
    heads = columns(source.types())
    names = [column.name for column in heads]
    known = known_members(heads)
    with stream(path, packed=packed) as file:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(names)
        for case in source:
            for event in case.events:
                made = row(event, known)
                writer.writerow([_cell(made.get(name)) for name in names])
            counted["cases"] += 1
            counted["events"] += len(case.events)
            if text.tell() > 1 << 20:
                file.write(text.getvalue().encode())
                text.seek(0)
                text.truncate()
                progress(counted["cases"])
        file.write(text.getvalue().encode())
    return counted


def _cell(value: str | int | bool | None) -> str | int:
    if value is None:
        return ""
    if type(value) is str:
        return value if value[:1].isalnum() and value.isascii() else guarded(value)
    if type(value) is bool:
        return "true" if value else "false"
    return value


def need_duckdb() -> ModuleType:
    """DuckDB, or `ConfigurationError` that says how to get it."""
    try:
        return importlib.import_module("duckdb")
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs DuckDB, which is not installed: pip install 'duecourse[parquet]',"
            " or choose --format csv"
        ) from error


def write_parquet(source: Source, path: Path, progress: Callable[[int], None]) -> dict[str, int]:
    """Writes the file anew, and returns how many cases and events it has. Columns are those of every type in
    the catalogue, so that a query fits every ledger; what is absent is NULL. The rows go through a temporary
    file in the same directory.

    The same bytes for the same state of a ledger, as far as it is the same release of DuckDB."""
    duckdb = need_duckdb()
    counted = {"cases": 0, "events": 0}
    heads = columns()
    known = known_members(heads)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f"{path.name}.", suffix=".rows", buffering=1 << 20
    ) as rows:
        pieces: list[bytes] = []
        for case in source:
            pieces += [
                orjson.dumps(row(event, known), option=orjson.OPT_APPEND_NEWLINE) for event in case.events
            ]
            counted["cases"] += 1
            counted["events"] += len(case.events)
            if counted["cases"] % _BATCH_CASES == 0:
                rows.write(b"".join(pieces))
                pieces.clear()
                progress(counted["cases"])
        rows.write(b"".join(pieces))
        rows.flush()
        about = orjson.dumps(described(source, counted), option=orjson.OPT_SORT_KEYS).decode()
        _copy(duckdb, Path(rows.name), path, heads, about)
    return counted


def _copy(duckdb: ModuleType, rows: Path, path: Path, heads: list[Column], about: str) -> None:
    # One thread keeps rows and row groups in one order; nothing is fetched from anywhere.
    settings: dict[str, Any] = {
        "threads": 1,
        "memory_limit": "1GB",
        "temp_directory": str(path.parent),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    types = ", ".join(f"{_quoted(column.name)}: '{_DUCKDB_TYPES[column.kind]}'" for column in heads)
    try:
        with duckdb.connect(":memory:", config=settings) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.execute(
                f"COPY (SELECT * FROM read_json({_quoted(str(rows))}, format = 'newline_delimited',"
                f" columns = {{{types}}}, maximum_object_size = 1048576))"
                f" TO {_quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{duecourse: {_quoted(about)}}})"
            )
    except duckdb.IOException as error:
        raise ConfigurationError(f"cannot write to {path.parent}: {type(error).__name__}") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
