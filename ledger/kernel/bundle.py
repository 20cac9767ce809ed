"""The container that leaves the building: one byte string for one list of members, and no free byte in it.
Reading shows that the bytes are exactly such a container; it says nothing of what the members claim.

Source: docs/formats/ 8; R20, R21."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any
from zlib import crc32

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.event import subject_kind

MANIFEST = "manifest.json"
FORMAT = "duecourse bundle 1"
MEMBERS = (
    MANIFEST,
    "checkpoint",
    "entries.jsonl",
    "inclusion.json",
    "heads.json",
    "disclosures.jsonl",
    "findings.json",
)
CONSISTENCY = "consistency.json"
_PACK = re.compile(r"packs/([a-z0-9][a-z0-9._-]{0,99})@([A-Za-z0-9][A-Za-z0-9._+-]{0,99})\.toml")
_FORMAT = re.compile(r"duecourse bundle ([1-9][0-9]{0,8})")

_LOCAL = Struct("<IHHHHHIIIHH")
_CENTRAL = Struct("<IHHHHHHIIIHHHHHII")
_END = Struct("<IHHHHIIH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = 0x04034B50, 0x02014B50, 0x06054B50
_VERSION, _DATE = 20, 0x0021


@dataclass(frozen=True, slots=True)
class Limits:
    """What a container may cost, in bytes and members, before anything is looked at (R21)."""

    total_bytes: int = 2 << 30
    member_bytes: int = 2 << 30
    members: int = 4096
    name_bytes: int = 255


def write_container(members: Sequence[tuple[str, bytes]]) -> bytes:
    """The one spelling of these members in this order."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for name, data in members:
        raw = name.encode("ascii")
        local, central = _headers(raw, crc32(data), len(data), offset)
        parts += (local, data)
        directory.append(central)
        offset += len(local) + len(data)
    if offset > 0xFFFF_FFFF or len(members) > 0xFFFF:
        raise Refused("E_LIMIT", "more than a container without zip64 holds")
    return b"".join((*parts, *directory, _end(len(members), sum(map(len, directory)), offset)))


def _headers(name: bytes, crc: int, size: int, offset: int) -> tuple[bytes, bytes]:
    local = _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name
    central = (
        _CENTRAL.pack(
            *(_CENTRAL_MARK, _VERSION, _VERSION, 0, 0, 0, _DATE, crc, size, size, len(name)),
            *(0, 0, 0, 0, 0, offset),
        )
        + name
    )
    return local, central


def _end(count: int, size: int, offset: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, count, count, size, offset, 0)


def read_container(data: bytes | memoryview, limits: Limits | None = None) -> list[tuple[str, memoryview]]:
    """Names and contents in order, as windows on `data`. E_LIMIT before any work, E_PATH and E_DUP_NAME for names,
    E_CONTAINER for every byte that is not the one it has to be."""
    bounds = limits or Limits()
    view = memoryview(data)
    if len(view) > bounds.total_bytes:
        raise Refused("E_LIMIT", f"{len(view)} bytes are more than {bounds.total_bytes}")
    if len(view) < _END.size:
        raise Refused("E_CONTAINER", "too short for a container")
    mark, *_, count, _, start, _ = _END.unpack(view[-_END.size :])
    if mark != _END_MARK:
        raise Refused("E_CONTAINER", "the end record does not end the file")
    if count > bounds.members:
        raise Refused("E_LIMIT", f"{count} members are more than {bounds.members}")
    members: list[tuple[str, memoryview]] = []
    directory: list[bytes] = []
    seen: set[str] = set()
    offset = 0
    for _ in range(count):
        name, content, local, central = _member(view, offset, start, bounds)
        if name in seen:
            raise Refused("E_DUP_NAME", "a name stands twice", name)
        seen.add(name)
        members.append((name, content))
        directory.append(central)
        offset += local + len(content)
    tail = b"".join(directory)
    tail += _end(count, len(tail), offset)
    if offset != start or view[offset:] != tail:
        raise Refused("E_CONTAINER", "the directory is not that of the members before it")
    return members


