"""From `record()` to the checkpoint that covers the event: paced recording, a line in a process of its own.

Each event's time ends when a signed receipt over it stands in the log. The checker afterwards is `fsck`.

    python tests/benchmarks/bench_latency.py --rate 300 --cadence 0.2 --seconds 15"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from machine import ROOT, heading

from ledger.kernel.checkpoint import Receipt, open_statement
from ledger.sdk.recorder import Recorder
from projections.cli.directory import LedgerDirectory

DUECOURSE = [sys.executable, "-m", "projections.cli"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--cadence", type=float, default=0.2)
    parser.add_argument("--seconds", type=float, default=15.0)
    asked = parser.parse_args()
    print(heading(f"{asked.rate} calls/s, checkpoints every {asked.cadence} s, embedded"), flush=True)
    with tempfile.TemporaryDirectory(prefix="duecourse-bench-") as work:
        directory = Path(work) / "ledger"
        for words in (
            ["init", directory, "--name", "bench.example.com/latency"],
            ["registry", "add", directory, "dialler"],
        ):
            subprocess.run([*DUECOURSE, *map(str, words)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        serving = subprocess.Popen(
            [*DUECOURSE, "run", str(directory), "--cadence", str(asked.cadence), "--until-eof", "--json"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(2)
        took = measure(directory, asked.rate, asked.seconds)
        assert serving.stdin is not None
        serving.stdin.close()
        serving.wait()
        checked = subprocess.run(
            [*DUECOURSE, "fsck", str(directory), "--json"], capture_output=True, check=False, cwd=ROOT
        )
        if not json.loads(checked.stdout)["ok"]:
            sys.exit("fsck does not pass, so there is no figure")
    took.sort()
    at = lambda share: took[min(len(took) - 1, int(len(took) * share))] * 1000  # noqa: E731
    print(
        f"{len(took):,} events: p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, most {took[-1] * 1000:.0f} ms; fsck passes"
    )


def measure(directory: Path, rate: int, seconds: float) -> list[float]:
    """Seconds from the return of `record()` to the receipt, for each event."""
    ledger = LedgerDirectory.open(directory)
    begun: list[float] = []
    ended: list[float] = []
    done = threading.Event()

    def watch() -> None:
        log = ledger.open_log(0, "producer")
        try:
            while not done.is_set() or len(ended) < len(begun):
                raw = log.receipt("dialler/0")
                now = time.perf_counter()
                if raw is not None:
                    seq = open_statement(raw, ledger.log_keys[0], Receipt).seq
                    ended.extend([now] * (seq + 1 - len(ended)))
                time.sleep(0.002)
        finally:
            log.close()

    watcher = threading.Thread(target=watch)
    with Recorder.open(ledger.producer("dialler") / "producer.toml") as recorder:
        watcher.start()
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            case = recorder.case(account=f"account-{number % 500}")
            case.call_placed(to="+44 20 7946 0000", purpose="interactive", outcome="no_answer")
            begun.append(time.perf_counter())
            time.sleep(max(0.0, start + (number + 1) / rate - time.perf_counter()))
        recorder.flush()
        done.set()
        watcher.join()
    return [end - begin for begin, end in zip(begun, ended, strict=True)]


if __name__ == "__main__":
    main()
