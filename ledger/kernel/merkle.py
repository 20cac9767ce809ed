"""The RFC 6962 tree: whoever checks a path here knows that a leaf stands at an index of the tree with a given root,
or that one tree grew out of another. Not that the root is the log's: that is checkpoint.py's to say.

Everything works on leaf hashes; sizes and indexes count leaves. Source: docs/formats/ 6, RFC 6962 2.1."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256 as _sha256
from typing import NewType

from ledger.errors import Refused

LeafIndex = NewType("LeafIndex", int)  # place of one leaf, from 0
TreeSize = NewType("TreeSize", int)  # how many leaves; the last index is size - 1

EMPTY_ROOT = _sha256(b"").digest()
HASH_BYTES = 32
# A tree of 2^63 leaves has paths of 63 hashes; R21 allows 64.
PATH_HASHES_MAX = 64

NodeSource = Callable[[int, int], bytes]


def _node(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; of none, the hash of nothing."""
    if not leaves:
        return EMPTY_ROOT
    sha = _sha256
    level = list(leaves)
    while len(level) > 1:
        odd = level.pop() if len(level) & 1 else None
        level = [sha(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
        if odd is not None:
            level.append(odd)
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Hashes from the leaf's sibling up to the root's child."""
    return inclusion_from_nodes(lambda lo, hi: tree_root(leaves[lo:hi]), index, len(leaves))


def inclusion_from_nodes(node: NodeSource, index: int, size: int) -> list[bytes]:
    """The same path out of whatever can say the root of a range `[lo, hi)`. E_INDEX outside the tree."""
    if not 0 <= index < size:
        raise Refused("E_INDEX", f"index {index} is not below size {size}")
    path: list[bytes] = []
    lo, hi = 0, size
    while hi - lo > 1:
        k = lo + split(hi - lo)
        if index < k:
            path.append(node(k, hi))
            hi = k
        else:
            path.append(node(lo, k))
            lo = k
    path.reverse()
    return path


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for item in hashes:
        if len(item) != HASH_BYTES:
            raise Refused("E_PROOF_SHAPE", f"a hash of {len(item)} bytes instead of {HASH_BYTES}")


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `leaf` at `index` and its path give. E_INDEX outside the tree; E_PROOF_SHAPE unless the path has
    exactly the hashes that index and size ask for."""
    if not 0 <= index < size:
        raise Refused("E_INDEX", f"index {index} is not below size {size}")
    if len(path) > PATH_HASHES_MAX:
        raise Refused("E_LIMIT", f"{len(path)} hashes in a path")
    _check_hashes((leaf, *path))
    place, last, root = index, size - 1, leaf
    for item in path:
        if last == 0:
            raise Refused("E_PROOF_SHAPE", "more hashes than the path has")
        if place & 1 or place == last:
            root = _node(item, root)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            root = _node(root, item)
        place >>= 1
        last >>= 1
    if last:
        raise Refused("E_PROOF_SHAPE", "fewer hashes than the path has")
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """E_INCLUSION unless the leaf stands at that index under that root."""
    if root_from_inclusion(leaf, index, size, path) != root:
        raise Refused("E_INCLUSION", f"leaf {index} is not under the root at size {size}")


def consistency_path(node: NodeSource, old: int, size: int) -> list[bytes]:
    """Proof that the tree of `old` leaves is the beginning of that of `size` (0 < old <= size)."""
    if not 0 < old <= size:
        raise Refused("E_INDEX", f"no consistency proof from size {old} to {size}")
    return subtree_consistency_path(node, 0, old, size)


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> None:
    """E_INCONSISTENT unless the first tree is the beginning of the second; E_PROOF_SHAPE for a path of another
    length. From size 0 nothing can be proved, and nothing is accepted."""
    if not 0 < old <= size:
        raise Refused("E_PROOF_SHAPE", f"no consistency proof from size {old} to {size}")
    verify_subtree_consistency(0, old, size, old_root, root, path)


def check_subtree(start: int, end: int, size: int) -> None:
    """E_INDEX unless `[start, end)` is a subtree: not empty, inside the tree, and `start` a multiple of the smallest
    power of two that is not below its length."""
    if not 0 <= start < end <= size:
        raise Refused("E_INDEX", f"[{start}, {end}) is no range in a tree of {size}")
    if start & ((1 << (end - start - 1).bit_length()) - 1):
        raise Refused("E_INDEX", f"[{start}, {end}) is not a subtree")


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, path: Sequence[bytes], root: bytes
) -> None:
    """E_INCLUSION unless the leaf at `index` of the whole tree is under the root of the subtree `[start, end)`."""
    check_subtree(start, end, end)
    if not start <= index < end:
        raise Refused("E_INDEX", f"index {index} is outside [{start}, {end})")
    verify_inclusion(leaf, index - start, end - start, path, root)


def subtree_consistency_path(node: NodeSource, start: int, end: int, size: int) -> list[bytes]:
    """Proof that the subtree `[start, end)` is part of the tree of `size` leaves."""
    check_subtree(start, end, size)
    path: list[bytes] = []
    lo, hi, known = 0, size, True
    while (lo, hi) != (start, end):
        k = lo + split(hi - lo)
        if end <= k:
            path.append(node(k, hi))
            hi = k
        elif start >= k:
            path.append(node(lo, k))
            lo = k
        else:
            # The subtree goes over the split, so it begins where this range begins and its left half is whole here.
            path.append(node(lo, k))
            lo = start = k
            known = False
    if not known:
        path.append(node(lo, hi))
    path.reverse()
    return path


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree_root: bytes, root: bytes, path: Sequence[bytes]
) -> None:
    """E_INCONSISTENT unless the subtree `[start, end)` with its root is part of the tree with its own. The empty
    subtree is part of every tree."""
    if 0 <= start == end <= size:
        if path:
            raise Refused("E_PROOF_SHAPE", "hashes for an empty subtree")
        if subtree_root != EMPTY_ROOT:
            raise Refused("E_INCONSISTENT", "the empty subtree has another root")
        return
    check_subtree(start, end, size)
    if len(path) > PATH_HASHES_MAX:
        raise Refused("E_LIMIT", f"{len(path)} hashes in a proof")
    _check_hashes((subtree_root, root, *path))
    first, sub, last = start, end - 1, size - 1
    if sub == last:
        while first != sub:
            first, sub, last = first >> 1, sub >> 1, last >> 1
    else:
        while first != sub and sub & 1:
            first, sub, last = first >> 1, sub >> 1, last >> 1
    rest = list(path)
    if first == sub:
        seed = subtree_root
    else:
        if not rest:
            raise Refused("E_PROOF_SHAPE", "fewer hashes than the proof has")
        seed = rest.pop(0)
    sub_found = found = seed
    for item in rest:
        if last == 0:
            raise Refused("E_PROOF_SHAPE", "more hashes than the proof has")
        if sub & 1 or sub == last:
            if first < sub:
                sub_found = _node(item, sub_found)
            found = _node(item, found)
            while sub and not sub & 1:
                first, sub, last = first >> 1, sub >> 1, last >> 1
        else:
            found = _node(found, item)
        first, sub, last = first >> 1, sub >> 1, last >> 1
    if last:
        raise Refused("E_PROOF_SHAPE", "fewer hashes than the proof has")
    if sub_found != subtree_root or found != root:
        raise Refused("E_INCONSISTENT", f"[{start}, {end}) is not part of the tree of {size}")


