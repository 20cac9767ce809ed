"""The second code path beside the sequencer: in the same process, or in one of its own on another core.

Both answer the same questions in the same order. The process of its own is started and ended by its owner, talks
to nobody else, and ends by itself when its owner is gone."""

from __future__ import annotations

from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from ledger.errors import StoreDamaged
from ledger.log.config import LogConfig
from ledger.log.port import ShardLog, open_log
from ledger.sequencer.companion import Companion
from ledger.sequencer.publish import Publisher, Run, TileTree256
from ledger.tilestore.directory import DirectoryTiles
from ledger.tilestore.port import TileStore

# How far the second path may fall behind before the line waits for it; without a bound checkpoints stop coming.
BEHIND_ENTRIES_MAX = 20_000


class SecondPath(Protocol):
    """What the sequencer asks of its second code path. Raises `StoreDamaged` where the stored bytes are not what they
    should be, `LogUnavailable` where it cannot read them or is gone: `open` it again after either."""

    def open(self, size: int, root: bytes) -> bool:
        """Begins anew behind `size` entries with `root`; False where the published tiles do not lead there
        (begin at 0 then)."""
        ...

    def follow(self, run: Run) -> None: ...

    def ask(self, size: int) -> None:
        """Asks for the root over all that was followed, which is `size` entries."""
        ...

    def answers(self, *, wait: bool) -> list[tuple[int, bytes]]:
        """(size, root) that have come in, in the order asked; with `wait` all that are outstanding."""
        ...

    def publish(self, size: int, checkpoint: bytes) -> None: ...

    def settle(self) -> None:
        """Returns when everything that was asked to be published is."""
        ...

    def close(self) -> None: ...


def make_publisher(stored: ShardLog, tiles: TileStore, size: int, root: bytes) -> Publisher | None:
    """A publisher that begins behind `size` entries, out of what is published; None where that does not fit."""
    tree = TileTree256() if size == 0 else TileTree256.restore(tiles, size, root)
    return None if tree is None else Publisher(stored, tiles, tree, _published_size(tiles))


def _published_size(tiles: TileStore) -> int:
    """What the published checkpoint says of its size; 0 where there is none. Used for tidying up only."""
    note = tiles.checkpoint() or b""
    lines = note.split(b"\n", 2)
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() and len(lines[1]) < 20 else 0


class InProcess:
    """The second path on the caller's own time. `stored` is a connection of its own."""

    def __init__(self, stored: ShardLog, tiles: TileStore) -> None:
        self._stored = stored
        self._tiles = tiles
        self._publisher: Publisher | None = None
        self._answers: list[tuple[int, bytes]] = []

    def open(self, size: int, root: bytes) -> bool:
        self._answers = []
        self._publisher = make_publisher(self._stored, self._tiles, size, root)
        return self._publisher is not None

    @property
    def _open(self) -> Publisher:
        if self._publisher is None:
            raise StoreDamaged("the second code path is not open")
        return self._publisher

    def follow(self, run: Run) -> None:
        self._open.follow(run)

    def ask(self, size: int) -> None:
        found = self._open.freeze()
        if found[0] != size:
            raise StoreDamaged(f"the second code path followed {found[0]} entries, not {size}")
        self._answers.append(found)

    def answers(self, *, wait: bool) -> list[tuple[int, bytes]]:  # noqa: ARG002 - there is nothing to wait for
        answers, self._answers = self._answers, []
        return answers

    def publish(self, size: int, checkpoint: bytes) -> None:
        self._open.publish(size, checkpoint)

    def settle(self) -> None:
        return None

    def close(self) -> None:
        self._publisher = None
        if isinstance(self._tiles, DirectoryTiles):
            self._tiles.close()


class OwnProcess:
    """The second path in a process of its own, for a log and a tile directory that it can open by itself."""

    def __init__(self, config: LogConfig, shard: int, tiles: Path) -> None:
        self._arguments = (config, shard, str(tiles))
        self._companion: Companion | None = None
        self._told = 0
        self._at = 0
        self._asked = 0
        self._publishing = 0
        self._answers: deque[tuple[int, bytes]] = deque()

    @property
    def companion(self) -> Companion:
        """The process, once it is open."""
        if self._companion is None:
            raise StoreDamaged("the second code path is not open")
        return self._companion

    def open(self, size: int, root: bytes) -> bool:
        self.close()
        self._companion = Companion("second", *self._arguments)
        self._told = self._at = size
        self._asked = self._publishing = 0
        self._answers.clear()
        self._companion.send(("open", size, root))
        return bool(self._companion.receive() == ("open", True))

    def follow(self, run: Run) -> None:
        self.companion.send(("follow", run))
        self._told += run.entries
        self._pump(block=False)
        while self._told - self._at > BEHIND_ENTRIES_MAX:
            self._pump(block=True)

    def ask(self, size: int) -> None:
        self._asked += 1
        self.companion.send(("ask", size))

    def answers(self, *, wait: bool) -> list[tuple[int, bytes]]:
        self._pump(block=False)
        while wait and self._asked:
            self._pump(block=True)
        found = list(self._answers)
        self._answers.clear()
        return found

    def publish(self, size: int, checkpoint: bytes) -> None:
        self._publishing += 1
        self.companion.send(("publish", size, checkpoint))

    def settle(self) -> None:
        while self._publishing:
            self._pump(block=True)

    def close(self) -> None:
        companion, self._companion = self._companion, None
        if companion is not None:
            companion.close()

    def _pump(self, *, block: bool) -> None:
        companion = self.companion
        while block or companion.waiting():
            block = False
            message = companion.receive()
            if message[0] == "at":
                self._at = message[1]
            elif message[0] == "root":
                self._asked -= 1
                self._answers.append((message[1], message[2]))
            elif message[0] == "published":
                self._publishing -= 1


def serve(pipe: Connection, config: LogConfig, shard: int, directory: str) -> None:
    """The life of the other process."""
    tiles = DirectoryTiles(directory)
    try:
        stored = open_log(config, shard, "reader")
        try:
            _answer(pipe, stored, tiles)
        finally:
            stored.close()
    finally:
        tiles.close()


def _answer(pipe: Connection, stored: ShardLog, tiles: TileStore) -> None:
    publisher: Publisher | None = None
    while True:
        message = pipe.recv()
        if message[0] == "open":
            publisher = make_publisher(stored, tiles, message[1], message[2])
            pipe.send(("open", publisher is not None))
            continue
        assert publisher is not None
        if message[0] == "follow":
            publisher.follow(message[1])
            pipe.send(("at", publisher.size))
        elif message[0] == "ask":
            size, root = publisher.freeze()
            if size != message[1]:
                raise StoreDamaged(f"the second code path followed {size} entries, not {message[1]}")
            pipe.send(("root", size, root))
        elif message[0] == "publish":
            publisher.publish(message[1], message[2])
            pipe.send(("published", message[1]))
