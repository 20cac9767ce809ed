"""Names, bundles and proofs of tlog-tiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel.digest import leaf_hash
from ledger.kernel.merkle import (
    EMPTY_ROOT,
    Frontier,
    root_from_compact,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from ledger.kernel.tiles import (
    TileTree,
    bundles_of,
    entries_path,
    pack_entries,
    tile_hashes,
    tile_path,
    tile_width,
    tiles_of,
    unpack_entries,
)

LEAVES = [leaf_hash(i.to_bytes(4, "big")) for i in range(66_000)]


def _tiles(size: int) -> dict[tuple[int, int, int], bytes]:
    """Tiles after their definition: slot i of (level, n) is the root over its 256**level leaves."""
    tiles: dict[tuple[int, int, int], bytes] = {}
    hashes = LEAVES[:size]
    level = 0
    while hashes:
        for n in range(0, len(hashes), 256):
            part = hashes[n : n + 256]
            tiles[level, n // 256, len(part)] = b"".join(part)
        full = len(hashes) // 256 * 256
        hashes = [tree_root(hashes[i : i + 256]) for i in range(0, full, 256)]
        level += 1
    return tiles


def _tree(size: int) -> TileTree:
    tiles = _tiles(size)
    return TileTree(lambda level, n, width: tiles[level, n, width], size)


def test_names_are_those_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert entries_path(1000) == "tile/entries/x001/000"
    assert entries_path(273, 112) == "tile/entries/273.p/112"
    for bad in ((0, -1, 256), (0, 0, 0), (0, 0, 257), (64, 0, 1), (-1, 0, 1)):
        with pytest.raises(ValueError, match="tile"):
            tile_path(*bad)


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    assert [width for level, _, width in tiles if level == 0] == [256] * 273 + [112]
    assert [width for level, _, width in tiles if level == 1] == [256, 17]
    assert [width for level, _, width in tiles if level == 2] == [1]
    assert len(tiles) == 277
    assert list(bundles_of(513)) == [(0, 256), (1, 256), (2, 1)]
    assert list(bundles_of(512)) == [(0, 256), (1, 256)]
    assert list(tiles_of(0)) == []
    assert (tile_width(70_000, 1, 1), tile_width(70_000, 1, 2), tile_width(512, 0, 2)) == (17, 0, 0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 1000, 65_535, 65_536, 65_537, 66_000])
def test_the_root_and_proofs_come_from_tiles_alone(size: int) -> None:
    tree = _tree(size)
    root = tree_root(LEAVES[:size])
    assert tree.root() == root
    indexes = sorted({0, size // 3, size // 2, size - 1})
    for index in indexes:
        assert tree.leaf(index) == LEAVES[index]
        verify_inclusion(LEAVES[index], index, size, tree.inclusion(index), root)
    assert root_from_compact(size, [(i, LEAVES[i]) for i in indexes], tree.compact(indexes)) == root
    for old in {1, (size + 1) // 2, size}:
        verify_consistency(old, size, tree_root(LEAVES[:old]), root, tree.consistency(old))
        assert tree.node(0, old) == tree_root(LEAVES[:old])
    assert tree.leaves(size // 3, size) == LEAVES[size // 3 : size]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 2000), st.data())
def test_the_root_of_any_range_is_that_of_its_leaves(size: int, data: st.DataObject) -> None:
    tree = _tree(size)
    lo = data.draw(st.integers(0, size))
    hi = data.draw(st.integers(lo, size))
    assert tree.node(lo, hi) == tree_root(LEAVES[lo:hi])
    assert tree.node(lo, hi) == tree_root(LEAVES[lo:hi])


def test_an_empty_tree_has_the_empty_root_and_no_leaves() -> None:
    tree = TileTree(lambda level, n, width: b"", 0)
    assert tree.root() == EMPTY_ROOT
    with pytest.raises(Refused, match="E_INDEX"):
        tree.leaf(0)
    with pytest.raises(Refused, match="E_INDEX"):
        tree.consistency(1, 2)


def test_a_tile_of_another_length_is_refused_by_name() -> None:
    tree = TileTree(lambda level, n, width: bytes(32), 300)
    with pytest.raises(Refused, match=r"E_MISSING_FILE: 32 bytes in a tile of width 256 \(tile/0/000\)"):
        tree.leaf(0)


def test_a_damaged_tile_gives_another_root() -> None:
    tiles = _tiles(300)
    tiles[0, 0, 256] = bytes(32) + tiles[0, 0, 256][32:]
    tree = TileTree(lambda level, n, width: tiles[level, n, width], 300)
    frontier = Frontier()
    frontier.extend(LEAVES[:300])
    with pytest.raises(Refused, match="E_INCLUSION"):
        verify_inclusion(tree.leaf(0), 0, 300, tree.inclusion(0), frontier.root())


def test_a_tree_reads_each_tile_once_while_it_remembers_it() -> None:
    tiles, read = _tiles(1000), []

    def source(level: int, n: int, width: int) -> bytes:
        read.append((level, n))
        return tiles[level, n, width]

    tree = TileTree(source, 1000)
    tree.compact(list(range(0, 1000, 7)))
    tree.compact(list(range(0, 1000, 7)))
    assert len(read) == len(set(read))


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_is_taken_apart_as_it_was_packed(entries: list[bytes]) -> None:
    assert unpack_entries(pack_entries(entries), len(entries)) == entries


def test_bundles_that_end_early_or_hold_too_much_are_refused() -> None:
    packed = pack_entries([b"one", b"two"])
    for cut in (1, 4, 6):
        with pytest.raises(Refused, match="E_INCLUSION"):
            unpack_entries(packed[:cut])
    with pytest.raises(Refused, match="E_MISSING_FILE"):
        unpack_entries(packed, 3)
    with pytest.raises(Refused, match="E_LIMIT"):
        unpack_entries(b"\x00\x00" * 257)
    with pytest.raises(Refused, match="E_LIMIT"):
        pack_entries([b""] * 257)
    with pytest.raises(Refused, match="E_LIMIT"):
        pack_entries([bytes(65_536)])
    assert unpack_entries(pack_entries([bytes(65_535)])) == [bytes(65_535)]


@pytest.mark.parametrize("length", [0, 31, 33, 257 * 32])
def test_a_tile_is_whole_hashes(length: int) -> None:
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        tile_hashes(bytes(length))
