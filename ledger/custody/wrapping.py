"""Protecting keys on their way: wrapped to the vault's public key, in the header `wrapped-keys` of a
submission.

Promised: only the holder of the vault key learns a wrapped key, and only for the origin, producer, stream
and party for which it was wrapped. Not promised: who wrapped it. No signature covers the header, so whoever
carries a submission can drop the header or put another in its place; the commitment in the signed event
decides which key is the right one, and a foreign one opens nothing (`docs/formats/wrapped-keys.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ledger.errors import Refused, VaultError
from ledger.kernel import canonical

PROTECTING_KEY_BYTES: Final = 32
# An encapsulated X25519 key (32), the protecting key (32) and the tag of AES-256-GCM (16), one after the
# other.
WRAPPED_BYTES: Final = 32 + PROTECTING_KEY_BYTES + 16
# One event speaks of a handful of people. More keys than this in one header is a mistake or an attack.
KEYS_MAX: Final = 32
HEADER_BYTES_MAX: Final = 16 * 1024

_LABEL: Final = "duecourse/wrapped-key/v1"
_MEMBERS: Final = {"key_id", "party", "stream", "wrapped"}
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One wrapped protecting key: `stream` is the subject of its events, `party` the person or "" for
    nobody known."""

    key_id: str
    party: str
    stream: str
    wrapped: bytes

    def info(self, origin: str, producerid: str) -> bytes:
        """What the wrapping is bound to."""
        return wrapping_info(origin, producerid, key_id=self.key_id, stream=self.stream, party=self.party)


def wrapping_info(origin: str, producerid: str, *, key_id: str, stream: str, party: str) -> bytes:
    """The HPKE `info`: what the key is for, a line each, the last one ended too."""
    return "".join(f"{line}\n" for line in (_LABEL, origin, producerid, key_id, stream, party)).encode()


def wrap(public_key: bytes, protecting_key: bytes, info: bytes) -> bytes:
    """80 bytes that only the vault key opens, other ones each time. VaultError for a public key that is
    none."""
    if len(protecting_key) != PROTECTING_KEY_BYTES:
        raise ValueError("a protecting key is 32 bytes")
    try:
        return _SUITE.encrypt(protecting_key, X25519PublicKey.from_public_bytes(public_key), info)
    except ValueError as error:
        raise VaultError("the vault's public key is not a usable X25519 key") from error


def unwrap(private_key: X25519PrivateKey, wrapped: bytes, info: bytes) -> bytes:
    """The protecting key. VaultError where it was wrapped to another vault, for another purpose, or was
    changed."""
    try:
        opened = _SUITE.decrypt(wrapped, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise VaultError("a wrapped key does not open with this vault key for this purpose") from error
    if len(opened) != PROTECTING_KEY_BYTES:
        raise VaultError("a wrapped key holds something else than a protecting key")
    return opened


def encode_header(keys: Sequence[WrappedKey]) -> bytes:
    """The header's value: canonical JSON, ascending by `key_id`. From 1 to `KEYS_MAX` keys."""
    value = [
        {"key_id": k.key_id, "party": k.party, "stream": k.stream, "wrapped": canonical.b64(k.wrapped)}
        for k in sorted(keys, key=lambda k: k.key_id)
    ]
    data = canonical.encode(value)
    parse_header(data)
    return data


def parse_header(data: bytes) -> tuple[WrappedKey, ...]:
    """The keys of a header, every spelling checked; Refused with a code of the verdict contract otherwise."""
    if len(data) > HEADER_BYTES_MAX:
        raise Refused(
            "E_LIMIT", f"a header of wrapped keys has at most {HEADER_BYTES_MAX} bytes", "wrapped-keys"
        )
    value = canonical.decode(data)
    if type(value) is not list or not 1 <= len(value) <= KEYS_MAX:
        raise Refused("E_SCHEMA", f"a list of 1 to {KEYS_MAX} wrapped keys", "wrapped-keys")
    keys = tuple(_parse_key(item, i) for i, item in enumerate(value))
    if any(a.key_id >= b.key_id for a, b in pairwise(keys)):
        raise Refused("E_SCHEMA", "wrapped keys ascend by key_id, each once", "wrapped-keys")
    return keys


def _parse_key(item: Any, place: int) -> WrappedKey:
    where = f"wrapped-keys/{place}"
    if type(item) is not dict or item.keys() != _MEMBERS or not all(type(v) is str for v in item.values()):
        raise Refused(
            "E_SCHEMA", "a wrapped key has exactly key_id, party, stream and wrapped, all text", where
        )
    if not canonical.is_uuid(item["key_id"]) or (item["party"] and not canonical.is_uuid(item["party"])):
        raise Refused("E_SCHEMA", "key_id is a uuid, party a uuid or empty", where)
    kind, _, rest = item["stream"].partition("/")
    if kind not in ("case", "staff", "agency", "source") or not canonical.is_uuid(rest):
        raise Refused("E_SCHEMA", "stream is that of a case, of staff, of an agency or of a source", where)
    wrapped = canonical.unb64(item["wrapped"])
    if len(wrapped) != WRAPPED_BYTES:
        raise Refused("E_SCHEMA", f"a wrapped key is {WRAPPED_BYTES} bytes", where)
    return WrappedKey(item["key_id"], item["party"], item["stream"], wrapped)
