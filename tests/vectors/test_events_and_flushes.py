"""Events, digests, flushes and shards as an independent implementation makes them (docs/formats/ 2, 3, 9)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel import canonical, digest, event, flush, keys


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "vectors/duecourse/event.json").read_text()))


@pytest.fixture(scope="module")
def events(vectors: dict[str, Any]) -> list[bytes]:
    """The 256 events of the largest flush, made from the first as the vectors' note says."""
    first = event.parse_event(bytes.fromhex(vectors["events"][0]["bytes"]))
    made: list[bytes] = []
    for seq in range(256):
        before = event.event_digest(made[-1]).hex() if made else digest.ZERO_HEX
        number = f"{first['id'][:24]}{seq:012x}"
        made.append(
            canonical.encode(
                first | {"producerseq": canonical.counter(seq), "producerprev": before, "id": number}
            )
        )
    return made


def test_events_are_made_byte_for_byte(vectors: dict[str, Any], events: list[bytes]) -> None:
    for expected, made in zip(vectors["events"], events, strict=False):
        assert made.hex() == expected["bytes"]
        assert event.event_digest(made).hex() == expected["digest"]
        assert canonical.dumps(event.parse_event(made)) == made


def test_flushes_are_signed_byte_for_byte(vectors: dict[str, Any], events: list[bytes]) -> None:
    signer = keys.SeedSigner(bytes.fromhex(vectors["seed"]))
    assert signer.public_key.hex() == vectors["public_key"]
    origin, producerid = vectors["origin"], vectors["producerid"]
    for expected in vectors["flushes"]:
        size = expected["n"]
        proofs = flush.sign_flush(events[:size], origin, producerid, signer)
        assert event.event_digest(events[size - 1]).hex() == expected["last_digest"]
        for text in expected["proofs"]:
            proof = flush.Proof.parse(text.encode())
            assert proofs[proof.index] == text.encode() == proof.encode()
            assert canonical.dumps(proof.value()) == text.encode()
            root = flush.flush_root(proof, event.event_digest(events[proof.index]))
            assert root.hex() == expected["root"]
            message = flush.submission_message(origin, producerid, size, root)
            assert message.decode() == expected["message"]
            assert canonical.b64(proof.signature) == expected["signature"]
            flush.FlushVerifier().verify(proof, event.event_digest(events[proof.index]), origin, producerid)
        flush.FlushVerifier().verify_whole(proofs, events[:size], origin, producerid)


def test_proofs_with_a_flaw_are_refused(vectors: dict[str, Any], events: list[bytes]) -> None:
    accepted = []
    for row in vectors["refused"]:
        try:
            proof = flush.Proof.from_value(row["proof"])
            flush.FlushVerifier().verify(
                proof, event.event_digest(events[row["event"]]), vectors["origin"], vectors["producerid"]
            )
        except Refused:
            continue
        accepted.append(row["name"])
    assert accepted == []


def test_streams_go_to_the_shards_of_the_vectors(vectors: dict[str, Any]) -> None:
    assert vectors["shards"]
    for row in vectors["shards"]:
        assert digest.shard_of(row["subject"], row["shards"]) == row["shard"]
