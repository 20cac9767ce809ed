"""A small service that records what a call centre's tools tell it, one JSON object a line on standard input.

    {"account": "8841-2231", "what": "call", "number": "+86 10 5550 0142", "outcome": "no_answer"}
    {"account": "8841-2231", "what": "complaint", "category": "hours"}

It shows four things that a real producer needs: a callback for events that the ledger refuses, one for alarms,
back-pressure when the outbox is full, and a clean end on SIGTERM. `recorded` is printed after the event is on disk;
whoever reads `held` or `not recorded` must not go on as if it were."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterable
from typing import Any

from ledger.errors import EventRefused, NotRecorded, OutboxFull
from ledger.sdk import Alarm, Recorder, Rejection
from ledger.sdk.streams import RecordedEvent

# With the outbox full, the same job is tried again after this long, and no other is taken in meanwhile.
PAUSE_S = 0.2
FLUSH_S = 10


def say(*words: object) -> None:
    print(*words, flush=True)


def on_rejected(rejection: Rejection) -> None:
    """Called at least once for each event that the ledger refused, by the thread that delivers: be quick, and expect
    the same one again after a crash. A real service would open a ticket with code and event id."""
    say("refused", rejection.code, rejection.event.get("id", "an event that is not in this outbox"))


def on_alarm(alarm: Alarm) -> None:
    """Something that a person must look at: no receipts, a quarantined producer, a copied outbox."""
    say("alarm", alarm.kind, alarm.detail)


class Service:
    """Takes jobs until it is told to stop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.stopping = threading.Event()

    def work(self, lines: Iterable[str]) -> None:
        for line in lines:
            if self.stopping.is_set():
                break
            try:
                job = json.loads(line)
                say("recorded", self._patiently(job).id)
            except (ValueError, KeyError, TypeError, EventRefused) as error:
                # The job itself is wrong: trying again will not help, so put it aside and go on.
                say("not recorded", type(error).__name__, error)
            except NotRecorded as error:
                # The outbox cannot be used, or we are stopping. Take nothing in that we cannot keep.
                say("not recorded", type(error).__name__, error)
                break
        else:
            # The end of the input. Whoever waits a little for receipts also hears of what was refused.
            self._recorder.flush(timeout_s=FLUSH_S)
        self.stopping.set()

    def _record(self, job: dict[str, Any]) -> RecordedEvent:
        case = self._recorder.case(account=job["account"])
        if job["what"] == "call":
            return case.call_placed(to=job["number"], purpose="interactive", outcome=job["outcome"])
        if job["what"] == "complaint":
            return case.complaint_received(forum="collector", category=job["category"])
        raise ValueError(f"no such job: {job['what']}")

    def _patiently(self, job: dict[str, Any]) -> RecordedEvent:
        """Back-pressure: while there is no room, this job waits, and with it all that come after."""
        told = False
        while True:
            try:
                return self._record(job)
            except OutboxFull:
                if self.stopping.is_set():
                    raise
                if not told:
                    say("held", self._recorder.status().pending, "events wait for receipts")
                    told = True
                self.stopping.wait(PAUSE_S)


def main(settings: str) -> None:
    with Recorder.open(settings, on_rejected=on_rejected, on_alarm=on_alarm) as recorder:
        service = Service(recorder)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stopping.set())
        threading.Thread(target=service.work, args=(sys.stdin,), daemon=True).start()
        service.stopping.wait()
    # Closed: what could be sent was sent, and the rest waits in the outbox for the next start.
    say("stopped")


if __name__ == "__main__":
    main(sys.argv[1])
