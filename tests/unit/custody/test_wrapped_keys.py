"""A wrapped key opens for the vault key, for one purpose, and its header has one spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.custody.file import VaultKey, wrap
from ledger.custody.wrapping import (
    HEADER_BYTES_MAX,
    KEYS_MAX,
    WRAPPED_BYTES,
    WrappedKey,
    encode_header,
    parse_header,
    wrapping_info,
)
from ledger.errors import Refused, VaultError
from ledger.kernel import canonical

KEY_ID = "00000000-0000-4000-8000-00000000000a"
PARTY = "00000000-0000-4000-8000-00000000000b"
STREAM = "case/00000000-0000-4000-8000-00000000000c"
SECRET = bytes(range(32))
WRAPPED = WrappedKey(KEY_ID, PARTY, STREAM, b"w" * WRAPPED_BYTES)
INFO = WRAPPED.info("ledger.example.com/cards/1", "dialler-7")


@pytest.fixture
def vault_key(tmp_path: Path) -> VaultKey:
    return VaultKey.create(tmp_path / "vault.pem")


def test_the_vault_key_opens_what_was_wrapped_to_it(vault_key: VaultKey) -> None:
    first, second = (wrap(vault_key.public_key, SECRET, INFO) for _ in range(2))
    assert len(first) == len(second) == WRAPPED_BYTES
    assert first != second
    assert vault_key.open(first, INFO) == vault_key.open(second, INFO) == SECRET
    assert SECRET not in first


def test_a_key_opens_for_its_own_purpose_only(vault_key: VaultKey) -> None:
    purpose = {"key_id": KEY_ID, "stream": STREAM, "party": PARTY}
    wrapped = wrap(vault_key.public_key, SECRET, wrapping_info("a/1", "p", **purpose))
    assert vault_key.open(wrapped, wrapping_info("a/1", "p", **purpose)) == SECRET
    for other in (
        wrapping_info("a/2", "p", **purpose),
        wrapping_info("a/1", "q", **purpose),
        wrapping_info("a/1", "p", **purpose | {"key_id": PARTY}),
        wrapping_info("a/1", "p", **purpose | {"party": ""}),
        wrapping_info("a/1", "p", **purpose | {"stream": "case/" + PARTY}),
        b"",
    ):
        with pytest.raises(VaultError):
            vault_key.open(wrapped, other)


def test_another_vault_or_a_changed_byte_opens_nothing(vault_key: VaultKey, tmp_path: Path) -> None:
    wrapped = wrap(vault_key.public_key, SECRET, INFO)
    with pytest.raises(VaultError):
        VaultKey.create(tmp_path / "other.pem").open(wrapped, INFO)
    for place in range(0, WRAPPED_BYTES, 7):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises(VaultError):
            vault_key.open(bytes(changed), INFO)
    for short in (b"", wrapped[:-1], wrapped[:32]):
        with pytest.raises(VaultError):
            vault_key.open(short, INFO)
    with pytest.raises(VaultError, match="X25519"):
        wrap(bytes(32), SECRET, INFO)
    with pytest.raises(VaultError, match="X25519"):
        wrap(b"short", SECRET, INFO)
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(vault_key.public_key, b"short", INFO)


def test_the_purpose_is_written_line_by_line() -> None:
    assert INFO == (
        b"duecourse/wrapped-key/v1\nledger.example.com/cards/1\ndialler-7\n"
        b"00000000-0000-4000-8000-00000000000a\ncase/00000000-0000-4000-8000-00000000000c\n"
        b"00000000-0000-4000-8000-00000000000b\n"
    )


def test_a_header_comes_back_whatever_the_order_of_its_keys() -> None:
    other = WrappedKey(PARTY, "", "staff/" + KEY_ID, b"x" * WRAPPED_BYTES)
    header = encode_header([other, WRAPPED])
    assert header == encode_header([WRAPPED, other])
    assert parse_header(header) == (WRAPPED, other)
    assert header.startswith(b'[{"key_id":"00000000-0000-4000-8000-00000000000a","party":"')


def test_a_header_with_a_flaw_is_refused() -> None:
    good = {"key_id": KEY_ID, "party": PARTY, "stream": STREAM, "wrapped": canonical.b64(WRAPPED.wrapped)}
    assert parse_header(canonical.encode([good])) == (WRAPPED,)
    flaws: list[Any] = [
        [],
        {},
        [good, good],
        [good | {"key_id": PARTY}, good],
        [good | {"extra": "x"}],
        [{k: v for k, v in good.items() if k != "party"}],
        [good | {"party": None}],
        [good | {"party": "somebody"}],
        [good | {"key_id": ""}],
        [good | {"stream": PARTY}],
        [good | {"stream": "producer/dialler-7"}],
        [good | {"stream": "case/" + PARTY + "/x"}],
        [good | {"wrapped": canonical.b64(b"w" * 79)}],
        [good | {"wrapped": good["wrapped"].rstrip("=")}],
        [good["wrapped"]],
        [good | {"key_id": f"00000000-0000-4000-8000-{n:012x}"} for n in range(KEYS_MAX + 1)],
    ]
    for flaw in flaws:
        with pytest.raises(Refused):
            parse_header(canonical.encode(flaw))
    with pytest.raises(Refused) as caught:
        parse_header(b" " * (HEADER_BYTES_MAX + 1))
    assert caught.value.code == "E_LIMIT"


def test_a_full_header_fits() -> None:
    keys = [
        WrappedKey(
            f"00000000-0000-4000-8000-{n:012x}", PARTY, STREAM.replace("case", "source"), b"w" * WRAPPED_BYTES
        )
        for n in range(KEYS_MAX)
    ]
    assert len(encode_header(keys)) <= HEADER_BYTES_MAX


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    try:
        keys = parse_header(data)
    except Refused:
        return
    assert encode_header(keys) == data
