"""On what a figure was measured: without machine, commit and data it is not one."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def heading(data: str) -> str:
    """Two lines for the top of a bench's output. `data` says what it was run over."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"machine: {os.cpu_count()} cores, {model}; Python {sys.version.split()[0]}; SQLite {sqlite3.sqlite_version}; "
        f"fsync p50 {fsync_ms():.2f} ms\ncommit: {commit or 'none'}; data: {data}"
    )


def fsync_ms() -> float:
    """Median time of one small synced write where temporary files go, in ms."""
    times = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(50):
            start = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 512, 0)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1000
