"""Flush proofs: a producer signs once for up to 256 events (`docs/formats/` 3).

A proof that verifies shows that the holder of `key` signed, for this origin and this producer, a flush in
which these event bytes stand at `index`. Whether the key is the producer's is the registry's word."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from ledger.errors import Refused
from ledger.kernel import canonical, keys
from ledger.kernel.digest import leaf_hash, node_hash

FLUSH_EVENTS_MAX: Final = 256
_PATH_BYTES_MAX: Final = 8 * 32
_MEMBERS: Final = frozenset({"index", "key", "path", "signature", "size"})


def submission_message(origin: str, producerid: str, size: int, root: bytes) -> bytes:
    """The bytes a producer signs for a flush."""
    return f"duecourse/submission/v1\n{origin}\n{producerid}\n{size}\n{root.hex()}\n".encode()


@dataclass(frozen=True, slots=True)
class Proof:
    """The place of one event in a signed flush. `path`: 32-byte hashes, the leaf's sibling first."""

    index: int
    key: bytes
    path: tuple[bytes, ...]
    signature: bytes
    size: int

    def encode(self) -> bytes:
        """The one spelling of the proof."""
        return _write(
            self.index, self.key.hex(), b"".join(self.path), canonical.b64(self.signature), self.size
        )

    def value(self) -> dict[str, Any]:
        """The proof as the JSON object that an entry holds."""
        return {
            "index": self.index,
            "key": self.key.hex(),
            "path": canonical.b64(b"".join(self.path)),
            "signature": canonical.b64(self.signature),
            "size": self.size,
        }

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Refused unless `data` is the one spelling of a proof that could verify."""
        return cls.from_value(canonical.decode(data))

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Refused E_SCHEMA, E_NONCANONICAL, E_LIMIT, E_INDEX, E_PROOF_SHAPE or E_SIG (length)."""
        if type(value) is not dict or value.keys() != _MEMBERS:
            raise Refused("E_SCHEMA", "a proof has exactly index, key, path, signature and size", "proof")
        index, size = value["index"], value["size"]
        if type(index) is not int or type(size) is not int:
            raise Refused("E_SCHEMA", "index and size are integers", "proof")
        for name in ("key", "path", "signature"):
            if type(value[name]) is not str:
                raise Refused("E_SCHEMA", f"{name} is text", "proof")
        if not 1 <= size <= FLUSH_EVENTS_MAX:
            raise Refused("E_LIMIT", f"a flush of {size} events, not 1 to {FLUSH_EVENTS_MAX}", "proof/size")
        if not 0 <= index < size:
            raise Refused("E_INDEX", f"place {index} in a flush of {size}", "proof/index")
        signature = canonical.unb64(value["signature"])
        if len(signature) != keys.SIGNATURE_BYTES:
            raise Refused("E_SIG", f"a signature of {len(signature)} bytes", "proof/signature")
        joined = canonical.unb64(value["path"])
        path = tuple(joined[at : at + 32] for at in range(0, len(joined), 32))
        if len(joined) != 32 * path_length(index, size):
            raise Refused("E_PROOF_SHAPE", "the path has another length than this place needs", "proof/path")
        return cls(index, canonical.unhex(value["key"]), path, signature, size)


def path_length(index: int, size: int) -> int:
    """How many hashes the inclusion path of one leaf has."""
    length, last = 0, size - 1
    while last:
        if index & 1 or index < last:
            length += 1
        index >>= 1
        last >>= 1
    return length


def flush_root(proof: Proof, digest: bytes) -> bytes:
    """The root that `digest` and the path lead to (RFC 6962 section 2.1.1)."""
    index, last, root = proof.index, proof.size - 1, digest
    hashes = iter(proof.path)
    while last:
        if index & 1:
            root = node_hash(next(hashes), root)
        elif index < last:
            root = node_hash(root, next(hashes))
        index >>= 1
        last >>= 1
    return root


