"""Ed25519 keys and signatures: what verifies, and the encodings that must not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import keys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]

SIGNER = keys.SeedSigner(bytes(range(32)))


def decompress(raw: bytes) -> Point | None:
    """RFC 8032 section 5.1.3, by the letter."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == (-u) % P:
        x = x * SQRT_M1 % P
    if v * x * x % P != u % P or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )


def times(k: int, point: Point) -> Point:
    result = (0, 1)
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def compress(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def points_of_small_order() -> set[Point]:
    for candidate in range(2, 200):
        point = decompress(candidate.to_bytes(32, "little"))
        if point is not None:
            torsion = times(L, point)
            if times(4, torsion) != (0, 1):
                return {times(k, torsion) for k in range(8)}
    raise AssertionError("no point of order 8 found")


def test_all_eight_points_of_small_order_are_weak_in_every_encoding() -> None:
    points = points_of_small_order()
    assert len(points) == 8
    for point in points:
        for y in {point[1], point[1] + P}:
            for sign in (0, 1):
                if y < 2**255:
                    raw = (y | sign << 255).to_bytes(32, "little")
                    with pytest.raises(Refused) as refusal:
                        keys.check_public_key(raw)
                    assert refusal.value.code == "E_KEY_WEAK"
                    assert not keys.verify(raw, bytes(64), b"")


def test_a_signature_that_small_order_would_let_through_is_refused() -> None:
    # R and A the neutral element, S zero: the equation of RFC 8032 holds for every message.
    neutral = compress((0, 1))
    assert not keys.verify(neutral, neutral + bytes(32), b"anything")


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_keys_are_checked_as_rfc_8032_decodes_points(raw: bytes) -> None:
    point = decompress(raw)
    good = point is not None and times(8, point) != (0, 1)
    if good:
        keys.check_public_key(raw)
    else:
        with pytest.raises(Refused, match="E_KEY_WEAK"):
            keys.check_public_key(raw)


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), (P + 3).to_bytes(32, "little"), b"\xff" * 32])
def test_keys_of_another_length_or_spelling_are_weak(raw: bytes) -> None:
    with pytest.raises(Refused, match="E_KEY_WEAK"):
        keys.check_public_key(raw)


def test_a_signature_verifies_for_its_key_and_message_only() -> None:
    signature = SIGNER.sign(b"message")
    assert keys.verify(SIGNER.public_key, signature, b"message")
    assert not keys.verify(SIGNER.public_key, signature, b"massage")
    assert not keys.verify(keys.SeedSigner(bytes(32)).public_key, signature, b"message")


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    signature = (SIGNER.sign(b"message") * 2)[:length]
    assert not keys.verify(SIGNER.public_key, signature, b"message")


@pytest.mark.parametrize("multiple", [1, 2, 7])
def test_s_plus_a_multiple_of_l_does_not_verify(multiple: int) -> None:
    signature = SIGNER.sign(b"message")
    s = int.from_bytes(signature[32:], "little") + multiple * L
    assert not keys.verify(SIGNER.public_key, signature[:32] + s.to_bytes(32, "little"), b"message")


def test_r_in_another_spelling_does_not_verify() -> None:
    digest = hashlib.sha512(bytes(range(32))).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254

    def with_r(r: bytes) -> bytes:
        h = int.from_bytes(hashlib.sha512(r + SIGNER.public_key + b"m").digest(), "little")
        return r + (h * scalar % L).to_bytes(32, "little")

    # The neutral element as R: the first spelling is the canonical one, the second is y + p.
    assert keys.verify(SIGNER.public_key, with_r(compress((0, 1))), b"m")
    assert not keys.verify(SIGNER.public_key, with_r((P + 1).to_bytes(32, "little")), b"m")


def test_a_signer_hides_its_seed_and_refuses_another_length() -> None:
    seed = bytes(range(32))
    assert seed.hex() not in repr(SIGNER)
    with pytest.raises(ValueError, match="32 bytes"):
        keys.SeedSigner(bytes(31))
