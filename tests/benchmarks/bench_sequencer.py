"""Events per second of one shard's sequencer on the embedded log: durable, everything of docs/formats 4.2 checked,
sealed, signed, tiles and checkpoints published; afterwards `fsck` reads it all again, and the figure is void if it
complains.

    python tests/benchmarks/bench_sequencer.py --events 200000 --streams 20000 --flush 64 --processes 2

The corpus is signed and handed in first, which is not timed. `--prefill` makes each stream's first event before the
clock starts, so that the timed part runs on a map of that many streams."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.events.schemas import check_event
from ledger.kernel import canonical
from ledger.log.port import ShardLog, Submission
from ledger.sequencer import intake
from ledger.sequencer import second as second_path
from ledger.sequencer.fsck import fsck
from ledger.sequencer.run import Sequencer, quiet_collector
from ledger.testing.history import Tool, case, event_id
from ledger.testing.rig import Rig
from ledger.tilestore.directory import DirectoryTiles

HAND_IN = 4096


def payload(number: int) -> dict[str, Any]:
    """A call attempt as a dialler records it."""
    return {
        "automated": number % 3 == 0,
        "contact_point": event_id(number % 997),
        "debts": [event_id(number % 9973)],
        "duration_ms": number % 100_000,
        "outcome": "no_answer",
        "parties": [{"party": event_id(number % 9967), "role": "debtor"}],
        "purpose": "interactive",
    }


def corpus(tool: Tool, first: int, count: int, streams: int, flush: int) -> Iterator[list[Submission]]:
    """Flushes of one producer over so many streams."""
    for start in range(first, first + count, flush):
        numbers = range(start, min(start + flush, first + count))
        subjects = [case(number * 7919 % streams) for number in numbers]
        events = [
            tool.event(subject, data=payload(number), recordedtime=at, time=at)
            for number, subject in zip(numbers, subjects, strict=True)
            for at in [canonical.format_time(time.time_ns() // 1000)]
        ]
        yield [
            Submission(subject, event, proof)
            for subject, (event, proof) in zip(subjects, tool.sign(events), strict=True)
        ]


def hand_in(rig: Rig, flushes: Iterator[list[Submission]]) -> int:
    """Submits in large batches; gives the bytes of the events."""
    batch: list[Submission] = []
    total = 0
    for flush in flushes:
        batch += flush
        total += sum(len(one.value) for one in flush)
        if len(batch) >= HAND_IN:
            rig.front.submit(batch)
            batch = []
    rig.front.submit(batch)
    return total


def sequencer(rig: Rig, log: ShardLog, arguments: argparse.Namespace) -> Sequencer:
    second = second_path.OwnProcess(rig.config, 0, rig.tiles) if arguments.processes > 1 else None
    looking = intake.OwnProcess(rig.config, 0, rig.origin, check_event) if arguments.processes > 2 else None
    return rig.sequencer(
        log,
        clock=lambda: time.time_ns() // 1000,
        entropy=os.urandom,
        cadence_s=arguments.cadence,
        batch=arguments.batch,
        second=second,
        intake=looking,
    )


def until_done(made: Sequencer, arguments: argparse.Namespace) -> None:
    """What `run` does, until nothing is left; the last seal comes at its time, or at once."""
    while True:
        done = made.step()
        if not done.read:
            break
    made.drain()


def machine() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "commit": commit,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    directory = Path(tempfile.mkdtemp(prefix="bench-sequencer-", dir=arguments.directory))
    rig = Rig(directory, check_event=check_event)
    try:
        rig.found()
        tool = rig.register("dialler")
        prefill = arguments.streams if arguments.prefill else 0
        if prefill:
            hand_in(rig, corpus(tool, 0, prefill, arguments.streams, 256))
        log = rig.open_log("sequencer")
        made = sequencer(rig, log, arguments)
        made.start()
        until_done(made, arguments)
        size = hand_in(rig, corpus(tool, prefill, arguments.events, arguments.streams, arguments.flush))
        quiet_collector()
        begun, cpu = time.perf_counter(), time.process_time()
        if arguments.profile:
            import cProfile
            import pstats

            profile = cProfile.Profile()
            profile.runcall(until_done, made, arguments)
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        else:
            until_done(made, arguments)
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
        counts = dict(made.counts)
        entries = made.size
        made.close()
        checked = {}
        if not arguments.no_check:
            begun = time.perf_counter()
            report = fsck(log, DirectoryTiles(rig.tiles), rig.origin, rig.log_key, check_event)
            spent = time.perf_counter() - begun
            checked = {
                "ok": report.ok,
                "entries": report.entries,
                "fsck_entries_per_s": round(report.entries / spent),
            }
        expected = arguments.events + prefill
        return {
            "events": arguments.events,
            "streams": arguments.streams,
            "flush": arguments.flush,
            "processes": arguments.processes,
            "cadence_s": arguments.cadence,
            "batch": arguments.batch,
            "event_bytes": round(size / arguments.events),
            "events_per_s": round(arguments.events / took),
            "cpu_us_per_event": round(cpu * 1e6 / arguments.events, 1),
            "entries": entries,
            "all_entered": entries >= expected and counts.get("rejected", 0) == 0,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "checked": checked,
        }
    finally:
        rig.close()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=20_000)
    parser.add_argument("--flush", type=int, default=64)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--cadence", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--prefill", action="store_true")
    parser.add_argument("--no-check", action="store_true", help="leave fsck out: the figure is then void")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--directory", help="where the ledger is made and removed again")
    arguments = parser.parse_args()
    found = {"machine": machine(), "result": measure(arguments)}
    print(json.dumps(found, indent=1))
    result = found["result"]
    return 0 if result["all_entered"] and result["checked"].get("ok", arguments.no_check) else 1


if __name__ == "__main__":
    sys.exit(main())
