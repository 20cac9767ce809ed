"""How a case stood at a moment, by what was known at another: two times, asked apart.

An event has the time at which it happened (`time`, as claimed) and the one at which the ledger had it
(`sequenced`). An event that was corrected counts with the time and payload of the last correction that was
known; one that was voided by then does not count. Events apply in the order of the ledger, as everywhere.

So "at T, known at T" is what somebody saw who looked at the case at T; "at T, known today" is what was so at
T, as far as it has come to light since: late entries and later corrections count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ledger.kernel.event import short_type
from projections.case_state.fold import EMPTY, fold, reading
from projections.case_state.model import CaseEvent, CaseState


@dataclass(frozen=True, slots=True)
class Known:
    """What counts as known: entries up to this index, or sequenced up to this time; both are included."""

    index: int | None = None
    time: str | None = None

    def of(self, events: Sequence[CaseEvent]) -> list[CaseEvent]:
        return [
            event
            for event in events
            if (self.index is None or event.idx <= self.index)
            and (self.time is None or event.sequenced <= self.time)
        ]


NOW = Known()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A state, and the events that it tells of: as they are read, in the order of the ledger."""

    state: CaseState
    events: tuple[CaseEvent, ...]


class Difference(NamedTuple):
    """An event that one reading has otherwise than a later one. `how`: `later` (the first did not have it),
    `corrected` (both have it, with another time or payload), `gone` (the second does not have it)."""

    entry: int
    type: str
    time: str
    how: str


def replay(events: Sequence[CaseEvent], known: Known = NOW, *, at: str | None = None) -> Replayed:
    """The case as of time `at` (included; None: all that is known), by what was known. `events` are all
    entries of the case in stream order."""
    seen = known.of(events)
    read, corrections, voided, dangling, renamed = reading(seen)
    happened = tuple(event for event in read if at is None or event.time <= at)
    state = fold(replace(EMPTY, renamed=renamed), happened)
    if seen:
        last = seen[-1]
        # The bookkeeping speaks of what was known, as `state_of` has it.
        state = replace(
            state,
            events=len(seen),
            corrections=corrections,
            voided=voided,
            dangling=dangling,
            last_index=last.idx,
            last_time=last.time,
            last_sequenced=last.sequenced,
        )
    return Replayed(state, happened)


def differences(then: Replayed, now: Replayed) -> list[Difference]:
    """What the later reading says otherwise, by entry."""
    before = {event.idx: event for event in then.events}
    after = {event.idx: event for event in now.events}
    found: list[Difference] = []
    for index in sorted(before.keys() | after.keys()):
        old, new = before.get(index), after.get(index)
        if old is None and new is not None:
            found.append(Difference(index, short_type(new.type), new.time, "later"))
        elif old is not None and new is None:
            found.append(Difference(index, short_type(old.type), old.time, "gone"))
        elif old is not None and new is not None and (old.time, old.data) != (new.time, new.data):
            found.append(Difference(index, short_type(new.type), new.time, "corrected"))
    return found
