"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ledger.errors import ConfigurationError
from projections.exchange.out import ocel_json, ocel_sqlite, table, xes
from projections.exchange.out.draft import check_free, draft
from projections.exchange.out.source import Source

Progress = Callable[[int], None]  # cases written so far
_PACKABLE: Final[Mapping[str, Callable[..., dict[str, int]]]] = MappingProxyType(
    {"csv": table.write_csv, "ocel-json": ocel_json.write, "xes": xes.write}
)
_OTHERS: Final[Mapping[str, Callable[..., dict[str, int]]]] = MappingProxyType(
    {"ocel-sqlite": ocel_sqlite.write, "parquet": table.write_parquet}
)
FORMATS: Final = tuple(sorted({**_PACKABLE, **_OTHERS}))


def check(name: str, path: Path, *, force: bool) -> None:
    """`ConfigurationError` where this format cannot be written to this path, before any work is done."""
    if path.suffix == ".gz" and name not in _PACKABLE:
        raise ConfigurationError(f"{name} is not packed with gzip: choose a name that does not end in .gz")
    if name == "parquet":
        table.need_duckdb()
    check_free(path, force=force)


def extract(
    source: Source, name: str, path: Path, *, force: bool = False, progress: Progress | None = None
) -> dict[str, int]:
    """Writes the selection in one of `FORMATS`, and returns what was counted. A name that ends in `.gz` is
    packed, where the format is text. The file is there whole and durable on return; `ConfigurationError`
    where it cannot be, and then nothing has changed."""
    check(name, path, force=force)
    told = progress or (lambda _cases: None)
    with draft(path, force=force) as name_now:
        if name in _PACKABLE:
            return _PACKABLE[name](source, name_now, told, packed=path.suffix == ".gz")
        return _OTHERS[name](source, name_now, told)
