"""Protected fields as an independent implementation seals them (docs/formats/ 2.1)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel import disclosure
from ledger.kernel.disclosure import Protected

# The codes that may answer each flaw, where the verdict contract's examples name one.
CODES = {
    "white space": {"E_NONCANONICAL", "E_COMMITMENT"},
    "an object": {"E_NONCANONICAL", "E_COMMITMENT"},
    "lone surrogate": {"E_ENCODING", "E_NONCANONICAL"},
    "escape that RFC 8785 does not write": {"E_NONCANONICAL"},
    "upper-case escape": {"E_NONCANONICAL"},
    "duplicate key": {"E_DUP_KEY"},
    "float": {"E_NUMBER"},
}


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "vectors/duecourse/protected-field.json").read_text()))


def test_values_are_sealed_byte_for_byte(vectors: dict[str, Any]) -> None:
    for row in vectors["fields"]:
        asked: list[int] = []

        def salt(length: int, row: dict[str, Any] = row, asked: list[int] = asked) -> str:
            asked.append(length)
            return str(row["salt"])

        sealed = disclosure.protect(
            row["value"],
            event_id=row["event_id"],
            pointer=row["pointer"],
            protecting_key=bytes.fromhex(row["protecting_key"]),
            nonce=bytes.fromhex(row["nonce"]),
            salt_source=salt,
        )
        assert sealed.value() == row["field"]
        assert asked == [len(row["salt"])]
        assert disclosure.is_protected(row["field"])


def test_fields_open_to_their_disclosure_and_value(vectors: dict[str, Any]) -> None:
    for row in vectors["fields"]:
        opened = disclosure.open_field(
            Protected.from_value(row["field"]),
            event_id=row["event_id"],
            pointer=row["pointer"],
            protecting_key=bytes.fromhex(row["protecting_key"]),
        )
        assert opened == (row["disclosure"], row["value"])
        assert b64decode(row["disclosure"], altchars=b"-_").decode() == row["text"]
        assert disclosure.disclosure_digest(row["disclosure"]).hex() == row["field"]["digest"]
        assert disclosure.parse_disclosure(row["disclosure"], row["pointer"]) == row["value"]


def test_disclosures_with_a_flaw_are_refused(vectors: dict[str, Any]) -> None:
    for row in vectors["refused"]:
        with pytest.raises(Refused) as refusal:
            disclosure.parse_disclosure(row["disclosure"], row["pointer"])
        assert refusal.value.code in CODES.get(row["name"], {"E_COMMITMENT"}), row["name"]


def test_fields_moved_to_another_place_do_not_open(vectors: dict[str, Any]) -> None:
    key = bytes.fromhex(vectors["fields"][0]["protecting_key"])
    for row in vectors["swapped"]:
        assert row["opens"] is False
        with pytest.raises(Refused) as refusal:
            disclosure.open_field(
                Protected.from_value(row["field"]),
                event_id=row["event_id"],
                pointer=row["pointer"],
                protecting_key=key,
            )
        assert refusal.value.code in {"E_KEY_COMMIT", "E_DECRYPT"}
