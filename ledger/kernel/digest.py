"""Hashes: every digest in the ledger is made here, and each kind has its own domain.

SHA-256 throughout. A leaf is `H(0x00 || bytes)` and an inner node `H(0x01 || left || right)` (RFC 6962
section 2.1), so no leaf can be passed off as a node. Collision resistance is all that is claimed: a
digest of a guessable value hides nothing (`docs/formats/` 3, 6, 9)."""

from __future__ import annotations

from hashlib import sha256 as _sha256
from typing import Final

DIGEST_BYTES: Final = 32
# What stands where there is nothing before: `prev`, `stream_prev`, `producerprev` of the first.
ZERO: Final = bytes(DIGEST_BYTES)
ZERO_HEX: Final = "0" * 64


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return _sha256(data).digest()


def leaf_hash(data: bytes) -> bytes:
    """Digest of an event, and leaf of an entry in the tree: `H(0x00 || data)`."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Inner node of the tree: `H(0x01 || left || right)`. Both are 32 bytes; the caller has checked."""
    return _sha256(b"\x01" + left + right).digest()


# Root of the tree without leaves, and of the head map without streams.
EMPTY_ROOT: Final = _sha256(b"").digest()


def shard_of(subject: str, shards: int) -> int:
    """The shard a stream belongs to for ever: the first 8 bytes of `H(subject)`, modulo `shards`
    (formats 9, step 9)."""
    if shards < 1:
        raise ValueError("a ledger has at least one shard")
    return int.from_bytes(_sha256(subject.encode()).digest()[:8], "big") % shards
