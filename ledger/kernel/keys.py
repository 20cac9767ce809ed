"""Ed25519 as the ledger takes it: RFC 8032, S < L, public keys canonical, on the curve, not of small order.

A signature that `verify` accepts was made with the private key over exactly these bytes. Whose key it is,
and what it may sign, is for the registry and the trust file to say (`docs/formats/` 3, 5; rule R6)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import Refused

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_P: Final = 2**255 - 19
_D: Final = (-121665 * pow(121666, -1, _P)) % _P
# The y of all eight points whose order divides 8. A signature under such a key proves nothing.
_Y8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


class Signer(Protocol):
    """Who holds a signing key. Trusted with it: whoever can call `sign` can speak for its owner."""

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""


class SeedSigner:
    """A signer from the 32 bytes of an RFC 8032 seed. The key lives in this process's memory."""

    __slots__ = ("_private", "_public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != PUBLIC_KEY_BYTES:
            raise ValueError("a seed is 32 bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        return self._public

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def __repr__(self) -> str:
        return "SeedSigner(…)"


def check_public_key(raw: bytes) -> None:
    """Refused E_KEY_WEAK unless `raw` is the canonical encoding of a curve point not of small order."""
    flaw = _flaw(bytes(raw))
    if flaw:
        raise Refused("E_KEY_WEAK", flaw)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Did this key sign this message? False for weak keys, wrong lengths, S >= L, R in another spelling."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    key = _load(public_key)
    if key is None:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4096)
def _load(raw: bytes) -> Ed25519PublicKey | None:
    return None if _flaw(raw) else Ed25519PublicKey.from_public_bytes(raw)


def _flaw(raw: bytes) -> str:
    if len(raw) != PUBLIC_KEY_BYTES:
        return "a public key is 32 bytes"
    # The top bit is the sign of x. Both signs are points, as x is not zero.
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        return "not the canonical encoding of a public key"
    if y in _SMALL_ORDER_Y:
        return "a public key of small order"
    # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square; x is zero only at y = 1 and -1, refused above.
    y2 = y * y % _P
    x2 = (y2 - 1) * pow(_D * y2 + 1, -1, _P) % _P
    if pow(x2, (_P - 1) // 2, _P) != 1:
        return "a public key that is not on the curve"
    return ""
