"""The sequencer of one shard: gives each event its place, once, and says so only when it stands (formats 3 to 6).

    start   read the log to its end, validate, take the term            recover.py
    step    submissions in, entries appended and read back              step.py, tail.py
    seal    on a timer: head map root, checkpoint, receipts, tiles      here, second.py

A receipt covers an event only after its entry was read back, sealed, and the root signed, at which two code paths
arrived. After any error on an append everything in memory is thrown away and `start` begins again from the log.
Any number of sequencers may run on a shard: whoever holds the term goes on, the others get `Superseded`."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import ClockRefused, LogUnavailable, StoreDamaged, Superseded
from ledger.kernel.checkpoint import Checkpoint, Receipt, open_statement, sign_statement
from ledger.kernel.keys import Signer
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import ShardLog
from ledger.sequencer import recover
from ledger.sequencer import snapshot as snapshots
from ledger.sequencer.companion import quiet_collector
from ledger.sequencer.intake import InProcess as InProcessIntake
from ledger.sequencer.intake import Intake
from ledger.sequencer.publish import Run
from ledger.sequencer.recover import State
from ledger.sequencer.second import InProcess, SecondPath
from ledger.sequencer.snapshot import Snapshot
from ledger.sequencer.step import Feed, Line, Position
from ledger.sequencer.tail import Overtaken, Tail
from ledger.tilestore.port import TileStore
from ledger.vault.port import StoredKey

__all__ = ["Progress", "Sequencer", "quiet_collector"]

# Rule R17: a clock further than this from its reference is not believed.
CLOCK_AWAY_US_MAX = 60_000_000
# An hour without anything new ends in a seal all the same (formats 5).
IDLE_SEAL_S = 3600.0
# Seals whose roots are still awaited from the second path.
AWAITED_MAX = 16
DRAIN_CADENCE_S = 1.0
IDLE_WAIT_S = 0.05
# A holder that works appends something within this time after something was handed in.
STAND_BY_S = 5.0
RETRY_FIRST_S = 0.05
RETRY_LAST_S = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did. `size` entries stand, `sealed` of them are under an accepted checkpoint. `idle`: nothing
    was there to read, and everything that stands is sealed. `restarted`: the log did not confirm; begin again."""

    read: int
    size: int
    sealed: int
    idle: bool
    restarted: bool = False


@dataclass(slots=True)
class _Sealed:
    """A seal that stands, and what follows from it once its root is confirmed."""

    size: int
    root: bytes
    moved: dict[Feed, Position]
    snapshot: Callable[[bytes], Snapshot] | None


def _no_fault(_point: str) -> None:
    return None