def _member(view: memoryview, offset: int, end: int, bounds: Limits) -> tuple[str, memoryview, int, bytes]:
    if end > len(view) or offset + _LOCAL.size > end:
        raise Refused("E_CONTAINER", f"no local header at {offset}")
    fields = _LOCAL.unpack(view[offset : offset + _LOCAL.size])
    if fields[0] != _LOCAL_MARK:
        raise Refused("E_CONTAINER", f"no local header at {offset}")
    crc, size, length = fields[6], fields[8], fields[9]
    if size > bounds.member_bytes or length > bounds.name_bytes:
        raise Refused("E_LIMIT", f"a member of {size} bytes with a name of {length}")
    at = offset + _LOCAL.size
    if at + length + size > end:
        raise Refused("E_CONTAINER", f"the member at {offset} goes beyond the directory")
    raw = bytes(view[at : at + length])
    local, central = _headers(raw, crc, size, offset)
    if view[offset : at + length] != local:
        raise Refused("E_CONTAINER", f"the local header at {offset} is not the one spelling")
    name = check_path(raw)
    content = view[at + length : at + length + size]
    if crc32(content) != crc:
        raise Refused("E_CONTAINER", "the checksum is not that of the content", name)
    return name, content, len(local), central


def check_path(raw: bytes) -> str:
    """A member's name as text. E_PATH for anything that could lead out of a folder or be read in two ways."""
    if not raw or re.fullmatch(rb"[A-Za-z0-9._@+/-]+", raw) is None:
        raise Refused("E_PATH", "a name of other than plain letters")
    name = raw.decode("ascii")
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise Refused("E_PATH", "a name that climbs or is not relative")
    return name


def _rank(name: str) -> tuple[int, bytes, bytes]:
    """Place of a member: the fixed ones, packs by id and version, the consistency proofs."""
    if name in MEMBERS:
        return MEMBERS.index(name), b"", b""
    if name == CONSISTENCY:
        return len(MEMBERS) + 1, b"", b""
    pack = _PACK.fullmatch(name)
    if pack is None:
        raise Refused("E_EXTRA_FILE", "no member of a bundle has this name", name)
    return len(MEMBERS), pack[1].encode(), pack[2].encode()


def member_order(names: Iterable[str]) -> list[str]:
    """The names in the order of a bundle. E_EXTRA_FILE for one that no bundle has."""
    return sorted(names, key=_rank)


def check_members(names: Sequence[str]) -> None:
    """The names of a bundle and no others, each once, in order: E_EXTRA_FILE, E_MISSING_FILE, E_CONTAINER."""
    ordered = member_order(names)
    for name in MEMBERS:
        if name not in names:
            raise Refused("E_MISSING_FILE", "a bundle has this member", name)
    if ordered != list(names):
        raise Refused("E_CONTAINER", "members are not in their order")


def pack_name(pack_id: str, version: str) -> str:
    """Name of a rule pack's member."""
    name = f"packs/{pack_id}@{version}.toml"
    if _PACK.fullmatch(name) is None:
        raise Refused("E_PATH", "no pack of this id and version can stand in a bundle", name)
    return name


