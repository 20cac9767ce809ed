"""Takes one case out of the building: its entries, proof that they are in the tree, proof that there are no
others, and who vouches for it (formats 8).

It gathers and judges nothing. What it writes is checked on the way, against the published tree and not
against the views: every entry's bytes against its leaf, all leaves against the signed root, every stream's
end against the head map under the seal. So a wrong view costs an error here, never a wrong bundle. Two
exports at one checkpoint, with the same fields opened, are the same bytes."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError, Erased, Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import MANIFEST, MEMBERS, build_manifest, write_container
from ledger.kernel.digest import leaf_hash
from ledger.kernel.disclosure import Protected, disclosure_digest, is_protected, parse_disclosure
from ledger.kernel.entry import SEAL, Entry
from ledger.kernel.event import LEDGER
from ledger.kernel.headmap import HeadMap, head_value, stream_key
from ledger.kernel.merkle import root_from_compact
from ledger.kernel.note import VerifierKey
from ledger.kernel.tiles import TILE_WIDTH, unpack_entries
from ledger.tilestore.port import TileReader
from ledger.tilestore.reader import TiledLog
from projections.bundle.heads import HeadSource, from_cache, from_views, head_map
from projections.bundle.tzdata import tzdata_version
from projections.engine.store import applied
from projections.engine.streams import places

# Members of a payload that name an agency, whose stream a reader of the case needs.
_AGENCIES: Final = ("agency", "recipient_agency", "to_agency", "transferee")

OpenField = Callable[[Mapping[str, Any], str], str]  # (event, pointer) -> disclosure; raises Erased


@dataclass(frozen=True, slots=True)
class Source:
    """One shard, as an export reads it: the published tree, and the views that say where things are."""

    tiles: TileReader
    log_key: VerifierKey
    views: sqlite3.Connection
    shard: int
    heads: Sequence[HeadSource] = ()
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """An export and what it holds. `erased` are (index, pointer) of fields that were asked for and are
    gone."""

    data: bytes
    origin: str
    tree_size: int
    streams: tuple[tuple[str, int], ...]
    entries: int
    entries_bytes: int
    disclosed: int
    erased: tuple[tuple[int, str], ...] = field(default=())

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def export_case(
    source: Source, case: str, *, disclose: Sequence[str] = (), open_field: OpenField | None = None
) -> Bundle:
    """A bundle of the case with this uuid, as of the published checkpoint.

    `disclose` names protected members of the case to open (`to`, or `/data/to`); `open_field` asks the vault.
    `ConfigurationError` where there is no such case, no checkpoint, or the views are behind it; `Refused`
    where the published tree contradicts itself or the views."""
    subject = f"case/{case}"
    if not canonical.is_uuid(case):
        raise ConfigurationError(f"not the id of a case: {case!r}")
    gathered = _Gathered(source)
    if not gathered.stream(subject):
        raise ConfigurationError(f"there is no case {case} in {gathered.origin} as of its checkpoint")
    gathered.stream("registry")
    for reference in sorted(_references(gathered.streams[subject])):
        gathered.stream(reference)
    for producer in sorted(gathered.producers()):
        gathered.stream(f"producer/{producer}")
    others = sorted(name for name, entries in gathered.streams.items() if name != subject and entries)
    streams = [(name, len(gathered.streams[name])) for name in (subject, *others)]

    entries = gathered.in_order()
    hashes = gathered.tree.compact([entry.index for entry in entries])
    leaves = [(entry.index, entry.leaf) for entry in entries]
    if root_from_compact(gathered.size, leaves, hashes) != gathered.root:
        raise Refused("E_INCLUSION", "the published tree does not lead to its signed root", "tiles")
    heads = gathered.heads(streams)
    opened, erased = _disclosures(gathered.streams[subject], disclose, open_field)
    members = {
        "checkpoint": gathered.note,
        "entries.jsonl": b"".join(entry.raw + b"\n" for entry in entries),
        "inclusion.json": canonical.encode({"hashes": [digest.hex() for digest in hashes]}),
        "heads.json": canonical.encode({"heads": heads}),
        "disclosures.jsonl": b"".join(canonical.encode(line) + b"\n" for line in opened),
        "findings.json": canonical.encode({"findings": [], "packs": [], "tzdata": tzdata_version()}),
    }
    files = [(name, members[name]) for name in MEMBERS if name != MANIFEST]
    manifest = build_manifest(files, origin=gathered.origin, tree_size=gathered.size, streams=streams)
    return Bundle(
        data=write_container([(MANIFEST, manifest), *files]),
        origin=gathered.origin,
        tree_size=gathered.size,
        streams=tuple(streams),
        entries=len(entries),
        entries_bytes=len(members["entries.jsonl"]),
        disclosed=len(opened),
        erased=tuple(erased),
    )


class _Gathered:
    """The entries of the streams that were asked for, each compared with the tree."""

    def __init__(self, source: Source) -> None:
        try:
            tiled = TiledLog(source.tiles, source.log_key)
        except LookupError as error:
            raise ConfigurationError(
                "nothing is published yet: run the ledger until it has sealed"
            ) from error
        self.source = source
        self.note = tiled.note
        self.tree = tiled.tree
        self.origin = tiled.checkpoint.origin
        self.size = tiled.checkpoint.size
        self.root = tiled.checkpoint.root
        self.streams: dict[str, list[Entry]] = {}
        self._bundles: dict[int, list[bytes]] = {}
        known = applied(source.views).get(self.origin, 0)
        if known < self.size:
            raise ConfigurationError(
                f"the views hold {known} of the {self.size} entries that are sealed: run the ledger once more"
            )
        self.seal = self._entry(self.size - 1)
        if self.seal.subject != SEAL:
            raise Refused("E_CHECKPOINT", "the checkpoint does not end in a seal", str(self.size - 1))

    def stream(self, subject: str) -> list[Entry]:
        """The whole stream as of the checkpoint, or []."""
        if subject not in self.streams:
            found: list[Entry] = []
            for place in places(self.source.views, subject, self.source.shard, below=self.size):
                entry = self._entry(place.idx)
                if entry.subject != subject or entry.stream_seq != len(found):
                    raise Refused(
                        "E_INCOMPLETE", "the views and the ledger disagree: rebuild them", str(place.idx)
                    )
                found.append(entry)
            self.streams[subject] = found
        return self.streams[subject]

    def producers(self) -> set[str]:
        """Who made the entries that are here, but for the ledger itself."""
        made = {entry.event["producerid"] for entries in self.streams.values() for entry in entries}
        return made - {LEDGER}

    def in_order(self) -> list[Entry]:
        """Everything that is here and the seal, by index."""
        found = [entry for entries in self.streams.values() for entry in entries]
        return sorted([*found, self.seal], key=lambda entry: entry.index)

    def heads(self, streams: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
        """Proof for each stream that it ends where it ends here."""
        source = self.source
        root = canonical.unhex(self.seal.event["data"]["root"])
        sources = list(source.heads)
        if source.cache is not None:
            sources.append(from_cache(source.cache))
        sources.append(from_views(source.views, source.shard, self.tree, cache=source.cache))
        found: HeadMap = head_map(root, sources)
        proofs: list[dict[str, Any]] = []
        for name, count in streams:
            key = stream_key(name)
            if found.get(key) != head_value(count, self.streams[name][-1].leaf):
                raise Refused("E_INCOMPLETE", "the views do not hold the whole stream: rebuild them", name)
            proofs.append(found.prove(key))
        return proofs

    def _entry(self, index: int) -> Entry:
        n, place = divmod(index, TILE_WIDTH)
        bundle = self._bundles.get(n)
        if bundle is None:
            width = min(TILE_WIDTH, self.size - n * TILE_WIDTH)
            try:
                bundle = self._bundles[n] = unpack_entries(self.source.tiles.read_entries(n, width))
            except LookupError as error:
                raise Refused("E_MISSING_FILE", f"entry bundle {n} is not published", str(index)) from error
        if place >= len(bundle):
            raise Refused("E_TRUNCATED", f"entry bundle {n} is cut short", str(index))
        raw = bundle[place]
        if leaf_hash(raw) != self.tree.leaf(index):
            raise Refused("E_LEAF_BINDING", "the published entry is not the one in the tree", str(index))
        return Entry.parse(raw)


def _references(entries: Iterable[Entry]) -> set[str]:
    """Streams of the staff and agencies that the case's events name."""
    found: set[str] = set()
    for entry in entries:
        event = entry.event
        data = event["data"]
        if event["actorid"].startswith(("staff/", "agency/")):
            found.add(event["actorid"])
        staff = data.get("staff", [])
        found.update(f"staff/{number}" for number in ([staff] if isinstance(staff, str) else staff))
        found.update(f"agency/{data[name]}" for name in _AGENCIES if isinstance(data.get(name), str))
    return found


