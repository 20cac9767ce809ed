"""Protected fields: they open in one place, under one key, to one value."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical, disclosure
from ledger.kernel.disclosure import Protected, disclosure_digest, key_commitment, open_field, protect

KEY = bytes(range(32))
NONCE = bytes(range(12))
EVENT_ID = "019cac01-0000-7000-8000-000000000000"
POINTER = "/data/to"
PLACE = {"event_id": EVENT_ID, "pointer": POINTER}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)
    | st.text(max_size=80),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=10,
)


def salt(length: int) -> str:
    return ("Ab0-_" * 20)[:length]


def seal(value: Any, **changes: Any) -> Protected:
    arguments = PLACE | {"protecting_key": KEY, "nonce": NONCE, "salt_source": salt} | changes
    return protect(value, **arguments)


def text_as_disclosure(text: bytes) -> str:
    return canonical.b64(text).rstrip("=").translate(str.maketrans("+/", "-_"))


@given(anything)
@settings(max_examples=200, deadline=None)
def test_whatever_is_sealed_opens_to_itself(value: Any) -> None:
    field = seal(value)
    text, opened = open_field(field, **PLACE, protecting_key=KEY)
    assert opened == value
    assert len(text) % 64 == 0
    assert len(field.cipher) == len(text) + 16
    assert field.digest == disclosure_digest(text)
    assert Protected.from_value(field.value()) == field
    assert disclosure.is_protected(field.value())
    assert canonical.decode(canonical.encode(field.value())) == field.value()


def test_values_of_near_lengths_seal_to_one_length() -> None:
    lengths = {len(seal("1" * digits).cipher) for digits in range(7, 15)}
    assert len(lengths) == 1


def test_a_field_opens_under_its_key_in_its_place_only() -> None:
    field = seal("+447700900123")
    for arguments, code in [
        ({"protecting_key": bytes(32)}, "E_KEY_COMMIT"),
        ({"event_id": EVENT_ID[:-1] + "1"}, "E_KEY_COMMIT"),
        ({"pointer": "/data/from"}, "E_DECRYPT"),
        ({"pointer": "/data/x/to"}, "E_DECRYPT"),
    ]:
        with pytest.raises(Refused) as refusal:
            open_field(field, **(PLACE | {"protecting_key": KEY} | arguments))  # type: ignore[arg-type]
        assert refusal.value.code == code
        assert "7700" not in str(refusal.value)


@given(st.integers(0, 79), st.integers(1, 255))
def test_a_changed_cipher_does_not_open(place: int, flip: int) -> None:
    field = seal("+447700900123")
    cipher = bytearray(field.cipher)
    cipher[place] ^= flip
    with pytest.raises(Refused) as refusal:
        open_field(
            Protected(bytes(cipher), field.digest, field.key, field.nonce), **PLACE, protecting_key=KEY
        )
    assert refusal.value.code == "E_DECRYPT"


def test_a_producer_that_seals_something_else_than_it_promised_is_found_out() -> None:
    promised, sealed = seal("promised"), seal("sealed")
    with pytest.raises(Refused) as refusal:
        open_field(
            Protected(sealed.cipher, promised.digest, sealed.key, sealed.nonce), **PLACE, protecting_key=KEY
        )
    assert refusal.value.code == "E_COMMITMENT"


def test_a_sealed_text_with_a_flaw_is_refused_though_its_digest_fits() -> None:
    text = text_as_disclosure(b'["%s","to",1.5]' % (b"x" * (48 - len('["","to",1.5]'))))
    aad = EVENT_ID.encode() + b"\0" + POINTER.encode()
    cipher = AESGCMSIV(KEY).encrypt(NONCE, text.encode(), aad)
    field = Protected(cipher, disclosure_digest(text), key_commitment(KEY, EVENT_ID), NONCE)
    with pytest.raises(Refused) as refusal:
        open_field(field, **PLACE, protecting_key=KEY)
    assert (refusal.value.code, refusal.value.where) == ("E_NUMBER", POINTER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A" * 63,
        "A" * 65,
        "A" * 62 + "==",
        "A" * 63 + "+",
        "A" * 63 + "/",
        "A" * 63 + "\n",
        "é" * 64,
        text_as_disclosure(b'["%s","to","1"]' % (b"x" * 21)).ljust(64, "A"),
    ],
)
def test_what_is_no_disclosure(text: str) -> None:
    with pytest.raises(Refused):
        disclosure.parse_disclosure(text, POINTER)


@pytest.mark.parametrize(
    "array", [b'[1,"to","1",%s]', b'[{"a":%s},"to","1"]', b'["%s",["to"],"1"]', b'["%s",1,"to"]']
)
def test_an_array_of_another_shape_is_no_disclosure(array: bytes) -> None:
    inner = b"1" * 15 if b'"%s"' not in array else b"x" * (48 - len(array) + 2)
    text = array % inner
    padded = text.replace(b"to", b"t" + b"o" * (1 + -len(text) % 48)) if len(text) % 48 else text
    with pytest.raises(Refused) as refusal:
        disclosure.parse_disclosure(text_as_disclosure(padded), POINTER)
    assert refusal.value.code == "E_COMMITMENT"


def test_the_name_is_the_last_token_of_the_pointer() -> None:
    for pointer, name in [
        ("/data/parties/0/name", "name"),
        ("/data/phones/12", "12"),
        ("/data/a~1b~01", "a/b~1"),
    ]:
        field = seal("value", pointer=pointer)
        text, value = open_field(field, event_id=EVENT_ID, pointer=pointer, protecting_key=KEY)
        assert value == "value"
        assert canonical.decode_free(_decoded(text))[1] == name


def _decoded(text: str) -> bytes:
    return canonical.unb64(text.translate(str.maketrans("-_", "+/")))


@pytest.mark.parametrize(
    "changes",
    [
        {"cipher": "AAAA"},
        {"cipher": canonical.b64(bytes(16))},
        {"cipher": canonical.b64(bytes(79))},
        {"cipher": canonical.b64(bytes(80)).rstrip("=")},
        {"digest": "0" * 63},
        {"digest": "A" * 64},
        {"key": None},
        {"nonce": canonical.b64(bytes(11))},
        {"nonce": canonical.b64(bytes(13))},
        {"salt": "x"},
    ],
)
def test_an_object_of_another_shape_is_no_protected_field(changes: dict[str, Any]) -> None:
    value = seal("x").value() | changes
    assert not disclosure.is_protected(value)
    assert not disclosure.is_protected(dict.fromkeys(value, ""))


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"cipher": "x"}])
def test_clear_values_are_no_protected_fields(value: Any) -> None:
    assert not disclosure.is_protected(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": bytes(11)},
        {"protecting_key": bytes(16)},
        {"salt_source": lambda length: "x" * (length - 1)},
        {"salt_source": lambda length: "=" * length},
    ],
)
def test_sealing_with_the_wrong_material_is_an_error_of_the_caller(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nonce|salt"):
        seal("x", **changes)


@pytest.mark.parametrize(
    ("value", "code"), [(1.5, "E_NUMBER"), ("\ud800", "E_ENCODING"), ({"A": 1}, "E_SCHEMA")]
)
def test_what_json_of_ours_lacks_is_not_sealed(value: Any, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        seal(value)
    assert refusal.value.code == code
    with pytest.raises(Refused):
        seal("x", pointer="to")


def test_two_events_do_not_share_a_commitment() -> None:
    assert key_commitment(KEY, EVENT_ID) != key_commitment(KEY, EVENT_ID[:-1] + "1")
    assert key_commitment(KEY, EVENT_ID) != key_commitment(bytes(32), EVENT_ID)
