"""Questions about cases: how one stands now, how it stood at any past index, which there are.

"Now" is the last entry that the view has applied; `applied` of the engine says which that is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.log.port import ShardLog
from projections.case_state.fold import state_of
from projections.case_state.model import CaseEvent, CaseState
from projections.engine.runner import entries_at
from projections.engine.streams import places


class CaseRow(NamedTuple):
    """One line of the list of cases."""

    case: str
    shard: int
    state: CaseState


def case_state(db: sqlite3.Connection, case: str, shard: int) -> CaseState | None:
    """How the case stands, or None where there is no entry of it."""
    row = db.execute(
        "SELECT c.state FROM case_state c JOIN streams s ON s.id = c.stream"
        " WHERE s.subject = ? AND s.shard = ?",
        (f"case/{case}", shard),
    ).fetchone()
    return None if row is None else CaseState.decode(row[0])


def case_state_at(db: sqlite3.Connection, log: ShardLog, case: str, index: int) -> CaseState | None:
    """How the case stood after the entry with this index of its shard, that entry included; corrections that
    came later do not count. None where the case had no entry yet."""
    found = places(db, f"case/{case}", log.shard, below=index + 1)
    if not found:
        return None
    return state_of([CaseEvent.of(entry) for entry in entries_at(log, found)])


def cases(
    db: sqlite3.Connection, *, stage: str | None = None, after: str = "", limit: int | None = None
) -> Iterator[CaseRow]:
    """Cases by id, those behind `after`, of one stage if it is given."""
    conditions: list[str] = ["s.subject > ?", "s.subject < 'case0'"]
    values: list[str | int] = [f"case/{after}"]
    if stage is not None:
        conditions.append("c.stage = ?")
        values.append(stage)
    values.append(-1 if limit is None else limit)
    rows = db.execute(
        "SELECT s.subject, s.shard, c.state FROM streams s JOIN case_state c ON c.stream = s.id"
        f" WHERE {' AND '.join(conditions)} ORDER BY s.subject LIMIT ?",
        values,
    )
    for subject, shard, state in rows:
        yield CaseRow(subject.removeprefix("case/"), shard, CaseState.decode(state))


def count_by_stage(db: sqlite3.Connection) -> Sequence[tuple[str, int]]:
    """How many cases stand in each stage ("" where none was ever said)."""
    return db.execute("SELECT stage, COUNT(*) FROM case_state GROUP BY stage ORDER BY stage").fetchall()
