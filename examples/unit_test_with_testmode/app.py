"""An application that calls people. It takes whatever records: a `Recorder` at work, a `TestRecorder` in its tests."""

from __future__ import annotations

from collections.abc import Callable

from ledger.errors import NotRecorded
from ledger.events.codes import CallOutcome
from ledger.sdk import Recording

Dial = Callable[[str], CallOutcome]


class Campaign:
    """`dial` places a call and says what came of it, in the words of the catalogue."""

    def __init__(self, recorder: Recording, dial: Dial) -> None:
        self._recorder = recorder
        self._dial = dial
        self.halted = False

    def call(self, account: str, number: str) -> None:
        """Calls once. Where the call cannot be recorded, the campaign halts: an unrecorded call is worse than none."""
        if self.halted:
            return
        outcome = self._dial(number)
        try:
            self._recorder.case(account=account).call_placed(
                to=number, purpose="interactive", outcome=outcome
            )
        except NotRecorded:
            self.halted = True
