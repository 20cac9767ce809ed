"""A log that misbehaves on purpose, for tests: it loses replies, refuses, repeats, tears, and lets late
writes land.

Everything that it does, a real log has been seen to do or may do by the promise of `port.py`. The
interesting one is the reply that was lost: the write landed, and its writer was told otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeVar

from ledger.errors import LogUnavailable
from ledger.log.port import ShardLog
from ledger.log.records import DeadLetter, Record, Submission, Submitted, What

T = TypeVar("T")

Fault = Literal[
    "none",
    "lost_reply",  # all of it landed; the writer hears an error
    "refused",  # nothing landed; an error
    "torn",  # the first half landed; an error
    "holed",  # the first half failed and the second landed; an error
    "late",  # an error now; lands just before this object's next append
    "repeated",  # landed twice; no error
]
FAULTS: Final[tuple[Fault, ...]] = ("lost_reply", "refused", "torn", "holed", "late", "repeated")


def seeded(seed: int, rate: float, calls: int, *, kinds: Sequence[Fault] = FAULTS) -> Iterator[Fault]:
    """A plan for `calls` writes in which each misbehaves with probability `rate`. Same arguments, same plan.
    After it the log is sound, so that every test can drain what is left."""
    chance = random.Random(seed)  # noqa: S311 - a plan for tests, not a secret
    return iter([chance.choice(kinds) if chance.random() < rate else "none" for _ in range(calls)])


class FaultyLog:
    """`ledger.log.port.ShardLog` around a sound one. Each submit, append, put_receipts and put_dead_letter
    takes the next fault of the plan. `faults` lists what was done, in order. Reads fail where `read_faults`
    says True."""

    def __init__(self, log: ShardLog, plan: Iterable[Fault] = (), read_faults: Iterable[bool] = ()) -> None:
        self._log = log
        self._plan = iter(plan)
        self._read_plan = iter(read_faults)
        self._late: list[Sequence[tuple[str, bytes]]] = []
        self._must_reopen = False
        self.faults: list[Fault] = []

    @property
    def shard(self) -> int:
        return self._log.shard

    def _write(self, batch: Sequence[T], put: Callable[[Sequence[T]], None]) -> Fault:
        fault: Fault = next(self._plan, "none")
        self.faults.append(fault)
        half = len(batch) // 2
        landing: dict[Fault, Sequence[T]] = {
            "refused": batch[:0],
            "late": batch[:0],
            "torn": batch[:half],
            "holed": batch[half:],
        }
        landed = landing.get(fault, batch)
        if landed or not batch:
            put(landed)
        if fault == "repeated":
            put(batch)
        elif fault != "none":
            raise LogUnavailable(f"on purpose: {fault}")
        return fault

    def submit(self, batch: Sequence[Submission]) -> None:
        self._write(batch, self._log.submit)

    def append(self, records: Sequence[tuple[str, bytes]]) -> None:
        if self._must_reopen:
            raise LogUnavailable("an append failed before: call reopen(), and read back what is there")
        self._land_late()
        try:
            self._write(records, self._log.append)
        except LogUnavailable:
            self._must_reopen = True
            if self.faults[-1] == "late":
                self._late.append(records)
            raise

    def _land_late(self) -> None:
        late, self._late = self._late, []
        for records in late:
            self._log.append(records)

    def put_receipts(self, receipts: Mapping[str, bytes]) -> None:
        self._write(list(receipts.items()), lambda some: self._log.put_receipts(dict(some)))

    def put_dead_letter(self, submitted: Submitted, reason: str) -> None:
        self._write([submitted], lambda some: self._put_dead_letters(some, reason))

    def _put_dead_letters(self, some: Sequence[Submitted], reason: str) -> None:
        for one in some:
            self._log.put_dead_letter(one, reason)

    def _read(self) -> None:
        if next(self._read_plan, False):
            raise LogUnavailable("on purpose: a read failed")

    def submissions(self, cursor: int, limit: int) -> list[Submitted]:
        self._read()
        return self._log.submissions(cursor, limit)

    def records(self, cursor: int, limit: int) -> list[Record]:
        self._read()
        return self._log.records(cursor, limit)

    def end(self) -> int:
        return self._log.end()

    def submissions_end(self) -> int:
        return self._log.submissions_end()

    def wait(self, cursor: int, what: What, timeout_s: float) -> bool:
        return self._log.wait(cursor, what, timeout_s)

    def receipts(self) -> dict[str, bytes]:
        return self._log.receipts()

    def receipt(self, feed: str) -> bytes | None:
        return self._log.receipt(feed)

    def dead_letters(self, limit: int = 1000) -> list[DeadLetter]:
        return self._log.dead_letters(limit)

    def dead_letter_count(self) -> int:
        return self._log.dead_letter_count()

    def prune(self, now_us: int, below: int) -> int:
        return self._log.prune(now_us, below)

    def check(self) -> list[str]:
        return self._log.check()

    def reopen(self) -> None:
        """The new client is there before the old one's last write is: what was late lands at the first
        append."""
        self._log.reopen()
        self._must_reopen = False

    def close(self) -> None:
        self._log.close()
