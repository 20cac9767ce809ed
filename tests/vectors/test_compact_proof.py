"""Compact inclusion proofs, byte for byte (docs/formats/ 6)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel.digest import leaf_hash
from ledger.kernel.merkle import compact_proof, root_from_compact, tree_root


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((shared / "vectors/duecourse/compact-proof.json").read_text())
    return value


def _leaves(size: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(size)]


def _proof(leaves: list[bytes], indexes: list[int]) -> list[bytes]:
    return compact_proof(len(leaves), indexes, lambda lo, hi: tree_root(leaves[lo:hi]))


def test_all_subsets_of_small_trees(vectors: dict[str, Any]) -> None:
    assert [row["size"] for row in vectors["small"]] == list(range(1, 13))
    for row in vectors["small"]:
        leaves = _leaves(row["size"])
        assert tree_root(leaves).hex() == row["root"]
        digest = hashlib.sha256()
        for mask in range(1 << row["size"]):
            indexes = [i for i in range(row["size"]) if mask >> i & 1]
            hashes = _proof(leaves, indexes)
            digest.update(bytes((len(hashes),)) + b"".join(hashes))
            assert (
                root_from_compact(row["size"], [(i, leaves[i]) for i in indexes], hashes).hex() == row["root"]
            )
        assert digest.hexdigest() == row["all_subsets"]
        for sample in row["samples"]:
            assert [item.hex() for item in _proof(leaves, sample["indexes"])] == sample["hashes"]


def test_larger_trees(vectors: dict[str, Any]) -> None:
    assert vectors["large"]
    for row in vectors["large"]:
        leaves = _leaves(row["size"])
        hashes = _proof(leaves, row["indexes"])
        assert [item.hex() for item in hashes] == row["hashes"]
        assert (
            root_from_compact(row["size"], [(i, leaves[i]) for i in row["indexes"]], hashes).hex()
            == row["root"]
        )


def test_false_proofs_are_refused(vectors: dict[str, Any]) -> None:
    assert vectors["refused"]
    for row in vectors["refused"]:
        leaves = [(i, leaf_hash(str(i).encode())) for i in row["indexes"]]
        try:
            found = root_from_compact(row["size"], leaves, [bytes.fromhex(item) for item in row["hashes"]])
        except Refused:
            continue
        assert found.hex() != row["root"], row["name"]
