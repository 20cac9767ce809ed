"""A small ledger with a few cases, and everything that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.testing.history import Tool, case
from ledger.testing.rig import Rig
from projections.case_state.store import CaseStateView
from projections.engine.runner import Shard
from projections.engine.store import ViewStore
from projections.engine.views import View
from projections.timeline.store import TimelineView

CALL = {
    "contact_point": case(900)[5:],
    "debts": [],
    "outcome": "no_answer",
    "parties": [],
    "purpose": "service",
}


class Ledger:
    """A founded shard with one dialler. `call` hands events in, `sequence` gives them their place and seals
    them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rig = Rig(directory)
        self.rig.found()
        self.tool: Tool = self.rig.register("dialler", types=["case", "contact", "debt", "payment"])
        self.sequencer: Any = None
        self.stores: list[ViewStore] = []

    def call(self, *cases: int) -> None:
        events = [self.tool.event(case(number), data=CALL) for number in cases]
        self.rig.submit(self.tool.sign(events))

    def sequence(self) -> None:
        if self.sequencer is None:
            self.sequencer = self.rig.sequencer()
            self.sequencer.start()
        self.sequencer.drain()

    def shard(self) -> Shard:
        return Shard(self.rig.open_log("reader"), self.rig.origin, self.rig.log_key)

    def store(self, name: str = "views.db", views: Sequence[View] | None = None) -> ViewStore:
        made = ViewStore(self.directory / name, views or [CaseStateView(), TimelineView()])
        self.stores.append(made)
        return made

    def close(self) -> None:
        for store in self.stores:
            store.close()
        self.rig.close()


@pytest.fixture
def make_ledger(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    made: list[Ledger] = []

    def make() -> Ledger:
        directory = tmp_path / f"ledger-{len(made)}"
        directory.mkdir()
        made.append(Ledger(directory))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ledger(make_ledger: Callable[[], Ledger]) -> Ledger:
    return make_ledger()
