"""Signed notes: a text, and who vouches for it (C2SP signed-note; `docs/formats/` 7).

`verify_note` returns the keys whose word the note carries; the text is to be ignored where it returns
none. What a key's word is worth is the trust file's to say. Lines by unknown keys mean nothing; a line
by a known key that does not verify spoils the whole note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from ledger.errors import Refused
from ledger.kernel import canonical, keys
from ledger.kernel.digest import sha256

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
# C2SP asks for 16 at least, and a post-quantum line may have 5 kB: 64 such lines fit.
SIGNATURES_MAX: Final = 64
NOTE_BYTES_MAX: Final = 512 * 1024
TIMESTAMP_MAX: Final = 2**63 - 1
_DASH: Final = "\N{EM DASH} "


def is_key_name(name: str) -> bool:
    """Not empty, no white space of any script, no `+`, no control characters."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and a key that may sign notes under it. `algorithm`: 0x01 a log's, 0x04 a cosigner's."""

    name: str
    key_id: bytes
    algorithm: int
    public_key: bytes

    @classmethod
    def of(cls, name: str, algorithm: int, public_key: bytes) -> Self:
        """Refused E_CHECKPOINT (name), E_ALG or E_KEY_WEAK."""
        if not is_key_name(name):
            raise Refused("E_CHECKPOINT", "a key name has no white space and no +")
        if algorithm not in (ED25519, COSIGNATURE):
            raise Refused("E_ALG", f"signature type 0x{algorithm:02x} is not known here")
        keys.check_public_key(public_key)
        return cls(name, key_id(name, algorithm, public_key), algorithm, public_key)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """A key from its C2SP spelling, `name+hex id+base64`. Refused E_CHECKPOINT, E_ALG, E_KEY_WEAK."""
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise Refused("E_CHECKPOINT", "a verifier key is name+id+key")
        try:
            identity, encoded = canonical.unhex(parts[1], 4), canonical.unb64(parts[2])
        except Refused as error:
            raise Refused("E_CHECKPOINT", "a verifier key is name+8 hex digits+base64") from error
        if len(encoded) < 2:
            raise Refused("E_CHECKPOINT", "a verifier key holds a type and a key")
        key = cls.of(parts[0], encoded[0], encoded[1:])
        if key.key_id != identity:
            raise Refused("E_CHECKPOINT", "the id of this verifier key is not its own")
        return key

    def format(self) -> str:
        """The C2SP spelling."""
        encoded = canonical.b64(bytes([self.algorithm]) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Four bytes to find a key by. A lookup aid: it proves nothing."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key)[:4]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `blob` is what follows the key id."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> bytes:
        return f"{_DASH}{self.name} {canonical.b64(self.key_id + self.blob)}\n".encode()


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signature lines in order."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        return self.text.encode() + b"\n" + b"".join(signature.line() for signature in self.signatures)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Refused E_LIMIT (size, number of lines), E_ENCODING (UTF-8, control characters), E_CHECKPOINT."""
        data = bytes(data)
        if len(data) > NOTE_BYTES_MAX:
            raise Refused("E_LIMIT", f"a note of more than {NOTE_BYTES_MAX} bytes")
        try:
            string = data.decode()
        except UnicodeDecodeError as error:
            raise Refused("E_ENCODING", f"a note is UTF-8; not so at byte {error.start}") from error
        if any(c < " " and c != "\n" for c in set(string)):
            raise Refused("E_ENCODING", "a note has no control characters but newline")
        # The text may have empty lines of its own: the last one counts.
        text, blank, lines = string.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise Refused("E_CHECKPOINT", "a note is a text, an empty line and signature lines")
        if lines.count("\n") > SIGNATURES_MAX:
            raise Refused("E_LIMIT", f"more than {SIGNATURES_MAX} signature lines")
        return cls(text + "\n", tuple(_parse_line(line) for line in lines[:-1].split("\n")))


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_key_name(name):
        raise Refused("E_CHECKPOINT", "a signature line is an em dash, a key name and base64")
    try:
        blob = canonical.unb64(encoded)
    except Refused as error:
        raise Refused("E_CHECKPOINT", "a signature line ends in base64 in its one spelling") from error
    if len(blob) < 5:
        raise Refused("E_CHECKPOINT", "a signature line holds a key id and a signature")
    return Signature(name, blob[:4], blob[4:])


def cosigned_message(text: str, unix_s: int) -> bytes:
    """What a 0x04 cosigner signs (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {unix_s}\n{text}".encode()


def _verify_line(signature: Signature, key: VerifierKey, text: str) -> tuple[bool, int | None]:
    if key.algorithm == ED25519:
        return keys.verify(key.public_key, signature.blob, text.encode()), None
    if key.algorithm != COSIGNATURE:
        raise Refused("E_ALG", f"signature type 0x{key.algorithm:02x} is not known here", key.name)
    unix_s = int.from_bytes(signature.blob[:8], "big")
    if len(signature.blob) != 72 or unix_s > TIMESTAMP_MAX:
        return False, None
    return keys.verify(key.public_key, signature.blob[8:], cosigned_message(text, unix_s)), unix_s


def verify_note(note: Note, known: Sequence[VerifierKey]) -> list[tuple[VerifierKey, int | None]]:
    """Which of the known keys signed, in the order of the lines, each with its cosignature time in s (0x04).

    A key that signed twice stands twice. Refused E_SIG where a line bears the name and id of a known key
    and does not verify."""
    found: list[tuple[VerifierKey, int | None]] = []
    for signature in note.signatures:
        matching = [key for key in known if (key.name, key.key_id) == (signature.name, signature.key_id)]
        for key in matching:
            valid, unix_s = _verify_line(signature, key, note.text)
            if valid:
                found.append((key, unix_s))
                break
        else:
            if matching:
                raise Refused("E_SIG", "a line by a known key does not verify", signature.name)
    return found


def sign_text(text: str, name: str, signer: keys.Signer) -> Signature:
    """A log's line (0x01) under `name`."""
    return Signature(name, key_id(name, ED25519, signer.public_key), signer.sign(text.encode()))


def cosign_text(text: str, name: str, signer: keys.Signer, unix_s: int) -> Signature:
    """A cosigner's line (0x04): at `unix_s`, this is the largest consistent tree it has seen."""
    if not 0 <= unix_s <= TIMESTAMP_MAX:
        raise ValueError("a cosignature time is 0 to 2^63 - 1 seconds")
    blob = unix_s.to_bytes(8, "big") + signer.sign(cosigned_message(text, unix_s))
    return Signature(name, key_id(name, COSIGNATURE, signer.public_key), blob)
