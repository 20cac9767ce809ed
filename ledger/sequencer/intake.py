"""What was handed in, read and looked at without any state: in the sequencer's process, or in one of its own.

Form, schema, digest and flush signature need to know nothing of the ledger, so half of the work on an event can be
done on another core, ahead of the order. What it means is decided where the order is (step.py). The other process
is believed as this one is: same code, same machine, same owner."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

from ledger.errors import LogUnavailable
from ledger.kernel.flush import FlushVerifier
from ledger.kernel.submission import CheckSchema, Examined, examine, examine_batch
from ledger.log.config import LogConfig
from ledger.log.port import ShardLog, Submitted, open_log
from ledger.sequencer.companion import Companion

# An event that was looked at, a word on why it could not be (for the dead letters), or None for what is no event.
Looked = Examined | str | None
Handed = tuple[Submitted, Looked]

# Batches that the other process looks at ahead of the order.
AHEAD = 4
# What judging an event needs of its envelope (validation.py); the payload stays behind.
_ENVELOPE = ("actorcapacity", "subject", "tenantid", "type")
# The version of marshal that does not look for the same object twice.
_PLAIN = 2


class Intake(Protocol):
    """The submissions of a shard in their order. Raises `LogUnavailable`, `StoreDamaged`; `seek` again after either."""

    def seek(self, cursor: int) -> None:
        """Goes on at this cursor."""
        ...

    def take(self, limit: int) -> list[Handed]:
        """The next ones, at most `limit`; none if there are none. Does not wait for any."""
        ...

    def close(self) -> None: ...


class InProcess:
    """Looks at submissions on the caller's own time."""

    def __init__(self, log: ShardLog, origin: str, check_event: CheckSchema) -> None:
        self._log = log
        self._examiner = _Examiner(origin, check_event)
        self._cursor = 0

    def seek(self, cursor: int) -> None:
        self._cursor = cursor

    def take(self, limit: int) -> list[Handed]:
        batch = whole_flushes(self._log.submissions(self._cursor, limit), limit)
        if batch:
            self._cursor = batch[-1].cursor + 1
        return list(zip(batch, self._examiner.look(batch), strict=True))

    def close(self) -> None:
        return None


class OwnProcess:
    """Looks at submissions in a process of its own, some batches ahead. `check_event` has to be importable by name."""

    def __init__(self, config: LogConfig, shard: int, origin: str, check_event: CheckSchema) -> None:
        self._arguments = (config, shard, origin, check_event)
        self._companion: Companion | None = None
        self._asked = 0

    @property
    def companion(self) -> Companion:
        """The process, once it was sought."""
        if self._companion is None:
            raise LogUnavailable("nothing is looked at before `seek`")
        return self._companion

    def seek(self, cursor: int) -> None:
        # A fresh process: nothing that was on its way from the old one can be mistaken for what comes next.
        self.close()
        self._companion = Companion("intake", *self._arguments, cursor)
        self._asked = 0

    def take(self, limit: int) -> list[Handed]:
        companion = self.companion
        fresh = True
        while True:
            while fresh and self._asked < AHEAD:
                companion.send(("take", limit))
                self._asked += 1
            handed = _unpack(companion.receive_bytes())
            self._asked -= 1
            if handed or not self._asked:
                return handed
            # What was asked for ahead found nothing either, or more has come since: take those answers first.
            fresh = False

    def close(self) -> None:
        companion, self._companion = self._companion, None
        if companion is not None:
            companion.close()


