"""The tile directory: what any tlog-tiles client sees, and what a crash leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import Refused
from ledger.kernel import merkle, tiles
from ledger.kernel.checkpoint import Checkpoint, sign_statement
from ledger.kernel.digest import leaf_hash
from ledger.kernel.keys import SeedSigner
from ledger.kernel.note import ED25519, VerifierKey
from ledger.sequencer.publish import TileTree256
from ledger.tilestore.directory import DirectoryTiles
from ledger.tilestore.reader import TiledLog

ORIGIN = "example.com/0"
SIGNER = SeedSigner(bytes(range(32)))
LOG_KEY = VerifierKey.of(ORIGIN, ED25519, SIGNER.public_key)


def entries(count: int) -> list[bytes]:
    return [b"entry %d of a log" % i for i in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DirectoryTiles]:
    found = DirectoryTiles(tmp_path / "tiles")
    yield found
    found.close()


def publish(store: DirectoryTiles, tree: TileTree256) -> bytes:
    note = sign_statement(Checkpoint(ORIGIN, tree.size, tree.root()), SIGNER)
    store.stage(tree.full)
    tree.full = {}
    store.stage(tree.partial())
    store.publish(note)
    return note


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 700, 65536, 65793])
def test_the_tree_of_tiles_has_the_root_of_the_tree_of_leaves(size: int) -> None:
    tree = TileTree256()
    raws = entries(size)
    for at in range(0, size, 100):
        tree.extend(raws[at : at + 100])
    assert tree.root() == merkle.tree_root([leaf_hash(raw) for raw in raws])


@pytest.mark.parametrize("size", [1, 255, 256, 300, 70_000])
def test_the_files_are_those_of_tlog_tiles_and_no_others(store: DirectoryTiles, size: int) -> None:
    tree = TileTree256()
    tree.extend(entries(size))
    publish(store, tree)
    found = {str(p.relative_to(store.path)) for p in store.path.rglob("*") if p.is_file()}
    expected = {tiles.tile_path(level, n, width) for level, n, width in tiles.tiles_of(size)}
    expected |= {tiles.entries_path(n, width) for n, width in tiles.bundles_of(size)}
    assert found == expected | {"checkpoint"}


def test_a_reader_proves_entries_and_bundles_under_the_signed_root(store: DirectoryTiles) -> None:
    tree = TileTree256()
    raws = entries(700)
    tree.extend(raws)
    publish(store, tree)
    log = TiledLog(store, LOG_KEY)
    log.check_root()
    assert log.size == 700
    assert [log.entry(i) for i in (0, 255, 256, 699)] == [raws[i] for i in (0, 255, 256, 699)]
    assert list(log.entries(250, 520)) == raws[250:520]
    with pytest.raises(Refused):
        log.entry(700)


def test_a_changed_bundle_is_not_handed_out(store: DirectoryTiles) -> None:
    tree = TileTree256()
    tree.extend(entries(300))
    publish(store, tree)
    path = store.path / tiles.entries_path(0)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    log = TiledLog(store, LOG_KEY)
    with pytest.raises(Refused) as caught:
        list(log.entries())
    assert caught.value.code == "E_INCLUSION"


def test_a_tree_is_restored_from_any_smaller_size_than_is_published(store: DirectoryTiles) -> None:
    raws = entries(1000)
    whole = TileTree256()
    whole.extend(raws)
    publish(store, whole)
    for size in (0, 1, 256, 257, 999, 1000):
        root = merkle.tree_root([leaf_hash(raw) for raw in raws[:size]])
        tree = TileTree256.restore(store, size, root)
        assert tree is not None
        tree.extend(raws[size:])
        assert tree.root() == whole.root()
        assert tree.bundle == whole.bundle


def test_a_directory_that_does_not_lead_to_the_root_is_not_restored(store: DirectoryTiles) -> None:
    tree = TileTree256()
    tree.extend(entries(300))
    publish(store, tree)
    assert TileTree256.restore(store, 300, bytes(32)) is None
    assert TileTree256.restore(store, 301, tree.root()) is None
    (store.path / tiles.entries_path(1, 44)).write_bytes(b"")
    assert TileTree256.restore(store, 300, tree.root()) is None


def test_partial_resources_go_only_when_the_full_one_stands(store: DirectoryTiles) -> None:
    tree = TileTree256()
    raws = entries(300)
    tree.extend(raws[:200])
    publish(store, tree)
    assert (store.path / tiles.tile_path(0, 0, 200)).exists()
    tree.extend(raws[200:])
    note = sign_statement(Checkpoint(ORIGIN, 300, tree.root()), SIGNER)
    store.stage(tree.full)
    store.stage(tree.partial())
    assert (store.path / tiles.tile_path(0, 0, 200)).exists()
    store.publish(note, list(tree.full))
    assert not (store.path / (tiles.tile_path(0, 0) + ".p")).exists()
    assert not (store.path / (tiles.entries_path(0) + ".p")).exists()
    assert store.read_tile(0, 0, 200) == b"".join(leaf_hash(raw) for raw in raws[:200])


def test_before_the_first_checkpoint_there_is_none(store: DirectoryTiles) -> None:
    assert store.checkpoint() is None
    with pytest.raises(LookupError):
        TiledLog(store, LOG_KEY)
    with pytest.raises(LookupError):
        store.read_tile(0, 0)
