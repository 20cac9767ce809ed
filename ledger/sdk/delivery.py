"""From the outbox to the ledger: in order, again and again, until a signed receipt covers it.

Promises: an event leaves the outbox only when a receipt by the log key covers it with its own digest; what a failed or
repeated send leaves twice in the submissions, the feeds absorb (formats 3). A resend may sign a new flush: duplicates
are recognised by the event's bytes alone. Nothing is sent from an outbox that does not check.

Whoever can hold back receipts can make this send for ever, and the outbox fill up; an alarm says so. Whoever can
write receipts without the log key raises an alarm, and nothing else."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from ledger.custody.wrapping import parse_header
from ledger.errors import (
    ConfigurationError,
    DuecourseError,
    LogUnavailable,
    NotRecorded,
    OutboxCorrupt,
    Refused,
)
from ledger.kernel.checkpoint import Receipt, open_statement
from ledger.kernel.digest import leaf_hash
from ledger.kernel.flush import sign_flush
from ledger.kernel.keys import Signer
from ledger.kernel.note import VerifierKey
from ledger.log.port import ShardLog, Submission
from ledger.sdk.config import ProducerConfig
from ledger.sdk.envelope import now_us
from ledger.sdk.notices import Alarm, Notices, Rejection
from ledger.sdk.outbox import Outbox
from ledger.sdk.protect import Keyring
from ledger.sdk.refusals import Refusals
from ledger.sdk.rows import Feed, Row

_diagnostics = logging.getLogger("duecourse.sdk")

OnRejected: TypeAlias = Callable[[Rejection], None]
OnAlarm: TypeAlias = Callable[[Alarm], None]
OpenShard: TypeAlias = Callable[[int, str], ShardLog]

# Alarms after which this outbox must not be used again, not even when it is opened anew.
FATAL: Final = frozenset({"outbox_behind", "outbox_diverged"})
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_LAST_S: Final = 30.0
# A producer in quarantine sends this often, until registrars lift it.
RESEND_LAST_S: Final = 600.0


class Progress(NamedTuple):
    """What one round of delivery did: events sent, covered by receipts, refused; and how many still wait."""

    sent: int
    covered: int
    rejected: int
    pending: int


@dataclass(frozen=True, slots=True)
class Status:
    """`pending` events are not covered by a receipt; `in_flight` of them are sent. `waiting_s` is how long receipts
    have not moved while there was something to cover. `failed` says why nothing can be recorded, or is empty."""

    pending: int
    in_flight: int
    waiting_s: float
    last_error: str
    failed: str
    alarms: int


class _Line:
    """One shard's way to the ledger."""

    __slots__ = (
        "alarmed", "backoff_s", "checked", "log", "moved_at", "not_before", "note", "reader", "refusals",
        "resend_at", "resend_s", "sent", "shard",
    )  # fmt: skip

    def __init__(self, shard: int, feed: Feed, now: float) -> None:
        self.shard = shard
        self.log: ShardLog | None = None
        self.reader: ShardLog | None = None
        self.refusals: Refusals | None = None
        self.sent = feed.base_seq
        self.note: bytes | None = None
        self.checked = False
        self.moved_at = now
        self.alarmed = False
        self.resend_s = 0.0
        self.resend_at = 0.0
        self.backoff_s = 0.0
        self.not_before = 0.0


