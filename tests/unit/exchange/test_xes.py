"""Reading a log gives what stands in it, or the place where it cannot be read."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from ledger.errors import ImportRefused
from projections.exchange.xes import Trace, XesReader

LOG = b"""<?xml version="1.0" encoding="UTF-8" ?>
<log xes.version="1.0">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="DEFAULT"/></global>
  <int key="total" value="3"><int key="nested" value="3"/></int>
  <trace>
    <string key="concept:name" value="A1"/>
    <event>
      <string key="concept:name" value="Create"/>
      <float key="amount" value="35.0"><string key="unit" value="EUR"/></float>
      <list key="parts"><values><string key="part" value="x"/></values></list>
      <date key="time:timestamp" value="2006-07-24T00:00:00+02:00"/>
    </event>
    <event><string key="concept:name" value="Send &amp; wait"/></event>
  </trace>
  <trace><string key="concept:name" value="A2"/></trace>
</log>
"""


def _write(folder: Path, data: bytes, name: str = "log.xes") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _zip(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "log.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _read(path: Path) -> list[Trace]:
    return list(XesReader(path))


def _refused(path: Path) -> ImportRefused:
    with pytest.raises(ImportRefused) as caught:
        _read(path)
    return caught.value


def test_traces_events_and_texts_come_as_they_stand(tmp_path: Path) -> None:
    first, second = _read(_write(tmp_path, LOG))
    assert (first.number, second.number) == (1, 2)
    assert first.attributes == {"concept:name": "A1"}
    assert [event.attributes for event in first.events] == [
        {"concept:name": "Create", "amount": "35.0", "time:timestamp": "2006-07-24T00:00:00+02:00"},
        {"concept:name": "Send & wait"},
    ]
    assert [event.number for event in first.events] == [1, 2]
    assert first.places == [(8, 5), (14, 5)]
    assert second.events == []


def test_packing_makes_no_difference(tmp_path: Path) -> None:
    plain = XesReader(_write(tmp_path, LOG))
    packed = XesReader(_write(tmp_path, gzip.compress(LOG), "log.xes.gz"))
    zipped = XesReader(_zip(tmp_path, {"__MACOSX/._log.xes": b"junk", "folder/": b"", "folder/log.XES": LOG}))
    wrong_name = XesReader(_write(tmp_path, gzip.compress(LOG), "other.xes"))
    found = [list(reader) for reader in (plain, packed, zipped, wrong_name)]
    assert all(
        [e.attributes for t in traces for e in t.events] == [e.attributes for t in found[0] for e in t.events]
        for traces in found
    )
    assert len({reader.sha256 for reader in (plain, packed, zipped, wrong_name)}) == 1
    assert plain.total_bytes() == zipped.total_bytes() == plain.bytes_read == len(LOG)
    assert packed.total_bytes() == 0


def test_only_a_whole_log_has_a_digest(tmp_path: Path) -> None:
    reader = XesReader(_write(tmp_path, LOG))
    next(iter(reader))
    assert reader.sha256 == ""


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    data = _zip(tmp_path, {"log.xes": LOG * 50}).read_bytes()
    for length in (4, 30, len(data) // 2, len(data) - 1):
        assert "log.zip" in _refused(_write(tmp_path, data[:length], "log.zip")).where


def test_a_zip_with_damaged_content_is_refused_at_the_place(tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("log.xes", LOG)
    data = path.read_bytes().replace(b"35.0", b"36.0")
    error = _refused(_write(tmp_path, data, "log.zip"))
    assert "damaged" in error.detail
    assert error.where.startswith("log.zip:")


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    data = gzip.compress(LOG)
    for length in (3, len(data) // 2, len(data) - 4):
        assert "log.xes.gz" in _refused(_write(tmp_path, data[:length], "log.xes.gz")).where


@pytest.mark.parametrize(
    "members", [{}, {"a.xes": LOG, "b.xes": LOG}, {"readme.txt": b""}, {"__MACOSX/._log.xes": LOG}]
)
def test_a_zip_must_hold_one_log(tmp_path: Path, members: dict[str, bytes]) -> None:
    assert "one .xes file" in _refused(_zip(tmp_path, members)).detail


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(_zip(tmp_path, {"log.xes": LOG}).read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "cannot be read" in _refused(_write(tmp_path, bytes(data), "log.zip")).detail


@pytest.mark.parametrize(
    ("old", "new", "words", "place"),
    [
        (b"</trace>\n  <trace>", b"</tracce>\n  <trace>", "mismatched tag", "log.xes:15:"),
        (b"</log>", b"", "no element found", "log.xes:18:"),
        (b'value="35.0"', b"value=35.0", "not well-formed", "log.xes:10:"),
        (b"</log>", b"</log><log/>", "junk after", "log.xes:17:"),
        (b'value="A1"', b'value="A\xff"', "not well-formed", "log.xes:7:"),
        (b"&amp;", b"&unknown;", "undefined entity", "log.xes:14:"),
        (b"<log xes", b"<!DOCTYPE log>\n<log xes", "DTD", "log.xes:2:"),
        (b"<log xes", b'<!DOCTYPE log [<!ENTITY a "b">]>\n<log xes', "DTD", "log.xes:2:"),
        (b"<log xes", b'<!DOCTYPE log SYSTEM "file:///etc/passwd">\n<log xes', "DTD", "log.xes:2:"),
        (b"</log>", b"<event></event></log>", "outside any trace", "log.xes:17:"),
        (b'key="amount" value="35.0"', b'value="35.0"', "needs a key", "log.xes:10:"),
        (
            b'<float key="amount"',
            b'<string key="concept:name" value="X"/><float key="amount"',
            "stands twice",
            "log.xes:10:",
        ),
    ],
)
def test_a_broken_log_is_refused_with_its_line_and_column(
    tmp_path: Path, old: bytes, new: bytes, words: str, place: str
) -> None:
    assert LOG.count(old) >= 1
    error = _refused(_write(tmp_path, LOG.replace(old, new, 1)))
    assert words in error.detail
    assert error.where.startswith(place)
    assert str(error).startswith(error.where)


@pytest.mark.parametrize("data", [b"", b"case,activity\n1,2\n", b"<html></html>", b"\x00\x01"])
def test_what_is_no_log_is_refused(tmp_path: Path, data: bytes) -> None:
    assert _refused(_write(tmp_path, data)).where.startswith("log.xes:1:")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot read" in _refused(tmp_path / "missing.xes").detail
