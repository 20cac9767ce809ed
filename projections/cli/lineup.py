"""The line of one ledger directory in this process: a sequencer for each shard, and the views behind them.

What comes in through the logs is sequenced, sealed, published and read into the views. Several lines over one
directory do no harm to the record; the views take turns."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from ledger.custody.file import FileSigner
from ledger.errors import LogUnavailable, Superseded
from ledger.events.schemas import check_event
from ledger.log.port import ShardLog
from ledger.sequencer.run import STAND_BY_S, Sequencer
from ledger.sequencer.second import OwnProcess
from ledger.tilestore.directory import DirectoryTiles
from ledger.vault.sqlite import SqliteVault
from projections.cli.behind import Behind
from projections.cli.directory import LedgerDirectory
from projections.cli.readings import all_views
from projections.engine.rebuild import open_or_begin_again
from projections.engine.runner import Runner, Shard

CADENCE_S: Final = 1.0
# How long a step waits for something new before the others get their turn.
IDLE_WAIT_S: Final = 0.05
PATIENCE_S: Final = 60.0
# Retention is counted in days; a run of a few seconds need not look.
PRUNE_FIRST_S: Final = 60.0
PRUNE_EVERY_S: Final = 3600.0


def read_views(ledger: LedgerDirectory, stop: Callable[[], bool]) -> int:
    """Keeps the views until `stop()`, and then once more to the end of the logs. Returns how many entries they hold."""
    logs = [ledger.open_log(shard, "reader") for shard in range(ledger.shards)]
    try:
        with open_or_begin_again(ledger.views, all_views(ledger)) as store:
            runners = [
                Runner(store, Shard(log, ledger.origin(shard), ledger.log_keys[shard]))
                for shard, log in enumerate(logs)
            ]
            while not stop():
                if not sum(runner.step() for runner in runners):
                    time.sleep(IDLE_WAIT_S)
            for runner in runners:
                runner.catch_up()
            return sum(runner.position for runner in runners)
    finally:
        for log in logs:
            log.close()


def clock_us() -> int:
    """Microseconds since the Unix epoch, by this machine's clock."""
    return time.time_ns() // 1000


class Line:
    """Sequencers and views of a ledger directory. Not safe for use by several threads.

    `own_process`: the second code path of each shard, and the views of all, run in processes of their own, which is
    faster on two cores and takes a while to start."""

    def __init__(
        self, ledger: LedgerDirectory, *, cadence_s: float = CADENCE_S, own_process: bool = False
    ) -> None:
        self._ledger = ledger
        self._reading = (
            Behind(["run", str(ledger.root), "--views-only", "--until-eof"]) if own_process else None
        )
        self._logs: list[ShardLog] = []
        self._sequencers: list[Sequencer] = []
        self._runners: list[Runner] = []
        self._resting: dict[Sequencer, tuple[int, float]] = {}
        self._prune_at = time.monotonic() + PRUNE_FIRST_S
        self._vault = SqliteVault(ledger.vault)
        self._views = open_or_begin_again(ledger.views, all_views(ledger))
        try:
            for shard in range(ledger.shards):
                self._add(shard, cadence_s, own_process=own_process)
        except BaseException:
            self.close()
            raise

    def _add(self, shard: int, cadence_s: float, *, own_process: bool) -> None:
        ledger = self._ledger
        log = ledger.open_log(shard, "sequencer")
        self._logs.append(log)
        reading = ledger.open_log(shard, "reader")
        self._logs.append(reading)
        tiles = ledger.tiles(shard)
        tiles.mkdir(parents=True, exist_ok=True)
        self._sequencers.append(
            Sequencer(
                log,
                FileSigner.load(ledger.keys / f"log-{shard}.pem"),
                DirectoryTiles(tiles),
                ledger.state(shard),
                check_event,
                origin=ledger.origin(shard),
                clock=clock_us,
                entropy=secrets.token_bytes,
                cadence_s=cadence_s,
                store_wrapped=self._vault.store,
                stored=reading,
                second=OwnProcess(ledger.log, shard, tiles) if own_process else None,
            )
        )
        self._runners.append(
            Runner(self._views, Shard(reading, ledger.origin(shard), ledger.log_keys[shard]))
        )

    @classmethod
    def of(cls, ledger: LedgerDirectory) -> Self:
        return cls(ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def sequencers(self) -> list[Sequencer]:
        return self._sequencers

    @property
    def size(self) -> int:
        """Entries that stand, over all shards that were started."""
        return sum(sequencer.size for sequencer in self._sequencers)

    def start(self) -> None:
        """Takes the term in every shard. `Superseded`, `LogUnavailable` and the like as the sequencer says."""
        for sequencer in self._sequencers:
            sequencer.start()

    def drain(self, progress: Callable[[int], None] | None = None) -> int:
        """Works until every submission that is there is sequenced, sealed, published and read into the views.
        Returns how many entries there are."""
        for sequencer in self._sequencers:
            sequencer.drain(patience_s=PATIENCE_S)
        if self._reading is not None:
            self._reading.end()
        for runner in self._runners:
            runner.catch_up(None if progress is None else lambda done, _total: progress(done))
        return self.size

    def step(self, wait_s: float = IDLE_WAIT_S) -> bool:
        """One batch in each shard and in each shard's views. True if there was anything to do."""
        busy = False
        for sequencer in self._sequencers:
            if self._stands_by(sequencer):
                continue
            try:
                done = sequencer.step()
            except Superseded:
                # Another holder went first, and its entries are as good as ours: it goes on while the log moves.
                self._resting[sequencer] = (-1, time.monotonic())
                continue
            busy = busy or bool(done.read) or done.restarted
        if self._reading is not None:
            self._reading.keep_going()
        else:
            busy = self._read() or busy
        if not busy:
            self._prune()
            self._sequencers[0].wait(wait_s)
        return busy

    def _prune(self) -> None:
        """Lets submissions and dead letters go whose time is over: the former hold wrapped keys, and are in the ledger."""
        if time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_EVERY_S
        for sequencer, log in zip(self._sequencers, self._logs[::2], strict=True):
            if sequencer not in self._resting:
                log.prune(clock_us(), sequencer.submissions_cursor)

    def _stands_by(self, sequencer: Sequencer) -> bool:
        """Is another one serving this shard? It is taken for gone when the log has not moved for a while."""
        if sequencer not in self._resting:
            return False
        end, since = self._resting[sequencer]
        now, found = time.monotonic(), self._logs[2 * self._sequencers.index(sequencer)].end()
        if found != end:
            self._resting[sequencer] = (found, now)
        elif now - since > STAND_BY_S:
            del self._resting[sequencer]
            return False
        return True

    def _read(self) -> bool:
        # Every runner gets its turn, whatever the ones before it did.
        return sum(runner.step() for runner in self._runners) > 0

    def run(self, stop: Callable[[], bool], told: Callable[[int], None] | None = None) -> None:
        """Steps until `stop()`. A log that does not answer is tried again, for as long as it takes."""
        pause = IDLE_WAIT_S
        while not stop():
            try:
                self.step()
                pause = IDLE_WAIT_S
            except LogUnavailable:
                time.sleep(pause)
                pause = min(2 * pause, 2.0)
                continue
            if told is not None:
                told(self.size)

    def close(self) -> None:
        """Leaves snapshots and lets everything go."""
        if self._reading is not None:
            self._reading.end()
        for sequencer in self._sequencers:
            sequencer.close()
        for log in self._logs:
            log.close()
        self._views.close()
        self._vault.close()
        self._sequencers, self._logs, self._runners = [], [], []
