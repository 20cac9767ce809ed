"""The head map: for each stream how many entries it has and which is its last, under one root. A proof made here and
checked against the root in a seal shows that a stream ends where it is said to end, or that it does not exist.
It does not show that the seal's maker told the truth: for that an auditor makes the whole map again.

A Merkle Patricia trie over 256-bit keys, in flat arrays: 64 bytes a leaf and 65 an inner node, each the preimage of
its hash. Source: docs/formats/ 5."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from hashlib import sha256 as _sha256
from sys import byteorder
from typing import Any

from ledger.errors import Refused

EMPTY_MAP_ROOT = _sha256(b"").digest()
_STREAM_LABEL = b"duecourse/stream/v1"
_HEAD_LABEL = b"duecourse/head/v1"
_STEP_BYTES = 33
_DUMP_LABEL = b"duecourse headmap dump 1\n"


def stream_key(subject: str) -> bytes:
    """Key of a stream in the map."""
    return _sha256(_STREAM_LABEL + subject.encode()).digest()


def head_value(count: int, leaf: bytes) -> bytes:
    """Value of a stream of `count` entries whose last has this leaf hash."""
    return _sha256(_HEAD_LABEL + count.to_bytes(8, "big") + leaf).digest()


class HeadMap:
    """The map itself. `set` is cheap; `root` hashes each node that changed since the last `root` once.

    Leaves are numbered in the order of their first `set`, and inner node i was made with leaf i + 1. A reference
    is the number of an inner node, or `~leaf`. Where a node's hash goes is one number: 65 times the inner node
    above it, and 32 more for the right side; -1 at the top."""

    __slots__ = (
        "_bits", "_dirty", "_dirty_inner", "_inner", "_inner_at", "_leaf", "_leaf_at", "_left", "_right", "_root",
        "_top", "_waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self._leaf = bytearray()  # key, value
        self._inner = bytearray()  # left hash, right hash, bit
        self._bits = bytearray()  # the bits once more, side by side: descending reads nothing else
        self._left = array("i")
        self._right = array("i")
        self._leaf_at = array("q")
        self._inner_at = array("q")
        self._top: int | None = None
        self._dirty: set[int] = set()  # leaves whose hash is not yet in the node above
        self._dirty_inner: set[int] = set()
        self._waits = bytearray()  # 1 while an inner node waits in a bucket of `root`
        self._root: bytes = EMPTY_MAP_ROOT

    def __len__(self) -> int:
        return len(self._leaf_at)

    def _find(self, key: bytes) -> int:
        """The leaf where the bits of `key` lead; the map is not empty."""
        at = self._top
        assert at is not None
        if at >= 0:
            path, bits, left, right = _bits_of(key), self._bits, self._left, self._right
            while at >= 0:
                at = right[at] if path[bits[at]] == "1" else left[at]
        return ~at

    def get(self, key: bytes) -> bytes | None:
        """The value that stands under `key`."""
        if self._top is None:
            return None
        leaf = self._find(key)
        if self._leaf[leaf * 64 : leaf * 64 + 32] != key:
            return None
        return bytes(self._leaf[leaf * 64 + 32 : leaf * 64 + 64])

    def set(self, key: bytes, value: bytes) -> int:
        """Puts a value under a key; gives the leaf's number, which stays for as long as the leaf does."""
        if len(key) != 32 or len(value) != 32:
            raise ValueError("keys and values have 32 bytes")
        if self._top is None:
            self._leaf += key + value
            self._leaf_at.append(-1)
            self._top = ~0
            self._dirty.add(0)
            return 0
        near = self._find(key)
        start = near * 64
        other = self._leaf[start : start + 32]
        if other == key:
            self._leaf[start + 32 : start + 64] = value
            self._dirty.add(near)
            return near
        return self._insert(key, value, other)

    def put(self, leaf: int, value: bytes) -> None:
        """Puts a value at a leaf whose number `set` gave."""
        self._leaf[leaf * 64 + 32 : leaf * 64 + 64] = value
        self._dirty.add(leaf)

    def _insert(self, key: bytes, value: bytes, other: bytes | bytearray) -> int:
        bit = 256 - (int.from_bytes(key, "big") ^ int.from_bytes(other, "big")).bit_length()
        path, bits, left, right = _bits_of(key), self._bits, self._left, self._right
        at = self._top
        assert at is not None
        while at >= 0 and bits[at] < bit:
            at = right[at] if path[bits[at]] == "1" else left[at]
        leaf, made = len(self._leaf_at), len(bits)
        self._leaf += key + value
        self._inner += bytes(64) + bytes((bit,))
        bits.append(bit)
        self._waits.append(0)
        goes = made * 65
        # What stood here moves one down: its hash goes into the new node, and no longer into the one above.
        if path[bit] == "1":
            left.append(at)
            right.append(~leaf)
            self._leaf_at.append(goes + 32)
            above = self._move(at, goes)
        else:
            left.append(~leaf)
            right.append(at)
            self._leaf_at.append(goes)
            above = self._move(at, goes + 32)
        self._inner_at.append(above)
        self._hang(made, above)
        self._dirty.add(leaf)
        return leaf

    def _move(self, node: int, goes: int) -> int:
        """The node's hash goes elsewhere now; where it went before."""
        if node >= 0:
            before = self._inner_at[node]
            self._inner_at[node] = goes
            self._dirty_inner.add(node)
        else:
            before = self._leaf_at[~node]
            self._leaf_at[~node] = goes
            self._dirty.add(~node)
        return before

    def _hang(self, node: int, above: int) -> None:
        """Makes `node` the child at this place of the node above, or the top."""
        if above < 0:
            self._top = node
        elif above % 65:
            self._right[above // 65] = node
        else:
            self._left[above // 65] = node

    def pop(self) -> bytes:
        """Takes back the leaf that was added last, and gives its key."""
        leaf = len(self._leaf_at) - 1
        if leaf < 0:
            raise IndexError("pop from an empty head map")
        key = bytes(self._leaf[leaf * 64 : leaf * 64 + 32])
        self._dirty.discard(leaf)
        if leaf == 0:
            self._top = None
            self._root = EMPTY_MAP_ROOT
        else:
            gone = leaf - 1
            stays = self._right[gone] if self._left[gone] == ~leaf else self._left[gone]
            above = self._inner_at[gone]
            self._move(stays, above)
            self._hang(stays, above)
            self._dirty_inner.discard(gone)
            del self._inner[gone * 65 :]
            for numbers in (self._left, self._right, self._inner_at, self._bits, self._waits):
                numbers.pop()
        del self._leaf[leaf * 64 :]
        self._leaf_at.pop()
        return key

    def root(self) -> bytes:
        """Root over everything set so far."""
        if not self._dirty and not self._dirty_inner:
            return self._root
        sha, bits, waits, inner_at, leaf_at = _sha256, self._bits, self._waits, self._inner_at, self._leaf_at
        buckets: list[list[int]] = [[] for _ in range(256)]
        for node in self._dirty_inner:
            waits[node] = 1
            buckets[bits[node]].append(node)
        with memoryview(self._leaf) as leaves, memoryview(self._inner) as inner:
            for leaf in self._dirty:
                start = leaf * 64
                digest = sha(leaves[start : start + 64]).digest()
                at = leaf_at[leaf]
                if at < 0:
                    self._root = digest
                    continue
                inner[at : at + 32] = digest
                node = at // 65
                if not waits[node]:
                    waits[node] = 1
                    buckets[bits[node]].append(node)
            # Bits rise from the root down, so each node comes after all that stand below it.
            for bit in range(255, -1, -1):
                for node in buckets[bit]:
                    waits[node] = 0
                    start = node * 65
                    digest = sha(inner[start : start + 65]).digest()
                    at = inner_at[node]
                    if at < 0:
                        self._root = digest
                        continue
                    inner[at : at + 32] = digest
                    node = at // 65
                    if not waits[node]:
                        waits[node] = 1
                        buckets[bits[node]].append(node)
        self._dirty.clear()
        self._dirty_inner.clear()
        return self._root

    def holds(self, leaf: int, key: bytes, value: bytes) -> bool:
        """Do this key and value stand at this leaf?"""
        return self._leaf[leaf * 64 : leaf * 64 + 64] == key + value

    def remake(self) -> bytes:
        """Root made again from all the leaves: for a map that came from somewhere else."""
        self._dirty.update(range(len(self)))
        return self.root()

    def prove(self, key: bytes) -> dict[str, Any]:
        """What `heads.json` holds for this key: `{"steps"}`, or of an absent one `{"other_key", "other_value",
        "steps"}`. E_INCOMPLETE in an empty map, where there is nothing to show."""
        if self._top is None:
            raise Refused("E_INCOMPLETE", "an empty head map proves nothing")
        self.root()
        leaf = self._find(key)
        steps: list[str] = []
        at = self._leaf_at[leaf]
        while at >= 0:
            node = at // 65
            sibling = at - 32 if at % 65 else at + 32
            steps.append((bytes((self._bits[node],)) + self._inner[sibling : sibling + 32]).hex())
            at = self._inner_at[node]
        other = self._leaf[leaf * 64 : leaf * 64 + 64]
        if other[:32] == key:
            return {"steps": steps}
        return {"other_key": other[:32].hex(), "other_value": other[32:].hex(), "steps": steps}

    @classmethod
    def build(cls, items: Iterable[tuple[bytes, bytes]]) -> HeadMap:
        """A map of many keys at once."""
        made = cls()
        for key, value in items:
            made.set(key, value)
        return made

    def dump(self) -> bytes:
        """The whole map as bytes that `load` takes back at the speed of copying, with a digest over them."""
        self.root()
        head = b"".join(
            (
                _DUMP_LABEL,
                len(self._leaf_at).to_bytes(8, "little"),
                (self._top or 0).to_bytes(8, "little", signed=True),
                self._root,
            )
        )
        body: list[bytes | bytearray] = [head, self._leaf, self._inner, self._bits]
        body += [_little(numbers) for numbers in (self._left, self._right, self._leaf_at, self._inner_at)]
        data = b"".join(body)
        return data + _sha256(data).digest()

    @classmethod
    def load(cls, data: bytes | memoryview) -> HeadMap:
        """A dumped map. E_INCOMPLETE for bytes that are damaged; compare `root()` with a seal's before use."""
        view = memoryview(data)
        at = len(_DUMP_LABEL)
        if len(view) < at + 80 or bytes(view[:at]) != _DUMP_LABEL:
            raise Refused("E_INCOMPLETE", "not a dump of a head map")
        if _sha256(view[:-32]).digest() != view[-32:]:
            raise Refused("E_INCOMPLETE", "the dump of the head map is damaged")
        count = int.from_bytes(view[at : at + 8], "little")
        top = int.from_bytes(view[at + 8 : at + 16], "little", signed=True)
        inner = max(0, count - 1)
        if len(view) != at + 80 + count * 72 + inner * 82:
            raise Refused("E_INCOMPLETE", "the dump of the head map has another length")
        made = cls()
        made._root = bytes(view[at + 16 : at + 48])
        at += 48
        made._leaf = bytearray(view[at : at + count * 64])
        at += count * 64
        made._inner = bytearray(view[at : at + inner * 65])
        at += inner * 65
        made._bits = bytearray(view[at : at + inner])
        at += inner
        for numbers, length in (
            (made._left, inner),
            (made._right, inner),
            (made._leaf_at, count),
            (made._inner_at, inner),
        ):
            end = at + length * numbers.itemsize
            numbers.frombytes(view[at:end])
            if byteorder != "little":
                numbers.byteswap()
            at = end
        made._waits = bytearray(inner)
        made._top = top if count else None
        return made


def _bits_of(key: bytes) -> str:
    """The 256 bits of a key as text, the most significant first: what a descent looks at is one character."""
    return f"{int.from_bytes(key, 'big'):0256b}"


def _little(numbers: array[int]) -> bytes:
    if byteorder == "little":
        return numbers.tobytes()
    swapped = array(numbers.typecode, numbers)
    swapped.byteswap()
    return swapped.tobytes()


def _climb(key: bytes, digest: bytes, steps: Iterable[bytes]) -> bytes:
    below = 256
    for step in steps:
        if len(step) != _STEP_BYTES:
            raise Refused("E_PROOF_SHAPE", f"a step of {len(step)} bytes instead of {_STEP_BYTES}")
        bit = step[0]
        if bit >= below:
            raise Refused("E_PROOF_SHAPE", "bits do not fall from leaf to root")
        below = bit
        if key[bit >> 3] & (128 >> (bit & 7)):
            digest = _sha256(step[1:] + digest + step[:1]).digest()
        else:
            digest = _sha256(digest + step[1:] + step[:1]).digest()
    return digest


def root_from_presence(key: bytes, value: bytes, steps: Iterable[bytes]) -> bytes:
    """The root of a map in which `key` has `value`. E_PROOF_SHAPE for steps that no map has."""
    if len(key) != 32 or len(value) != 32:
        raise Refused("E_PROOF_SHAPE", "keys and values have 32 bytes")
    return _climb(key, _sha256(key + value).digest(), steps)


def root_from_absence(key: bytes, proof: Mapping[str, Any]) -> bytes:
    """The root of a map in which `key` stands nowhere: another key stands where its bits lead. E_PROOF_SHAPE for
    a proof of another form or one whose keys do not agree at every step."""
    if set(proof) != {"other_key", "other_value", "steps"}:
        raise Refused("E_INCOMPLETE", "a proof of absence has the other key, the other value and the steps")
    other, value = unhex32(proof["other_key"]), unhex32(proof["other_value"])
    steps = parse_steps(proof["steps"])
    if other == key:
        raise Refused("E_PROOF_SHAPE", "the other key is the key that is sought")
    for step in steps:
        bit = step[0]
        if (key[bit >> 3] ^ other[bit >> 3]) & (128 >> (bit & 7)):
            raise Refused("E_PROOF_SHAPE", "the two keys part before the end of the steps")
    return _climb(key, _sha256(other + value).digest(), steps)


def unhex32(text: object) -> bytes:
    """32 bytes in lower-case hex."""
    if isinstance(text, str) and len(text) == 64:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if data.hex() == text:
            return data
    raise Refused("E_PROOF_SHAPE", "not a digest in lower-case hex")


def parse_steps(steps: object) -> list[bytes]:
    """The steps of a proof out of their JSON form."""
    if not isinstance(steps, list) or len(steps) > 256:
        raise Refused("E_PROOF_SHAPE", "steps are a list of at most 256")
    found: list[bytes] = []
    for text in steps:
        if not isinstance(text, str) or len(text) != 2 * _STEP_BYTES:
            raise Refused("E_PROOF_SHAPE", "a step is one byte and a digest, in hex")
        try:
            data = bytes.fromhex(text)
        except ValueError as error:
            raise Refused("E_PROOF_SHAPE", "a step is one byte and a digest, in hex") from error
        if data.hex() != text:
            raise Refused("E_PROOF_SHAPE", "hex is lower case")
        found.append(data)
    return found
