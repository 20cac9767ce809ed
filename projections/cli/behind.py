"""Another command of ours that works behind this one: started when it is needed, and gone when we are, however we go."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from ledger.errors import DuecourseError

# A process that was killed is started again; one that fails by itself as often as this has a reason that stays.
FAILURES_MAX: Final = 3
PAUSE_S: Final = 0.5


class Behind:
    """One such process. It reads its standard input to the end to know when to end itself (`run --until-eof`)."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0

    @property
    def going(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def keep_going(self) -> None:
        """Starts it if it is not there (any more). `DuecourseError` where it failed too often."""
        if self.going:
            return
        if self._process is not None:
            status = self.end()
            if status:
                self._failures += 1
                self._not_before = time.monotonic() + PAUSE_S
            if self._failures >= FAILURES_MAX:
                raise DuecourseError(
                    f"`duecourse {' '.join(self._arguments)}` ended {self._failures} times with status {status}:"
                    " run it by hand to see why. Nothing that was recorded is lost"
                )
        if time.monotonic() < self._not_before:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "projections.cli", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )

    def end(self) -> int:
        """Has it finish what it does, and returns its exit status; 0 where it was not there."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdin is not None
        process.stdin.close()
        return process.wait()
