"""No bundle in which a byte was changed is VERIFIED: every byte of the container, one at a time (promise P9)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.kernel.bundle import read_container
from ledger.testing.forge import trust_file
from ledger.testing.forged_findings import house, judged
from ledger.testing.forgery import parts
from ledger.verify.checks import judge
from ledger.verify.trust import Trust

# Chunks run beside each other under xdist.
CHUNKS = 16


def _flips(data: bytes, chunk: int, stride: int = 1) -> Iterator[tuple[int, memoryview]]:
    """The bundle with one bit of one byte changed, for every byte of this chunk; each bit has its turn."""
    changed = bytearray(data)
    for at in range(chunk * stride, len(data), CHUNKS * stride):
        changed[at] ^= 1 << (at // CHUNKS % 8)
        yield at, memoryview(changed)
        changed[at] = data[at]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_flipped_byte_of_the_golden_vector_is_verified(shared: Path, chunk: int) -> None:
    folder = shared / "vectors/duecourse/bundle"
    data = (folder / "good.duecourse").read_bytes()
    trust = Trust.parse((folder / "trust.toml").read_bytes())
    for at, flipped in _flips(data, chunk):
        verdict = judge(flipped, trust, check_schema=lambda event: None)
        assert verdict.verdict in ("REJECTED", "UNVERIFIABLE"), at


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_flipped_byte_of_our_own_bundle_is_verified(chunk: int) -> None:
    trust = Trust.parse(trust_file())
    for at, flipped in _flips(parts().pack(), chunk):
        assert judge(flipped, trust).verdict in ("REJECTED", "UNVERIFIABLE"), at


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_flipped_byte_is_verified_though_checksums_and_manifest_were_made_to_fit(chunk: int) -> None:
    """The sender of a bundle writes checksums and manifest: nothing may rest on them alone."""
    trust = Trust.parse(trust_file())
    taken = parts(opened=("complaint", "message", "point", "staff"))
    for name, content in taken.files.items():
        for at, flipped in _flips(content, chunk, 7):
            if name == "findings.json" and at > content.index(b'"tzdata":"'):
                continue  # which zone data made the findings is the exporter's to say: the findings are made again
            forged = taken.with_file(name, bytes(flipped)).pack()
            assert judge(forged, trust).verdict in ("REJECTED", "UNVERIFIABLE"), (name, at)


@pytest.mark.parametrize("chunk", range(4))
def test_no_flipped_byte_of_findings_packs_and_disclosures_is_verified(chunk: int) -> None:
    trust = Trust.parse(trust_file())
    taken = judged(house())
    for name in ("disclosures.jsonl", "findings.json", "packs/house@1.toml"):
        content = taken.files[name]
        for at, flipped in _flips(content, chunk * 4, 5):
            if name == "findings.json" and at > content.index(b'"tzdata":"'):
                continue
            forged = taken.with_file(name, bytes(flipped)).pack()
            assert judge(forged, trust).verdict in ("REJECTED", "UNVERIFIABLE"), (name, at)


def test_the_flips_reach_every_member() -> None:
    data = parts().pack()
    touched = {at for chunk in range(CHUNKS) for at, _ in _flips(data, chunk)}
    assert touched == set(range(len(data)))
    assert len(read_container(data)) == 8