class Sequencer:
    """One shard's sequencer. Not safe for use by several threads.

    `signer` holds the log key of `origin`. `clock` gives microseconds since the Unix epoch, `entropy(n)` n random
    bytes, `ticks` seconds of a clock that only rises. `stored` is a connection of its own for the second code path in
    this process (without it, `log` itself); `second` replaces that path altogether, by one in its own process, and
    `intake` the looking at submissions.
    `store_wrapped` takes wrapped protecting keys and returns when they are durable; without it they are dropped.

    `sequenced` never goes back: when the clock is behind the last entry by at most 60 s, that entry's time is used
    again, further behind is `ClockRefused`, and so is a clock 60 s behind the time at which the log saw a submission
    arrive. (That the clock runs ahead nothing here can tell: only cosignatures will.)"""

    def __init__(
        self,
        log: ShardLog,
        signer: Signer,
        tiles: TileStore,
        state_dir: Path | None,
        check_event: Callable[[dict[str, Any]], None],
        *,
        origin: str,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        cadence_s: float = 1.0,
        store_wrapped: Callable[[Sequence[StoredKey]], object] | None = None,
        stored: ShardLog | None = None,
        second: SecondPath | None = None,
        intake: Intake | None = None,
        batch: int = 500,
        snapshot_entries: int = 100_000,
        ticks: Callable[[], float] = time.monotonic,
        arrivals_are_reference: bool = True,
        faults: Callable[[str], None] = _no_fault,
    ) -> None:
        self.origin = origin
        self.log_key = VerifierKey.of(origin, ED25519, signer.public_key)
        self.counts: Counter[str] = Counter()
        self._log = log
        self._signer = signer
        self._tiles = tiles
        self._directory = state_dir
        self._check_event = check_event
        self._clock = clock
        self._entropy = entropy
        self._cadence_s = cadence_s
        self._store_wrapped = store_wrapped
        self._second: SecondPath = second or InProcess(stored or log, tiles)
        self._intake: Intake = intake or InProcessIntake(log, origin, check_event)
        self._batch = batch
        self._snapshot_entries = snapshot_entries
        self._ticks = ticks
        self._arrivals = arrivals_are_reference
        self._faults = faults
        self._line: Line | None = None
        self._reopen = False
        self._notes: set[bytes] = set()
        if state_dir is not None:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    # -- starting ------------------------------------------------------------------------------------------------

    def start(self, progress: Callable[[int], None] | None = None) -> None:
        """Reads the log, takes the term, and brings checkpoint, receipts and tiles up to what is sealed.

        `Superseded` where another took the term first, `LogUnavailable` where the log does not answer (call again),
        `Misbehaviour` and `StoreDamaged` where the ledger does not hold: run fsck."""
        self._line = None
        if self._reopen:
            self._log.reopen()
        self._reopen = True
        state = recover.open_state(
            self._log, self._directory, self.origin, self.log_key, self._check_event, self._second.open
        )
        recover.read_on(state, self._log, progress)
        if state.fault is not None:
            self.counts["cut_off"] += 1
        recover.check_promises(
            state.acceptance,
            (self._tiles.checkpoint(), state.remembered),
            recover.promises(self._log, self.log_key).values(),
            self.log_key,
        )
        if self._directory is not None and not state.start:
            snapshots.discard(self._directory)
        self._faults("recovered")
        recover.take_term(state, self._log, self._signer, self._entropy(32), self._notes)
        self._faults("term")
        self._begin(state)
        self._reopen = False

    def _begin(self, state: State) -> None:
        acceptance = state.acceptance
        self._tail = Tail(self._log, acceptance, state.cursor)
        self._tail.dead.update(state.dead)
        self._sealed_note = state.checkpoint
        self._awaited: deque[_Sealed] = deque()
        self._moved: dict[Feed, Position] = {
            feed: position
            for feed, position in recover.positions(state.validation).items()
            if state.covered.get(feed) != position
        }
        self._keys: list[StoredKey] = []
        self._submissions = state.submissions
        self._intake.seek(self._submissions)
        self._snapshot_size = state.start
        self._last_seal = (state.seal_cursor, state.seal or b"")
        # Keys of entries that no seal covers may not have reached the vault: their submissions are read again first.
        self._owed = dict(state.unsealed) if self._store_wrapped is not None else {}
        self._owed_until = self._log.submissions_end() if self._owed else 0
        self._last_seal_at = self._ticks()
        line = Line(
            state.validation,
            self._signer,
            term=acceptance.term,
            entropy=self._entropy,
            orders=state.orders,
        )
        for run in state.sealed_runs:
            self._second.follow(run)
        if acceptance.final:
            self._catch_up(state)
        for run in state.open_runs:
            self._second.follow(run)
        self._line = line

    def _catch_up(self, state: State) -> None:
        """The last seal's checkpoint, receipts and tiles, where a former life did not come to them."""
        acceptance = state.acceptance
        size = acceptance.final
        missing = recover.missing_receipts(state.covered, recover.promises(self._log, self.log_key))
        if acceptance.sealed < size:
            self._second.ask(size)
            root = acceptance.root_at(size)
            assert root is not None
            self._awaited.append(_Sealed(size, root, missing, None))
            self._confirm(wait=True)
            return
        assert state.checkpoint is not None
        checkpoint = open_statement(state.checkpoint, self.log_key, Checkpoint)
        self._put_receipts(missing, checkpoint)
        if self._tiles.checkpoint() != state.checkpoint:
            self._second.ask(size)
            self._check_answers(self._second.answers(wait=True), deque([(size, checkpoint.root)]))
            self._second.publish(size, state.checkpoint)

    # -- the ordinary step -----------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries stand and were read back."""
        return self._tail.acceptance.next_index

    @property
    def sealed(self) -> int:
        return self._tail.acceptance.sealed

    @property
    def dead(self) -> Mapping[str, int]:
        """Records of the log that count for nothing, by reason."""
        return self._tail.dead

    @property
    def submissions_cursor(self) -> int:
        """Submissions below this are consumed: `prune` may go so far."""
        return self._submissions

    def step(self) -> Progress:
        """Takes in one batch, and seals when it is time. Starts first where it has to.

        `LogUnavailable` is taken care of: the next step starts again. Raises `Superseded`, `ClockRefused`,
        `Misbehaviour`, `StoreDamaged`, `VaultError`; stepping again starts again."""
        if self._line is None:
            self.start()
        try:
            return self._step()
        except (LogUnavailable, Overtaken):
            self._forget()
            self.counts["restarts"] += 1
            return Progress(0, 0, 0, idle=False, restarted=True)
        except ClockRefused:
            raise
        except BaseException:
            self._forget()
            raise

    def _step(self) -> Progress:
        self._confirm(wait=len(self._awaited) >= AWAITED_MAX)
        read = self._take_in()
        if not read:
            self._tail.watch()
        if self._seal_is_due():
            self._seal()
        if not read and self._awaited:
            self._confirm(wait=True)
        acceptance = self._tail.acceptance
        idle = not read and acceptance.sealed == acceptance.next_index
        return Progress(read, acceptance.next_index, acceptance.sealed, idle=idle)

    def _forget(self) -> None:
        """Nothing in memory is believed any more."""
        self._line = None
        self._reopen = True

    def _take_in(self) -> int:
        line = self._line
        assert line is not None
        batch = self._intake.take(self._batch)
        if not batch:
            return 0
        now_us = self._now(line, max(s.arrived_us for s, _ in batch) if self._arrivals else 0)
        if now_us is None:
            # Only what mends the clock may go in; the rest is taken again.
            self._intake.seek(self._submissions)
            batch = [handed for handed in batch if line.is_clock_order(handed[0])]
            if not batch:
                raise ClockRefused("the clock is more than 60 s behind the last entry or the log's own clock")
            now_us = line.last_us
            ordered = line.order(batch[:1], now_us)
        else:
            ordered = line.order(batch, now_us, watch=bool(self._owed))
            self._submissions = batch[-1][0].cursor + 1
        self._faults("ordered")
        for submitted, reason in ordered.dead:
            self._log.put_dead_letter(submitted, reason)
        self.counts.update(ordered.counts)
        self._keys += ordered.keys
        self._moved.update(ordered.moved)
        for feed in ordered.seen:
            if self._owed.get(feed[0], feed[1]) <= feed[1]:
                self._owed.pop(feed[0], None)
        if ordered.entries:
            self._append([("entry", raw) for raw in ordered.entries], ordered.leaves)
        return len(batch)

    def _append(self, records: list[tuple[str, bytes]], leaves: list[bytes]) -> list[Run]:
        self._reopen = True
        self._faults("append")
        runs = self._tail.append(records, leaves)
        self._faults("read_back")
        self._reopen = False
        for run in runs:
            self._second.follow(run)
        return runs

    def _now(self, line: Line, arrived_us: int) -> int | None:
        """The time of the next entries, or None where the clock is not to be believed."""
        now_us = self._clock()
        if arrived_us - now_us > CLOCK_AWAY_US_MAX or line.floor_us - now_us > CLOCK_AWAY_US_MAX:
            return None
        return max(now_us, line.floor_us)

    # -- sealing ---------------------------------------------------------------------------------------------------

    def _seal_is_due(self) -> bool:
        acceptance = self._tail.acceptance
        waited = self._ticks() - self._last_seal_at
        if acceptance.next_index == acceptance.final:
            return acceptance.final > 0 and waited >= IDLE_SEAL_S
        return waited >= self._cadence_s and not self._is_owed()

    def _is_owed(self) -> bool:
        """Are keys of unsealed entries still on their way from the submissions to the vault?"""
        if self._owed and self._submissions >= self._owed_until:
            self._owed = {}
        return bool(self._owed)

    def _seal(self) -> None:
        line = self._line
        assert line is not None
        self._last_seal_at = self._ticks()
        now_us = self._now(line, 0)
        if now_us is None:
            raise ClockRefused("the clock is more than 60 s behind the last entry")
        if self._keys and self._store_wrapped is not None:
            self._store_wrapped(self._keys)
        self._keys = []
        self._faults("keys")
        raw = line.seal(now_us).raw
        self._last_seal = (self._append([("entry", raw)], [])[-1].end - 1, raw)
        # From here the seal stands: nothing below it can be cut off, and whoever signs now signs the same root.
        self._faults("sealed")
        acceptance = self._tail.acceptance
        size, root = acceptance.final, acceptance.root_at(acceptance.final)
        assert root is not None
        line.validation.settle(size)
        moved, self._moved = self._moved, {}
        self._second.ask(size)
        self._awaited.append(_Sealed(size, root, moved, self._take_snapshot()))
        self._confirm(wait=False)

    def _confirm(self, *, wait: bool) -> None:
        """Signs what both code paths agree on, in order, and lets the world know."""
        for answer in self._second.answers(wait=wait):
            sealed = self._awaited.popleft()
            self._check_answers([answer], deque([(sealed.size, sealed.root)]))
            checkpoint = Checkpoint(self.origin, sealed.size, sealed.root)
            note = sign_statement(checkpoint, self._signer)
            self._faults("signed")
            self._reopen = True
            self._tail.append([("checkpoint", note)])
            self._reopen = False
            # From here the entries below count, for everybody.
            self._faults("checkpointed")
            self._sealed_note = note
            self._put_receipts(sealed.moved, checkpoint)
            self._faults("receipts")
            self._second.publish(sealed.size, note)
            self._faults("published")
            if sealed.snapshot is not None and self._directory is not None:
                self._second.settle()
                snapshots.write(self._directory, sealed.snapshot(note))
                self._faults("snapshot")

    @staticmethod
    def _check_answers(answers: Sequence[tuple[int, bytes]], expected: deque[tuple[int, bytes]]) -> None:
        for answer in answers:
            if answer != expected.popleft():
                raise StoreDamaged(
                    f"the stored bytes of {answer[0]} entries lead to another root; nothing was signed"
                )

    def _put_receipts(self, moved: Mapping[Feed, Position], checkpoint: Checkpoint) -> None:
        receipts: dict[str, bytes] = {}
        for (producerid, epoch), (seq, digest) in moved.items():
            receipt = Receipt(self.origin, producerid, epoch, seq, digest, checkpoint.size, checkpoint.root)
            receipts[f"{producerid}/{epoch}"] = sign_statement(receipt, self._signer)
        if receipts:
            self._log.put_receipts(receipts)

    # -- snapshots -------------------------------------------------------------------------------------------------

    def _take_snapshot(self, *, now: bool = False) -> Callable[[bytes], Snapshot] | None:
        """The state as of the seal just read back, kept until its checkpoint is there; None while it is not worth it."""
        line = self._line
        assert line is not None
        grown = self._tail.acceptance.final - self._snapshot_size
        if self._directory is None or not (
            now or grown >= max(self._snapshot_entries, len(line.validation.streams) // 2)
        ):
            return None
        self._snapshot_size = self._tail.acceptance.final
        (cursor, seal), submissions = self._last_seal, self._submissions
        acceptance, validation = self._tail.acceptance.snapshot(), line.validation.dump()
        orders = dict(line.orders)
        return lambda note: Snapshot(
            self.origin, cursor, submissions, note, seal, acceptance, orders, validation
        )

    # -- the whole run ---------------------------------------------------------------------------------------------

    def drain(self, *, patience_s: float = 60.0) -> Progress:
        """Steps until nothing is left to read, everything is sealed, and the tiles show it. Seals without waiting for
        the timer. An unavailable log is tried again for `patience_s`, then raises."""
        cadence, self._cadence_s = self._cadence_s, 0.0
        try:
            while True:
                done = self._patiently(self._drain_step, patience_s)
                if done.idle:
                    break
        finally:
            self._cadence_s = cadence
        self._second.settle()
        return done

    def _drain_step(self) -> Progress:
        """In a drain the timer is the end of the submissions: a seal a second would only slow it down."""
        if self._line is None:
            self.start()
        self._cadence_s = 0.0 if self._at_end() else DRAIN_CADENCE_S
        return self.step()

    def _at_end(self) -> bool:
        return self._submissions >= self._log.submissions_end()

    def run(self, stop: Callable[[], bool], *, patience_s: float = 600.0) -> None:
        """Steps until `stop()`, waiting for submissions in between, never past the next seal. While another holds the
        term it stands by."""
        while not stop():
            try:
                done = self._patiently(self.step, patience_s)
            except Superseded:
                self.stand_by(stop)
                continue
            if not done.read:
                self.wait(IDLE_WAIT_S)

    def stand_by(self, stop: Callable[[], bool], quiet_s: float = STAND_BY_S) -> None:
        """Returns when whoever holds the term seems to be gone, or at `stop()`: something was handed in and the log
        did not move for `quiet_s`, or it did not move for a hundred times as long. Taking over too early does no
        harm, but two that take turns get little done."""
        end, handed = self._log.end(), self._log.submissions_end()
        since = self._ticks()
        while not stop():
            self._log.wait(end, "records", IDLE_WAIT_S)
            now_end = self._log.end()
            quiet = self._ticks() - since
            if now_end != end:
                end, handed, since = now_end, self._log.submissions_end(), self._ticks()
            elif quiet >= quiet_s and (quiet >= 100 * quiet_s or self._log.submissions_end() > handed):
                return

    def wait(self, timeout_s: float) -> bool:
        """Waits for a submission, at most until a seal is due. True if one is there."""
        if self._line is None:
            return True
        left = self._last_seal_at + self._cadence_s - self._ticks()
        if self._tail.acceptance.next_index > self._tail.acceptance.final:
            timeout_s = max(0.0, min(timeout_s, left))
        return self._log.wait(self._submissions, "submissions", timeout_s)

    def _patiently(self, work: Callable[[], Progress], patience_s: float) -> Progress:
        """Does `work` until it does not have to start again."""
        pause, deadline = 0.0, self._ticks() + patience_s
        while True:
            cause: LogUnavailable | None = None
            try:
                done = work()
                if not done.restarted:
                    return done
            except LogUnavailable as error:
                self._forget()
                cause = error
            if self._ticks() > deadline:
                raise LogUnavailable(f"the log did not confirm for {patience_s:.0f} s") from cause
            time.sleep(pause)
            pause = min(pause * 2 or RETRY_FIRST_S, RETRY_LAST_S)

    def close(self) -> None:
        """Leaves a snapshot where the last seal is also the end, and lets go of the second path. The log stays open:
        it is its owner's. Nothing is lost without it: `start` finds everything in the log."""
        try:
            if self._line is not None and self._directory is not None:
                self._leave_snapshot()
        finally:
            self._line = None
            self._intake.close()
            self._second.close()

    def _leave_snapshot(self) -> None:
        assert self._directory is not None
        acceptance = self._tail.acceptance
        at_seal = 0 < acceptance.final == acceptance.sealed == acceptance.next_index
        if not at_seal or acceptance.final == self._snapshot_size or self._awaited:
            return
        self._second.settle()
        take = self._take_snapshot(now=True)
        if take is not None and self._sealed_note is not None:
            snapshots.write(self._directory, take(self._sealed_note))
