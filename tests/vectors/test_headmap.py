"""Head maps and their proofs, byte for byte as another implementation has them (docs/formats/ 5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel.headmap import (
    EMPTY_MAP_ROOT,
    HeadMap,
    head_value,
    parse_steps,
    root_from_absence,
    root_from_presence,
    stream_key,
)


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((shared / "vectors/duecourse/headmap.json").read_text())
    return value


def _root(row: dict[str, Any]) -> bytes:
    key = stream_key(row["stream"])
    if row["count"] == 0:
        return root_from_absence(key, row["proof"])
    if set(row["proof"]) != {"steps"}:
        raise Refused("E_INCOMPLETE", "a proof of presence is its steps")
    value = head_value(row["count"], bytes.fromhex(row["leaf"]))
    return root_from_presence(key, value, parse_steps(row["proof"]["steps"]))


def test_keys_values_and_roots_are_those_of_the_vectors(vectors: dict[str, Any]) -> None:
    assert EMPTY_MAP_ROOT.hex() == vectors["empty_root"] == HeadMap().root().hex()
    assert [len(each["streams"]) for each in vectors["maps"]] == [1, 2, 3, 100]
    for each in vectors["maps"]:
        head_map = HeadMap()
        for stream in each["streams"]:
            key, value = (
                stream_key(stream["stream"]),
                head_value(stream["count"], bytes.fromhex(stream["leaf"])),
            )
            assert (key.hex(), value.hex()) == (stream["key"], stream["value"])
            head_map.set(key, value)
        assert head_map.root().hex() == each["root"]


def test_proofs_of_presence_and_absence_are_those_of_the_vectors(vectors: dict[str, Any]) -> None:
    for each in vectors["maps"]:
        head_map = HeadMap.build(
            (bytes.fromhex(stream["key"]), bytes.fromhex(stream["value"])) for stream in each["streams"]
        )
        accepted = [row for row in each["proofs"] if row["accept"]]
        assert accepted
        for row in accepted:
            assert head_map.prove(stream_key(row["stream"])) == row["proof"]
            assert _root(row).hex() == each["root"]


def test_false_proofs_do_not_lead_to_the_root(vectors: dict[str, Any]) -> None:
    refused = 0
    for each in vectors["maps"]:
        for row in each["proofs"]:
            if row["accept"]:
                continue
            refused += 1
            try:
                found = _root(row).hex()
            except Refused:
                continue
            assert found != each["root"], row
    assert refused
