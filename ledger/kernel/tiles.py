"""C2SP tlog-tiles: names and contents of hash tiles and entry bundles, and proofs worked out from hash tiles alone.
A `TileTree` believes the tiles it is given: compare its root with a checkpoint's, or check the proofs it makes.

Source: docs/formats/ 6, C2SP tlog-tiles."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from ledger.errors import Refused
from ledger.kernel.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    compact_proof,
    consistency_path,
    inclusion_from_nodes,
    split,
    tree_root,
)

TILE_WIDTH = 256
ENTRY_BYTES_MAX = 0xFFFF
LEVEL_MAX = 63
# 2,048 tiles of 8 KiB: 16 MiB, enough for the proofs of a case of a hundred thousand entries.
_TILES_KEPT = 2048
_NODES_KEPT = 65536


def _number(n: int) -> str:
    """`n` in groups of three digits, all but the last with an `x` before it: 1234067 is x001/x234/067."""
    if n < 0:
        raise ValueError(f"tile number {n}")
    text = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03d}/{text}"
    return text


def _width(width: int) -> str:
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"tile width {width}")
    return "" if width == TILE_WIDTH else f".p/{width}"


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Name of a hash tile; partial where `width` is below 256. Levels 0 to 63."""
    if not 0 <= level <= LEVEL_MAX:
        raise ValueError(f"tile level {level}")
    return f"tile/{level}/{_number(n)}{_width(width)}"


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """Name of an entry bundle."""
    return f"tile/entries/{_number(n)}{_width(width)}"


def tile_width(size: int, level: int, n: int) -> int:
    """How many hashes tile (level, n) has in a tree of `size` leaves; 0 where there is no such tile."""
    count = size >> (8 * level)
    return max(0, min(TILE_WIDTH, count - n * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, n, width) of every hash tile of a tree of `size` leaves, lowest level first."""
    level = 0
    while (count := size >> (8 * level)) > 0:
        for n in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
            yield level, n, min(TILE_WIDTH, count - n * TILE_WIDTH)
        level += 1


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """(n, width) of every entry bundle of a tree of `size` leaves."""
    for n in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        yield n, min(TILE_WIDTH, size - n * TILE_WIDTH)


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: u16 length and bytes, for each of at most 256 entries. E_LIMIT for an entry that is too long."""
    if len(entries) > TILE_WIDTH:
        raise Refused("E_LIMIT", f"{len(entries)} entries in a bundle")
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise Refused("E_LIMIT", f"an entry of {len(entry)} bytes")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def unpack_entries(data: bytes, width: int | None = None) -> list[bytes]:
    """The entries of a bundle, all bytes accounted for; with `width`, exactly so many (else E_MISSING_FILE)."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        if at + 2 > end:
            raise Refused("E_INCLUSION", "entry bundle ends inside a length")
        length = data[at] << 8 | data[at + 1]
        at += 2
        if at + length > end:
            raise Refused("E_INCLUSION", "entry bundle ends inside an entry")
        entries.append(data[at : at + length])
        at += length
    if len(entries) > TILE_WIDTH:
        raise Refused("E_LIMIT", f"more than {TILE_WIDTH} entries in a bundle")
    if width is not None and len(entries) != width:
        raise Refused("E_MISSING_FILE", f"{len(entries)} entries in a bundle of {width}")
    return entries


def tile_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile. E_PROOF_SHAPE unless it is whole hashes, 1 to 256."""
    if not data or len(data) % HASH_BYTES or len(data) > TILE_WIDTH * HASH_BYTES:
        raise Refused("E_PROOF_SHAPE", f"a tile of {len(data)} bytes")
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


class TileTree:
    """Roots of ranges and proofs, out of the hash tiles of a tree of `size` leaves.

    `read_tile(level, n, width)` gives exactly the bytes of that tile; a tile of another length is E_MISSING_FILE.
    Remembers a bounded number of tiles and of roots."""

    def __init__(self, read_tile: Callable[[int, int, int], bytes], size: int) -> None:
        self.size = size
        self._read = read_tile
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._nodes: dict[tuple[int, int], bytes] = {}

    def _tile(self, level: int, n: int) -> bytes:
        found = self._tiles.get((level, n))
        if found is not None:
            self._tiles.move_to_end((level, n))
            return found
        width = tile_width(self.size, level, n)
        data = self._read(level, n, width)
        if len(data) != width * HASH_BYTES:
            raise Refused(
                "E_MISSING_FILE", f"{len(data)} bytes in a tile of width {width}", tile_path(level, n, width)
            )
        self._tiles[level, n] = data
        if len(self._tiles) > _TILES_KEPT:
            self._tiles.popitem(last=False)
        return data

    def leaf(self, index: int) -> bytes:
        return self.node(index, index + 1)

    def leaves(self, lo: int, hi: int) -> list[bytes]:
        """Leaf hashes of `[lo, hi)`."""
        self._check(lo, hi)
        found: list[bytes] = []
        while lo < hi:
            n, at = divmod(lo, TILE_WIDTH)
            end = min(hi - n * TILE_WIDTH, TILE_WIDTH)
            data = self._tile(0, n)
            found.extend(data[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(at, end))
            lo = (n + 1) * TILE_WIDTH
        return found

    def _check(self, lo: int, hi: int) -> None:
        if not 0 <= lo <= hi <= self.size:
            raise Refused("E_INDEX", f"[{lo}, {hi}) is no range in a tree of {self.size}")

    def node(self, lo: int, hi: int) -> bytes:
        """Root over the leaves `[lo, hi)`."""
        self._check(lo, hi)
        if lo == hi:
            return EMPTY_ROOT
        return self._node(lo, hi)

    def _node(self, lo: int, hi: int) -> bytes:
        length = hi - lo
        if length & (length - 1) == 0 and lo % length == 0:
            return self._full(lo, length)
        found = self._nodes.get((lo, hi))
        if found is None:
            k = lo + split(length)
            found = tree_root([self._node(lo, k), self._node(k, hi)])
            self._keep(lo, hi, found)
        return found

    def _full(self, lo: int, length: int) -> bytes:
        height = length.bit_length() - 1
        level = height // 8
        at = lo >> (8 * level)
        n, slot = divmod(at, TILE_WIDTH)
        count = 1 << (height - 8 * level)
        if count == 1:
            return self._tile(level, n)[slot * HASH_BYTES : (slot + 1) * HASH_BYTES]
        found = self._nodes.get((lo, lo + length))
        if found is None:
            data = self._tile(level, n)
            found = tree_root(
                [data[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(slot, slot + count)]
            )
            self._keep(lo, lo + length, found)
        return found

    def _keep(self, lo: int, hi: int, root: bytes) -> None:
        if len(self._nodes) >= _NODES_KEPT:
            self._nodes.clear()
        self._nodes[lo, hi] = root

    def root(self) -> bytes:
        return self.node(0, self.size)

    def inclusion(self, index: int) -> list[bytes]:
        """Inclusion path of a leaf in the whole tree."""
        return inclusion_from_nodes(self.node, index, self.size)

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Consistency proof from `old` to `size` (the whole tree)."""
        end = self.size if size is None else size
        self._check(0, end)
        return consistency_path(self.node, old, end)

    def compact(self, indexes: Sequence[int]) -> list[bytes]:
        """Compact inclusion proof of a set of leaves (docs/formats/ 6)."""
        return compact_proof(self.size, indexes, self.node)