class Frontier:
    """The right edge of a growing tree: one root per full subtree, largest first. Appends and gives the root
    without the leaves; it cannot forget a leaf, so keep a `copy` where you may have to go back."""

    __slots__ = ("nodes", "size")

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    @classmethod
    def restore(cls, size: int, nodes: Sequence[bytes]) -> Frontier:
        """E_PROOF_SHAPE unless there is one hash for each bit of `size`. Says nothing of whether they are right:
        compare `root()` with a checkpoint's."""
        if size < 0 or len(nodes) != size.bit_count():
            raise Refused("E_PROOF_SHAPE", f"{len(nodes)} nodes for a frontier of size {size}")
        _check_hashes(nodes)
        made = cls()
        made.size = size
        made.nodes = [bytes(item) for item in nodes]
        return made

    def copy(self) -> Frontier:
        made = Frontier()
        made.size = self.size
        made.nodes = self.nodes.copy()
        return made

    def append(self, leaf: bytes) -> None:
        nodes, size = self.nodes, self.size
        while size & 1:
            leaf = _sha256(b"\x01" + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        sha, nodes, count = _sha256, self.nodes, self.size
        for leaf in leaves:
            size, item = count, leaf
            while size & 1:
                item = sha(b"\x01" + nodes.pop() + item).digest()
                size >>= 1
            nodes.append(item)
            count += 1
        self.size = count

    def root(self) -> bytes:
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for item in reversed(self.nodes[:-1]):
            root = _node(item, root)
        return root


def _check_indexes(size: int, indexes: Sequence[int]) -> None:
    if not indexes:
        if size < 0:
            raise Refused("E_INDEX", f"size {size}")
        return
    before = -1
    for index in indexes:
        if index <= before:
            raise Refused("E_INDEX", "indexes do not ascend")
        before = index
    if before >= size:
        raise Refused("E_INDEX", f"index {before} is not below size {size}")


def compact_proof(size: int, indexes: Sequence[int], node: NodeSource) -> list[bytes]:
    """The hashes that a reader who holds the leaves at `indexes` (ascending) still needs for the root."""
    _check_indexes(size, indexes)
    hashes: list[bytes] = []
    if size == 0:
        return hashes
    # (lo, hi, first, end): the range, and which of the indexes lie in it. A stack, for ranges come left to right.
    stack = [(0, size, 0, len(indexes))]
    while stack:
        lo, hi, first, end = stack.pop()
        if first == end:
            hashes.append(node(lo, hi))
        elif hi - lo > 1:
            k = lo + split(hi - lo)
            middle = bisect_left(indexes, k, first, end)
            stack.append((k, hi, middle, end))
            stack.append((lo, k, first, middle))
    return hashes


def root_from_compact(size: int, leaves: Sequence[tuple[int, bytes]], hashes: Sequence[bytes]) -> bytes:
    """The root that the leaves (index and leaf hash, ascending) and the list give. E_INDEX for indexes outside the
    tree or out of order, E_PROOF_SHAPE unless the list is used up exactly."""
    indexes = [index for index, _ in leaves]
    _check_indexes(size, indexes)
    _check_hashes([leaf for _, leaf in leaves])
    _check_hashes(hashes)
    if size == 0:
        if hashes:
            raise Refused("E_PROOF_SHAPE", "hashes for an empty tree")
        return EMPTY_ROOT
    used = 0

    def root(lo: int, hi: int, first: int, end: int) -> bytes:
        nonlocal used
        if first == end:
            if used == len(hashes):
                raise Refused("E_PROOF_SHAPE", "fewer hashes than the proof needs")
            used += 1
            return hashes[used - 1]
        if hi - lo == 1:
            return leaves[first][1]
        k = lo + split(hi - lo)
        middle = bisect_left(indexes, k, first, end)
        left = root(lo, k, first, middle)
        return _node(left, root(k, hi, middle, end))

    found = root(0, size, 0, len(leaves))
    if used != len(hashes):
        raise Refused("E_PROOF_SHAPE", "more hashes than the proof needs")
    return found
