"""The second code path: the root once more, from the stored bytes, and the tiles that go with it (formats 6 and 7).

`Publisher` is told which records of the log count, reads them through a connection of its own, and computes the
tree the way tiles are cut (256 at a time), not the way the sequencer grows it. What the sequencer signs is a root
at which both arrived. It signs nothing itself and holds no key."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.errors import DuecourseError, StoreDamaged
from ledger.kernel.digest import EMPTY_ROOT, leaf_hash
from ledger.kernel.tiles import entries_path, pack_entries, tile_path, unpack_entries
from ledger.log.port import ShardLog
from ledger.tilestore.port import TileStore

WIDTH = 256
READ_RECORDS = 1000


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of neighbours."""
    row = hashes
    while len(row) > 1:
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return row[0]


class TileTree256:
    """A growing tree kept as tlog-tiles keeps it: at each level the hashes of the tile that is not full yet."""

    def __init__(self) -> None:
        self.size = 0
        self.levels: list[list[bytes]] = [[]]
        self.bundle: list[bytes] = []
        self.full: dict[str, bytes] = {}

    def extend(self, entries: Sequence[bytes]) -> None:
        """Appends entries; tiles and bundles that become full stand in `full` until they are taken away."""
        start = 0
        while start < len(entries):
            chunk = entries[start : start + WIDTH - len(self.bundle)]
            start += len(chunk)
            self.bundle += chunk
            self.levels[0] += [sha256(b"\x00" + raw).digest() for raw in chunk]
            self.size += len(chunk)
            if len(self.bundle) == WIDTH:
                self.full[entries_path(self.size // WIDTH - 1)] = pack_entries(self.bundle)
                self.bundle = []
                self._carry(0)

    def _carry(self, level: int) -> None:
        hashes = self.levels[level]
        self.full[tile_path(level, (self.size >> (8 * (level + 1))) - 1)] = b"".join(hashes)
        self.levels[level] = []
        if level + 1 == len(self.levels):
            self.levels.append([])
        self.levels[level + 1].append(_fold(hashes))
        if len(self.levels[level + 1]) == WIDTH:
            self._carry(level + 1)

    def root(self) -> bytes:
        """The RFC 6962 root over all that was appended: subtrees of falling size, joined from the right."""
        root: bytes | None = None
        for hashes in self.levels:
            end = len(hashes)
            while end:
                run = end & -end
                part = _fold(hashes[end - run : end])
                root = part if root is None else sha256(b"\x01" + part + root).digest()
                end -= run
        return EMPTY_ROOT if root is None else root

    def partial(self) -> dict[str, bytes]:
        """The resources that are not full, by path."""
        files = {
            tile_path(level, self.size >> (8 * (level + 1)), len(hashes)): b"".join(hashes)
            for level, hashes in enumerate(self.levels)
            if hashes
        }
        if self.bundle:
            files[entries_path(self.size // WIDTH, len(self.bundle))] = pack_entries(self.bundle)
        return files

    @classmethod
    def restore(cls, tiles: TileStore, size: int, root: bytes) -> TileTree256 | None:
        """The tree at `size` out of a published directory, or None where it does not lead to `root`."""
        tree = cls()
        tree.size = size
        tree.levels = []
        level = 0
        try:
            while size >> (8 * level) or level == 0:
                count = size >> (8 * level)
                width = count % WIDTH
                data = tiles.read_tile(level, count // WIDTH, width) if width else b""
                tree.levels.append([data[at : at + 32] for at in range(0, 32 * width, 32)])
                level += 1
            if size % WIDTH:
                width = size % WIDTH
                tree.bundle = unpack_entries(tiles.read_entries(size // WIDTH, width))[:width]
        except (LookupError, DuecourseError):
            return None
        if [leaf_hash(raw) for raw in tree.bundle] != tree.levels[0] or tree.root() != root:
            return None
        return tree


class Run(NamedTuple):
    """Records of the log in `[start, end)` by cursor, with `entries` entries among them, which all count."""

    start: int
    end: int
    entries: int


class Publisher:
    """Follows the entries that count, and publishes the tree at the sizes that were sealed.

    After an error it is of no more use: make a new one from what is published."""

    def __init__(self, stored: ShardLog, tiles: TileStore, tree: TileTree256, published: int = 0) -> None:
        self._stored = stored
        self._tiles = tiles
        self._tree = tree
        # Full names of the resources that stand as partial ones; and those of them that have become full.
        self._partial = set(_names(tree.size)) | set(_names(published))
        self._filled: list[str] = []
        self._frozen: dict[int, tuple[dict[str, bytes], list[str]]] = {}

    @property
    def size(self) -> int:
        return self._tree.size

    def follow(self, run: Run) -> None:
        """Reads the stored bytes of a run and grows the tree by them."""
        cursor, left = run.start, run.entries
        while cursor < run.end:
            records = self._stored.records(cursor, min(READ_RECORDS, run.end - cursor))
            if not records:
                break
            cursor = records[-1].cursor + 1
            entries = [
                record.value for record in records if record.kind == "entry" and record.cursor < run.end
            ]
            left -= len(entries)
            self._tree.extend(entries)
            full = self._tree.full
            if full:
                self._tiles.stage(full)
                self._filled += [name for name in full if name in self._partial]
                self._tree.full = {}
        if left:
            raise StoreDamaged(
                f"the log holds {run.entries - left} of {run.entries} entries from cursor {run.start} on"
            )

    def freeze(self) -> tuple[int, bytes]:
        """Size and root of what was followed, and keeps what is needed to publish just that."""
        size = self._tree.size
        self._frozen[size] = (self._tree.partial(), self._filled)
        self._filled = []
        return size, self._tree.root()

    def publish(self, size: int, checkpoint: bytes) -> None:
        """Publishes the tree as it was frozen at `size`. Earlier frozen sizes are skipped."""
        files: dict[str, bytes] = {}
        filled: list[str] = []
        for frozen in sorted(self._frozen):
            if frozen <= size:
                files, dropped = self._frozen.pop(frozen)
                filled += dropped
        self._tiles.stage(files)
        self._tiles.publish(checkpoint, filled)
        self._partial.difference_update(filled)
        self._partial.update(_names(size))


def _names(size: int) -> list[str]:
    """Full names of the resources that are partial at a size."""
    names = [entries_path(size // WIDTH)] if size % WIDTH else []
    level = 0
    while size >> (8 * level):
        if (size >> (8 * level)) % WIDTH:
            names.append(tile_path(level, size >> (8 * (level + 1))))
        level += 1
    return names
