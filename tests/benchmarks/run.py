"""`make bench`: every bench of this folder in turn, each in a process of its own. Prints; asserts nothing but the checkers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The whole imports take minutes and need the real log: make bench-import.
APART = {"bench_import.py"}


def main() -> int:
    failed = []
    for bench in sorted(HERE.glob("bench_*.py")):
        if bench.name in APART:
            continue
        print(f"\n== {bench.stem.removeprefix('bench_')}", flush=True)
        if subprocess.run([sys.executable, str(bench), *sys.argv[1:]], check=False).returncode:
            failed.append(bench.name)
    if failed:
        print(f"\nwithout a passing checker, so without a figure: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