@dataclass(frozen=True, slots=True)
class FileRecord:
    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says it holds. `streams`: name and count, the case first."""

    files: tuple[FileRecord, ...]
    origin: str
    tree_size: int
    streams: tuple[tuple[str, int], ...]


def build_manifest(
    files: Sequence[tuple[str, bytes]], *, origin: str, tree_size: int, streams: Sequence[tuple[str, int]]
) -> bytes:
    """`manifest.json` of these members (without itself) in member order."""
    value = {
        "files": [
            {"bytes": len(data), "name": name, "sha256": sha256(data).hexdigest()} for name, data in files
        ],
        "format": FORMAT,
        "statement": {
            "origin": origin,
            "streams": [{"count": count, "stream": stream} for stream, count in streams],
            "tree_size": tree_size,
        },
    }
    return canonical.encode(value)


def _closed(value: object, members: Mapping[str, type], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(members):
        raise Refused("E_SCHEMA", f"members are not {', '.join(members)}", where)
    for name, kind in members.items():
        if type(value[name]) is not kind:
            raise Refused("E_SCHEMA", f"{name} is not of its type", where)
    return value


def parse_manifest(data: bytes) -> Manifest:
    """E_NONCANONICAL and its kin for the form, E_VERSION for a newer format, E_SCHEMA for members and order of
    streams, E_MANIFEST for a list of files that no bundle has."""
    value = canonical.decode(data)
    if not isinstance(value, dict):
        raise Refused("E_SCHEMA", "not an object", MANIFEST)
    known = value.get("format")
    newer = _FORMAT.fullmatch(known) if isinstance(known, str) else None
    if newer is not None and int(newer[1]) > 1:
        raise Refused("E_VERSION", "a bundle of a newer format", MANIFEST)
    _closed(value, {"files": list, "format": str, "statement": dict}, MANIFEST)
    if known != FORMAT:
        raise Refused("E_SCHEMA", "not the format of a bundle", MANIFEST)
    statement = _closed(
        value["statement"], {"origin": str, "streams": list, "tree_size": int}, f"{MANIFEST} statement"
    )
    if statement["tree_size"] < 1 or not canonical.is_identifier(statement["origin"]):
        raise Refused("E_SCHEMA", "origin or tree size is none", f"{MANIFEST} statement")
    return Manifest(
        files=_files(value["files"]),
        origin=statement["origin"],
        tree_size=statement["tree_size"],
        streams=_streams(statement["streams"]),
    )


def _files(items: list[Any]) -> tuple[FileRecord, ...]:
    files: list[FileRecord] = []
    for item in items:
        record = _closed(item, {"bytes": int, "name": str, "sha256": str}, f"{MANIFEST} files")
        if record["bytes"] < 0 or not canonical.is_digest(record["sha256"]):
            raise Refused("E_SCHEMA", "size or digest is none", f"{MANIFEST} files")
        files.append(FileRecord(record["name"], record["bytes"], bytes.fromhex(record["sha256"])))
    names = [file.name for file in files]
    if MANIFEST in names:
        raise Refused("E_MANIFEST", "the manifest lists itself", MANIFEST)
    if len(set(names)) != len(names):
        raise Refused("E_MANIFEST", "a name is listed twice", MANIFEST)
    return tuple(files)


def _streams(items: list[Any]) -> tuple[tuple[str, int], ...]:
    where = f"{MANIFEST} streams"
    streams: list[tuple[str, int]] = []
    for item in items:
        record = _closed(item, {"count": int, "stream": str}, where)
        if record["count"] < 0:
            raise Refused("E_SCHEMA", "a count below 0", where)
        if subject_kind(record["stream"]) == "seal":
            raise Refused("E_SCHEMA", "the head map does not hold the seals", where)
        streams.append((record["stream"], record["count"]))
    names = [name for name, _ in streams]
    if not names or subject_kind(names[0]) != "case":
        raise Refused("E_SCHEMA", "the case does not come first", where)
    if any(subject_kind(name) == "case" for name in names[1:]):
        raise Refused("E_SCHEMA", "more than one case", where)
    if names[1:] != sorted(set(names[1:])):
        raise Refused("E_SCHEMA", "streams do not ascend", where)
    return tuple(streams)


def check_files(manifest: Manifest, members: Sequence[tuple[str, bytes | memoryview]]) -> None:
    """Manifest and container say the same: E_EXTRA_FILE, E_MISSING_FILE for names, E_MANIFEST for order, sizes and
    digests. `members` are those of the container, the manifest first."""
    held = [name for name, _ in members if name != MANIFEST]
    listed = [file.name for file in manifest.files]
    for name in held:
        if name not in listed:
            raise Refused("E_EXTRA_FILE", "not in the manifest", name)
    for name in listed:
        if name not in held:
            raise Refused("E_MISSING_FILE", "in the manifest only", name)
    if held != listed:
        raise Refused("E_MANIFEST", "the manifest lists members in another order")
    contents = dict(members)
    for file in manifest.files:
        content = contents[file.name]
        if len(content) != file.size or sha256(content).digest() != file.sha256:
            raise Refused("E_MANIFEST", "size or digest is not that of the member", file.name)
