"""CSV that no spreadsheet runs, Parquet that holds what the events hold."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import ConfigurationError
from projections.exchange.out import columns
from projections.exchange.out.formats import extract
from projections.exchange.out.table import FORMULA_STARTS, guarded

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HOSTILE = st.one_of(
    TEXT, st.builds(str.__add__, st.sampled_from([*sorted(FORMULA_STARTS), "'", " ", "\u3000="]), TEXT)
)


def unguarded(cell: str) -> str:
    return cell.removeprefix("'")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@given(HOSTILE)
def test_a_guarded_cell_is_no_formula_and_loses_nothing(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert cell[:1] not in FORMULA_STARTS
    assert cell.lstrip(" \u00a0\u3000")[:1] not in FORMULA_STARTS


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", " =1", "'=1"]
)
def test_what_spreadsheets_take_for_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) == "'" + text


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(HOSTILE, HOSTILE, st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_hostile_row_stays_one_row(
    views: Any, tmp_path: Path, actor: str, template: str, amount: int
) -> None:
    views.clear()
    views.event(1, "contact.message_sent", {"template": template, "strange": [template]}, actor=actor)
    views.event(1, "payment.promised", {"amount": amount})
    extract(views.source(), "csv", tmp_path / "log.csv", force=True)
    first, second = rows_of(tmp_path / "log.csv")
    assert (unguarded(first["actor"]), unguarded(first["template"])) == (actor, template)
    assert first["more"] == columns.text_of({"strange": [template]})
    assert int(second["amount"]) == amount


def test_columns_are_those_of_the_types_that_are_there(story: Any, tmp_path: Path) -> None:
    extract(story.source(), "csv", tmp_path / "log.csv")
    rows = rows_of(tmp_path / "log.csv")
    assert len(rows) == 10
    assert list(rows[0])[: len(columns.BASE)] == list(columns.BASE)
    assert "principal" in rows[0]
    assert "hold" not in rows[0]
    assert (tmp_path / "log.csv").read_bytes().count(b"\r\n") == 11
    itemised = next(row for row in rows if row["type"] == "debt.itemised")
    assert (itemised["principal"], itemised["interest"], itemised["standing"]) == ("1000", "-5", "true")
    assert next(row for row in rows if row["protected"])["protected"] == "address"


def test_no_member_of_the_catalogue_has_the_name_of_a_column_of_ours() -> None:
    taken = {*columns.BASE, columns.MORE}
    for short in columns.catalogue_types():
        assert not taken & columns.members_of(short).keys()
    names = [column.name for column in columns.columns()]
    assert len(names) == len(set(names))


def test_a_value_of_another_kind_than_its_column_goes_to_the_rest(views: Any) -> None:
    views.event(1, "payment.promised", {"amount": "much", "currency": 7, "form": True, "debts": []})
    ((event,),) = [case.events for case in views.source()]
    made = columns.row(event, columns.known_members(columns.columns()))
    assert made["more"] == '{"amount":"much","debts":[]}'
    assert (made["currency"], made["form"]) == ("7", "true")


def test_parquet_holds_what_the_events_hold(story: Any, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "it's.parquet"
    assert extract(story.source(), "parquet", path) == {"cases": 2, "events": 10}
    with duckdb.connect(":memory:") as db:
        db.execute("SET TimeZone = 'UTC'")
        made = db.read_parquet(str(path))
        assert made.columns == [column.name for column in columns.columns()]
        types = dict(zip(made.columns, map(str, made.types), strict=True))
        assert (types["time"], types["principal"], types["itemised_on"], types["standing"]) == (
            "TIMESTAMP WITH TIME ZONE", "BIGINT", "DATE", "BOOLEAN",
        )  # fmt: skip
        found = db.execute(
            "SELECT entry, type, strftime(time, '%Y-%m-%dT%H:%M:%S.%fZ'), interest, is_work, outcome, more"
            " FROM read_parquet($1)",
            [str(path)],
        ).fetchall()
        about = db.execute("SELECT value FROM parquet_kv_metadata($1)", [str(path)]).fetchall()
    events = [event for case in story.source() for event in case.events]
    assert [row[:3] for row in found] == [(event.entry, event.type, event.time) for event in events]
    assert found[1][3] == -5
    assert found[2][4] is False
    assert found[3][5] == "answered"
    assert b'"ledger":"ledger.example.com/out"' in about[0][0]
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(HOSTILE, TEXT, st.integers(-(2**53) + 1, 2**53 - 1))
def test_any_text_comes_back_from_parquet(
    views: Any, tmp_path: Path, actor: str, template: str, amount: int
) -> None:
    duckdb = pytest.importorskip("duckdb")
    views.clear()
    views.event(1, "contact.message_sent", {"template": template, "strange": [template]}, actor=actor)
    views.event(1, "payment.promised", {"amount": amount})
    path = tmp_path / "log.parquet"
    extract(views.source(), "parquet", path, force=True)
    with duckdb.connect(":memory:") as db:
        query = "SELECT actor, template, more, amount FROM read_parquet($1) ORDER BY case_seq"
        assert db.execute(query, [str(path)]).fetchall() == [
            (actor, template, columns.text_of({"strange": [template]}), None),
            ("staff/1", None, None, amount),
        ]


def test_without_duckdb_parquet_is_refused_before_anything_is_written(
    story: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match=r"pip install 'duecourse\[parquet\]'"):
        extract(story.source(), "parquet", tmp_path / "log.parquet")
    assert list(tmp_path.iterdir()) == []
