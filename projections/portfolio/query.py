"""Questions about the portfolio: how many findings of each outcome, by what, and in which cases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from projections.portfolio.model import Line

# What rows stand for, in SQL.
_NAMES: Final = {"rule": "pack || '/' || rule", "agency": "agency", "week": "week", "product": "product"}


class CaseLine(NamedTuple):
    """A case and how many of the findings that were asked for it holds."""

    case: str
    shard: int
    findings: int


def lines(
    db: sqlite3.Connection,
    by: str,
    *,
    rule: str = "",
    outcome: str = "",
    agency: str | None = None,
    product: str | None = None,
    week: str = "",
) -> list[Line]:
    """Counts by `by`, one of `DIMENSIONS`, in order of name. `rule` is `FINE-05` or `example-fines/FINE-05`; `agency`
    "" is the house itself, None any."""
    where, values = _conditions(rule, outcome, agency, product, week)
    found: dict[str, dict[str, int]] = {}
    for name, said, n in db.execute(
        f"SELECT {_NAMES[by]} AS name, outcome, SUM(n) FROM portfolio WHERE {where}"
        " GROUP BY name, outcome ORDER BY name, outcome",
        values,
    ):
        found.setdefault(name, {})[said] = n
    return [Line(name, counts) for name, counts in found.items()]


def weeks(
    db: sqlite3.Connection, *, rule: str = "", agency: str | None = None
) -> list[tuple[str, str, str, int]]:
    """(rule, week, outcome, findings), ascending: what a picture is drawn from."""
    where, values = _conditions(rule, "", agency)
    return db.execute(
        f"SELECT {_NAMES['rule']} AS name, week, outcome, SUM(n) FROM portfolio WHERE {where}"
        " GROUP BY name, week, outcome ORDER BY name, week, outcome",
        values,
    ).fetchall()


def cases(
    db: sqlite3.Connection,
    *,
    rule: str = "",
    outcome: str = "",
    agency: str | None = None,
    product: str | None = None,
    week: str = "",
    limit: int | None = None,
) -> Iterator[CaseLine]:
    """The cases behind a number, those with most findings first."""
    where, values = _conditions(rule, outcome, agency, product, week)
    rows = db.execute(
        "SELECT s.subject, s.shard, SUM(c.n) AS findings FROM portfolio_cases c JOIN streams s ON s.id = c.stream"
        f" WHERE c.cell IN (SELECT id FROM portfolio WHERE {where})"
        " GROUP BY c.stream ORDER BY findings DESC, s.subject LIMIT ?",
        [*values, -1 if limit is None else limit],
    )
    for subject, shard, n in rows:
        yield CaseLine(subject.removeprefix("case/"), shard, n)


def judged_cases(db: sqlite3.Connection) -> int:
    """How many cases have findings."""
    return int(db.execute("SELECT COUNT(DISTINCT stream) FROM portfolio_cases").fetchone()[0])


def _conditions(
    rule: str, outcome: str, agency: str | None, product: str | None = None, week: str = ""
) -> tuple[str, Sequence[str]]:
    where, values = ["n != 0"], []
    pack, _, name = rule.rpartition("/")
    for column, value in (
        ("pack", pack or None),
        ("rule", name or None),
        ("outcome", outcome or None),
        ("agency", agency),
        ("product", product),
        ("week", week or None),
    ):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    return " AND ".join(where), values
