"""Every trace of records, what becomes of each, and the state at the end (docs/formats/ 4.1)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.kernel.acceptance import Acceptance
from ledger.kernel.note import ED25519, VerifierKey


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((shared / "vectors/duecourse/acceptance.json").read_text())
    return value


def _state(acceptance: Acceptance) -> dict[str, Any]:
    return {
        "final": acceptance.final,
        "head": acceptance.head.hex(),
        "next_index": acceptance.next_index,
        "root": acceptance.frontier.root().hex(),
        "sealed": acceptance.sealed,
        "stopped": acceptance.stopped,
        "term": acceptance.term,
    }


def test_every_trace_ends_as_the_vectors_say(vectors: dict[str, Any]) -> None:
    origin = vectors["origin"]
    log_key = VerifierKey.of(origin, ED25519, bytes.fromhex(vectors["log_key"]))
    records = [(row["kind"], base64.b64decode(row["value"])) for row in vectors["records"]]
    assert len(vectors["traces"]) == 46
    for trace in vectors["traces"]:
        acceptance = Acceptance(origin, log_key)
        for place, expected in zip(trace["records"], trace["outcomes"], strict=True):
            reasons = set(acceptance.apply(*records[place]).reasons)
            assert bool(reasons) == bool(expected), trace["name"]
            assert not expected or reasons & set(expected), trace["name"]
        assert _state(acceptance) == trace["state"], trace["name"]


def test_a_state_restored_at_any_place_ends_as_the_one_that_went_on(vectors: dict[str, Any]) -> None:
    origin = vectors["origin"]
    log_key = VerifierKey.of(origin, ED25519, bytes.fromhex(vectors["log_key"]))
    records = [(row["kind"], base64.b64decode(row["value"])) for row in vectors["records"]]
    for trace in vectors["traces"]:
        acceptance = Acceptance(origin, log_key)
        for place in trace["records"]:
            if not acceptance.stopped:
                snapshot = json.loads(json.dumps(acceptance.snapshot()))
                restored = Acceptance.restore(snapshot, origin, log_key, old_root=acceptance.root_at)
                restored.apply(*records[place])
                acceptance.apply(*records[place])
                assert _state(restored) == _state(acceptance), trace["name"]
