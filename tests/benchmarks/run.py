"""`make bench`: the benches of the parts in turn, each in a process of its own. Prints; fails where a checker does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Those that need the real log, or a ledger filled with it, are apart: make bench-import, bench_extract.py LEDGER.
APART = {"bench_import.py", "bench_extract.py"}
# More than one run of a bench, with these arguments.
RUNS = {
    "bench_sequencer.py": [
        ["--prefill"],
        ["--prefill", "--processes", "3"],
        ["--prefill", "--processes", "3", "--flush", "1", "--events", "40000"],
    ],
}


def main() -> int:
    failed = []
    for bench in sorted(HERE.glob("bench_*.py")):
        if bench.name in APART:
            continue
        for arguments in RUNS.get(bench.name, [[]]):
            print(f"\n== {bench.stem.removeprefix('bench_')} {' '.join(arguments)}", flush=True)
            if subprocess.run([sys.executable, str(bench), *arguments], check=False).returncode:
                failed.append(bench.name)
    if failed:
        print(f"\nwithout a passing checker, so without a figure: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
