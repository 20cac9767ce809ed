"""The tree against a model that follows RFC 6962 word for word."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel.digest import leaf_hash
from ledger.kernel.merkle import (
    EMPTY_ROOT,
    Frontier,
    compact_proof,
    consistency_path,
    inclusion_path,
    root_from_compact,
    root_from_inclusion,
    subtree_consistency_path,
    tree_root,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
)

LEAVES = [leaf_hash(str(i).encode()) for i in range(300)]


def model(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + model(leaves[:k]) + model(leaves[k:])).digest()


def node(lo: int, hi: int) -> bytes:
    return model(LEAVES[lo:hi])


sizes = st.integers(1, 300)


@given(st.integers(0, 300))
def test_the_root_is_that_of_the_model(size: int) -> None:
    assert tree_root(LEAVES[:size]) == model(LEAVES[:size])


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_frontier_has_the_root_of_the_tree_wherever_it_stops(steps: list[int]) -> None:
    frontier = Frontier()
    size = 0
    for step in steps:
        before = frontier.copy()
        frontier.extend(LEAVES[size : size + step])
        for leaf in LEAVES[size : size + step]:
            before.append(leaf)
        size = min(size + step, len(LEAVES))
        assert frontier.root() == before.root() == model(LEAVES[:size])
        assert Frontier.restore(frontier.size, frontier.nodes).root() == frontier.root()
    assert frontier.size == size


def test_a_frontier_of_the_wrong_number_of_nodes_is_not_restored() -> None:
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        Frontier.restore(3, LEAVES[:1])
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        Frontier.restore(1, [b"short"])
    assert Frontier.restore(0, []).root() == EMPTY_ROOT


@given(st.data(), sizes)
def test_an_inclusion_path_leads_to_the_root_and_any_change_leads_elsewhere(
    data: st.DataObject, size: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(LEAVES[:size], index)
    root = tree_root(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, path, root)
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        root_from_inclusion(LEAVES[index], index, size, [*path, LEAVES[0]])
    if path:
        with pytest.raises(Refused, match="E_PROOF_SHAPE"):
            root_from_inclusion(LEAVES[index], index, size, path[:-1])
        place = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:place], bytes(32), *path[place + 1 :]]
        with pytest.raises(Refused, match="E_INCLUSION"):
            verify_inclusion(LEAVES[index], index, size, changed, root)
    with pytest.raises(Refused, match="E_INCLUSION"):
        verify_inclusion(bytes(32), index, size, path, root)


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_an_index_outside_the_tree_is_refused(index: int) -> None:
    with pytest.raises(Refused, match="E_INDEX"):
        root_from_inclusion(LEAVES[0], index, 5, [])
    with pytest.raises(Refused, match="E_INDEX"):
        inclusion_path(LEAVES[:5], index)


def test_an_odd_node_is_not_doubled() -> None:
    """As some chains do: then two trees of three and four leaves have one root."""
    assert tree_root(LEAVES[:3]) != tree_root([*LEAVES[:3], LEAVES[2]])


@given(st.data(), sizes)
def test_a_consistency_proof_links_two_sizes_and_no_others(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    path = consistency_path(node, old, size)
    old_root, root = node(0, old), node(0, size)
    verify_consistency(old, size, old_root, root, path)
    with pytest.raises(Refused):
        verify_consistency(old, size, old_root, root, [*path, LEAVES[0]])
    if old != size:
        with pytest.raises(Refused):
            verify_consistency(old, size, old_root, root, path[:-1])
        with pytest.raises(Refused):
            verify_consistency(old, size, root, old_root, path)
        with pytest.raises(Refused):
            verify_consistency(old, size, bytes(32), root, path)


def test_nothing_is_proved_from_size_zero() -> None:
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        verify_consistency(0, 5, EMPTY_ROOT, node(0, 5), [])
    with pytest.raises(Refused, match="E_INDEX"):
        consistency_path(node, 0, 5)
    with pytest.raises(Refused, match="E_INDEX"):
        consistency_path(node, 6, 5)


@given(st.data(), st.integers(1, 80))
def test_a_subtree_is_proved_part_of_the_tree(data: st.DataObject, size: int) -> None:
    height = data.draw(st.integers(0, 6))
    start = data.draw(st.integers(0, (size - 1) >> height)) << height
    low = (1 << height >> 1) + 1 if height else 1
    end = start + data.draw(st.integers(low, 1 << height))
    if end > size:
        return
    path = subtree_consistency_path(node, start, end, size)
    verify_subtree_consistency(start, end, size, node(start, end), node(0, size), path)
    with pytest.raises(Refused):
        verify_subtree_consistency(start, end, size, bytes(32), node(0, size), path)
    with pytest.raises(Refused):
        verify_subtree_consistency(start, end, size, node(start, end), bytes(32), path)


@given(st.data(), st.integers(1, 120))
def test_a_compact_proof_gives_the_root_of_any_set_of_leaves(data: st.DataObject, size: int) -> None:
    indexes = sorted(data.draw(st.sets(st.integers(0, size - 1), max_size=size)))
    hashes = compact_proof(size, indexes, node)
    leaves = [(i, LEAVES[i]) for i in indexes]
    assert root_from_compact(size, leaves, hashes) == node(0, size)
    with pytest.raises(Refused, match="E_PROOF_SHAPE: more"):
        root_from_compact(size, leaves, [*hashes, LEAVES[0]])
    if hashes:
        with pytest.raises(Refused, match="E_PROOF_SHAPE: fewer"):
            root_from_compact(size, leaves, hashes[:-1])
        assert root_from_compact(size, leaves, [*hashes[:-1], bytes(32)]) != node(0, size)
    if indexes:
        wrong = [(indexes[0], bytes(32)), *leaves[1:]]
        assert root_from_compact(size, wrong, hashes) != node(0, size)


@pytest.mark.parametrize("indexes", [[3, 2], [2, 2], [5], [-1]])
def test_a_compact_proof_of_impossible_indexes_is_refused(indexes: list[int]) -> None:
    with pytest.raises(Refused, match="E_INDEX"):
        root_from_compact(5, [(i, LEAVES[0]) for i in indexes], [])
    with pytest.raises(Refused, match="E_INDEX"):
        compact_proof(5, indexes, node)


def test_a_compact_proof_of_an_empty_tree_is_empty() -> None:
    assert compact_proof(0, [], node) == []
    assert root_from_compact(0, [], []) == EMPTY_ROOT
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        root_from_compact(0, [], [LEAVES[0]])
    with pytest.raises(Refused, match="E_INDEX"):
        compact_proof(-1, [], node)
