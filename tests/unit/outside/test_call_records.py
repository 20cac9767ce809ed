"""Call records by a layout: every row or none, and every complaint with its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange.outside.layout import FORMAT, load_layout, parse_layout, shipped
from projections.exchange.outside.records import mask, shown_id
from projections.exchange.outside.statement import Reading, Statement, read_statement

PLAIN = f"""
format = "{FORMAT}"
name = "plain"
channel = "call"
header = true
columns = [["id", "when", "to", "state", "note"]]
[read]
id = "id"
time = "when"
to = "to"
status = "state"
[numbers]
rewrite = [["00", "+"], ["0", "+44"]]
[only]
state = ["out", "busy"]
"""


def _statement(tmp_path: Path, text: str | bytes, layout: str = PLAIN, **more: Any) -> Statement:
    (tmp_path / "layout.toml").write_text(layout, encoding="utf-8")
    file = tmp_path / "calls.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    reading = Reading("call", str(tmp_path / "layout.toml"), **({"days": "Europe/London"} | more))
    return read_statement([file], reading)


def _refused(tmp_path: Path, text: str, **more: Any) -> str:
    with pytest.raises(ImportRefused) as refused:
        _statement(tmp_path, text, **more)
    assert "nothing was imported" in str(refused.value)
    return str(refused.value)


def test_rows_become_records_and_others_are_left_out_and_counted(tmp_path: Path) -> None:
    statement = _statement(
        tmp_path,
        "id,to,when,state,note\n"
        'c-1,07700 900123,2026-06-10T10:00:00+01:00,out,"two\nlines"\n'
        "c-2,0044 7700900124,2026-06-10T23:30:00Z,busy,\n"
        "c-3,+447700900125,2026-06-10T10:00:00Z,in,\n",
    )
    records = statement.records
    assert records.ids == ["c-1", "c-2"]
    assert records.numbers == ["+447700900123", "+447700900124"]
    assert list(records.lines) == [2, 4]
    assert records.days == ["2026-06-10", "2026-06-11"]
    assert statement.days == {"2026-06-10": 1, "2026-06-11": 1}
    assert records.skipped == {"left out by the layout": 1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("id,when,to,state,salary\nc,2026-06-10T10:00:00Z,1,out,\n", "calls.csv:1: unknown column 'salary'"),
        ("id,when,state\n", "calls.csv:1: there is no column 'to'"),
        ("id,when,to,state,state\n", "calls.csv:1: a column stands twice"),
        ("id,when,to,state\nc,2026-06-10T10:00:00Z,1\n", "calls.csv:2: 3 columns, where the layout has 4"),
        ("id,when,to,state\nc,2026-06-10T10:00:00,1,out\n", "calls.csv:2: when: a time without zone"),
        ("id,when,to,state\n,2026-06-10T10:00:00Z,1,out\n", "calls.csv:2: id: no id"),
        ("id,when,to,state\na b,2026-06-10T10:00:00Z,1,out\n", "calls.csv:2: id: not an identifier"),
        ('id,when,to,state\n"c,2026-06-10T10:00:00Z,1,out\n', "calls.csv:2: not CSV"),
        ("", "calls.csv:1: there is no column 'id'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in _refused(tmp_path, text)


def test_a_head_line_that_holds_data_is_not_shown(tmp_path: Path) -> None:
    told = _refused(tmp_path, "c-1,2026-06-10T10:00:00Z,07700900123,out\n")
    assert "07700900123" not in told
    assert "(not shown)" in told


def test_duplicates_across_files_name_both_places_and_everything_is_listed(tmp_path: Path) -> None:
    rows = "id,when,to,state\n" + "".join(f"c-{n % 30},2026-06-10T10:00:00Z,1,out\n" for n in range(60))
    told = _refused(tmp_path, rows)
    assert "calls.csv:32: duplicate id: it stands in calls.csv:2 too" in told
    assert told.count("duplicate id") == 20
    assert "and 10 more" in told


def test_days_outside_the_statement_are_refused_and_days_without_a_call_are_told(tmp_path: Path) -> None:
    rows = "id,when,to,state\nc-1,2026-06-10T10:00:00Z,1,out\n"
    statement = _statement(tmp_path, rows, first="2026-06-09", last="2026-06-11")
    assert statement.days == {"2026-06-09": 0, "2026-06-10": 1, "2026-06-11": 0}
    assert "outside the days" in _refused(tmp_path, rows, first="2026-06-11", last="2026-06-12")
    for first, last in (
        ("2026-06-11", ""),
        ("2026-06-11", "2026-06-10"),
        ("2020-01-01", "2026-06-10"),
        ("x", "y"),
    ):
        with pytest.raises(ConfigurationError):
            _statement(tmp_path, rows, first=first, last=last)
    with pytest.raises(ImportRefused, match="no record"):
        _statement(tmp_path, "id,when,to,state\n")
    empty = _statement(tmp_path, "id,when,to,state\n", first="2026-06-10", last="2026-06-10")
    assert empty.days == {"2026-06-10": 0}


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "layout.toml").write_text(PLAIN, encoding="utf-8")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,when,to,state\n")
    reading = Reading("call", str(tmp_path / "layout.toml"), "UTC", first="2026-06-10", last="2026-06-10")
    with pytest.raises(ImportRefused, match="given twice"):
        read_statement([tmp_path / "a.csv", tmp_path / "b.csv"], reading)
    with pytest.raises(ConfigurationError, match="1 to 64 files"):
        read_statement([], reading)


ASTERISK = (
    '"","95500","07700900123","out","""x"" <95500>","SIP/a","SIP/b","Dial","SIP/b","{}","","{}",12,0,"NO ANSWER",'
    '"DOCUMENTATION","{}"'
)


