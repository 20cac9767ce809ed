"""The tile store: where a shard's tree and entries lie for anybody who checks them (formats 6, C2SP tlog-tiles).

Nothing here is trusted. Whoever can write to the store can withhold or replace bytes, and every reader notices:
tiles hash up to the root that the log signed. Rolling the whole store back shows an older checkpoint, no forgery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class TileReader(Protocol):
    """The read side. `width` is 256 for a full tile; for less, a full tile's first part is as good an answer.
    Raises `LookupError` where neither is there."""

    def read_tile(self, level: int, n: int, width: int = 256) -> bytes:
        """`width` hashes of 32 bytes."""
        ...

    def read_entries(self, n: int, width: int = 256) -> bytes:
        """An entry bundle of at least `width` entries: u16 length and entry, one after the other."""
        ...

    def checkpoint(self) -> bytes | None:
        """The published checkpoint as a signed note, or None before the first."""
        ...


class TileStore(TileReader, Protocol):
    """The write side, for one publisher at a time. Two publishers of one log write the same bytes."""

    def stage(self, files: Mapping[str, bytes]) -> None:
        """Writes resources by their tlog-tiles path. Visible at once, promised to nobody, perhaps lost in a crash."""
        ...

    def publish(self, checkpoint: bytes, superseded: Iterable[str] = ()) -> None:
        """Makes all that was staged durable, then replaces the checkpoint in one step, durable on return, and only
        then drops the partial resources of the full ones named in `superseded`. A crash at any moment leaves a
        checkpoint with every tile that it needs."""
        ...
