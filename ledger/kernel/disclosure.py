"""Protected fields: personal data that can be proved, opened, and forgotten (`docs/formats/` 2.1).

A field holds a salted digest and a cipher. Who is handed the disclosure can check it against the digest
and learns nothing else; who has destroyed the protecting key has destroyed value and salt, and every
proof still stands. A cipher opens to one plaintext only: the field commits to its key."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import sha256

SALT_MIN: Final = 22
PROTECTING_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
# A disclosure's length is a multiple of this, so that lengths tell little. It is that of 48 bytes of text.
DISCLOSURE_STEP: Final = 64
_TEXT_STEP: Final = 48

_LABEL: Final = b"duecourse/protecting-key/v1"
_MEMBERS: Final = frozenset({"cipher", "digest", "key", "nonce"})
_SALT = re.compile(r"[A-Za-z0-9_-]{22,}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_TO_URL = str.maketrans("+/", "-_")
_FROM_URL = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Protected:
    """What stands in the event in the place of a personal value. `key` is a commitment, not a key."""

    cipher: bytes
    digest: bytes
    key: bytes
    nonce: bytes

    def value(self) -> dict[str, str]:
        """The JSON object of the field."""
        return {
            "cipher": canonical.b64(self.cipher),
            "digest": self.digest.hex(),
            "key": self.key.hex(),
            "nonce": canonical.b64(self.nonce),
        }

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Refused E_SCHEMA or E_NONCANONICAL unless the object has the shape of a protected field."""
        if type(value) is not dict or value.keys() != _MEMBERS:
            raise Refused("E_SCHEMA", "a protected field has exactly cipher, digest, key and nonce")
        if not all(type(member) is str for member in value.values()):
            raise Refused("E_SCHEMA", "the members of a protected field are text")
        cipher, nonce = canonical.unb64(value["cipher"]), canonical.unb64(value["nonce"])
        if len(nonce) != NONCE_BYTES:
            raise Refused("E_SCHEMA", f"a nonce is {NONCE_BYTES} bytes")
        if len(cipher) <= TAG_BYTES or (len(cipher) - TAG_BYTES) % DISCLOSURE_STEP:
            raise Refused("E_SCHEMA", "a cipher is 16 bytes longer than a disclosure")
        return cls(cipher, canonical.unhex(value["digest"]), canonical.unhex(value["key"]), nonce)


def is_protected(value: object) -> bool:
    """Has the value the shape of a protected field?"""
    try:
        Protected.from_value(value)
    except Refused:
        return False
    return True


def disclosure_digest(disclosure: str) -> bytes:
    """`H(ASCII of disclosure)`, the digest rule of RFC 9901."""
    try:
        return sha256(disclosure.encode("ascii"))
    except UnicodeEncodeError as error:
        raise Refused("E_COMMITMENT", "a disclosure is base64url without padding") from error


def key_commitment(protecting_key: bytes, event_id: str) -> bytes:
    """Binds a field to its key, and links no two events."""
    return sha256(_LABEL + protecting_key + event_id.encode())


def _aad(event_id: str, pointer: str) -> bytes:
    return event_id.encode() + b"\x00" + pointer.encode()


def _name(pointer: str) -> str:
    """The last token of a JSON pointer (RFC 6901)."""
    if not pointer.startswith("/"):
        raise Refused("E_SCHEMA", "a JSON pointer begins with /")
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def protect(
    value: Any,
    *,
    event_id: str,
    pointer: str,
    protecting_key: bytes,
    nonce: bytes,
    salt_source: Callable[[int], str],
) -> Protected:
    """Seal a value for one place in one event.

    `nonce` is 12 random bytes; `salt_source(n)` gives n random characters of the base64url alphabet.
    The salt is as long as brings the disclosure to a multiple of 64."""
    if len(nonce) != NONCE_BYTES or len(protecting_key) != PROTECTING_KEY_BYTES:
        raise ValueError("a nonce is 12 bytes and a protecting key 32")
    name = _name(pointer)
    shortest = len(canonical.encode_free(["", name, value])) + SALT_MIN
    length = SALT_MIN + -shortest % _TEXT_STEP
    salt = salt_source(length)
    if len(salt) != length or _SALT.fullmatch(salt) is None:
        raise ValueError("a salt is as many base64url characters as were asked for")
    disclosure = canonical.b64(canonical.encode_free([salt, name, value])).translate(_TO_URL)
    sealed = AESGCMSIV(protecting_key).encrypt(nonce, disclosure.encode("ascii"), _aad(event_id, pointer))
    return Protected(sealed, disclosure_digest(disclosure), key_commitment(protecting_key, event_id), nonce)


def open_field(field: Protected, *, event_id: str, pointer: str, protecting_key: bytes) -> tuple[str, Any]:
    """Disclosure and value of a field, checked three times before anything is shown (rule R22).

    Refused E_KEY_COMMIT: another key. E_DECRYPT: the field was moved or changed. E_COMMITMENT or an
    encoding code: the producer sealed something else than it promised."""
    if key_commitment(protecting_key, event_id) != field.key:
        raise Refused("E_KEY_COMMIT", "the field does not commit to this key", pointer)
    try:
        opened = AESGCMSIV(protecting_key).decrypt(field.nonce, field.cipher, _aad(event_id, pointer))
        disclosure = opened.decode("ascii")
    except (InvalidTag, ValueError) as error:
        raise Refused("E_DECRYPT", "the field does not open in this place", pointer) from error
    if disclosure_digest(disclosure) != field.digest:
        raise Refused("E_COMMITMENT", "what was sealed is not what the digest says", pointer)
    return disclosure, parse_disclosure(disclosure, pointer)


def parse_disclosure(disclosure: str, pointer: str) -> Any:
    """The value of a disclosure for the field at `pointer`. The caller compares the digest.

    Refused E_COMMITMENT (alphabet, length, salt, name, shape) or as canonical JSON is refused; a string
    in the value is any well-formed Unicode text."""
    if len(disclosure) % DISCLOSURE_STEP or _BASE64URL.fullmatch(disclosure) is None:
        raise Refused("E_COMMITMENT", "a disclosure is base64url, its length a multiple of 64", pointer)
    try:
        array = canonical.decode_free(binascii.a2b_base64(disclosure.translate(_FROM_URL), strict_mode=True))
    except Refused as error:
        raise Refused(error.code, error.detail, pointer) from error
    if type(array) is not list or len(array) != 3:
        raise Refused("E_COMMITMENT", "a disclosure is an array of salt, name and value", pointer)
    salt, name, value = array
    if type(salt) is not str or _SALT.fullmatch(salt) is None:
        raise Refused("E_COMMITMENT", "a salt is 22 or more base64url characters", pointer)
    if name != _name(pointer):
        raise Refused("E_COMMITMENT", "the disclosure is of another field", pointer)
    return value
