"""UTF-8 and GB18030 are read; everything else is refused and named, and a file that changes is refused too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange.outside.textfile import facts, opened_text

CHINESE = "催收通话记录,李雷\n拨打次数,未接通\n"


def _read(path: Path, encoding: str | None = None) -> str:
    with opened_text(path, facts(path, "text/csv"), encoding) as text:
        return text.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_three_spellings_give_the_same_text(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(("a,b\n" + CHINESE).encode(encoding))
    assert _read(file) == "a,b\n" + CHINESE


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-16", "UTF-16 (little endian)"),
        ("utf-16-le", "UTF-16 without"),
        ("utf-32", "UTF-32 (little endian)"),
    ],
)
def test_wide_encodings_are_named(tmp_path: Path, encoding: str, named: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(("a,b\n" + CHINESE).encode(encoding))
    with pytest.raises(ImportRefused) as refused:
        _read(file)
    assert named in str(refused.value)


def test_western_and_taiwanese_files_are_refused_by_name_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("a,b\nRené Müller,Élodie Garçon\n".encode("cp1252"))
    with pytest.raises(ImportRefused) as refused:
        _read(file)
    assert refused.value.where == "a.csv:2"
    assert "Windows-1252" in str(refused.value)
    assert "Garçon" not in str(refused.value)
    file.write_bytes("a\n電話通話記錄數據處理\n".encode("big5"))
    with pytest.raises(ImportRefused, match="Big5"):
        _read(file)


def test_a_rare_name_alone_is_read_when_the_caller_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("镕\n".encode("gb18030"))
    with pytest.raises(ImportRefused, match="--encoding"):
        _read(file)
    assert _read(file, "gb18030") == "镕\n"
    with pytest.raises(ImportRefused, match="not UTF-8, as it was said"):
        _read(file, "utf-8")
    with pytest.raises(ConfigurationError):
        _read(file, "latin-1")


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n" * 10)
    before = facts(file, "text/csv")
    with file.open("a") as more:
        more.write("b\n")
    with pytest.raises(ImportRefused, match="changed while it was read"), opened_text(file, before) as text:
        text.read()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot read"):
        facts(tmp_path / "nothing", "text/csv")


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_text_or_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}"
    file.write_bytes(data)
    try:
        found = _read(file)
    except ImportRefused:
        return
    assert data in (found.encode(), b"\xef\xbb\xbf" + found.encode(), found.encode("gb18030"))


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=80))
def test_any_text_in_utf8_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / f"text-{os.getpid()}"
    file.write_bytes(text.encode())
    assert _read(file) == text.removeprefix("\ufeff")
