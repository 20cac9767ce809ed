"""Flush proofs: each event of a flush proves its own place, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical, flush, keys
from ledger.kernel.digest import leaf_hash, node_hash, sha256

SIGNER = keys.SeedSigner(bytes(range(32)))
ORIGIN, PRODUCER = "ledger.example.com/cards/1", "dialler-7"


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, by the letter."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def events_of(size: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(size)]


def refused_with(code: str, proof: flush.Proof, digest: bytes, *place: str) -> bool:
    with pytest.raises(Refused) as refusal:
        flush.FlushVerifier().verify(proof, digest, *place)
    return refusal.value.code == code


@given(st.integers(1, 256), st.data())
@settings(max_examples=60, deadline=None)
def test_every_event_of_a_flush_proves_its_place_and_no_other(size: int, data: st.DataObject) -> None:
    events = events_of(size)
    digests = [leaf_hash(event) for event in events]
    proofs = [flush.Proof.parse(raw) for raw in flush.sign_flush(events, ORIGIN, PRODUCER, SIGNER)]
    root = naive_root(digests)
    verifier = flush.FlushVerifier()
    for index, proof in enumerate(proofs):
        assert (proof.index, proof.size, proof.key) == (index, size, SIGNER.public_key)
        assert len(proof.path) == flush.path_length(index, size)
        assert flush.flush_root(proof, digests[index]) == root
        verifier.verify(proof, digests[index], ORIGIN, PRODUCER)
    assert len(verifier) == 1
    index = data.draw(st.integers(0, size - 1))
    proof, digest = proofs[index], digests[index]
    assert refused_with("E_SIG", proof, sha256(b"another event"), ORIGIN, PRODUCER)
    assert refused_with("E_SIG", proof, digest, ORIGIN + "1", PRODUCER)
    assert refused_with("E_SIG", proof, digest, ORIGIN, PRODUCER + "1")
    assert refused_with("E_SIG", replace(proof, signature=SIGNER.sign(b"x")), digest, ORIGIN, PRODUCER)
    other_key = keys.SeedSigner(bytes(32)).public_key
    assert refused_with("E_SIG", replace(proof, key=other_key), digest, ORIGIN, PRODUCER)
    if proof.path:
        at = data.draw(st.integers(0, len(proof.path) - 1))
        path = (*proof.path[:at], bytes(32), *proof.path[at + 1 :])
        assert refused_with("E_SIG", replace(proof, path=path), digest, ORIGIN, PRODUCER)


@pytest.mark.parametrize("size", [0, 257])
def test_a_flush_is_of_1_to_256_events(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        flush.sign_flush(events_of(size), ORIGIN, PRODUCER, SIGNER)


GOOD = flush.Proof.parse(flush.sign_flush(events_of(3), ORIGIN, PRODUCER, SIGNER)[0]).value()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"index": 3}, "E_INDEX"),
        ({"index": -1}, "E_INDEX"),
        ({"index": True}, "E_SCHEMA"),
        ({"index": "0"}, "E_SCHEMA"),
        ({"size": 0}, "E_LIMIT"),
        ({"size": 257}, "E_LIMIT"),
        ({"size": None}, "E_SCHEMA"),
        ({"index": 2}, "E_PROOF_SHAPE"),
        ({"path": ""}, "E_PROOF_SHAPE"),
        ({"path": canonical.b64(bytes(33))}, "E_PROOF_SHAPE"),
        ({"path": canonical.b64(bytes(96))}, "E_PROOF_SHAPE"),
        ({"path": []}, "E_SCHEMA"),
        ({"path": "====", "signature": GOOD["signature"]}, "E_NONCANONICAL"),
        ({"signature": ""}, "E_SIG"),
        ({"signature": canonical.b64(bytes(63))}, "E_SIG"),
        ({"signature": canonical.b64(bytes(65))}, "E_SIG"),
        ({"signature": GOOD["signature"].rstrip("=")}, "E_NONCANONICAL"),
        ({"signature": GOOD["signature"] + "\n"}, "E_NONCANONICAL"),
        ({"key": GOOD["key"].upper()}, "E_NONCANONICAL"),
        ({"key": GOOD["key"][:-2]}, "E_NONCANONICAL"),
        ({"alg": "none"}, "E_SCHEMA"),
    ],
)
def test_a_proof_with_a_flaw_is_refused_when_it_is_read(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        flush.Proof.from_value(GOOD | changes)
    assert refusal.value.code == code


def test_a_proof_has_one_spelling() -> None:
    raw = canonical.dumps(GOOD)
    assert flush.Proof.parse(raw).encode() == raw
    for other in (raw + b"\n", raw.replace(b":0", b": 0"), raw.replace(b"}", b',"index":0}'), b"[]", b"null"):
        with pytest.raises(Refused):
            flush.Proof.parse(other)
    with pytest.raises(Refused):
        flush.Proof.from_value({name: GOOD[name] for name in GOOD if name != "path"})


@given(st.integers(1, 256), st.data())
@settings(max_examples=60, deadline=None)
def test_a_whole_flush_verifies_at_once_and_only_unchanged(size: int, data: st.DataObject) -> None:
    events = events_of(size)
    proofs = flush.sign_flush(events, ORIGIN, PRODUCER, SIGNER)
    digests = [leaf_hash(event) for event in events]
    verifier = flush.FlushVerifier()
    verifier.verify_whole(proofs, events, ORIGIN, PRODUCER)
    verifier.verify_whole(proofs, events, ORIGIN, PRODUCER, digests=digests)
    assert len(verifier) == 1

    at = data.draw(st.integers(0, size - 1))
    place = data.draw(st.integers(0, len(proofs[at]) - 1))
    flipped = bytearray(proofs[at])
    flipped[place] ^= data.draw(st.integers(1, 255))
    wrong = [
        ([*proofs[:at], bytes(flipped), *proofs[at + 1 :]], events, ORIGIN, PRODUCER),
        (proofs, [*events[:at], b"other", *events[at + 1 :]], ORIGIN, PRODUCER),
        (proofs, events, ORIGIN, "crm-1"),
        (proofs, events, "ledger.example.com/cards/2", PRODUCER),
        (proofs[:-1], events[:-1], ORIGIN, PRODUCER),
        (proofs, events[:-1], ORIGIN, PRODUCER),
        ([*proofs, proofs[-1]], [*events, events[-1]], ORIGIN, PRODUCER),
        ([], [], ORIGIN, PRODUCER),
    ]
    if size > 1:
        wrong.append(([*proofs[1:], proofs[0]], [*events[1:], events[0]], ORIGIN, PRODUCER))
    for arguments in wrong:
        with pytest.raises(Refused) as refusal:
            verifier.verify_whole(*arguments)
        assert refusal.value.code == "E_SIG"


def test_a_signature_is_verified_once_and_each_signature_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    events = events_of(64)
    proofs = [flush.Proof.parse(raw) for raw in flush.sign_flush(events, ORIGIN, PRODUCER, SIGNER)]
    asked: list[bytes] = []
    original = keys.verify

    def counting(key: bytes, signature: bytes, message: bytes) -> bool:
        asked.append(signature)
        return original(key, signature, message)

    monkeypatch.setattr(keys, "verify", counting)
    verifier = flush.FlushVerifier()
    for proof, event in zip(proofs, events, strict=True):
        verifier.verify(proof, leaf_hash(event), ORIGIN, PRODUCER)
    assert len(asked) == 1
    # The flush is known, this signature is not: the verdict does not hang on what came before.
    with pytest.raises(Refused, match="E_SIG"):
        verifier.verify(replace(proofs[0], signature=bytes(64)), leaf_hash(events[0]), ORIGIN, PRODUCER)


def test_what_a_verifier_remembers_is_bounded_and_forgetting_changes_no_verdict() -> None:
    verifier = flush.FlushVerifier(remember=8)
    for number in range(100):
        event = b"%d" % number
        [raw] = flush.sign_flush([event], ORIGIN, PRODUCER, SIGNER)
        for _ in range(2):
            verifier.verify(flush.Proof.parse(raw), leaf_hash(event), ORIGIN, PRODUCER)
            assert len(verifier) <= 16
    [raw] = flush.sign_flush([b"0"], ORIGIN, PRODUCER, SIGNER)
    verifier.verify(flush.Proof.parse(raw), leaf_hash(b"0"), ORIGIN, PRODUCER)
    # A flush that failed is not remembered as good.
    for _ in range(2):
        with pytest.raises(Refused):
            verifier.verify(flush.Proof.parse(raw), leaf_hash(b"1"), ORIGIN, PRODUCER)
