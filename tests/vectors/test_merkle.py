"""RFC 6962 proofs as transparency-dev/merkle tests them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel import merkle

Row = dict[str, Any]


def _hashes(row: Row) -> list[bytes]:
    return [base64.b64decode(item) for item in row["proof"] or []]


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _inclusion(row: Row) -> None:
    merkle.verify_inclusion(
        _hash(row["leafHash"]), row["leafIdx"], row["treeSize"], _hashes(row), _hash(row["root"])
    )


def _consistency(row: Row) -> None:
    merkle.verify_consistency(
        row["size1"], row["size2"], _hash(row["root1"]), _hash(row["root2"]), _hashes(row)
    )


def _subtree_inclusion(row: Row) -> None:
    merkle.verify_subtree_inclusion(
        _hash(row["leafHash"]), row["leafIdx"], row["start"], row["end"], _hashes(row), _hash(row["root"])
    )


def _subtree_consistency(row: Row) -> None:
    merkle.verify_subtree_consistency(
        row["start"], row["end"], row["size"], _hash(row["root1"]), _hash(row["root2"]), _hashes(row)
    )


# Positive vectors whose placeholder roots are not 32 bytes long. We take nothing for a root that is not one.
PLACEHOLDERS = {
    "merkle-consistency.json": {"additional/sizes-are-equal-one-and-proof-is-empty.json"},
    "merkle-subtreeconsistency.json": {"additional/sizes-are-equal-one-and-proof-is-empty.json"},
}


@pytest.mark.parametrize(
    ("name", "count", "verify"),
    [
        ("merkle-inclusion.json", 98, _inclusion),
        ("merkle-consistency.json", 98, _consistency),
        ("merkle-subtreeinclusion.json", 204, _subtree_inclusion),
        ("merkle-subtreeconsistency.json", 118, _subtree_consistency),
    ],
)
def test_every_proof_is_taken_or_refused_as_the_vectors_say(
    shared: Path, name: str, count: int, verify: Callable[[Row], None]
) -> None:
    rows = json.loads((shared / "vectors" / name).read_text())
    assert len(rows) == count
    otherwise = set()
    for row in rows:
        try:
            verify(row)
            accepted = True
        except Refused:
            accepted = False
        if accepted == row["wantErr"]:
            otherwise.add(row["_name"])
    assert otherwise == PLACEHOLDERS.get(name, set())


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_a_root_of_another_length_is_refused_for_its_length(shared: Path, name: str) -> None:
    rows = json.loads((shared / "vectors" / name).read_text())
    verify = _consistency if name == "merkle-consistency.json" else _subtree_consistency
    [row] = [row for row in rows if row["_name"] in PLACEHOLDERS[name]]
    assert not row["wantErr"]
    with pytest.raises(Refused, match="E_PROOF_SHAPE: a hash of 12 bytes"):
        verify(row)
