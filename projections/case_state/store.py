"""The states of all cases in one table, kept current batch by batch.

A case that is corrected is read again from its first entry; every other goes on from the state that is
stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from projections.case_state.fold import EMPTY, fold, state_of
from projections.case_state.model import CaseEvent, CaseState
from projections.engine.views import Batch

# SQLite takes at most so many values in one IN (…).
_LOOKED_UP = 500


class CaseStateView:
    name = "case_state"
    version = 1
    tables: Sequence[str] = ("case_state",)

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(
            f"CREATE TABLE {tables['case_state']} (stream INTEGER PRIMARY KEY, stage TEXT NOT NULL,"
            " last_idx INTEGER NOT NULL, state TEXT NOT NULL) STRICT"
        )

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute("DROP VIEW IF EXISTS case_state")
        db.execute(f"CREATE VIEW case_state AS SELECT * FROM {tables['case_state']}")

    def apply(self, batch: Batch) -> None:
        cases: dict[int, list[CaseEvent]] = {}
        for placed in batch.placed:
            if placed.entry.subject.startswith("case/"):
                cases.setdefault(placed.stream, []).append(CaseEvent.of(placed.entry))
        table = batch.tables["case_state"]
        begun = [stream for stream, events in cases.items() if events[0].seq]
        states = self._stored(batch.db, table, begun)
        rows: list[tuple[int, str, int, str]] = []
        for stream, events in cases.items():
            if any(event.corrects for event in events):
                earlier = batch.history(stream, events[0].idx) if events[0].seq else []
                state = state_of([*map(CaseEvent.of, earlier), *events])
            else:
                state = fold(states[stream] if events[0].seq else EMPTY, events)
            rows.append((stream, state.stage, state.last_index, state.encode().decode()))
        batch.db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", rows)

    @staticmethod
    def _stored(db: sqlite3.Cursor, table: str, streams: Sequence[int]) -> dict[int, CaseState]:
        found: dict[int, CaseState] = {}
        for start in range(0, len(streams), _LOOKED_UP):
            part = streams[start : start + _LOOKED_UP]
            marks = ", ".join("?" * len(part))
            for stream, state in db.execute(
                f"SELECT stream, state FROM {table} WHERE stream IN ({marks})", part
            ):
                found[stream] = CaseState.decode(state)
        return found

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        return db.execute(
            f"SELECT s.shard, s.subject, c.stage, c.last_idx, c.state FROM {tables['case_state']} c"
            f" JOIN {tables['streams']} s ON s.id = c.stream ORDER BY s.shard, s.subject"
        )
