"""Counts follow the cases: what a case added before is taken away, and every number leads to its cases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from projections.engine.views import Batch
from projections.portfolio.model import Key
from projections.portfolio.query import cases, judged_cases, lines, weeks
from projections.portfolio.store import PortfolioView

LATE = Key("fines", "F-1", "BREACH", "", "other", "2026-W10")
GOOD = LATE._replace(outcome="PASS")
THEIRS = Key("fines", "F-2", "BREACH", "agency-1", "utility", "2026-W11")
TABLES = {"portfolio": "portfolio_1", "portfolio_cases": "portfolio_cases_1", "streams": "streams"}


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE streams (id INTEGER PRIMARY KEY, shard INTEGER, subject TEXT)")
    made.executemany("INSERT INTO streams VALUES (?, 0, ?)", [(n, f"case/{n}") for n in (1, 2, 3)])
    view = PortfolioView()
    view.create(made.cursor(), TABLES)
    view.publish(made.cursor(), TABLES)
    yield made
    made.close()


def take(db: sqlite3.Connection, cases: dict[int, dict[Any, int]]) -> None:
    PortfolioView().take(Batch(db.cursor(), 0, TABLES, [], lambda _stream, _index: []), cases)


def test_a_case_that_is_judged_again_adds_what_it_adds_now(db: sqlite3.Connection) -> None:
    take(db, {1: {LATE: 2, GOOD: 1}, 2: {THEIRS: 1}})
    assert [(one.name, one.counts) for one in lines(db, "rule")] == [
        ("fines/F-1", {"BREACH": 2, "PASS": 1}),
        ("fines/F-2", {"BREACH": 1}),
    ]
    take(db, {1: {GOOD: 3}, 3: {LATE: 1}})
    assert [(one.name, one.counts, one.total) for one in lines(db, "rule", rule="F-1")] == [
        ("fines/F-1", {"BREACH": 1, "PASS": 3}, 4)
    ]
    take(db, {3: {}})
    assert [one.counts for one in lines(db, "rule", rule="fines/F-1")] == [{"PASS": 3}]
    assert judged_cases(db) == 2
    assert list(PortfolioView().rows(db, TABLES)) == [
        (*GOOD, 3), (*THEIRS, 1), (0, "case/1", *GOOD, 3), (0, "case/2", *THEIRS, 1),
    ]  # fmt: skip


def test_rows_are_what_is_asked_for(db: sqlite3.Connection) -> None:
    take(db, {1: {LATE: 2, GOOD: 1}, 2: {THEIRS: 1}})

    assert [(one.name, one.total) for one in lines(db, "agency")] == [("", 3), ("agency-1", 1)]
    assert [(one.name, one.total) for one in lines(db, "week")] == [("2026-W10", 3), ("2026-W11", 1)]
    assert [(one.name, one.total) for one in lines(db, "product", outcome="BREACH")] == [
        ("other", 2), ("utility", 1),
    ]  # fmt: skip
    assert [(one.name, one.total) for one in lines(db, "rule", agency="")] == [("fines/F-1", 3)]
    assert lines(db, "rule", rule="other/F-1") == []
    assert weeks(db, rule="F-2") == [("fines/F-2", "2026-W11", "BREACH", 1)]


def test_every_number_leads_to_its_cases(db: sqlite3.Connection) -> None:
    take(db, {1: {LATE: 2, GOOD: 1}, 2: {THEIRS: 1}, 3: {LATE: 5}})

    assert [tuple(one) for one in cases(db, rule="F-1", outcome="BREACH")] == [("3", 0, 5), ("1", 0, 2)]
    assert [one.case for one in cases(db, agency="agency-1")] == ["2"]
    assert [one.case for one in cases(db, week="2026-W10", product="other", limit=1)] == ["3"]
    assert list(cases(db, outcome="REVIEW")) == []