@pytest.mark.parametrize("more", ["", ',"user"', ',"","1780000000.1","3"', ',"user","","1780000000.1","3"'])
def test_asterisk_rows_of_every_width(tmp_path: Path, more: str) -> None:
    file = tmp_path / "Master.csv"
    stamp = "2026-06-10 10:00:00"
    file.write_text(ASTERISK.format(stamp, stamp, "1780000000.1") + more + "\n")
    reading = Reading("call", "asterisk-cdr-csv", times="Asia/Shanghai")
    statement = read_statement([file], reading)
    assert statement.records.value(0) == {
        "at": "2026-06-10T02:00:00.000000Z",
        "channel": "call",
        "day": "2026-06-10",
        "id": "1780000000.1",
        "number": "07700900123",
        "status": "NO ANSWER",
    }


def test_the_shipped_layouts_are_layouts() -> None:
    names = ["asterisk-cdr-csv", "freeswitch-cdr-csv", "payments-csv", "sms-csv"]
    assert shipped() == names
    for name, channel in zip(names, ("call", "call", "payment", "sms"), strict=True):
        assert load_layout(name, channel).name == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (FORMAT, "duecourse statement layout 2"),
        ('name = "plain"', 'name = "a b"'),
        ('channel = "call"', 'channel = "fax"'),
        ("header = true", "header = 1"),
        ('[["id",', '[["id", "id",'),
        ('columns = [["id"', 'columns = [["x"], ["id"'),
        ('id = "id"', 'id = "nothing"'),
        ('time = "when"', 'day = "when"'),
        ('status = "state"', 'colour = "state"'),
        ("[numbers]", "[time]\nformat = 'iso8601'\n[numbers]"),
        ("[numbers]", "[time]\nzone = 'Mars/Olympus'\n[numbers]"),
        ("[numbers]", "[time]\nfold = 'both'\n[numbers]"),
        ("[numbers]", "[amounts]\ndigits = 9\n[numbers]"),
        ('["00", "+"]', '["00"]'),
        ('state = ["out", "busy"]', 'place = ["out"]'),
        ("[read]", "[reed]"),
        ("header = true", 'header = true\ndelimiter = "x"'),
        ("[read]", "[read"),
    ],
)
def test_a_layout_with_an_error_is_refused(old: str, new: str) -> None:
    assert old in PLAIN
    parse_layout(PLAIN.encode())
    with pytest.raises(ConfigurationError):
        parse_layout(PLAIN.replace(old, new, 1).encode())


def test_numbers_are_masked_and_telling_ids_are_keyed() -> None:
    key = bytes(32)
    assert (mask("+447700900123"), mask("ada99@example.org"), mask("12"), mask("")) == ("…23", "", "…", "")
    assert shown_id("call-17", "+447700900123", key, "call") == "call-17"
    for identity, number, channel in (
        ("20260610-07700900123", "+447700900123", "call"),
        ("a b", "1", "call"),
        ("m1@bank.example", "", "mail"),
    ):
        shown = shown_id(identity, number, key, channel)  # type: ignore[arg-type]
        assert shown.startswith("keyed:")
        assert identity not in shown


_CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
_ID = st.text("abcXYZ019-_.:/@+", min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(_ID, _CELL, st.integers(0, 2**31)), max_size=12, unique_by=lambda row: row[0]))
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    layout = PLAIN.replace("[numbers]", "[time]\nformat = 'epoch'\n[numbers]")
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["id", "when", "to", "state", "note"])
    for identity, note, at in rows:
        writer.writerow([identity, at, "+447700900123", "out", note])
    statement = (
        _statement(folder, out.getvalue(), layout, first="1970-01-01", last="1970-01-02")
        if not rows
        else None
    )
    if rows:
        statement = _statement(folder, out.getvalue(), layout)
    assert statement is not None
    assert statement.records.ids == [row[0] for row in rows]
    assert [at // 1_000_000 for at in statement.records.at] == [row[2] for row in rows]


@settings(max_examples=150, deadline=None)
@given(data=st.text('abc,"\n\r;2026-06-10T1:Zout', max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: str) -> None:
    try:
        _statement(tmp_path_factory.getbasetemp(), "id,when,to,state\n" + data)
    except ImportRefused as refused:
        told = str(refused)
    else:
        return
    assert told.startswith("calls.csv")