class _Examiner:
    """Looks at batches, and lets none of them stop the line."""

    def __init__(self, origin: str, check_event: CheckSchema) -> None:
        self._origin = origin
        self._check_event = check_event
        self._verifier = FlushVerifier()

    def look(self, batch: Sequence[Submitted]) -> list[Looked]:
        if all(s.kind == "event" for s in batch):
            return self._events(batch)
        events = iter(self._events([s for s in batch if s.kind == "event"]))
        return [next(events) if s.kind == "event" else None for s in batch]

    def _events(self, batch: Sequence[Submitted]) -> list[Looked]:
        try:
            return list(
                examine_batch(
                    [(s.value, s.proof) for s in batch],
                    origin=self._origin,
                    verifier=self._verifier,
                    check_schema=self._check_event,
                )
            )
        except Exception:  # noqa: BLE001 - find the one that is at fault, and let the others pass
            return [self._one(s) for s in batch]

    def _one(self, submitted: Submitted) -> Looked:
        try:
            return examine(
                submitted.value,
                submitted.proof,
                origin=self._origin,
                verifier=self._verifier,
                check_schema=self._check_event,
            )
        except Exception as error:  # noqa: BLE001 - one goes to the dead letters, the line goes on
            return f"unexpected {type(error).__name__}"


def look(origin: str, check_event: CheckSchema) -> Callable[[Sequence[Submitted]], list[Looked]]:
    """Looks at batches in this process."""
    return _Examiner(origin, check_event).look


def whole_flushes(batch: list[Submitted], limit: int) -> list[Submitted]:
    """A full batch without the flush that its end would cut in two: a whole flush costs one signature's check."""
    if len(batch) < limit or not batch or batch[-1].kind != "event":
        return batch
    proof = batch[-1].proof
    index, comma, _ = proof[9:13].partition(b",")
    if not proof.startswith(b'{"index":') or not comma or not index.isdigit():
        return batch
    place = int(index) + 1
    size = proof[proof.rfind(b":") + 1 : -1]
    # As the last of its flush it cuts nothing; and a flush as large as the batch has to be cut.
    if size == b"%d" % place or place >= len(batch):
        return batch
    return batch[:-place]


def serve(
    pipe: Connection, config: LogConfig, shard: int, origin: str, check_event: CheckSchema, cursor: int
) -> None:
    """The life of the other process."""
    log = open_log(config, shard, "reader")
    try:
        intake = InProcess(log, origin, check_event)
        intake.seek(cursor)
        while True:
            _, limit = pipe.recv()
            pipe.send_bytes(_pack(intake.take(limit)))
    finally:
        log.close()


def _pack(handed: list[Handed]) -> bytes:
    rows: list[Any] = []
    for submitted, looked in handed:
        if not isinstance(looked, Examined):
            rows.append((tuple(submitted), looked))
            continue
        event = looked.event
        envelope: tuple[Any, ...] = ()
        if looked.flaw is None and looked.unsigned is None:
            envelope = (*(event[name] for name in _ENVELOPE), event.get("expectedversion"))
        rows.append(
            (
                tuple(submitted),
                looked.digest,
                looked.key,
                looked.producerid,
                looked.epoch,
                looked.seq,
                looked.prev,
                looked.id_parts,
                looked.flaw,
                looked.unsigned,
                envelope,
            )
        )
    return marshal.dumps(rows, _PLAIN)


def _unpack(data: bytes) -> list[Handed]:
    handed: list[Handed] = []
    for row in marshal.loads(data):  # noqa: S302 - written a moment ago by our own process
        submitted = Submitted._make(row[0])
        if len(row) == 2:
            handed.append((submitted, row[1]))
            continue
        looked = Examined.__new__(Examined)
        looked.event_raw = submitted.value
        looked.proof_raw = submitted.proof
        (
            _,
            looked.digest,
            looked.key,
            looked.producerid,
            looked.epoch,
            looked.seq,
            looked.prev,
            looked.id_parts,
            looked.flaw,
            looked.unsigned,
            envelope,
        ) = row
        looked.event = {}
        if envelope:
            capacity, subject, tenant, kind, expected = envelope
            looked.event = {"actorcapacity": capacity, "subject": subject, "tenantid": tenant, "type": kind}
            if expected is not None:
                looked.event["expectedversion"] = expected
        handed.append((submitted, looked))
    return handed
