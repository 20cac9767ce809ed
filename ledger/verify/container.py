"""A bundle file as bytes, within limits: nothing in it decides how much work or memory it gets (rules R18, R20, R21).

`read_file` gives the whole file, once, whatever happens to it on disk meanwhile for all but the largest. The
readers below give a member's lines and hashes without holding a second copy of it."""

from __future__ import annotations

import mmap
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import bundle, canonical

MIB = 1 << 20
# Up to this a file is read whole; a larger one is mapped, so that memory stays within R21's 512 MiB.
_READ_WHOLE = 64 * MIB
_CHUNK = MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may cost. Bytes, except where the name says otherwise."""

    container: bundle.Limits = field(default_factory=bundle.Limits)
    # 4,096 members of 255 bytes and 10,000 streams fit in a fraction of this.
    manifest: int = 4 * MIB
    # Parsed JSON takes some twenty times its bytes: these hold no more than 8 MiB of it at once.
    heads: int = 8 * MIB
    findings: int = 8 * MIB
    consistency: int = 4 * MIB
    pack: int = MIB
    # A disclosure is at most a cipher's length, and an event 48 KiB; base64 and its frame fit twice.
    disclosure_line: int = 128 * 1024
    entry_line: int = 65_535
    # About 1.2 kB is kept of each while a bundle is judged.
    entries: int = 250_000
    # The ledger's own entries are kept whole, parsed: some five times their bytes.
    own_entries: int = 32 * MIB
    disclosures: int = 1_000_000
    # Past so many complaints of one step a reader learns nothing more.
    errors_per_step: int = 20


def read_file(path: Path, limits: Limits) -> bytes | memoryview:
    """The bytes of a bundle file. ConfigurationError where there is none to read; Refused E_PATH for what is no
    regular file, E_LIMIT for one that is too large, before anything of it is read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused("E_PATH", "a bundle is one regular file")
        if status.st_size > limits.container.total_bytes:
            raise Refused("E_LIMIT", f"{status.st_size} bytes are more than {limits.container.total_bytes}")
        with path.open("rb") as file:
            if status.st_size <= _READ_WHOLE:
                return file.read(_READ_WHOLE + 1)
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise ConfigurationError(f"bundle: cannot be read: {error.strerror}") from error


def lines(member: memoryview, limit: int, where: str) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of every line, without its newline. E_LIMIT for a line above `limit` bytes, E_NONCANONICAL
    where the last line does not end."""
    rest, start = b"", 0
    for at in range(0, len(member), _CHUNK):
        pieces = (rest + bytes(member[at : at + _CHUNK])).split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            if len(piece) > limit:
                raise Refused("E_LIMIT", f"a line of {len(piece)} bytes, more than {limit}", where)
            yield start, piece
            start += len(piece) + 1
        if len(rest) > limit:
            raise Refused("E_LIMIT", f"a line of more than {limit} bytes", where)
    if rest:
        raise Refused("E_NONCANONICAL", "the last line does not end in a newline", where)


def value(member: memoryview, limit: int, where: str) -> Any:
    """The canonical JSON value of a member. E_LIMIT above `limit` bytes, before it is parsed."""
    if len(member) > limit:
        raise Refused("E_LIMIT", f"{len(member)} bytes are more than {limit}", where)
    try:
        return canonical.decode(bytes(member))
    except Refused as error:
        raise Refused(error.code, error.detail, f"{where} {error.where}".strip()) from error


_HASHES = re.compile(rb'\{"hashes":\[(?:"[0-9a-f]{64}"(?:,"[0-9a-f]{64}")*)?\]\}')
_HASHES_PARSED = MIB


def hashes(member: memoryview, where: str) -> list[bytes]:
    """The list in `{"hashes": [hex …]}`. It may be long, so it is matched as bytes and not parsed as a value."""
    if _HASHES.fullmatch(member) is None:
        closed = value(member, _HASHES_PARSED, where)
        if (
            not isinstance(closed, dict)
            or closed.keys() != {"hashes"}
            or not isinstance(closed["hashes"], list)
        ):
            raise Refused("E_SCHEMA", "not exactly a list of hashes", where)
        raise Refused("E_SCHEMA", "a hash is 64 hex digits in lower case", where)
    body = bytes(member[11:-2]).decode("ascii")
    return [bytes.fromhex(body[at : at + 64]) for at in range(1, len(body), 67)]
