"""A whole shard in a directory, for tests: an SQLite log, tiles, snapshots, founded and with producers, under keys that
everybody knows. Time and chance come from numbers, so the same calls give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.kernel.acceptance import Acceptance, Accepted, Evidence
from ledger.kernel.canonical import counter
from ledger.kernel.checkpoint import Receipt, open_statement
from ledger.kernel.entry import Entry
from ledger.kernel.event import is_ledger_type, parse_event
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import LogConfig, Role, ShardLog, Submission, create_log, open_log
from ledger.sequencer import orders
from ledger.sequencer.fsck import FsckReport, fsck
from ledger.sequencer.run import Sequencer
from ledger.testing.history import NAME, START_US, TENANT, Tool, any_schema, signer
from ledger.tilestore.directory import DirectoryTiles


class Clock:
    """A clock that goes on by a millisecond each time it is looked at; `us` may be set."""

    def __init__(self, us: int = START_US) -> None:
        self.us = us

    def __call__(self) -> int:
        self.us += 1000
        return self.us


class Chance:
    """Random bytes from a seed."""

    def __init__(self, seed: object = 0) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return sha256(f"chance {self._seed} {self._drawn}".encode()).digest()[:count]


class Rig:
    """One shard in `directory`, on an SQLite log there or the one of `config`. `check_event` stands for the schemas."""

    def __init__(
        self,
        directory: Path,
        *,
        check_event: Callable[[dict[str, Any]], None] = any_schema,
        shard: int = 0,
        shards: int = 1,
        config: LogConfig | None = None,
    ) -> None:
        self.directory = directory
        self.shard = shard
        self.shards = shards
        self.origin = f"{NAME}/{shard}"
        self.signer = signer("LOG")
        self.log_key = VerifierKey.of(self.origin, ED25519, self.signer.public_key)
        self.check_event = check_event
        self.config = create_log(config or LogConfig(kind="sqlite", path=directory / "log", shards=shards))
        self.clock = Clock()
        self._made = 0
        self._opened: list[ShardLog] = []
        self._sequencers: list[Sequencer] = []
        self._places: dict[str, int] = {}
        self.front = self.open_log("producer")
        self.eye = self.open_log("reader")

    @property
    def tiles(self) -> Path:
        return self.directory / "tiles"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def open_log(self, role: Role) -> ShardLog:
        """A connection that `close` closes."""
        log = open_log(self.config, self.shard, role)
        self._opened.append(log)
        return log

    def sequencer(self, log: ShardLog | None = None, **options: Any) -> Sequencer:
        """A sequencer of this shard, not started. `log` may be one that misbehaves."""
        self._made += 1
        settings: dict[str, Any] = {
            "origin": self.origin,
            "clock": self.clock,
            "entropy": Chance(self._made),
            "cadence_s": 0.0,
            "stored": self.open_log("reader"),
            "arrivals_are_reference": False,
        }
        state = options.pop("state_dir", self.state)
        settings.update(options)
        made = Sequencer(
            log or self.open_log("sequencer"),
            self.signer,
            DirectoryTiles(self.tiles),
            state,
            self.check_event,
            **settings,
        )
        self._sequencers.append(made)
        return made

    # -- what is handed in

    def order(self, short: str, subject: str, data: Mapping[str, Any], by: str = "A") -> bytes:
        """Hands in an order for the next place of its stream, approved by these registrars."""
        at = self._places.get(subject, 0)
        self._places[subject] = at + 1
        made = orders.make_order(short, subject, {"at": at, **data})
        return self.hand_in(made, by)

    def hand_in(self, order: bytes, by: str = "A") -> bytes:
        for letter in by:
            order = orders.approve(order, self.origin, signer(letter))
        self.front.submit([orders.submission(order)])
        return order

    def found(self) -> bytes:
        """Hands in the founding: one registrar, `A`."""
        self._places["registry"] = 1
        return self.hand_in(
            orders.founding(
                name=NAME,
                shard=self.shard,
                shards=self.shards,
                log_key=self.signer.public_key,
                registrars=[(signer("A").public_key, "A")],
                threshold=1,
                vault_key=sha256(b"vault").digest(),
            )
        )

    def register(self, producerid: str, *, types: Sequence[str] = ("contact",)) -> Tool:
        """Hands in a registration, and gives the tool that is registered."""
        self.order(
            "producer_registered",
            f"producer/{producerid}",
            {
                "capacities": ["agency", "first_party"],
                "key": signer(producerid).public_key.hex(),
                "tenants": [TENANT],
                "types": sorted(types),
            },
        )
        return Tool(self.origin, producerid)

    def submit(
        self, *flushes: Sequence[tuple[bytes, bytes]], subject: str = "case", wrapped: bytes = b""
    ) -> None:
        """Hands in flushes as they were signed; `wrapped` travels with the first event."""
        batch = [
            Submission(subject=subject, value=event, proof=proof)
            for flush in flushes
            for event, proof in flush
        ]
        if wrapped:
            batch[0] = batch[0]._replace(wrapped_keys=wrapped)
        self.front.submit(batch)

    # -- what is read

    def values(self, kind: str) -> list[bytes]:
        """Values of all records of a kind, as they stand in the log."""
        return [record.value for record in self.eye.records(0, 1_000_000) if record.kind == kind]

    def accepted(self) -> list[Entry]:
        """The entries that count: accepted, and under a checkpoint."""
        acceptance = Acceptance(self.origin, self.log_key)
        entries: list[Entry] = []
        cursor = 0
        while records := self.eye.records(cursor, 1000):
            for record in records:
                cursor = record.cursor + 1
                outcome = acceptance.apply(record.kind, record.value)
                if isinstance(outcome, Evidence):
                    raise AssertionError(outcome.contradicts)  # noqa: TRY004 - what a check of a test raises
                if isinstance(outcome, Accepted) and outcome.entry is not None:
                    entries.append(outcome.entry)
                elif isinstance(outcome, Accepted) and outcome.term is not None:
                    del entries[outcome.term.next_index :]
        return entries[: acceptance.sealed]

    def check(self, events: Sequence[bytes] = (), *, whole: bool = True) -> FsckReport:
        """What must hold after anything: fsck finds nothing, every receipt is honoured, no event stands twice, and
        (`whole`) all of `events` stand, each once, in the order of its feed. `AssertionError` otherwise."""
        report = fsck(self.eye, DirectoryTiles(self.tiles), self.origin, self.log_key, self.check_event)
        assert report.ok, report.value()
        stored = [entry.event_raw for entry in self.accepted() if not is_ledger_type(entry.event["type"])]
        assert len(set(stored)) == len(stored), "an event stands twice"
        handed = [event for event in events if event in set(stored)] if not whole else list(events)
        if events:
            assert [event for event in stored if event in set(events)] == handed, (
                "events lost, or out of order"
            )
        places = {(e["producerid"], e["producerepoch"], e["producerseq"]) for e in map(parse_event, stored)}
        for raw in self.eye.receipts().values():
            receipt = open_statement(raw, self.log_key, Receipt)
            for seq in range(receipt.seq + 1):
                feed = (receipt.producerid, receipt.epoch, counter(seq))
                assert feed in places or self.counts_rejected(*feed), (
                    f"a receipt covers {feed}, which does not stand"
                )
        return report

    def counts_rejected(self, producerid: str, epoch: int, seq: str) -> bool:
        """Was this seq consumed by a rejection?"""
        return any(
            entry.event["data"].get("epoch") == epoch and entry.event["data"].get("seq") == seq
            for entry in self.accepted()
            if entry.subject == f"refused/{producerid}"
        )

    def close(self) -> None:
        for sequencer in self._sequencers:
            sequencer.close()
        for log in self._opened:
            log.close()


@contextmanager
def rig(directory: Path, **options: Any) -> Iterator[Rig]:
    """A rig that is closed at the end."""
    made = Rig(directory, **options)
    try:
        yield made
    finally:
        made.close()
