"""What the producer's side costs: `python tests/benchmarks/bench_sdk.py [--seconds N] [--json]`.

record() durable from one thread and from eight, record_many in batches of 1,000 (typed, checked, canonical), the same
with one protected member an event, and the time in which an outbox is delivered into an embedded log.
Figures are of this machine at this moment; nothing is asserted."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from machine import heading

from ledger.custody.file import VaultKey
from ledger.events.catalogue.contact import CallPlaced, MessageSent
from ledger.events.schemas import check_event
from ledger.sdk import Actor, ProducerConfig, Recorder
from ledger.sdk.config import DeliverySettings
from ledger.testing.history import NAME, TENANT, signer
from ledger.testing.rig import rig

ZONES = [{"zone": "Europe/London", "source": "residence"}]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def record_durable(recorder: Recorder, seconds: float) -> dict[str, float]:
    cases = [recorder.case(account=str(n)) for n in range(1000)]
    took: list[float] = []
    deadline = time.perf_counter() + seconds
    number = 0
    while (started := time.perf_counter()) < deadline:
        cases[number % 1000].call_placed(
            to="+447700900123", purpose="interactive", outcome="no_answer", zones=ZONES
        )
        took.append(time.perf_counter() - started)
        number += 1
    return {
        "events_per_s": round(len(took) / sum(took)),
        "p50_ms": round(statistics.median(took) * 1e3, 3),
        "p99_ms": round(percentile(took, 0.99) * 1e3, 3),
        "max_ms": round(max(took) * 1e3, 3),
    }


def record_threads(recorder: Recorder, seconds: float, threads: int) -> dict[str, float]:
    counts = [0] * threads

    def work(which: int) -> None:
        case = recorder.case(account=f"thread {which}")
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            case.call_placed(to="+447700900123", purpose="interactive", outcome="no_answer")
            counts[which] += 1

    running = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return {"threads": threads, "events_per_s": round(sum(counts) / (time.perf_counter() - started))}


def record_many(recorder: Recorder, seconds: float, protected: bool) -> dict[str, float]:
    case = recorder.case(account="many")
    party, point = case.party(), case.contact_point("+447700900123")
    shared = {"parties": [party], "debts": [case.debt()], "contact_point": point}

    def draft(number: int) -> object:
        if protected:
            payload: CallPlaced | MessageSent = MessageSent(
                medium="sms",
                kind="reminder",
                template="t@1",
                visibility="private",
                to=f"N {number}",
                **shared,
            )
        else:
            payload = CallPlaced(purpose="interactive", outcome="no_answer", **shared)
        return recorder.draft(payload, subject=case.subject)

    number = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        recorder.record_many(
            [draft(number + n) for n in range(1000)],  # type: ignore[misc]
            bookmark=("bench", str(number).encode()),
        )
        number += 1000
    return {"events_per_s": round(number / (time.perf_counter() - started))}


def run(seconds: float) -> dict[str, object]:
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="duecourse-bench-") as name:
        directory = Path(name)
        vault = VaultKey.create(directory / "vault.pem")
        with rig(directory, check_event=check_event) as shard:
            shard.found()
            shard.register("bench", types=["contact"])
            config = ProducerConfig(
                producer="bench",
                ledger=NAME,
                tenant=TENANT,
                signing_key=directory / "unused",
                tenant_key=directory / "unused",
                outbox=directory / "outbox.db",
                log_keys=(shard.log_key.format(),),
                log=shard.config,
                actor=Actor("bench", "collector", "first_party"),
                vault_key=vault.public_key.hex(),
                outbox_events=10_000_000,
                delivery=DeliverySettings(mode="manual", in_flight=10_000_000, batch_events=2048),
            )

            def measure(name: str, work: Callable[[Recorder], object], settings: ProducerConfig) -> None:
                with Recorder(settings, signer=signer("bench"), tenant_key=b"k" * 32) as recorder:
                    found[name] = work(recorder)

            def alone(number: int) -> ProducerConfig:
                manual = replace(config.delivery, close_timeout_s=0)
                return replace(config, outbox=directory / f"outbox-{number}.db", delivery=manual)

            measure("record", lambda r: record_durable(r, seconds), alone(1))
            background = replace(config, outbox=directory / "outbox-2.db", delivery=DeliverySettings())
            measure("record_while_delivering", lambda r: record_durable(r, seconds), background)
            measure("record_threads", lambda r: record_threads(r, seconds, 8), alone(3))
            measure("record_many", lambda r: record_many(r, seconds, False), alone(4))
            measure("record_many_protected", lambda r: record_many(r, seconds, True), alone(5))
            measure("deliver", lambda r: deliver(r, seconds), replace(config, epoch=0))
    return found


def deliver(recorder: Recorder, seconds: float) -> dict[str, float]:
    record_many(recorder, seconds, False)
    started = time.perf_counter()
    sent = recorder.deliver_once().sent
    return {"events": sent, "events_per_s": round(sent / (time.perf_counter() - started))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.seconds)
    if arguments.json:
        print(json.dumps(found))
        return
    print(heading("made events of about 1 kB, 1,000 cases"))
    for name, figures in found.items():
        print(f"{name:26} {figures}")


if __name__ == "__main__":
    main()
