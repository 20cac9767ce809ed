"""Which events come out, in which order, and how corrections are read."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import ConfigurationError
from projections.exchange.out.source import described


def told(source: Any) -> list[tuple[int, int, str]]:
    return [(event.shard, event.entry, event.type) for case in source for event in case.events]


def test_an_event_stands_once_as_it_was_last_corrected(story: Any) -> None:
    events = {event.entry: event for case in story.source() for event in case.events}
    call = events[4]
    assert (call.data["outcome"], call.data["duration_ms"]) == ("answered", 2)
    # Who acted stays who acted; the correction is named.
    assert (call.actor, call.corrected_by, call.standing) == ("staff/1", 5, True)
    assert 5 not in events
    # Voided, and its correction; a correction of nothing.
    assert not {6, 7, 8} & set(events)
    assert len(events) == 10


def test_every_entry_comes_when_asked_for_and_says_how_it_stands(story: Any) -> None:
    events = {event.entry: event for case in story.source(every_entry=True) for event in case.events}
    assert sorted(events) == list(range(14))
    assert (events[4].standing, events[4].corrected_by, events[4].data["outcome"]) == (False, 5, "busy")
    assert (events[5].standing, events[5].corrects) == (True, 4)
    assert (events[6].standing, events[7].standing) == (False, False)
    assert (events[8].standing, events[8].corrects) == (False, -1)
    assert sum(event.standing for event in events.values()) == 10


def test_the_last_of_several_corrections_counts(views: Any) -> None:
    first = views.event(1, "payment.promised", {"amount": 1})
    views.event(1, "payment.promised", {"amount": 2}, corrects=first)
    views.event(1, "payment.promised", {"amount": 3}, corrects=first, time="2026-01-01T00:00:00.000000Z")
    ((event,),) = [case.events for case in views.source()]
    assert (event.data["amount"], event.time, event.corrected_by) == (3, "2026-01-01T00:00:00.000000Z", 2)
    every = [event for case in views.source(every_entry=True) for event in case.events]
    assert [event.standing for event in every] == [False, False, True]


def test_the_order_is_that_of_the_ledger_whatever_the_selection(views: Any) -> None:
    for shard, number in ((1, 5), (0, 9), (0, 2), (1, 4), (0, 9), (1, 5)):
        views.event(number, "case.stage_changed", {"stage": "overdue"}, shard=shard, stage=f"s{number % 2}")
    # Streams of other kinds are no cases.
    views.stream("agency/00000000-0000-8000-8000-000000000001")
    order = [(0, 0), (0, 2), (0, 1), (1, 0), (1, 2), (1, 1)]
    assert [row[:2] for row in told(views.source(shards=2))] == order
    every = [
        subject[5:] for (subject,) in views.db.execute("SELECT subject FROM streams") if subject[0] == "c"
    ]
    asked = views.source([f"case/{every[0]}", *reversed(every)], shards=2)
    assert [row[:2] for row in told(asked)] == order
    assert asked.total() == views.source(shards=2).total() == 4
    assert [row[:2] for row in told(views.source(stage="s1", shards=2))] == [(0, 0), (0, 2), (1, 0), (1, 2)]
    assert told(views.source(every[:1], stage="s0", shards=2)) == []


def test_only_cases_that_exist_can_be_asked_for(story: Any) -> None:
    with pytest.raises(ConfigurationError, match="no case id"):
        story.source(["nonsense"])
    with pytest.raises(ConfigurationError, match="there is no case"):
        story.source(["00000000-0000-8000-8000-000000000099"])


def test_types_are_those_that_may_come(story: Any) -> None:
    assert "payment.received" in story.source().types()
    assert story.source(["00000000-0000-8000-8000-000000000002"]).types() == [
        "case.closed",
        "case.registered",
    ]


def test_a_file_says_from_which_state_of_the_ledger_it_is(story: Any) -> None:
    assert described(story.source(stage="closed", every_entry=True), {"cases": 1}) == {
        "entries": {"ledger.example.com/out/0": 14},
        "ledger": "ledger.example.com/out",
        "cases": 1,
        "stage": "closed",
        "every_entry": True,
    }
