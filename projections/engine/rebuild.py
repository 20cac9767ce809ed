"""Makes the views again from the first entry, beside those that readers see, and then takes their place at
once.

Killed at any moment, it leaves the old reading whole; the next rebuild begins again. The live views may go on
being written meanwhile: the new ones take over only where they are at least as far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from projections.engine.runner import Runner, Shard
from projections.engine.store import OtherVersion, ViewStore
from projections.engine.views import View

Progress = Callable[[str, int, int], None]  # (origin, entries applied, entries that count so far)


def rebuild(store: ViewStore, shards: Sequence[Shard], *, progress: Progress | None = None) -> dict[str, str]:
    """Rebuilds every view of every shard, and returns their digests as they were when they took over."""
    with store.rebuilding():
        with store.transaction() as db:
            (generation,) = db.execute("SELECT MAX(generation) + 1 FROM generations").fetchone()
            for (left,) in db.execute("SELECT generation FROM generations WHERE current = 0").fetchall():
                store.drop(db, left)
            store.create(db, generation)
        runners = [(shard, Runner(store, shard, generation=generation)) for shard in shards]
        while True:
            for shard, runner in runners:
                runner.catch_up(None if progress is None else _told(progress, shard.origin))
            digests = store.digests(generation)
            if _take_over(store, generation, runners):
                store.reload()
                return digests


def _told(progress: Progress, origin: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(origin, done, total)


def _take_over(store: ViewStore, generation: int, runners: Sequence[tuple[Shard, Runner]]) -> bool:
    with store.transaction() as db:
        (current,) = db.execute("SELECT generation FROM generations WHERE current = 1").fetchone()
        for shard, runner in runners:
            row = db.execute(
                "SELECT position FROM progress WHERE tracking = ?",
                (store.tracking_name(shard.origin, current),),
            ).fetchone()
            if row is not None and row[0] > runner.position:
                return False
        store.publish(db, generation)
        store.drop(db, current)
    return True


def open_or_begin_again(path: Path | str, views: Sequence[View]) -> ViewStore:
    """Opens the views; where another version of the program made them, an empty file takes their place."""
    try:
        return ViewStore(path, views)
    except OtherVersion:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return ViewStore(path, views)
