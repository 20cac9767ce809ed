"""Who handled whose data: by case, by actor, by what was done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

import orjson

from projections.access_log.model import Access

_COLUMNS: Final = (
    "s.subject, s.shard, a.idx, a.event, a.time, a.sequenced, a.actor, a.role, a.capacity, a.producer, a.action,"
    " a.purpose, a.fields, a.records, a.recipient, a.about, a.request, a.answer, a.requester, a.corrects,"
    " a.corrected_by, a.voided"
)


def accesses(
    db: sqlite3.Connection,
    *,
    case: str = "",
    actor: str = "",
    action: str = "",
    purpose: str = "",
    limit: int | None = None,
) -> Iterator[Access]:
    """Every handling, newest first; what is "" is not asked for."""
    where, asked = ["1"], []
    for column, value in (
        ("s.subject", f"case/{case}" if case else ""),
        ("a.actor", actor),
        ("a.action", action),
        ("a.purpose", purpose),
    ):
        if value:
            where.append(f"{column} = ?")
            asked.append(value)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM access_log a JOIN streams s ON s.id = a.stream WHERE {' AND '.join(where)}"
        " ORDER BY a.time DESC, s.shard, a.idx DESC LIMIT ?",
        [*asked, -1 if limit is None else limit],
    )
    for row in rows:
        values = list(row)
        values[0] = row[0].removeprefix("case/")
        values[12] = tuple(row[12].split(",")) if row[12] else ()
        values[13] = tuple(orjson.loads(row[13]))
        values[18], values[21] = bool(row[18]), bool(row[21])
        yield Access(*values)


def count_by_actor(db: sqlite3.Connection) -> list[tuple[str, str, str, int]]:
    """(actor, action, purpose, how often), ascending. What was voided did not happen."""
    return db.execute(
        "SELECT actor, action, purpose, COUNT(*) FROM access_log WHERE NOT voided AND corrects IS NULL"
        " GROUP BY actor, action, purpose ORDER BY actor, action, purpose"
    ).fetchall()