class Delivery:
    """Delivers one outbox. `deliver_once` and `flush` may be called from any thread; one delivers at a time."""

    def __init__(
        self,
        config: ProducerConfig,
        outbox: Outbox,
        notices: Notices,
        signer: Signer,
        open_shard: OpenShard,
        *,
        keys: Keyring,
        on_rejected: OnRejected | None = None,
        on_alarm: OnAlarm | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._settings = config.delivery
        self._outbox = outbox
        self._notices = notices
        self._signer = signer
        self._open_shard = open_shard
        self._keys = keys
        self._on_rejected = on_rejected
        self._on_alarm = on_alarm
        self._clock = clock
        self._pid = os.getpid()
        self._log_keys: tuple[VerifierKey, ...] = config.verifier_keys()
        self._lines: dict[int, _Line] = {}
        self._mutex = threading.RLock()
        self._wake = threading.Event()
        self._moved = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._last_error = ""
        self._refusing: set[tuple[int, int]] = set()
        self._unhanded = True
        for alarm in notices.alarms():
            if alarm.kind in FATAL:
                outbox.fail(_fatal(alarm.detail))
        if not outbox.feeds():
            self._look_for_a_past()

    # -- the thread ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Delivers from now on in a thread of its own, until `stop`."""
        self._outbox.on_append = self._wake.set
        self._thread = threading.Thread(target=self._run, name="duecourse-delivery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sends what can be sent within `close_timeout_s`, ends the thread, and closes the logs."""
        if os.getpid() != self._pid:
            # A forked child: thread, locks and connections are the parent's.
            return
        deadline = self._clock() + self._settings.close_timeout_s
        self._stopping = True
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(self._settings.close_timeout_s)
        elif self._thread is None:
            self._send_the_rest(deadline)
        # A thread that hangs in a log's own time limit ends by itself: it finds the outbox closed.
        if self._mutex.acquire(timeout=max(0.1, deadline - self._clock())):
            try:
                for line in self._lines.values():
                    self._hang_up(line)
            finally:
                self._mutex.release()

    def _send_the_rest(self, deadline: float) -> None:
        try:
            while self._unsent() and self._clock() < deadline:
                if not self.deliver_once().sent:
                    return
        except DuecourseError as error:
            self._note_error(error)

    def _run(self) -> None:
        settings = self._settings
        while not self._stopping:
            if not self._wake.wait(settings.poll_s) and not self._outbox.pending:
                continue
            self._wake.clear()
            if settings.linger_s and not self._stopping:
                # Events that come within this time share a signature with the one that woke us.
                time.sleep(settings.linger_s)
            try:
                progress = self.deliver_once()
            except NotRecorded as error:
                self._note_error(error)
                if isinstance(error, OutboxCorrupt):
                    return
                time.sleep(settings.poll_s)
            except DuecourseError as error:
                self._note_error(error)
            except Exception:  # noqa: BLE001 -- a thread must not end on a surprise
                # Nothing is lost by it: whatever it was, the next round begins from the outbox.
                _diagnostics.exception("delivery stumbled; it goes on from the outbox")
                time.sleep(settings.poll_s)
            else:
                if progress.sent and self._unsent():
                    self._wake.set()
        self._send_the_rest(self._clock() + settings.close_timeout_s)

    def _note_error(self, error: DuecourseError) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._last_error:
            _diagnostics.warning("delivery waits: %s", text)
        self._last_error = text

    # -- one round -----------------------------------------------------------------------------------------

    def deliver_once(self) -> Progress:
        """Takes in receipts and refusals, and sends what may be sent. Raises `LogUnavailable` after every shard was
        tried, if one of them did not answer; `OutboxCorrupt` where the outbox does not check."""
        self._outbox.check_process()
        sent = covered = rejected = 0
        trouble: LogUnavailable | None = None
        with self._mutex:
            for feed in self._outbox.feeds():
                line = self._line(feed)
                if not self._has_work(line, feed) or self._clock() < line.not_before:
                    continue
                try:
                    more_covered, more_rejected = self._take_in(line)
                    covered += more_covered
                    rejected += more_rejected
                    sent += self._send(line)
                    line.backoff_s = 0.0
                except LogUnavailable as error:
                    trouble = trouble or error
                    self._back_off(line)
            if rejected or self._unhanded:
                self._hand_over()
        if covered:
            with self._moved:
                self._moved.notify_all()
        if trouble is not None:
            raise trouble
        self._last_error = ""
        return Progress(sent, covered, rejected, self._outbox.pending)

    def flush(self, timeout_s: float) -> bool:
        """Waits until receipts cover everything recorded so far. With "manual" delivery it delivers itself."""
        goals = {feed.shard: feed.next_seq for feed in self._outbox.feeds()}
        deadline = self._clock() + timeout_s
        pause = 0.002
        while any(self._outbox.feed(shard).base_seq < goal for shard, goal in goals.items()):
            left = deadline - self._clock()
            if left <= 0:
                return False
            if self._thread is not None and self._thread.is_alive():
                with self._moved:
                    self._moved.wait(min(left, 0.05))
                continue
            try:
                progress = self.deliver_once()
            except LogUnavailable as error:
                self._note_error(error)
                progress = Progress(0, 0, 0, self._outbox.pending)
            if not progress.covered:
                time.sleep(min(left, pause))
                pause = min(pause * 2, self._settings.poll_s)
            else:
                pause = 0.002
        return True

    def status(self) -> Status:
        """See `Status`."""
        now = self._clock()
        lines = [(self._lines[f.shard], f) for f in self._outbox.feeds() if f.shard in self._lines]
        waiting = [now - line.moved_at for line, feed in lines if line.sent > feed.base_seq]
        try:
            alarms = len(self._notices.alarms())
            failed = ""
        except NotRecorded as error:
            alarms, failed = 1, str(error)
        return Status(
            pending=self._outbox.pending,
            in_flight=sum(max(0, line.sent - feed.base_seq) for line, feed in lines),
            waiting_s=max(waiting, default=0.0),
            last_error=self._last_error,
            failed=failed,
            alarms=alarms,
        )

    def _line(self, feed: Feed) -> _Line:
        line = self._lines.get(feed.shard)
        if line is None:
            line = self._lines[feed.shard] = _Line(feed.shard, feed, self._clock())
        return line

    @staticmethod
    def _has_work(line: _Line, feed: Feed) -> bool:
        return feed.base_seq < feed.next_seq or not line.checked

    def _unsent(self) -> bool:
        return any(
            feed.shard not in self._lines or self._lines[feed.shard].sent < feed.next_seq
            for feed in self._outbox.feeds()
        )

    def _back_off(self, line: _Line) -> None:
        # Whatever was under way may or may not be there: the same events are sent again.
        line.sent = self._outbox.feed(line.shard).base_seq
        line.backoff_s = min(max(line.backoff_s * 2, BACKOFF_FIRST_S), BACKOFF_LAST_S)
        line.not_before = self._clock() + line.backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret
        self._hang_up(line)

    @staticmethod
    def _hang_up(line: _Line) -> None:
        for log in (line.log, line.reader):
            if log is not None:
                try:
                    log.close()
                except DuecourseError as error:
                    _diagnostics.debug("closing a log: %s", error)
        line.log = line.reader = line.refusals = None

    def _log(self, line: _Line) -> ShardLog:
        if line.log is None:
            line.log = self._open_shard(line.shard, "producer")
        return line.log

    # -- sending -------------------------------------------------------------------------------------------

    def _send(self, line: _Line) -> int:
        settings = self._settings
        sent = 0
        while True:
            feed = self._outbox.feed(line.shard)
            room = settings.in_flight - (line.sent - feed.base_seq)
            rows = (
                self._outbox.rows(line.shard, line.sent, min(room, settings.batch_events)) if room > 0 else []
            )
            if not rows:
                return sent
            batch: list[Submission] = []
            for start in range(0, len(rows), settings.flush_events):
                batch += self._sign(line.shard, rows[start : start + settings.flush_events])
            self._log(line).submit(batch)
            line.sent += len(rows)
            sent += len(rows)

    def _sign(self, shard: int, rows: Sequence[Row]) -> list[Submission]:
        config = self._config
        events = [row.event for row in rows]
        proofs = sign_flush(events, config.origin(shard), config.producer, self._signer)
        return [
            Submission(_subject(row.event), row.event, proof, row.wrapped)
            for row, proof in zip(rows, proofs, strict=True)
        ]

    # -- receipts ------------------------------------------------------------------------------------------

    def _take_in(self, line: _Line) -> tuple[int, int]:
        """Takes in the newest receipt, and the refusals under it. How many events it covers, and how many of them
        were refused."""
        log = self._log(line)
        refusals = self._refusals(line)
        note = log.receipt(f"{self._config.producer}/{self._config.epoch}")
        line.checked = True
        covered = rejected = 0
        if note is not None and note != line.note:
            receipt = self._open_receipt(line.shard, note)
            if receipt is not None and self._is_ours(line.shard, receipt, note):
                if refusals is not None:
                    # Read before the events go: the application gets back what was refused.
                    rejected = self._read_refusals(line, refusals)
                covered = self._outbox.release(line.shard, receipt.seq, note)
            line.note = note
        self._mind_the_wait(line, covered)
        return covered, rejected

    def _open_receipt(self, shard: int, note: bytes) -> Receipt | None:
        try:
            receipt = open_statement(note, self._log_keys[shard], Receipt)
        except Refused as error:
            self._alarm("bad_receipt", f"shard {shard}: {error.code}: {error.detail}", note)
            return None
        if (receipt.producerid, receipt.epoch) != (self._config.producer, self._config.epoch):
            self._alarm("bad_receipt", f"shard {shard}: a receipt of another feed", note)
            return None
        return receipt

    def _is_ours(self, shard: int, receipt: Receipt, note: bytes) -> bool:
        """Whether the receipt covers events of this outbox. Where it speaks of others, this outbox is not the one that
        the ledger knows, and must not go on."""
        feed = self._outbox.feed(shard)
        if receipt.seq >= feed.next_seq:
            self._fail(
                "outbox_behind",
                f"shard {shard}: the ledger has events up to {receipt.seq}, this outbox only up to {feed.next_seq - 1}:"
                " an older copy, or a new file in the place of a lost one",
                note,
            )
        if receipt.seq < feed.base_seq - 1:
            return False
        if receipt.seq == feed.base_seq - 1:
            known = feed.base_head
        else:
            known = leaf_hash(self._outbox.rows(shard, receipt.seq, 1)[0].event)
        if known != receipt.digest:
            self._fail(
                "outbox_diverged",
                f"shard {shard}: the ledger has another event {receipt.seq} than this outbox: is there a second"
                " installation with this producer's key?",
                note,
            )
        return True

    def _mind_the_wait(self, line: _Line, covered: int) -> None:
        now = self._clock()
        settings = self._settings
        feed = self._outbox.feed(line.shard)
        if covered or line.sent <= feed.base_seq:
            line.moved_at, line.alarmed = now, False
            line.resend_s = settings.resend_after_s
            line.resend_at = now + line.resend_s
            line.sent = max(line.sent, feed.base_seq)
            return
        if now - line.moved_at >= settings.alarm_after_s and not line.alarmed:
            line.alarmed = True
            self._alarm("no_receipt", f"shard {line.shard}: no receipt for event {feed.base_seq}", b"")
        if now >= line.resend_at:
            line.sent = feed.base_seq
            line.resend_s = min(line.resend_s * 2, max(RESEND_LAST_S, settings.resend_after_s))
            line.resend_at = now + line.resend_s

    def _look_for_a_past(self) -> None:
        """A new outbox: if the ledger has a receipt for this feed, another outbox was lost. Where the log does not
        answer, the first delivery looks again."""
        name = f"{self._config.producer}/{self._config.epoch}"
        for shard in range(self._config.shards):
            try:
                log = self._open_shard(shard, "producer")
            except (LogUnavailable, ConfigurationError) as error:
                _diagnostics.warning("a new outbox, and the log does not answer: %s", error)
                return
            try:
                note = log.receipt(name)
                receipt = None if note is None else self._open_receipt(shard, note)
                if note is not None and receipt is not None:
                    self._is_ours(shard, receipt, note)
            except LogUnavailable as error:
                _diagnostics.warning("a new outbox, and the log does not answer: %s", error)
                return
            finally:
                log.close()

    # -- refusals ------------------------------------------------------------------------------------------

    def _refusals(self, line: _Line) -> Refusals | None:
        """What reads the ledger for refusals. It begins where the ledger ends before our first event is sent."""
        if self._settings.rejections == "off":
            return None
        if line.refusals is None:
            line.reader = self._open_shard(line.shard, "reader")
            line.refusals = Refusals(
                line.reader,
                self._log_keys[line.shard],
                self._config.producer,
                self._config.epoch,
                self._notices.cursor(line.shard),
            )
            self._notices.keep_cursor(line.shard, line.refusals.cursor)
        return line.refusals

    def _read_refusals(self, line: _Line, refusals: Refusals) -> int:
        found = []
        for refusal in refusals.read_to_end():
            feed = self._outbox.feed(line.shard)
            if refusal.kind == "equivocation":
                self._alarm("quarantined", f"shard {line.shard}: two events for place {refusal.seq}", b"")
                continue
            if not feed.base_seq <= refusal.seq < feed.next_seq:
                continue
            row = self._outbox.rows(line.shard, refusal.seq, 1)[0]
            if leaf_hash(row.event) != refusal.digest:
                self._alarm("refused_other", f"shard {line.shard}: not our event {refusal.seq}", b"")
                continue
            found.append((refusal.seq, refusal.code, row.event, row.wrapped))
            if row.wrapped:
                self._keys.travel_again({key.key_id for key in parse_header(row.wrapped)})
        self._notices.keep_cursor(line.shard, refusals.cursor, found)
        return len(found)

    def _hand_over(self) -> None:
        self._unhanded = False
        if self._on_rejected is None:
            return
        for rejection in self._notices.rejections(unhanded=True):
            name = (rejection.shard, rejection.seq)
            if name in self._refusing:
                continue
            try:
                self._on_rejected(rejection)
            except Exception:  # noqa: BLE001 -- an application's code may raise anything
                # Kept, and handed over again when the recorder is opened the next time.
                self._refusing.add(name)
                _diagnostics.exception("on_rejected raised for seq %d of shard %d", *reversed(name))
            else:
                self._notices.hand(rejection)

    # -- alarms --------------------------------------------------------------------------------------------

    def _alarm(self, kind: str, detail: str, note: bytes) -> None:
        at = now_us()
        if not self._notices.keep_alarm(kind, detail, note, at):
            return
        _diagnostics.error("alarm %s: %s", kind, detail)
        if self._on_alarm is not None:
            try:
                self._on_alarm(next(a for a in reversed(self._notices.alarms()) if a.kind == kind))
            except Exception:  # noqa: BLE001 -- an application's code may raise anything
                _diagnostics.exception("on_alarm raised for %s", kind)

    def _fail(self, kind: str, detail: str, note: bytes) -> None:
        self._alarm(kind, detail, note)
        error = _fatal(detail)
        self._outbox.fail(error)
        raise error


def _fatal(detail: str) -> OutboxCorrupt:
    return OutboxCorrupt(
        f"{detail}. NOT recorded, and nothing is sent; keep the file, and ask the registrars for a new epoch"
    )


def _subject(event: bytes) -> str:
    """The event's `subject`. Behind `data` no text of the envelope can hold a quotation mark."""
    start = event.rindex(b'"subject":"') + 11
    return event[start : event.index(b'"', start)].decode("ascii")
