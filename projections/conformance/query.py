"""Questions about findings: which packs a ledger is judged by, and which exceptions wait for whom.

A finding is an exception as long as it says BREACH, PRESUMED_BREACH, REVIEW or INSUFFICIENT_EVIDENCE. What becomes of
it are events of its case (docs/conduct.md): `case.assigned` gives it an owner, `conduct.reviewed` closes it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from projections.conformance.fold import closing_ref
from projections.conformance.model import DEADLINE_DAYS, EXCEPTIONS

_COLUMNS: Final = (
    "s.subject, s.shard, f.pack, f.rule, f.version, f.outcome, f.idx, f.event, f.codes, f.rests, f.since, f.agency,"
    " f.product, f.week, f.owner, f.closed_by"
)
_STATE: Final = {
    "open": "f.closed_by IS NULL AND f.owner = ''",
    "assigned": "f.closed_by IS NULL AND f.owner != ''",
    "closed": "f.closed_by IS NOT NULL",
}
_WORST_FIRST: Final = " ".join(f"WHEN '{outcome}' THEN {n}" for n, outcome in enumerate(EXCEPTIONS))


@dataclass(frozen=True, slots=True)
class Adopted:
    """A pack that the registry of a shard adopted at entry `index`. Not `at_hand`: its bytes are nowhere to be found
    as they were adopted, so nothing is judged by it."""

    shard: int
    index: int
    pack: str
    version: str
    digest: str
    binding: tuple[str, ...]
    starts: str
    at_hand: bool


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One line of the queue. `index`, `rests` and `closed_by` are indexes of entries; `since` is a time, `deadline` the
    last day on which it should be closed."""

    case: str
    shard: int
    pack: str
    rule: str
    version: str
    outcome: str
    index: int
    event: str
    codes: tuple[str, ...]
    rests: tuple[int, ...]
    since: str
    agency: str
    product: str
    week: str
    owner: str
    closed_by: int | None

    @property
    def state(self) -> str:
        """`open` has no owner, `assigned` has one, `closed` was reviewed."""
        if self.closed_by is not None:
            return "closed"
        return "assigned" if self.owner else "open"

    @property
    def deadline(self) -> str:
        day = dt.date.fromisoformat(self.since[:10]) + dt.timedelta(days=DEADLINE_DAYS[self.outcome])
        return day.isoformat()

    @property
    def closing(self) -> str:
        """The `source_ref` of a review that closes it."""
        return closing_ref(self.pack, self.rule, self.outcome)

    def value(self, today: str = "") -> dict[str, Any]:
        """As JSON. `today` is a date, by which `overdue` is told; "" leaves it out."""
        value: dict[str, Any] = {
            "case": self.case,
            "closed_by": self.closed_by,
            "codes": list(self.codes),
            "deadline": self.deadline,
            "event": self.event,
            "index": self.index,
            "outcome": self.outcome,
            "owner": self.owner or None,
            "rests_on": list(self.rests),
            "rule": f"{self.pack}/{self.rule}@{self.version}",
            "shard": self.shard,
            "since": self.since,
            "state": self.state,
        }
        if today:
            value["overdue"] = self.state != "closed" and self.deadline < today
        return value


def adopted(db: sqlite3.Connection) -> list[Adopted]:
    """Every adoption, by shard and in the order of the registry."""
    rows = db.execute(
        "SELECT shard, idx, pack, version, digest, binding, starts, at_hand FROM adoptions ORDER BY shard, idx"
    )
    return [
        Adopted(shard, idx, pack, version, digest, tuple(orjson.loads(binding)), starts, bool(at_hand))
        for shard, idx, pack, version, digest, binding, starts, at_hand in rows
    ]


def judged_at(db: sqlite3.Connection) -> dict[int, str]:
    """By shard, the moment as of which its cases are judged. Shards that adopted nothing are not there."""
    return dict(db.execute("SELECT shard, as_of FROM conformance").fetchall())


def too_large(db: sqlite3.Connection) -> list[str]:
    """Cases with more entries than are judged: nothing is known of them here."""
    rows = db.execute(
        "SELECT s.subject FROM judged_cases j JOIN streams s ON s.id = j.stream WHERE j.too_large ORDER BY s.subject"
    )
    return [subject.removeprefix("case/") for (subject,) in rows]


def exceptions(
    db: sqlite3.Connection,
    *,
    rule: str = "",
    state: str = "",
    owner: str = "",
    case: str = "",
    outcome: str = "",
    limit: int | None = None,
) -> Iterator[ExceptionRow]:
    """The queue, worst first, then oldest first. `rule` is `FINE-05` or `example-fines/FINE-05`; what is "" is not
    asked for."""
    where, asked = _conditions(rule=rule, state=state, owner=owner, case=case, outcome=outcome)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM findings f JOIN streams s ON s.id = f.stream WHERE {where}"
        f" ORDER BY CASE f.outcome {_WORST_FIRST} END, f.since, s.subject, f.idx, f.rule LIMIT ?",
        [*asked, -1 if limit is None else limit],
    )
    for row in rows:
        values = list(row)
        values[0] = row[0].removeprefix("case/")
        values[8] = tuple(row[8].split(",")) if row[8] else ()
        values[9] = tuple(orjson.loads(row[9]))
        yield ExceptionRow(*values)


def count_exceptions(
    db: sqlite3.Connection,
    *,
    rule: str = "",
    state: str = "",
    owner: str = "",
    case: str = "",
    outcome: str = "",
) -> dict[str, int]:
    """How many there are of each outcome."""
    where, values = _conditions(rule=rule, state=state, owner=owner, case=case, outcome=outcome)
    return dict(
        db.execute(
            "SELECT f.outcome, COUNT(*) FROM findings f JOIN streams s ON s.id = f.stream"
            f" WHERE {where} GROUP BY f.outcome",
            values,
        ).fetchall()
    )


def _conditions(*, rule: str, state: str, owner: str, case: str, outcome: str) -> tuple[str, list[str]]:
    where, values = ["1"], []
    pack, _, name = rule.rpartition("/")
    for column, value in (
        ("f.pack", pack),
        ("f.rule", name),
        ("f.owner", owner),
        ("f.outcome", outcome),
        ("s.subject", f"case/{case}" if case else ""),
    ):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if state:
        where.append(_STATE[state])
    return " AND ".join(where), values
