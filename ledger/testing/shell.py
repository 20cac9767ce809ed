"""The installed command, as tests call it: a process of its own, its outputs, its exit status; and what stands in a
ledger directory, read from its published tiles alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.kernel.entry import Entry
from ledger.kernel.note import VerifierKey
from ledger.tilestore.directory import DirectoryTiles
from ledger.tilestore.reader import TiledLog

TIMEOUT_S = 120.0
COMMAND = (sys.executable, "-m", "projections.cli")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def complaint(self) -> str:
        return self.err.decode()

    def json(self) -> Any:
        """Standard output as the one JSON value that it must be."""
        return json.loads(self.out)


def duecourse(*words: str | Path, status: int | None = 0, module: str = "projections.cli") -> Ended:
    """Runs one command to its end. Fails unless it ends with `status`; None lets any pass."""
    done = subprocess.run(
        [sys.executable, "-m", module, *(str(word) for word in words)],
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
    )
    ended = Ended(done.returncode, done.stdout, done.stderr)
    if status is not None and ended.status != status:
        raise AssertionError(
            f"duecourse {' '.join(str(word) for word in words)} ended with {ended.status}, not {status}\n"
            f"{ended.text[-2000:]}\n{ended.complaint[-4000:]}"
        )
    return ended


def start(*words: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """Starts a command and does not wait for it."""
    return subprocess.Popen([*COMMAND, *(str(word) for word in words)], **more)


@contextlib.contextmanager
def running(*words: str | Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A command that is started, and is gone, by `kill -9` if need be, when the block is left."""
    process = start(*words, **more)
    try:
        yield process
    finally:
        kill(process.pid)
        process.communicate(timeout=TIMEOUT_S)


def children(pid: int) -> list[int]:
    """The process ids of the children that a process has now (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(one) for one in (task / "children").read_text().split()]
    return found


def kill(pid: int) -> None:
    """`kill -9`; nothing happens where the process is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def entries(directory: Path, shard: int = 0) -> list[Entry]:
    """Every entry under the published checkpoint of a ledger directory, each bundle proved by the tree."""
    table = tomllib.loads((directory / "ledger.toml").read_text(encoding="utf-8"))
    tiled = TiledLog(
        DirectoryTiles(directory / "tiles" / str(shard)), VerifierKey.parse(table["log_keys"][shard])
    )
    return [Entry.parse(raw) for raw in tiled.entries()]
