"""Byte strings with the verdict of an independent implementation (docs/formats/ 1)."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel import canonical

Reader = Callable[..., Any]

# What the vectors call the flaw, and the codes of the verdict contract that may answer it.
CODES = {
    "utf-8": {"E_ENCODING"},
    "byte order mark": {"E_ENCODING"},
    "code point": {"E_ENCODING"},
    "number": {"E_NUMBER"},
    "duplicate key": {"E_DUP_KEY"},
    "key": {"E_SCHEMA"},
    "depth": {"E_LIMIT"},
    "spelling": {"E_NONCANONICAL", "E_NUMBER"},
    "syntax": {"E_NONCANONICAL", "E_SCHEMA", "E_ENCODING"},
}


def _rows(shared: Path) -> list[dict[str, Any]]:
    rows = json.loads((shared / "vectors/duecourse/canonical-json.json").read_text())["rows"]
    assert len(rows) > 200
    return list(rows)


def _bytes(row: dict[str, Any]) -> bytes:
    return bytes.fromhex(row["hex"]) if "hex" in row else zlib.decompress(b64decode(row["zlib"]))


@pytest.mark.parametrize("read", [canonical.decode, canonical.decode_slowly])
def test_every_row_has_the_verdict_of_the_vectors(shared: Path, read: Reader) -> None:
    wrong = []
    for row in _rows(shared):
        data = _bytes(row)
        try:
            value = read(data, depth=row.get("limit", canonical.DEPTH_MAX))
        except Refused as error:
            if row["accept"] or error.code not in CODES[row["reason"]]:
                wrong.append((row["name"], str(error)))
        else:
            if not row["accept"] or canonical.encode(value) != data or canonical.dumps(value) != data:
                wrong.append((row["name"], "accepted"))
    assert wrong == []


def test_fast_and_slow_reading_refuse_with_the_same_code(shared: Path) -> None:
    def verdict(read: Reader, row: dict[str, Any]) -> str:
        try:
            read(_bytes(row), depth=row.get("limit", canonical.DEPTH_MAX))
        except Refused as error:
            return error.code
        return "accepted"

    differing = [
        row["name"]
        for row in _rows(shared)
        if verdict(canonical.decode, row) != verdict(canonical.decode_slowly, row)
    ]
    assert differing == []
