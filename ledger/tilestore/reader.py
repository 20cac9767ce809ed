"""A shard as its published tiles show it, for whoever holds nothing but the log's key (formats 6 and 7).

What `entry` and `entries` return is proved to be under the signed root. That the tree is the newest is not proved:
for that, compare checkpoints with witnesses."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.errors import Refused
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.digest import EMPTY_ROOT, leaf_hash
from ledger.kernel.merkle import root_from_compact, root_from_inclusion
from ledger.kernel.note import VerifierKey
from ledger.kernel.tiles import TileTree, unpack_entries
from ledger.tilestore.port import TileReader

BUNDLE_WIDTH = 256


class TiledLog:
    """The log at its published checkpoint, as it stood when this object was made.

    Raises `LookupError` where no checkpoint is published, `Refused` where it is not the log's."""

    def __init__(self, store: TileReader, log_key: VerifierKey) -> None:
        note = store.checkpoint()
        if note is None:
            raise LookupError("the tile store has no checkpoint yet")
        self.note = note
        self.checkpoint = open_statement(note, log_key, Checkpoint)
        self._store = store
        self.tree = TileTree(store.read_tile, self.checkpoint.size)

    @property
    def size(self) -> int:
        return self.checkpoint.size

    def check_root(self) -> None:
        """The hash tiles lead to the signed root, or `Refused` (`E_CHECKPOINT`)."""
        root = self.tree.node(0, self.size) if self.size else EMPTY_ROOT
        if root != self.checkpoint.root:
            raise Refused("E_CHECKPOINT", "the tiles do not lead to the signed root", "tiles")

    def entry(self, index: int) -> bytes:
        """The bytes of one entry, proved by its inclusion path. `Refused` `E_INDEX` beyond the checkpoint,
        `E_INCLUSION` where bytes and root disagree."""
        if not 0 <= index < self.size:
            raise Refused("E_INDEX", f"the checkpoint covers {self.size} entries", str(index))
        n = index // BUNDLE_WIDTH
        raw = self._bundle(n)[index % BUNDLE_WIDTH]
        root = root_from_inclusion(leaf_hash(raw), index, self.size, self.tree.inclusion(index))
        if root != self.checkpoint.root:
            raise Refused("E_INCLUSION", "the entry is not under the signed root", str(index))
        return raw

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Entries in `[start, end)` in order, each bundle proved under the signed root before it is handed out."""
        end = self.size if end is None else min(end, self.size)
        for n in range(start // BUNDLE_WIDTH, -(-end // BUNDLE_WIDTH)):
            base = n * BUNDLE_WIDTH
            bundle = self._bundle(n)
            leaves = [(base + offset, leaf_hash(raw)) for offset, raw in enumerate(bundle)]
            proof = self.tree.compact([index for index, _ in leaves])
            if root_from_compact(self.size, leaves, proof) != self.checkpoint.root:
                raise Refused("E_INCLUSION", "the bundle is not under the signed root", str(base))
            yield from bundle[max(start - base, 0) : end - base]

    def _bundle(self, n: int) -> list[bytes]:
        width = min(BUNDLE_WIDTH, self.size - n * BUNDLE_WIDTH)
        entries = unpack_entries(self._store.read_entries(n, width))
        if len(entries) < width:
            raise Refused(
                "E_TRUNCATED", f"bundle {n} holds {len(entries)} of {width} entries", str(n * BUNDLE_WIDTH)
            )
        return entries[:width]
