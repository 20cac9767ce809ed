"""Every case of a ledger written in every format, each by a process of its own; the XES then read back, event by event.

Meant for the ledger that `bench_import.py` or `duecourse import xes` has filled with the real log. Prints nothing as a
figure unless every format has every case and event, and types and times of the XES are those of the readings.

    python tests/benchmarks/bench_extract.py LEDGER"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from machine import heading

from ledger.kernel.event import short_type
from projections.engine.store import connect
from projections.exchange.out.formats import FORMATS
from projections.exchange.xes import XesReader

# What the target counts: XES, one OCEL at least, Parquet.
TARGET_S = 300.0
COUNTED = ("xes", "ocel-json", "ocel-sqlite", "parquet")


def main(ledger: Path) -> int:
    with closing(connect(ledger / "views.db")) as db:
        rows = db.execute("SELECT type, time, COUNT(*) FROM timeline GROUP BY type, time")
        held = Counter({(short_type(kind), moment): count for kind, moment, count in rows})
        (cases,) = db.execute("SELECT COUNT(*) FROM streams WHERE subject GLOB 'case/*'").fetchone()
    print(heading(f"{ledger}: {cases:,} cases, {held.total():,} events"))
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            output = Path(folder) / form
            words = [
                sys.executable,
                "-m",
                "projections.cli",
                "extract",
                ledger,
                "--format",
                form,
                "--json",
                "-o",
            ]
            start = time.perf_counter()
            child = subprocess.Popen([*map(str, words), str(output)], stdout=subprocess.PIPE)
            told = child.stdout.read() if child.stdout is not None else b""
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            spent[form] = time.perf_counter() - start
            if child.returncode:
                print(f"{form}: ended with {child.returncode}")
                return 1
            answer = json.loads(told)
            # A ledger without corrections: every entry of a case stands.
            if (answer["cases"], answer["events"]) != (cases, held.total()):
                print(f"{form}: {answer['cases']} cases and {answer['events']} events were written")
                return 1
            print(
                f"{form:12} {spent[form]:6.1f} s  {answer['events'] / spent[form]:9,.0f} events/s"
                f"  {answer['bytes'] / 1e6:7.1f} MB  most memory {used.ru_maxrss / 1024:,.0f} MB"
            )
        found: Counter[tuple[str, str]] = Counter()
        start = time.perf_counter()
        for trace in XesReader(Path(folder) / "xes"):
            found.update((e.attributes["concept:name"], e.attributes["time:timestamp"]) for e in trace.events)
        if found != held:
            print("the XES read back differs from the readings")
            return 1
        print(
            f"{'xes, read':12} {time.perf_counter() - start:6.1f} s  every type and time as in the readings"
        )
    total = sum(spent[form] for form in COUNTED)
    print(f"XES, OCEL (both forms) and Parquet: {total:.0f} s of {TARGET_S:.0f} s")
    return 0 if total <= TARGET_S else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/benchmarks/bench_extract.py LEDGER")
    sys.exit(main(Path(sys.argv[1])))
