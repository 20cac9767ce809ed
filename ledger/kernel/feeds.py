"""Feeds and event ids: what a validator remembers of all that was consumed, so that nothing is entered twice.

A feed is a producer's own chain in one shard; its digests are kept so that the same bytes (a duplicate) can be told
from other bytes (an equivocation). Source: docs/formats/ 3; R25, R26."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from sys import byteorder
from typing import Final

from ledger.kernel.digest import ZERO

# Digests kept of one feed: 32 bytes each, so 32 MiB. A seq older than that is remembered as consumed, but not with
# which bytes: an SDK sends no event again that a receipt covers.
DIGESTS_KEPT: Final = 1 << 20
# Event ids at full width before they are packed.
_YOUNG_MAX: Final = 1 << 17


class Feed:
    """One (producer, epoch) in one shard: how many seqs are consumed, and with which digests."""

    __slots__ = ("_digests", "_first", "head", "next_seq")

    def __init__(self) -> None:
        self.next_seq = 0
        self.head = ZERO  # what the next event's `producerprev` has to be
        self._first = 0  # the seq of the oldest digest that is kept
        self._digests = bytearray()

    def consume(self, digest: bytes) -> None:
        self._digests += digest
        self.head = digest
        self.next_seq += 1
        # A quarter more than the limit before anything moves, so that it costs little on the whole.
        surplus = self.next_seq - self._first - DIGESTS_KEPT
        if surplus > DIGESTS_KEPT // 4:
            del self._digests[: surplus * 32]
            self._first += surplus

    def take_back(self) -> None:
        """Undo the newest `consume`. Reaches back as far as digests are kept."""
        del self._digests[-32:]
        self.next_seq -= 1
        self.head = bytes(self._digests[-32:]) if self.next_seq else ZERO

    def digest(self, seq: int) -> bytes | None:
        """With which digest a seq was consumed; None where it was not, or is no longer remembered."""
        at = (seq - self._first) * 32
        return bytes(self._digests[at : at + 32]) if self._first <= seq < self.next_seq else None

    def dump(self) -> tuple[int, int, bytes]:
        return self.next_seq, self._first, bytes(self._digests)

    @classmethod
    def load(cls, next_seq: int, first: int, digests: bytes | memoryview) -> Feed:
        if (
            not 0 <= first <= next_seq
            or len(digests) != 32 * (next_seq - first)
            or (next_seq and not digests)
        ):
            raise ValueError("a feed of another size")
        made = cls()
        made.next_seq, made._first, made._digests = next_seq, first, bytearray(digests)
        made.head = bytes(digests[-32:]) if next_seq else ZERO
        return made


class EventIds:
    """Which event ids stand in the shard: all of them, 8 bytes each once they are old.

    Two ids that differ are taken for one with probability 2^-64; the later event is then refused, and its producer
    gives it another id. Ids carry their time (UUIDv7), so an id younger than every packed run costs one look."""

    __slots__ = ("_runs", "_young")

    def __init__(self) -> None:
        self._young: dict[int, int] = {}  # fingerprint: ms
        self._runs: list[tuple[int, array[int]]] = []  # newest ms in the run, fingerprints ascending

    @staticmethod
    def parts(event_id: str) -> tuple[int, int]:
        """Fingerprint of an id, and its time in ms."""
        number = int(event_id.replace("-", ""), 16)
        return (number ^ number >> 64) & 0xFFFF_FFFF_FFFF_FFFF, number >> 80

    def __len__(self) -> int:
        return len(self._young) + sum(len(run) for _, run in self._runs)

    def __contains__(self, parts: tuple[int, int]) -> bool:
        fingerprint, ms = parts
        if fingerprint in self._young:
            return True
        for newest, run in self._runs:
            if ms <= newest:
                at = bisect_left(run, fingerprint)
                if at < len(run) and run[at] == fingerprint:
                    return True
        return False

    def add(self, parts: tuple[int, int]) -> None:
        self._young[parts[0]] = parts[1]

    def discard(self, parts: tuple[int, int]) -> None:
        """Undo an `add` since the last `pack`."""
        self._young.pop(parts[0], None)

    def pack(self, keep: Iterable[tuple[int, int]] = ()) -> None:
        """Packs what is young, if there is enough of it, but for `keep`, which may still be undone."""
        if len(self._young) < _YOUNG_MAX:
            return
        kept = dict(keep)
        old = {fingerprint: ms for fingerprint, ms in self._young.items() if fingerprint not in kept}
        if not old:
            return
        newest, run = max(old.values()), array("Q", sorted(old))
        self._young = kept
        # Runs of equal size are merged, so there are few of them; each id is copied once for each doubling.
        while self._runs and len(self._runs[-1][1]) <= 2 * len(run):
            before, older = self._runs.pop()
            newest, run = max(before, newest), array("Q", sorted([*older, *run]))
        self._runs.append((newest, run))

    def dump(self) -> bytes:
        """Ids as (newest ms, count, fingerprints) a run, the young ones last."""
        runs = list(self._runs)
        if self._young:
            runs.append((max(self._young.values()), array("Q", sorted(self._young))))
        parts: list[bytes] = []
        for newest, run in runs:
            parts.append(newest.to_bytes(8, "little") + len(run).to_bytes(8, "little"))
            parts.append(_little(run))
        return b"".join(parts)

    @classmethod
    def load(cls, data: bytes | memoryview) -> EventIds:
        made = cls()
        view = memoryview(data)
        at = 0
        while at < len(view):
            newest, count = (int.from_bytes(view[i : i + 8], "little") for i in (at, at + 8))
            at += 16
            if at + count * 8 > len(view):
                raise ValueError("ids end too early")
            run = array("Q")
            run.frombytes(view[at : at + count * 8])
            if byteorder != "little":
                run.byteswap()
            made._runs.append((newest, run))
            at += count * 8
        return made


def _little(items: array[int]) -> bytes:
    if byteorder == "little":
        return items.tobytes()
    swapped = array(items.typecode, items)
    swapped.byteswap()
    return swapped.tobytes()
