"""Which release of the time zone database findings are made with: the one that `zoneinfo` would use."""

from __future__ import annotations

import zoneinfo
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from ledger.kernel.canonical import is_identifier

UNKNOWN = "unknown"


def tzdata_version() -> str:
    """Like `2026a`. Looks where `zoneinfo` looks, in its order: the system's folders first (`tzdata.zi`
    begins with "# version 2026a", `+VERSION` holds it alone), then the package `tzdata`. `unknown` where the
    system does not say; the standard library has no way to ask."""
    for folder in map(Path, zoneinfo.TZPATH):
        if not folder.is_dir():
            continue
        for name, mark in (("tzdata.zi", "# version "), ("+VERSION", "")):
            with suppress(OSError, UnicodeDecodeError), (folder / name).open(encoding="ascii") as file:
                first = file.readline().strip()
                if first.startswith(mark) and is_identifier(first.removeprefix(mark)):
                    return first.removeprefix(mark)
        if (folder / "UTC").exists() or (folder / "Etc").is_dir():
            return UNKNOWN
    with suppress(ImportError, AttributeError):
        version = import_module("tzdata").IANA_VERSION
        if isinstance(version, str) and is_identifier(version):
            return version
    return UNKNOWN