def _write(index: int, key: str, path: bytes, signature: str, size: int) -> bytes:
    joined = binascii.b2a_base64(path, newline=False).decode("ascii")
    return (
        f'{{"index":{index},"key":"{key}","path":"{joined}","signature":"{signature}","size":{size}}}'
    ).encode("ascii")


def _tree(digests: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Root, and the joined inclusion path of each leaf. A last node without a sibling moves up as it is,
    which gives the tree of RFC 6962."""
    levels = [list(digests)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        if len(below) & 1:
            level.append(below[-1])
        levels.append(level)
    paths = [b""]
    for level in reversed(levels[:-1]):
        lower = []
        for at in range(0, len(level) - 1, 2):
            above = paths[at >> 1]
            lower.append(level[at + 1] + above)
            lower.append(level[at] + above)
        if len(level) & 1:
            lower.append(paths[-1])
        paths = lower
    return levels[-1][0], paths


def sign_flush(events: Sequence[bytes], origin: str, producerid: str, signer: keys.Signer) -> list[bytes]:
    """Sign 1 to 256 events of one producer, in order; the encoded proof of each."""
    size = len(events)
    if not 1 <= size <= FLUSH_EVENTS_MAX:
        raise ValueError(f"a flush holds 1 to {FLUSH_EVENTS_MAX} events")
    root, paths = _tree([leaf_hash(event) for event in events])
    signature = canonical.b64(signer.sign(submission_message(origin, producerid, size, root)))
    key = signer.public_key.hex()
    return [_write(index, key, path, signature, size) for index, path in enumerate(paths)]


class FlushVerifier:
    """Verifies flush proofs, each signature once. Remembers at most `2 * remember` flushes.

    The signature is part of what is remembered, so the verdict does not depend on the order of proofs."""

    def __init__(self, remember: int = 4096) -> None:
        self._limit = remember
        self._young: set[tuple[bytes, int, bytes, bytes, str, str]] = set()
        self._old: set[tuple[bytes, int, bytes, bytes, str, str]] = set()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def verify(self, proof: Proof, event_digest: bytes, origin: str, producerid: str) -> None:
        """Refused E_SIG unless the proof's key signed a flush with this event at this place."""
        self._check(
            proof.key, proof.size, flush_root(proof, event_digest), proof.signature, origin, producerid
        )

    def verify_whole(
        self,
        proofs_raw: Sequence[bytes],
        events: Sequence[bytes],
        origin: str,
        producerid: str,
        *,
        digests: Sequence[bytes] | None = None,
    ) -> None:
        """A complete flush at once: rebuild its tree, write its proofs anew, compare, verify one signature.

        Refused E_SIG if anything differs; then the proofs are to be judged one by one with `verify`.
        `digests` saves hashing where the caller has the events' digests already."""
        size = len(proofs_raw)
        if not size or size != len(events):
            raise Refused("E_SIG", "not one proof for each event", "proof")
        try:
            first = Proof.parse(proofs_raw[0])
        except Refused as error:
            raise Refused("E_SIG", "not the proofs of one whole flush", "proof") from error
        if first.size != size:
            raise Refused("E_SIG", "not the proofs of one whole flush", "proof")
        root, paths = _tree(digests if digests is not None else [leaf_hash(event) for event in events])
        key, signature = first.key.hex(), canonical.b64(first.signature)
        for index, path in enumerate(paths):
            if _write(index, key, path, signature, size) != proofs_raw[index]:
                raise Refused("E_SIG", "not the proofs of one whole flush", "proof")
        self._check(first.key, size, root, first.signature, origin, producerid)

    def _check(
        self, key: bytes, size: int, root: bytes, signature: bytes, origin: str, producerid: str
    ) -> None:
        flush = (key, size, root, signature, origin, producerid)
        if flush in self._young:
            return
        if flush not in self._old and not keys.verify(
            key, signature, submission_message(origin, producerid, size, root)
        ):
            raise Refused(
                "E_SIG", "the flush is not signed by this key for this origin and producer", "proof"
            )
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, set()
        self._young.add(flush)
