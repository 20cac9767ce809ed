"""A small tlog-tiles directory that Tessera wrote: every root again from its bundles and from its tiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.kernel import merkle
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.digest import leaf_hash
from ledger.kernel.note import VerifierKey
from ledger.kernel.tiles import TileTree, entries_path, tile_hashes, tile_path, unpack_entries

LOG = VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")


def _checkpoint(directory: Path, size: int) -> Checkpoint:
    return open_statement((directory / f"checkpoint.{size}").read_bytes(), LOG, Checkpoint)


@pytest.fixture
def directory(shared: Path) -> Path:
    return shared / "vectors" / "tlog-tiles-log"


@pytest.mark.parametrize("size", range(16))
def test_the_root_at_each_size_comes_from_bundles_and_from_tiles(directory: Path, size: int) -> None:
    checkpoint = _checkpoint(directory, size)
    assert checkpoint.size == size
    if size == 0:
        assert merkle.tree_root([]) == checkpoint.root
        return
    entries = unpack_entries((directory / entries_path(0, size)).read_bytes(), size)
    leaves = [leaf_hash(entry) for entry in entries]
    assert merkle.tree_root(leaves) == checkpoint.root
    tile = (directory / tile_path(0, 0, size)).read_bytes()
    assert tile_hashes(tile) == leaves
    tree = TileTree(lambda level, n, width: (directory / tile_path(level, n, width)).read_bytes(), size)
    assert tree.root() == checkpoint.root
    for index, leaf in enumerate(leaves):
        merkle.verify_inclusion(leaf, index, size, tree.inclusion(index), checkpoint.root)


def test_each_checkpoint_grew_out_of_every_smaller_one(directory: Path) -> None:
    for size in range(1, 16):
        tree = TileTree(lambda level, n, width: (directory / tile_path(level, n, width)).read_bytes(), size)
        for old in range(1, size + 1):
            merkle.verify_consistency(
                old,
                size,
                _checkpoint(directory, old).root,
                _checkpoint(directory, size).root,
                tree.consistency(old),
            )


def test_the_newest_checkpoint_is_that_of_size_15(directory: Path) -> None:
    newest = open_statement((directory / "checkpoint").read_bytes(), LOG, Checkpoint)
    assert newest == _checkpoint(directory, 15)
