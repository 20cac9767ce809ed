"""Brings the views of one shard up to what is sealed: batch by batch, each in one transaction, each exactly
once.

A fault that may pass (a busy database, a log that does not answer) is tried again a few times. Anything else
halts the views at the entry that they cannot read, named by its index: an entry is never passed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from eventsourcing.persistence import OperationalError

from ledger.errors import LogUnavailable, ProjectionHalted, Refused
from ledger.kernel.entry import Entry
from ledger.kernel.note import VerifierKey
from ledger.log.port import ShardLog
from projections.engine.reader import CHUNK_RECORDS, Reader
from projections.engine.store import Moved, ViewStore
from projections.engine.streams import Place
from projections.engine.views import Batch, Placed

BATCH_ENTRIES: Final = 2000
ATTEMPTS: Final = 5
FIRST_PAUSE_S: Final = 0.05

Progress = Callable[[int, int], None]  # (entries applied, entries that count so far)


@dataclass(frozen=True, slots=True)
class Shard:
    """Whose entries are read: the shard's log, its origin and the key that signs for it."""

    log: ShardLog
    origin: str
    log_key: VerifierKey


class Runner:
    """The reader and writer of one shard's views, of the generation that readers see or of one that is
    built."""

    def __init__(
        self,
        store: ViewStore,
        shard: Shard,
        *,
        generation: int | None = None,
        batch: int = BATCH_ENTRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._shard = shard
        self._follow = generation is None
        self._generation = store.generation if generation is None else generation
        self._batch = batch
        self._sleep = sleep
        self._load()

    def _load(self) -> None:
        if self._follow:
            self._generation = self._store.reload()
        self._store.streams.forget()
        position, resume = self._store.position(self._shard.origin, self._generation)
        shard = self._shard
        self._reader = Reader(shard.log, shard.origin, shard.log_key, resume=resume, position=position)

    @property
    def position(self) -> int:
        """How many entries are applied."""
        return self._reader.position

    @property
    def sealed(self) -> int:
        """How many entries count, as far as the log was read."""
        return self._reader.sealed

    def step(self) -> int:
        """Reads on, and applies at most one batch. Returns how many entries it applied; 0 means that nothing
        that counts was waiting in what was read. Raises `ProjectionHalted`, or `Misbehaviour` of the log."""
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._step()
            except Moved:
                self._load()
            except (OperationalError, LogUnavailable) as error:
                if attempt == ATTEMPTS:
                    raise ProjectionHalted(
                        f"the views stand at {self.position} entries, after {ATTEMPTS} attempts: {error}."
                        " Nothing was passed over: mend it and run again"
                    ) from error
                self._store.streams.forget()
                self._sleep(pause)
                pause *= 2
        return 0

    def catch_up(self, progress: Progress | None = None) -> int:
        """Applies everything that counts, to the end of the log as it stands. Returns how many entries that
        were."""
        done = 0
        while True:
            applied = self.step()
            done += applied
            if progress is not None and applied:
                progress(self.position, max(self.sealed, self.position))
            if not applied and not self._more():
                return done

    def _more(self) -> bool:
        return self._reader.cursor < self._shard.log.end()

    def _step(self) -> int:
        reader = self._reader
        while len(reader.peek(self._batch)) < self._batch:
            if reader.read(CHUNK_RECORDS) < CHUNK_RECORDS:
                break
        placed = reader.peek(self._batch)
        if not placed:
            return 0
        try:
            self._apply(placed)
        except (Moved, OperationalError, LogUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the views halt at the entry that has it
            self._store.streams.forget()
            self._halt(placed, error)
        reader.advance(len(placed))
        return len(placed)

    def _apply(self, placed: Sequence[Placed]) -> None:
        store, old = self._store, self._reader.position
        new = old + len(placed)
        tables = store.tables(self._generation)
        resume = self._reader.resume_at(new)
        with store.apply(self._shard.origin, self._generation, old, new, resume) as db:

            def history(stream: int, index: int) -> list[Entry]:
                rows = db.execute(
                    f"SELECT seq, idx, cursor FROM {tables['places']}"
                    " WHERE stream = ? AND idx < ? ORDER BY seq",
                    (stream, index),
                )
                return entries_at(self._shard.log, [Place(*row) for row in rows.fetchall()])

            batch = Batch(db, self._shard.log.shard, tables, placed, history)
            for view in store.views:
                view.apply(batch)

    def _halt(self, placed: Sequence[Placed], cause: Exception) -> None:
        """Goes on one by one to the entry that fails, so that everything before it is applied, and halts
        there."""
        for one in placed:
            try:
                self._apply([one])
            except (Moved, OperationalError, LogUnavailable):
                raise
            except Exception as error:
                self._store.streams.forget()
                raise ProjectionHalted(
                    f"the views stand before entry {one.entry.index} of {self._shard.origin}"
                    f" ({one.entry.event.get('type')}), which they cannot read: {type(error).__name__}."
                    " Nothing was passed over: mend the program, then run again"
                ) from error
            self._reader.advance(1)
        # One by one nothing failed: the fault has passed, and everything is applied.
        raise Moved from cause


def entries_at(log: ShardLog, places: Sequence[Place]) -> list[Entry]:
    """The entries at these places, read from the log. Each is what its place says, or `ProjectionHalted`."""
    found: list[Entry] = []
    for place in places:
        records = log.records(place.cursor, 1)
        try:
            entry = Entry.read(records[0].value) if records and records[0].cursor == place.cursor else None
        except Refused:
            entry = None
        if entry is None or entry.index != place.idx or entry.stream_seq != place.seq:
            raise ProjectionHalted(
                f"the log does not hold entry {place.idx} where the views found it:"
                " rebuild them, and run fsck"
            )
        found.append(entry)
    return found
