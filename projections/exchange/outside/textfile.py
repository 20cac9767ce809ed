"""Opens a file of a provider as text, once its encoding is certain.

UTF-8, with a byte order mark or without, and GB18030 are read. Everything else is refused and named: a wrong guess would
turn numbers and states into others. The file is read twice, and is refused if it changed in between: the digest that
goes into the ledger is that of exactly the bytes that were read."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange.outside.records import FileRead

CHUNK_BYTES: Final = 1 << 20
ENCODINGS: Final = ("utf-8", "gb18030")

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32 (little endian)"),
    (codecs.BOM_UTF32_BE, "UTF-32 (big endian)"),
    (codecs.BOM_UTF16_LE, "UTF-16 (little endian)"),
    (codecs.BOM_UTF16_BE, "UTF-16 (big endian)"),
)
# What a file that is neither may be instead: those in which its bytes mean anything at all are named.
_OTHERS: Final = (
    ("big5", "Big5"),
    ("shift_jis", "Shift JIS"),
    ("euc_kr", "EUC-KR"),
    ("cp1252", "Windows-1252"),
)
_ADVICE: Final = "only UTF-8 and GB18030 are read: convert it"


class _Hashing(io.RawIOBase):
    """A file whose bytes are digested as they are read."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self.digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def facts(path: Path, media_type: str) -> FileRead:
    """Digest, size and time stamp of a file. `ImportRefused` where it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            stamp = path.stat().st_mtime_ns // 1000
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise ImportRefused(f"cannot read the file: {error.strerror or error}", path.name) from error
    return FileRead(path.name, digest.hexdigest(), size, media_type, stamp)


@contextmanager
def opened(path: Path, read: FileRead) -> Iterator[BinaryIO]:
    """The bytes of a file. At the end, `ImportRefused` if they were not those of `read`."""
    try:
        with path.open("rb") as raw:
            hashing = _Hashing(raw)
            buffered = io.BufferedReader(hashing, CHUNK_BYTES)
            yield buffered
            while buffered.read(CHUNK_BYTES):
                pass
            if hashing.digest.hexdigest() != read.sha256:
                raise ImportRefused(
                    "the file changed while it was read: give one that its provider has closed", path.name
                )
    except OSError as error:
        raise ImportRefused(f"cannot read the file: {error.strerror or error}", path.name) from error


@contextmanager
def opened_text(path: Path, read: FileRead, encoding: str | None = None) -> Iterator[io.TextIOBase]:
    """The text of a file, line ends as they are. `encoding` is one of `ENCODINGS` where the caller knows it."""
    found = _encoding(path, encoding)
    with opened(path, read) as raw:
        text = io.TextIOWrapper(raw, encoding=found, errors="strict", newline="")
        try:
            yield text
        except UnicodeDecodeError as error:
            raise ImportRefused("the file changed while it was read", path.name) from error
        finally:
            text.detach()


def _encoding(path: Path, wanted: str | None) -> str:
    """Python's name of the encoding that the file is in. `ImportRefused` names any other."""
    if wanted is not None and wanted not in ENCODINGS:
        raise ConfigurationError(f"an encoding is one of {', '.join(ENCODINGS)}, not {wanted!r}")
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _MARKS:
            if head.startswith(mark):
                raise ImportRefused(f"the file is in {name}: {_ADVICE}", path.name)
        file.seek(0)
        if wanted != "gb18030":
            bad = _first_bad_line(file, "utf-8")
            if not bad:
                return "utf-8-sig"
            if wanted == "utf-8":
                raise ImportRefused("not UTF-8, as it was said to be", f"{path.name}:{bad}")
            file.seek(0)
        place, likely = _as_gb18030(file)
        if place or not (likely or wanted):
            where = f"{path.name}:{place or bad}"
            raise ImportRefused(
                f"neither UTF-8 nor GB18030{_may_be(file)}: {_ADVICE}, or say --encoding", where
            )
        return "gb18030"


def _first_bad_line(file: BinaryIO, encoding: str) -> int:
    """Number of the first line that is not in this encoding, or holds a NUL; 0 for none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    start = file.tell()
    try:
        while chunk := file.read(CHUNK_BYTES):
            if b"\0" in chunk:
                break
            decoder.decode(chunk)
        else:
            decoder.decode(b"", final=True)
            return 0
    except UnicodeDecodeError:
        pass
    file.seek(start)
    number = 0
    for number, line in enumerate(file, 1):
        try:
            if b"\0" in line:
                return number
            line.decode(encoding)
        except UnicodeDecodeError:
            return number
    return max(number, 1)


def _as_gb18030(file: BinaryIO) -> tuple[int, bool]:
    """(first line that is not GB18030 or 0, whether it reads like Chinese).

    Almost any pair of bytes is a character of GB18030, so that a file in a single-byte encoding may pass by chance.
    Chinese text consists mostly of the characters of GB 2312; accidents mostly do not."""
    common = strange = 0
    for number, line in enumerate(file, 1):
        if line.isascii() and b"\0" not in line:
            continue
        try:
            text = line.decode("gb18030")
        except UnicodeDecodeError:
            return number, False
        if "\0" in text:
            return number, False
        wide = [c for c in text if c > "\x7f"]
        known = sum(_in_gb2312(c) for c in wide)
        common += known
        strange += len(wide) - known
    return 0, common > strange


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _may_be(file: BinaryIO) -> str:
    file.seek(0)
    sample = file.read(CHUNK_BYTES)
    if b"\0" in sample:
        return " (it holds NUL bytes: UTF-16 without a byte order mark, or no text at all)"
    names = []
    for codec, name in _OTHERS:
        try:
            # The end of a sample may cut a character in two.
            codecs.getincrementaldecoder(codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        names.append(name)
    return f" (its bytes would pass as {', '.join(names)})" if names else ""
