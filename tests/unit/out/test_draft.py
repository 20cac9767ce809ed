"""A file is whole under its name or not there, and the same state gives the same bytes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError
from projections.exchange.out import formats
from projections.exchange.out.draft import draft
from projections.exchange.out.formats import FORMATS, extract

PACKED = ("csv", "ocel-json", "xes")


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_state_gives_the_same_bytes(story: Any, tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("duckdb")
    extract(story.source(), form, tmp_path / "a")
    extract(story.source(), form, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("form", PACKED)
def test_a_name_in_gz_is_packed_and_the_same_every_time(story: Any, tmp_path: Path, form: str) -> None:
    extract(story.source(), form, tmp_path / "plain")
    extract(story.source(), form, tmp_path / "one.gz")
    extract(story.source(), form, tmp_path / "two.gz")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize("form", sorted(set(FORMATS) - set(PACKED)))
def test_what_is_no_text_is_not_packed(story: Any, tmp_path: Path, form: str) -> None:
    with pytest.raises(ConfigurationError, match="gzip"):
        extract(story.source(), form, tmp_path / "log.gz")


def test_nothing_is_replaced_unless_it_is_said(story: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="--force"):
        extract(story.source(), "xes", path)
    assert path.read_text() == "mine"
    extract(story.source(), "xes", path, force=True)
    assert path.read_text().startswith("<?xml")
    with pytest.raises(ConfigurationError, match="is a directory"):
        extract(story.source(), "xes", tmp_path, force=True)
    with pytest.raises(ConfigurationError, match="no directory"):
        extract(story.source(), "xes", tmp_path / "missing" / "log.xes")


def test_what_somebody_put_there_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def race() -> None:
        with draft(path) as name:
            name.write_text("ours")
            path.write_text("theirs")

    with pytest.raises(ConfigurationError, match="there already"):
        race()
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stands", [False, True])
def test_a_failure_in_the_middle_changes_nothing(
    story: Any, tmp_path: Path, form: str, stands: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == "parquet":
        pytest.importorskip("duckdb")
    path = tmp_path / "log"
    if stands:
        path.write_text("mine")
    source = story.source()
    whole = list(source)

    def broken(_self: Any) -> Any:
        yield whole[0]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(source), "__iter__", broken)
    with pytest.raises(ConfigurationError, match="No space left"):
        extract(source, form, path, force=True)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == (
        [("log", "mine")] if stands else []
    )


def test_a_full_disk_under_the_database_is_told(tmp_path: Path, story: Any) -> None:
    # A path that SQLite cannot open stands for every failure of the disk under it.
    with pytest.raises(ConfigurationError, match="cannot write"):
        formats.extract(story.source(), "ocel-sqlite", tmp_path / ("x" * 250))
    assert list(tmp_path.iterdir()) == []


def test_every_format_is_listed() -> None:
    assert FORMATS == ("csv", "ocel-json", "ocel-sqlite", "parquet", "xes")
