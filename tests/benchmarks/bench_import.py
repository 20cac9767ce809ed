"""The real log, end to end: parse, record, sign, sequence, seal, publish, read into both views; then checked.

Prints nothing as a figure unless `fsck` passes, every activity has its count, and the views equal a rebuild. Needs the
event log in ../shared/data (or $DUECOURSE_SHARED), some 6 GB of disk, and for Kafka Java 17 and Maven.

    python tests/benchmarks/bench_import.py [sqlite] [kafka]"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from machine import ROOT, heading

DUECOURSE = [sys.executable, "-m", "projections.cli"]
# Counted with a plain XML parser.
ACTIVITIES = {
    "Create Fine": 150_370,
    "Send Fine": 103_987,
    "Insert Fine Notification": 79_860,
    "Add penalty": 79_860,
    "Payment": 77_601,
    "Send for Credit Collection": 59_013,
    "Insert Date Appeal to Prefecture": 4_188,
    "Send Appeal to Prefecture": 4_141,
    "Receive Result Appeal from Prefecture": 999,
    "Notify Result Appeal to Offender": 896,
    "Appeal to Judge": 555,
}


class Memory:
    """The largest resident size, in MB, of any process of ours below this one, watched four times a second."""

    def __init__(self) -> None:
        self.most: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            for pid in _descendants(os.getpid()):
                try:
                    words = (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")
                    status = (Path("/proc") / str(pid) / "status").read_text()
                except OSError:
                    continue
                text = b" ".join(words).decode(errors="replace")
                name = next(
                    (label for mark, label in NAMES if mark in text),
                    "java" if "kafka.Kafka" in text else "other",
                )
                peak = next(
                    (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
                )
                self.most[name] = max(self.most.get(name, 0.0), peak / 1024)


NAMES = (
    ("import xes", "importer"),
    (" run ", "line"),
    ("companion", "second path"),
    ("spawn_main", "second path"),
)


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for child in children:
        yield int(child)
        yield from _descendants(int(child))


def run(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [*DUECOURSE, *arguments, "--json"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        sys.exit(f"duecourse {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def measure(kind: str, log: Path, work: Path, options: list[str]) -> None:
    ledger = str(work / kind)
    run("init", ledger, "--name", f"bench.example.com/{kind}", *options)
    with Memory() as memory:
        start = time.monotonic()
        report = run("import", "xes", str(log), "--into", ledger, "--mapping", "road-traffic-fines")
        seconds = time.monotonic() - start
    start = time.monotonic()
    run("run", ledger, "--once")
    restart = time.monotonic() - start
    start = time.monotonic()
    checked = run("fsck", ledger)
    fsck = time.monotonic() - start
    start = time.monotonic()
    rebuilt = run("rebuild", ledger, "--check")
    rebuild = time.monotonic() - start
    if not checked["ok"] or report["activities"] != ACTIVITIES or not rebuilt["equal"]:
        sys.exit(f"{kind}: the checker does not pass, so there is no figure")
    entries = int(str(checked["entries"]))
    print(f"\n{kind}: {report['source_events']:,} events of the log, {entries:,} entries")
    print(
        f"  import, everything         {seconds:8.1f} s   {int(str(report['source_events'])) / seconds:,.0f} events of the log/s"
    )
    print(f"  restart of the line        {restart:8.1f} s")
    print(f"  fsck                       {fsck:8.1f} s   {entries / fsck:,.0f} entries/s")
    print(f"  rebuild of the views       {rebuild:8.1f} s   {entries / rebuild:,.0f} entries/s")
    print(
        "  most memory, MB            "
        + ", ".join(f"{name} {mb:,.0f}" for name, mb in sorted(memory.most.items()))
    )
    _bundle(ledger, work)


def _bundle(ledger: str, work: Path) -> None:
    listed = subprocess.run(
        [*DUECOURSE, "cases", ledger, "--json"], capture_output=True, check=True, cwd=ROOT
    )
    case = next(one["case"] for one in json.loads(listed.stdout) if one["entries"] == 5)
    for _ in range(2):
        start = time.monotonic()
        made = run("export", ledger, case, "-o", str(work / "case.duecourse"), "--force")
        seconds = time.monotonic() - start
    verdict = run("verify", str(work / "case.duecourse"), "--trust", f"{ledger}/trust.toml")
    if verdict["verdict"] != "VERIFIED":
        sys.exit("the bundle is not VERIFIED, so there is no figure")
    print(
        f"  bundle of a 5-event case   {made['bytes_beyond_entries']:,} bytes beyond its entries,"
        f" exported in {seconds:.2f} s, VERIFIED"
    )


@contextmanager
def broker() -> Iterator[list[str]]:
    from ledger.testing.broker import KafkaBroker

    with KafkaBroker() as started:
        yield ["--log", "kafka", "--bootstrap", started.bootstrap, "--replication", "1"]


def main() -> None:
    log = (
        Path(os.environ.get("DUECOURSE_SHARED", ROOT.parent / "shared"))
        / "data"
        / "road-traffic-fines.xes.zip"
    )
    if not log.is_file():
        sys.exit(f"no event log at {log}: set DUECOURSE_SHARED to the folder that holds data/")
    wanted = sys.argv[1:] or ["sqlite", "kafka"]
    print(heading(f"{log.name}, 561,470 events of 150,370 cases"), flush=True)
    with tempfile.TemporaryDirectory(prefix="duecourse-bench-") as work:
        if "sqlite" in wanted:
            measure("sqlite", log, Path(work), [])
        if "kafka" in wanted:
            with broker() as options:
                measure("kafka", log, Path(work), options)


if __name__ == "__main__":
    main()
