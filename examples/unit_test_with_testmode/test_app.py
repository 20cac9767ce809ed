"""The application's own tests."""

from __future__ import annotations

import pytest
from app import Campaign

from ledger.errors import EventRefused, OutboxFull
from ledger.events.codes import CallOutcome
from ledger.sdk.testmode import TestRecorder

NUMBER = "+86 10 5550 0142"


def test_a_call_is_recorded_with_what_came_of_it() -> None:
    recorder = TestRecorder()
    Campaign(recorder, dial=lambda _number: "no_answer").call("8841-2231", NUMBER)
    [event] = recorder.events
    assert event.type == "contact.call_placed"
    assert event.data["outcome"] == "no_answer"
    assert event.subject == recorder.case(account="8841-2231").subject


def test_the_number_itself_is_recorded_nowhere() -> None:
    recorder = TestRecorder()
    Campaign(recorder, dial=lambda _number: "busy").call("8841-2231", NUMBER)
    assert NUMBER not in str(recorder.events[0].event)


def test_no_further_call_is_placed_once_one_could_not_be_recorded() -> None:
    recorder = TestRecorder()
    recorder.fail_with = OutboxFull("no room. NOT recorded")
    dialled: list[str] = []

    def dial(number: str) -> CallOutcome:
        dialled.append(number)
        return "no_answer"

    campaign = Campaign(recorder, dial)
    campaign.call("8841-2231", NUMBER)
    campaign.call("7312-0042", NUMBER)
    assert campaign.halted
    assert dialled == [NUMBER]
    assert recorder.events == []


def test_what_the_catalogue_does_not_have_is_refused_here_as_it_would_be_there() -> None:
    recorder = TestRecorder()
    with pytest.raises(EventRefused):
        recorder.case(account="8841-2231").call_placed(purpose="interactive", outcome="rang_twice")
