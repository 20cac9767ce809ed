"""The stored view comes to what the definition says, however the entries are cut into batches."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kernel.entry import Entry
from ledger.testing.history import case, event_id
from projections.case_state.fold import state_of
from projections.case_state.model import CaseEvent, CaseState
from projections.case_state.store import CaseStateView
from projections.engine.streams import StreamsView
from projections.engine.views import Batch, Placed, digest
from projections.timeline.query import timeline
from projections.timeline.store import TimelineView

CALL, STAGE = "duecourse.contact.call_placed.v1", "duecourse.case.stage_changed.v1"


def _entry(index: int, subject: str, seq: int, kind: str, data: dict[str, Any], corrects: str = "") -> Entry:
    time = f"2026-03-02T01:00:00.{index:06d}Z"
    event = {
        "actorcapacity": "first_party",
        "actorid": "staff/1",
        "actorrole": "collector",
        "data": data,
        "id": event_id(index),
        "producerid": "dialler",
        "recordedtime": time,
        "subject": subject,
        "time": time,
        "type": kind,
    }
    if corrects:
        event["corrects"] = corrects
    return Entry(b"", bytes(32), event, index, "o", bytes(32), {}, time, bytes(32), seq, 1)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[Entry], list[int]]:
    entries: list[Entry] = []
    counts: dict[str, int] = {}
    known: list[str] = [event_id(10_000)]
    for index in range(draw(st.integers(1, 25))):
        subject = case(draw(st.integers(0, 2)))
        kind = draw(st.sampled_from([CALL, STAGE]))
        data: dict[str, Any] = (
            {"outcome": draw(st.sampled_from(["busy", "answered"])), "purpose": "service"}
            if kind == CALL
            else {"stage": draw(st.sampled_from(["overdue", "litigation"]))}
        )
        corrects = draw(st.sampled_from(known)) if draw(st.integers(0, 2)) == 0 else ""
        if corrects and draw(st.booleans()):
            data["void"] = True
        entries.append(_entry(index, subject, counts.get(subject, 0), kind, data, corrects))
        counts[subject] = counts.get(subject, 0) + 1
        known.append(event_id(index))
    cuts = draw(st.lists(st.integers(0, len(entries)), max_size=6))
    return entries, sorted({0, *cuts, len(entries)})


class Database:
    """The three views in memory, filled by hand."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.views = (StreamsView(), CaseStateView(), TimelineView())
        self.tables = {table: f"{table}_1" for view in self.views for table in view.tables}
        self.held: list[tuple[int, Entry]] = []
        for view in self.views:
            view.create(db.cursor(), self.tables)
            view.publish(db.cursor(), self.tables)

    def apply(self, entries: list[Entry]) -> None:
        placed = [Placed(entry, entry.index) for entry in entries]

        def history(stream: int, index: int) -> list[Entry]:
            return [e for number, e in self.held if number == stream and e.index < index]

        batch = Batch(self.db.cursor(), 0, self.tables, placed, history)
        for view in self.views:
            view.apply(batch)
        self.held += [(p.stream, p.entry) for p in placed]

    def digests(self) -> list[str]:
        return [digest(view.rows(self.db, self.tables)) for view in self.views]


@settings(max_examples=150, deadline=None)
@given(_histories())
def test_batches_make_no_difference(history: tuple[list[Entry], list[int]]) -> None:
    entries, cuts = history
    with closing(sqlite3.connect(":memory:")) as one, closing(sqlite3.connect(":memory:")) as other:
        whole, cut = Database(one), Database(other)
        whole.apply(entries)
        for start, end in pairwise(cuts):
            cut.apply(entries[start:end])
        assert whole.digests() == cut.digests()
        for subject in {entry.subject for entry in entries}:
            expected = state_of([CaseEvent.of(entry) for entry in entries if entry.subject == subject])
            query = (
                "SELECT state, stage, last_idx FROM case_state WHERE stream ="
                " (SELECT id FROM streams WHERE subject = ?)"
            )
            row = other.execute(query, (subject,)).fetchone()
            assert CaseState.decode(row[0]) == expected
            assert row[1:] == (expected.stage, expected.last_index)


@settings(max_examples=100, deadline=None)
@given(_histories())
def test_the_timeline_and_the_state_read_corrections_alike(history: tuple[list[Entry], list[int]]) -> None:
    entries, _ = history
    with closing(sqlite3.connect(":memory:")) as db:
        base = Database(db)
        base.apply(entries)
        for subject in {entry.subject for entry in entries}:
            mine = [entry for entry in entries if entry.subject == subject]
            for until in range(len(entries)):
                seen = [entry for entry in mine if entry.index <= until]
                lines = list(timeline(db, subject[5:], 0, until=until))
                assert [line.index for line in lines] == [entry.index for entry in seen]
                state = state_of([CaseEvent.of(entry) for entry in seen])
                assert sum(line.voided for line in lines) == state.voided
                lone = sum("corrects" in e.event for e in seen) - sum(
                    line.corrects is not None for line in lines
                )
                assert lone == state.dangling
                standing = [
                    line for line in lines if "corrects" not in entries[line.index].event and not line.voided
                ]
                calls = [line for line in standing if line.type == "contact.call_placed"]
                assert len(calls) == state.counts.calls
