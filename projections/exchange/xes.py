"""Reads an XES event log (IEEE 1849) as a stream: `.xes`, `.xes.gz`, or a zip with one `.xes` in it.

What comes out is what stands in the file: traces in their order, events in theirs, attribute texts untouched.
Anything that cannot be read so stops with `ImportRefused` and the place. A document type, and with it every
entity, is refused; nothing outside the file is ever fetched; memory holds one trace at a time."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from xml.parsers import expat

from ledger.errors import ImportRefused
from projections.exchange.mapping import SourceEvent

CHUNK_BYTES: Final = 256 * 1024
# The longest trace of the largest public logs has a few thousand events. Past this it is a mistake or an
# attack.
TRACE_EVENTS_MAX: Final = 100_000
ATTRIBUTE_CHARS_MAX: Final = 64 * 1024
EVENT_ATTRIBUTES_MAX: Final = 1000

_SIMPLE: Final = frozenset({"string", "date", "int", "float", "boolean", "id"})


@dataclass(slots=True)
class Trace:
    """One trace: its ordinal in the file from 1, its own attributes, its events, and where each begins."""

    number: int
    attributes: dict[str, str]
    events: list[SourceEvent]
    places: list[tuple[int, int]]
    place: tuple[int, int]


class XesReader:
    """Goes once through a file. After the last trace `sha256` is the digest of the XML itself, however it was
    packed, so that a log is recognised whether it comes zipped or not."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.where = self.path.name
        self.bytes_read = 0
        self.sha256 = ""

    def total_bytes(self) -> int:
        """How long the XML is, for progress: exact for zip and plain, unknown (0) for gzip."""
        with _opened(self.path) as (_, size):
            return size

    def __iter__(self) -> Iterator[Trace]:
        digest = hashlib.sha256()
        parser = _Parser(self.where)
        with _opened(self.path) as (file, _):
            while True:
                try:
                    chunk = file.read(CHUNK_BYTES)
                except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
                    raise ImportRefused(
                        f"the file is damaged or cut short: {error}", parser.here()
                    ) from error
                digest.update(chunk)
                self.bytes_read += len(chunk)
                yield from parser.feed(chunk)
                if not chunk:
                    break
        self.sha256 = digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The XML inside, however it is packed, and its length if that is known. The first bytes tell, not the
    name."""
    try:
        with path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(0)
            if head.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield io.BufferedReader(unpacked, CHUNK_BYTES), 0
            elif head.startswith(b"PK"):
                with zipfile.ZipFile(raw) as archive:
                    member = _only_member(archive, path.name)
                    with archive.open(member) as inner:
                        yield inner, member.file_size  # type: ignore[misc]
            else:
                yield raw, path.stat().st_size
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # RuntimeError is what zipfile says of an encrypted member.
        raise ImportRefused(f"the zip cannot be read: {error}", path.name) from error
    except OSError as error:
        raise ImportRefused(f"cannot read the file: {error.strerror or error}", path.name) from error


def _only_member(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    # Archives made on a Mac carry "__MACOSX/._name" beside each member: no part of what was packed.
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1 or not members[0].filename.lower().endswith(".xes"):
        raise ImportRefused(f"the zip must hold one .xes file, it holds {len(members)} files", where)
    return members[0]


class _Parser:
    """Expat with the two elements that matter. Attributes count where they stand directly in a trace or an
    event: nested ones, lists, containers, globals and classifiers are passed over."""

    def __init__(self, where: str) -> None:
        self.file = where
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.done: list[Trace] = []
        self.depth = 0
        self.count = 0
        self.trace: Trace | None = None
        self.event: dict[str, str] | None = None
        self.root_seen = False

    def here(self) -> str:
        return f"{self.file}:{self.parser.CurrentLineNumber}:{self.parser.CurrentColumnNumber + 1}"

    def feed(self, chunk: bytes) -> list[Trace]:
        try:
            self.parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            text = expat.errors.messages.get(error.code, "not well-formed")
            raise ImportRefused(
                f"broken XML: {text}", f"{self.file}:{error.lineno}:{error.offset + 1}"
            ) from error
        done, self.done = self.done, []
        return done

    def _doctype(self, *_: object) -> None:
        raise ImportRefused("a document type (DTD) is not accepted, nor are entities", self.here())

    def _entity(self, *_: object) -> None:
        raise ImportRefused("entity declarations are not accepted", self.here())

    def _start(self, name: str, attributes: list[str]) -> None:
        depth = self.depth
        self.depth = depth + 1
        if depth == 3 and self.event is not None:
            if name in _SIMPLE:
                self._attribute(self.event, attributes)
        elif depth == 2 and self.trace is not None:
            if name == "event":
                if len(self.trace.events) >= TRACE_EVENTS_MAX:
                    raise ImportRefused(f"a trace of more than {TRACE_EVENTS_MAX} events", self.here())
                self.event = {}
                self.trace.places.append((self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1))
            elif name in _SIMPLE:
                self._attribute(self.trace.attributes, attributes)
        elif depth == 1:
            if name == "trace":
                self.count += 1
                place = (self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)
                self.trace = Trace(self.count, {}, [], [], place)
            elif name == "event":
                raise ImportRefused("an event outside any trace has no case", self.here())
        elif depth == 0 and name != "log":
            raise ImportRefused("not an XES log: the outermost element is not <log>", self.here())

    def _attribute(self, into: dict[str, str], attributes: list[str]) -> None:
        """`attributes` are names and values in turn, as they stand in the element."""
        if len(attributes) == 4 and attributes[0] == "key" and attributes[2] == "value":
            _, key, _, value = attributes
        else:
            named = dict(zip(attributes[::2], attributes[1::2], strict=True))
            if "key" not in named or "value" not in named:
                raise ImportRefused("an attribute needs a key and a value", self.here())
            key, value = named["key"], named["value"]
        if key in into:
            raise ImportRefused(f"the attribute {key[:100]!r} stands twice", self.here())
        if len(value) > ATTRIBUTE_CHARS_MAX or len(into) >= EVENT_ATTRIBUTES_MAX:
            raise ImportRefused("too many attributes, or too long a one", self.here())
        into[key] = value

    def _end(self, name: str) -> None:
        depth = self.depth - 1
        self.depth = depth
        if depth == 2 and self.event is not None and self.trace is not None and name == "event":
            self.trace.events.append(SourceEvent(len(self.trace.events) + 1, self.event))
            self.event = None
        elif depth == 1 and self.trace is not None and name == "trace":
            self.done.append(self.trace)
            self.trace = None


Progress = Callable[[int, int], None]
