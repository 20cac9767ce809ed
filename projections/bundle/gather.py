"""Gathers the entries of one case and of the streams that it leans on, each compared with the published tree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical
from ledger.kernel.digest import leaf_hash
from ledger.kernel.entry import SEAL, Entry
from ledger.kernel.event import LEDGER
from ledger.kernel.headmap import HeadMap, head_value, stream_key
from ledger.kernel.note import VerifierKey
from ledger.kernel.tiles import TILE_WIDTH, unpack_entries
from ledger.tilestore.port import TileReader
from ledger.tilestore.reader import TiledLog
from projections.bundle.heads import HeadSource, from_cache, from_views, head_map
from projections.engine.store import applied
from projections.engine.streams import places

# Members of a payload that name an agency, whose stream a reader of the case needs.
_AGENCIES: Final = ("agency", "recipient_agency", "to_agency", "transferee")


@dataclass(frozen=True, slots=True)
class Source:
    """One shard, as an export reads it: the published tree, the views that say where things are, and the folder
    in which the bytes of adopted rule packs are kept."""

    tiles: TileReader
    log_key: VerifierKey
    views: sqlite3.Connection
    shard: int
    heads: Sequence[HeadSource] = ()
    cache: Path | None = None
    packs: Path | None = None


class Gathered:
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

    def peek(self, subject: str) -> list[Entry]:
        """The whole stream, without taking it into what was gathered."""
        known = subject in self.streams
        found = self.stream(subject)
        if not known:
            del self.streams[subject]
        return found

    def subjects(self, prefix: str) -> list[str]:
        """Streams of this shard whose names begin so, in order."""
        rows = self.source.views.execute(
            "SELECT subject FROM streams WHERE shard = ? AND subject >= ? AND subject < ? ORDER BY subject",
            (self.source.shard, prefix, prefix + "~"),
        )
        return [subject for (subject,) in rows]

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


def references(entries: Iterable[Entry]) -> set[str]:
    """Streams of the staff and agencies that the case's events name."""
    found: set[str] = set()
    for entry in entries:
        event = entry.event
        data = event["data"]
        actor = event["actorid"]
        if actor.startswith(("staff/", "agency/")):
            found.add(actor)
        elif canonical.is_uuid(actor):
            found.add(f"staff/{actor}")
        staff = data.get("staff", [])
        found.update(f"staff/{number}" for number in ([staff] if isinstance(staff, str) else staff))
        found.update(f"agency/{data[name]}" for name in _AGENCIES if isinstance(data.get(name), str))
    return found
