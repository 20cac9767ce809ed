"""Draws a sample of cases that nobody chose: the root of a signed checkpoint decides, and anybody can draw
again.

    seed = SHA-256("duecourse sample 1\\n" || for each shard, ascending: origin "\\n" size "\\n" root in hex "\\n")
    rank = SHA-256("duecourse sample rank 1\\n" || seed || the case's uuid as text)

The sample is the cases with the lowest ranks, among those that have an entry under the checkpoints. A root is
not known before its entries are, and changes with each of them. Whoever decides when to seal could try again
until a draw pleases: so let the reader name the checkpoint, or the moment, beforehand (docs/exporting.md)."""

from __future__ import annotations

import hashlib
import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ledger.kernel.checkpoint import Checkpoint

_SEED: Final = b"duecourse sample 1\n"
_RANK: Final = b"duecourse sample rank 1\n"


class Drawn(NamedTuple):
    """One case of a sample. `rank` is its digest, by which the sample is ordered."""

    rank: bytes
    case: str
    shard: int


def seed(checkpoints: Sequence[Checkpoint]) -> bytes:
    """The seed that these checkpoints give: one for each shard, in the order of the shards."""
    state = hashlib.sha256(_SEED)
    for one in checkpoints:
        state.update(f"{one.origin}\n{one.size}\n{one.root.hex()}\n".encode())
    return state.digest()


def rank(seed_: bytes, case: str) -> bytes:
    """Where a case comes in the draw."""
    return hashlib.sha256(_RANK + seed_ + case.encode()).digest()


def draw(seed_: bytes, cases: Iterable[tuple[str, int]], size: int) -> list[Drawn]:
    """The `size` cases with the lowest ranks, lowest first; all of them where there are fewer."""
    return heapq.nsmallest(size, (Drawn(rank(seed_, case), case, shard) for case, shard in cases))


def population(db: sqlite3.Connection, checkpoints: Sequence[Checkpoint]) -> Iterator[tuple[str, int]]:
    """(case, shard) of every case that has an entry under these checkpoints, one for each shard."""
    for shard, checkpoint in enumerate(checkpoints):
        rows = db.execute(
            "SELECT s.subject FROM streams s CROSS JOIN places p ON p.stream = s.id AND p.seq = 0"
            " WHERE s.shard = ? AND s.subject >= 'case/' AND s.subject < 'case0' AND p.idx < ?",
            (shard, checkpoint.size),
        )
        for (subject,) in rows:
            yield subject.removeprefix("case/"), shard
