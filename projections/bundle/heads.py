"""The head map as of one seal, for proofs that a stream has no further entry (formats 5).

It is taken from wherever it is quickest to have, and used only if it leads to the root that the seal signed:
a stale snapshot, a damaged cache or a doctored view is noticed and passed over."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ledger.errors import Refused
from ledger.kernel import snapshots
from ledger.kernel.headmap import HeadMap, head_value, stream_key
from ledger.kernel.tiles import TILE_WIDTH, TileTree
from ledger.sequencer import snapshot
from projections.engine.streams import heads

# Where a head map may come from; None where there is none.
HeadSource = Callable[[], HeadMap | None]
_SEAL: Final = "seal"


def head_map(root: bytes, sources: Iterable[HeadSource]) -> HeadMap:
    """The first of these maps that has this root. `Refused` (`E_INCOMPLETE`) where none has."""
    for source in sources:
        try:
            found = source()
        except Refused:
            # Damaged: no better than none.
            continue
        if found is not None and found.root() == root:
            return found
    raise Refused(
        "E_INCOMPLETE", "no head map here leads to the seal's root: rebuild the views, and run fsck"
    )


def from_snapshot(state: Path, origin: str) -> HeadSource:
    """The map in the sequencer's snapshot, if it has left one: of the newest seal after an orderly stop."""

    def source() -> HeadMap | None:
        found = snapshot.read(state, origin)
        if found is None:
            return None
        _, parts = snapshots.unpack(found.validation)
        # The map is the last part of a validation's dump; another order would show in the root.
        return HeadMap.load(parts[-1])

    return source


def from_cache(path: Path) -> HeadSource:
    """The map that an earlier export kept."""

    def source() -> HeadMap | None:
        with contextlib.suppress(OSError):
            return HeadMap.load(path.read_bytes())
        return None

    return source


def from_views(
    db: sqlite3.Connection, shard: int, tree: TileTree, *, cache: Path | None = None
) -> HeadSource:
    """The map made from the views' index of streams and the leaves of the tree; seconds for a large ledger.
    Keeps it at `cache` for the next export."""

    def source() -> HeadMap | None:
        rows = [
            (last, count, subject) for subject, count, last in heads(db, shard, tree.size) if subject != _SEAL
        ]
        rows.sort()
        made = HeadMap()
        at, leaves = -1, []
        for last, count, subject in rows:
            tile, place = divmod(last, TILE_WIDTH)
            if tile != at:
                at, leaves = tile, tree.leaves(tile * TILE_WIDTH, min((tile + 1) * TILE_WIDTH, tree.size))
            made.set(stream_key(subject), head_value(count, leaves[place]))
        if cache is not None:
            _keep(cache, made.dump())
        return made

    return source


def _keep(path: Path, data: bytes) -> None:
    """A cache that cannot be written is no reason not to export."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        draft.write_bytes(data)
        draft.replace(path)
