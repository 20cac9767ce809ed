"""Orders of registrars, and the enrolment of producers, from the command line.

An order goes to every shard through the submissions, like an event (docs/decisions 2), and is judged there by the
sequencer. What these functions return for stands in every shard; what they raise says in which it does not."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ledger.custody.file import FileSigner
from ledger.errors import ConfigurationError, LogUnavailable, Refused
from ledger.kernel.entry import Entry
from ledger.kernel.event import is_producerid
from ledger.kernel.registry import Registry
from ledger.log.port import ShardLog
from ledger.sdk.config import Actor, DeliverySettings, ProducerConfig
from ledger.sequencer import orders
from projections.cli.directory import LedgerDirectory, write_whole
from projections.cli.founders import approve_all
from projections.cli.lineup import Line
from projections.cli.readings import open_readings
from projections.engine.runner import entries_at
from projections.engine.streams import places

# How long an order may take where another process runs the line.
ORDER_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.1


def settle(ledger: LedgerDirectory) -> bool:
    """Has everything that was submitted sequenced and read. False where another process does that already."""
    with ledger.running() as mine:
        if mine:
            with Line(ledger) as line:
                line.drain()
        return mine


def registry_state(ledger: LedgerDirectory, shard: int = 0) -> Registry:
    """The registry of a shard as far as the views have read it, folded from the entries themselves."""
    registry = Registry(ledger.origin(shard), ledger.log_keys[shard].public_key)
    log = ledger.open_log(shard, "reader")
    try:
        for entry in _administrative(ledger, log, shard):
            registry.apply(entry)
    finally:
        log.close()
    return registry


def _administrative(ledger: LedgerDirectory, log: ShardLog, shard: int) -> list[Entry]:
    with open_readings(ledger) as db:
        subjects = [
            subject
            for (subject,) in db.execute(
                "SELECT subject FROM streams WHERE shard = ? AND (subject = 'registry' OR subject LIKE 'producer/%')",
                (shard,),
            )
        ]
        found = [place for subject in subjects for place in places(db, subject, shard)]
    return [Entry.parse(entry.raw) for entry in entries_at(log, sorted(found, key=lambda place: place[1]))]


def registrars(ledger: LedgerDirectory, files: Sequence[Path] = ()) -> list[FileSigner]:
    """The registrars whose keys are at hand: in the given files, else those in the directory."""
    paths = list(files) or sorted(ledger.keys.glob("registrar-*.pem"))
    if not paths:
        raise ConfigurationError(
            f"no registrar's key in {ledger.keys}: give the key files with --registrar, one for each approval"
        )
    return [FileSigner.load(path) for path in paths]


def order(
    ledger: LedgerDirectory, short: str, subject: str, data: Mapping[str, Any], signers: Sequence[FileSigner]
) -> list[int]:
    """Has one order carried out in every shard. Returns the `at` it got in each. `Refused` with the registry's own
    reason where it does not hold; `LogUnavailable` where the line did not come to it in time."""
    settle(ledger)
    ats, given = [], []
    for shard in range(ledger.shards):
        state = registry_state(ledger, shard)
        at = state.stream_count(subject)
        needed = state.threshold
        if len(signers) < needed:
            raise ConfigurationError(
                f"{needed} registrars must approve, and {len(signers)} key files are at hand: give more with --registrar"
            )
        raw = orders.make_order(short, subject, {**data, "at": at})
        raw = approve_all(raw, ledger.origin(shard), list(signers[:needed]))
        log = ledger.open_log(shard, "producer")
        try:
            log.submit([orders.submission(raw)])
        finally:
            log.close()
        ats.append(at)
        given.append(raw)
    settle(ledger)
    for shard, (at, raw) in enumerate(zip(ats, given, strict=True)):
        _await_order(ledger, shard, subject, at, raw)
    return ats


def _await_order(ledger: LedgerDirectory, shard: int, subject: str, at: int, raw: bytes) -> None:
    deadline = time.monotonic() + ORDER_TIMEOUT_S
    while registry_state(ledger, shard).stream_count(subject) <= at:
        log = ledger.open_log(shard, "sequencer")
        try:
            refused = [letter for letter in log.dead_letters() if letter.submitted.value == raw]
        finally:
            log.close()
        if refused:
            raise Refused("E_CONTEXT", f"the order was refused: {refused[0].reason}", f"shard {shard}")
        if time.monotonic() > deadline:
            raise LogUnavailable(
                f"shard {shard} did not come to the order in {ORDER_TIMEOUT_S:.0f} s: is `duecourse run` working?"
            )
        time.sleep(POLL_S)


def enrol(
    ledger: LedgerDirectory,
    producerid: str,
    *,
    types: Sequence[str],
    capacities: Sequence[str],
    tenant: str,
    actor: Actor,
    signers: Sequence[FileSigner],
    delivery: DeliverySettings | None = None,
) -> Path:
    """Registers a producer in every shard and makes its directory with key and settings.
    Returns the path of its `producer.toml`. An earlier, unfinished enrolment of the same id is taken up again."""
    if not is_producerid(producerid) or producerid == "ledger":
        raise ConfigurationError("a producer's id is [a-z0-9][a-z0-9.-]{0,62}, and not `ledger`")
    home = ledger.producer(producerid)
    if (home / "producer.toml").exists():
        raise ConfigurationError(
            f"{producerid} is enrolled already: its settings are {home / 'producer.toml'}"
        )
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = home / "signing.pem"
    signer = FileSigner.load(signing) if signing.exists() else FileSigner.create(signing)
    settle(ledger)
    if registry_state(ledger).producer(producerid) is None:
        order(
            ledger,
            "producer_registered",
            f"producer/{producerid}",
            {
                "capacities": sorted(set(capacities)),
                "key": signer.public_key.hex(),
                "tenants": [tenant],
                "types": sorted(set(types)),
            },
            signers,
        )
    tenant_key = home / "tenant.key"
    if not tenant_key.exists():
        shutil.copyfile(ledger.keys / "tenant.key", tenant_key)
        tenant_key.chmod(0o600)
    log = ledger.log
    if log.path is not None:
        # As seen from the settings file, whatever directory the command was given in: a ledger moves as a whole.
        log = replace(log, path=Path(os.path.relpath(log.path, home)))
    settings = ProducerConfig(
        producer=producerid,
        ledger=ledger.name,
        tenant=tenant,
        signing_key=Path("signing.pem"),
        tenant_key=Path("tenant.key"),
        outbox=Path("outbox.db"),
        log_keys=tuple(key.format() for key in ledger.log_keys),
        log=log,
        actor=actor,
        vault_key=ledger.vault_key.hex(),
        delivery=delivery or DeliverySettings(),
    )
    file = home / "producer.toml"
    write_whole(file, settings.to_toml().encode(), 0o600)
    return file
