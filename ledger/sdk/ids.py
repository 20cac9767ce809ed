"""Names that only the tenant can work out: case ids from account numbers, and ids that mean something in
one case.

HMAC-SHA-256 under the tenant key, written as a UUIDv8 (formats 2). Every tool of the tenant comes to the
same id, and nobody without the tenant key can test a guess. Whoever has it can test guesses: keep it as a
secret."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

from ledger.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

TENANT_KEY_BYTES: Final = 32
# Everything that stands between the digits of a number as people write it.
_SPACING: Final = str.maketrans("", "", " -.()/\u00a0\u2010\u2011")


def create_tenant_key(path: Path) -> bytes:
    """Makes a new tenant key in a file that only its owner can read. `ConfigurationError` if there is one."""
    key = secrets.token_bytes(TENANT_KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already; a tenant key is made once") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def load_tenant_key(path: Path) -> bytes:
    """The tenant key: 64 hex digits and a line end. Refuses a file that others than its owner can read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(TENANT_KEY_BYTES * 2 + 2)
    except OSError as error:
        raise ConfigurationError(f"tenant_key: cannot read {path}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigurationError(
            f"tenant_key: others can read {path} (mode {mode:04o}); run: chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != TENANT_KEY_BYTES or text != key.hex().encode() + b"\n":
        raise ConfigurationError(f"tenant_key: {path} does not hold 64 hex digits and a line end")
    return key


def _uuid8(digest: bytes) -> str:
    value = bytearray(digest[:16])
    value[6] = value[6] & 0x0F | 0x80
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def case_id(tenant_key: bytes, account: str) -> str:
    """The case of the tool's own account number, byte for byte as the tool writes it."""
    return _uuid8(hmac.digest(tenant_key, b"duecourse/case/v1\n" + account.encode(), "sha256"))


def local_id(tenant_key: bytes, kind: str, stream: str, reference: str) -> str:
    """The id of a `kind` ("party", "debt", "contact_point", "plan") that the tool knows by `reference`.

    Another stream, another id: two cases of one person cannot be joined by it."""
    message = f"duecourse/{kind}/v1\n{stream}\n{reference}".encode()
    return _uuid8(hmac.digest(tenant_key, message, "sha256"))


def contact_reference(number: str) -> str:
    """How a number or address is spelt before its id is worked out.

    With a leading `+` it is an international number, and its spacing does not count. Anything else stands
    as it was given: which country a national number is of is not guessed."""
    number = number.strip()
    if number.startswith("+"):
        compact = number.translate(_SPACING)
        if compact[1:].isascii() and compact[1:].isdigit():
            return compact
    return number


def derive_outbox_key(tenant_key: bytes, outbox: str) -> bytes:
    """What an outbox's rows are chained with, so that nobody without the tenant key can edit one unseen."""
    return hmac.digest(tenant_key, b"duecourse/outbox/v1\n" + outbox.encode(), "sha256")
