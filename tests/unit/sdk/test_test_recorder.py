"""The recorder for an application's own tests."""

from __future__ import annotations

import pytest

from ledger.errors import EventRefused, OutboxClosed, OutboxFull
from ledger.kernel.digest import leaf_hash
from ledger.sdk import Recording
from ledger.sdk.testmode import TestRecorder


def dial(recorder: Recording, number: str) -> None:
    """An application's code."""
    recorder.case(account="1").call_placed(to=number, purpose="interactive", outcome="no_answer")


def test_an_application_is_tested_without_a_server() -> None:
    recorder = TestRecorder()
    dial(recorder, "+441")
    dial(recorder, "+442")
    assert [event.type for event in recorder.events] == ["contact.call_placed"] * 2
    assert recorder.of_type("contact.call_placed") == recorder.events
    assert recorder.of_type("case.closed") == []


def test_events_have_their_place_in_a_feed() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    one, two = case.closed(reason="paid"), case.closed(reason="sold")
    assert (one.seq, two.seq) == (0, 1)
    assert recorder.events[1].event["producerprev"] == one.digest.hex()
    assert two.digest != leaf_hash(b"")


def test_batches_and_bookmarks_work_as_in_a_recorder() -> None:
    recorder = TestRecorder()
    case = recorder.case(account="1")
    with recorder.batch(bookmark=("import", b"1")):
        case.closed(reason="paid")
        assert recorder.events == []
    with pytest.raises(EventRefused), recorder.batch(bookmark=("import", b"2")):
        case.closed(reason="x")  # type: ignore[arg-type]
    assert len(recorder.events) == 1
    assert recorder.bookmark("import") == b"1"


def test_an_application_can_be_shown_that_nothing_is_recorded() -> None:
    recorder = TestRecorder()
    recorder.fail_with = OutboxFull("no room. NOT recorded")
    with pytest.raises(OutboxFull):
        dial(recorder, "+441")
    recorder.fail_with = None
    dial(recorder, "+441")
    assert len(recorder.events) == 1


def test_it_answers_like_a_recorder_and_closes() -> None:
    with TestRecorder() as recorder:
        assert recorder.flush()
        assert recorder.deliver_once().pending == 0
        assert recorder.status().failed == ""
        assert recorder.rejections() == []
        assert recorder.alarms() == []
    with pytest.raises(OutboxClosed):
        dial(recorder, "+441")


def test_a_personal_value_is_not_in_a_repr() -> None:
    recorder = TestRecorder()
    recorder.case(account="1").inbound_received(sender="+441", medium="sms", summary="stop", words="Zelda")
    assert "Zelda" not in repr(recorder.events)
    assert recorder.events[0].data["words"] == "Zelda"
