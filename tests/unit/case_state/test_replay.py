"""How a case stood, and how it was known then: two times, asked apart."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.case_state.fold import state_of
from projections.case_state.model import CaseEvent
from projections.case_state.replay import NOW, Known, differences, replay


def moment(day: int) -> str:
    return f"2026-03-{day:02d}T12:00:00.000000Z"


def made(idx: int, happened: int, known: int, stage: str, corrects: str = "", **more: Any) -> CaseEvent:
    return CaseEvent(
        idx, idx, f"e{idx}", "duecourse.case.stage_changed.v1", moment(happened), {"stage": stage, **more},
        corrects, moment(known),
    )  # fmt: skip


# What happened on which day, and when the ledger knew.
EVENTS = [
    made(0, 1, 1, "registered"),
    made(1, 5, 5, "overdue"),
    made(2, 3, 8, "suspended"),  # came late
    made(3, 5, 9, "entrusted", corrects="e1"),  # it had been another stage
    made(4, 11, 10, "closed"),  # announced a day before
]


def test_the_moment_and_the_knowledge_are_asked_apart() -> None:
    def stage(at: int | None, known: int | None) -> str:
        by = NOW if known is None else Known(time=moment(known))
        return replay(EVENTS, by, at=None if at is None else moment(at)).state.stage

    assert stage(4, 4) == "registered"
    assert stage(4, None) == "suspended"
    assert stage(6, 6) == "overdue"
    # Events apply in the order of the ledger, so what was reported last decides.
    assert stage(6, 8) == "suspended"
    assert stage(10, None) == "suspended"
    assert stage(11, None) == "closed"
    assert stage(None, 9) == "suspended"
    assert replay(EVENTS, Known(time=moment(9)), at=moment(6)).events[1].data["stage"] == "entrusted"


def test_bounds_are_included() -> None:
    assert [event.idx for event in replay(EVENTS, Known(index=2)).events] == [0, 1, 2]
    assert [event.idx for event in replay(EVENTS, Known(time=moment(5)), at=moment(5)).events] == [0, 1]
    assert replay(EVENTS, Known(time=moment(1)), at="2026-03-01T11:59:59.999999Z").events == ()
    assert replay([], NOW).events == ()


def test_what_came_later_is_named_by_entry() -> None:
    then = replay(EVENTS, Known(time=moment(6)), at=moment(6))
    now = replay(EVENTS, NOW, at=moment(6))
    assert [(one.entry, one.how) for one in differences(then, now)] == [(1, "corrected"), (2, "later")]
    assert differences(now, now) == []


def test_what_was_voided_or_moved_since_is_gone() -> None:
    events = [
        made(0, 1, 1, "registered"),
        made(1, 2, 2, "overdue"),
        made(2, 2, 3, "overdue", corrects="e1", void=True),
        made(3, 9, 4, "registered", corrects="e0"),
    ]
    then = replay(events, Known(time=moment(2)), at=moment(2))
    now = replay(events, NOW, at=moment(2))
    assert [(one.entry, one.type, one.how) for one in differences(then, now)] == [
        (0, "case.stage_changed", "gone"),
        (1, "case.stage_changed", "gone"),
    ]
    assert now.state.voided == 1


STAGES = st.sampled_from(["registered", "overdue", "closed"])
ROWS = st.lists(st.tuples(st.integers(1, 28), STAGES, st.integers(-1, 5), st.booleans()), max_size=8)


@given(ROWS, st.integers(0, 9))
def test_after_an_index_it_is_the_state_of_the_entries_up_to_it(rows: list[Any], index: int) -> None:
    events = [
        made(i, day, min(i + 1, 28), stage, f"e{corrects}" if 0 <= corrects < i else "",
             **({"void": True} if void and 0 <= corrects < i else {}))
        for i, (day, stage, corrects, void) in enumerate(rows)
    ]  # fmt: skip
    known = [event for event in events if event.idx <= index]
    assert replay(events, Known(index=index)).state == state_of(known)
    # With nothing later than the last day, asking for that day asks for everything.
    assert replay(events, NOW, at=moment(28)).state == state_of(events)
