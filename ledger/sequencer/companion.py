"""Processes that work for a sequencer on another core: started by it, talking to it alone, gone when it is.

A companion is a fresh interpreter (nothing is inherited but one end of a socket pair and the import path), so it does
not matter what its owner has opened, locked or named `__main__`. It holds no key."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from ledger.errors import DuecourseError, LogUnavailable, StoreDamaged

ANSWER_TIMEOUT_S = 120.0
END_TIMEOUT_S = 10.0
# Modules beside this one whose `serve` is a companion's life.
JOBS = ("intake", "second")
_ENTER = "from ledger.sequencer.companion import main; main()"


class Companion:
    """One companion process, running one of `JOBS`."""

    def __init__(self, job: str, *arguments: Any) -> None:
        self._job = job
        ours, theirs = socket.socketpair()
        with theirs:
            path = os.pathsep.join(p for p in sys.path if p)
            self.process = subprocess.Popen(
                [sys.executable, "-c", _ENTER, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        self._pipe = Connection(ours.detach())
        self.send((job, *arguments))

    def send(self, message: tuple[Any, ...]) -> None:
        """`LogUnavailable` when it is gone (make another), or what it said before it went."""
        try:
            self._pipe.send(message)
        except OSError as error:
            # What it said before it ended tells more than the broken pipe does.
            with contextlib.suppress(EOFError, OSError):
                while True:
                    _check(self._pipe.recv())
            raise self._ended() from error

    def waiting(self) -> bool:
        """Is there an answer to receive?"""
        try:
            return self._pipe.poll()
        except OSError as error:
            raise self._ended() from error

    def receive(self) -> Any:
        """The next answer."""
        return _check(self._next(self._pipe.recv))

    def receive_bytes(self) -> bytes:
        """The next answer, of a companion that answers in bytes. An empty one announces what went wrong."""
        data: bytes = self._next(self._pipe.recv_bytes)
        if not data:
            self.receive()
        return data

    def _next(self, receive: Callable[[], Any]) -> Any:
        try:
            if not self._pipe.poll(ANSWER_TIMEOUT_S):
                raise LogUnavailable(f"the {self._job} process did not answer for {ANSWER_TIMEOUT_S:.0f} s")
            return receive()
        except (EOFError, OSError) as error:
            raise self._ended() from error

    def _ended(self) -> LogUnavailable:
        return LogUnavailable(f"the {self._job} process ended")

    def close(self) -> None:
        """The closed pipe ends the process; one that hangs is killed."""
        self._pipe.close()
        try:
            self.process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _check(message: Any) -> Any:
    if isinstance(message, tuple) and message:
        if message[0] == "unavailable":
            raise LogUnavailable(message[1])
        if message[0] == "failed":
            raise StoreDamaged(message[1])
    return message


def quiet_collector() -> None:
    """Keeps Python's collector from walking a state of millions of objects that hold no cycles. For a process that
    does little else: call once it has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def main() -> None:
    """The life of a companion: does its job until its owner is gone."""
    # The owner's keyboard is not ours: it ends us by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(int(sys.argv[1]))
    quiet_collector()
    try:
        job, *arguments = pipe.recv()
        if job not in JOBS:
            raise StoreDamaged(f"there is no job {job!r}")
        importlib.import_module(f"ledger.sequencer.{job}").serve(pipe, *arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the owner is gone
    except (DuecourseError, OSError) as error:
        how = "unavailable" if isinstance(error, LogUnavailable) else "failed"
        with contextlib.suppress(OSError):
            if job == "intake":
                pipe.send_bytes(b"")
            pipe.send((how, f"the {job} process stopped: {error}"))