def _disclosures(
    entries: Sequence[Entry], names: Sequence[str], open_field: OpenField | None
) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Opened fields by index and pointer, each compared with its digest; and those that are gone for good."""
    wanted = {name if name.startswith("/") else f"/data/{name}" for name in names}
    if not wanted:
        return [], []
    if open_field is None:
        raise ConfigurationError("fields can only be opened with the ledger's vault and its key")
    opened: list[dict[str, Any]] = []
    erased: list[tuple[int, str]] = []
    seen: set[str] = set()
    for entry in entries:
        for name, value in sorted(entry.event["data"].items()):
            pointer = f"/data/{name}"
            if pointer not in wanted or not is_protected(value):
                continue
            seen.add(pointer)
            try:
                disclosure = open_field(entry.event, pointer)
            except Erased:
                erased.append((entry.index, pointer))
                continue
            if disclosure_digest(disclosure) != Protected.from_value(value).digest:
                raise Refused("E_COMMITMENT", "the vault opened another value than the event holds", pointer)
            parse_disclosure(disclosure, pointer)
            opened.append({"disclosure": disclosure, "index": entry.index, "pointer": pointer})
    missing = sorted(wanted - seen)
    if missing:
        raise ConfigurationError(f"no event of the case holds a protected field {missing[0]}")
    return opened, erased


def write_bundle(path: Path, data: bytes, *, force: bool = False) -> None:
    """Puts the whole file in its place at once, durable on return. `ConfigurationError` where something
    stands there and `force` is not given, or it cannot be written; then nothing has changed."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            draft.replace(path)
        else:
            os.link(draft, path)
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already: choose another name, or give --force") from error
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
