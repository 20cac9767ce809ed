"""A log that cannot be imported: status 1, the place, and a ledger that has not heard of it."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.testing.fines import HEAD, TAIL, event, trace, write_fines
from ledger.testing.shell import Ended, duecourse, entries

NAME = "ledger.example.com/fines"
CREATED = event("Create Fine", "2011-01-03T00:00:00+01:00", amount="35.00")
GOOD = trace("A1", CREATED)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ledger = tmp_path_factory.mktemp("bad") / "ledger"
    duecourse("init", ledger, "--name", NAME)
    return ledger


def _contents(ledger: Path) -> dict[str, str]:
    """What is in every file of the directory but the lock files, whose being there says nothing."""
    return {
        str(path.relative_to(ledger)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(ledger.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
    }


def _import(
    log: Path, ledger: Path, *more: str, mapping: str | Path = "road-traffic-fines"
) -> list[str | Path]:
    return ["import", "xes", log, "--into", ledger, "--mapping", mapping, *more]


@pytest.fixture
def refused(
    founded: Path, complains: Callable[..., None], command: Callable[..., Ended]
) -> Callable[..., None]:
    """A log is refused with place and reason, whatever was asked, and the directory is as it was."""

    def run(log: Path, place: str, reason: str) -> None:
        before = _contents(founded)
        for more in ([], ["--json"], ["--check-only"]):
            complains(*_import(log, founded, *more), status=1, says=f"{log.name}{place}")
            complains(*_import(log, founded, *more), status=1, says=reason)
        assert _contents(founded) == before
        assert command("cases", founded, "--json").json() == []

    return run


BROKEN = {
    "xml that ends too early": (GOOD, ":6:1", "no element found"),
    "tags that do not match": (f"<trace>{CREATED}</log>\n", ":", "mismatched tag"),
    "a byte that is no UTF-8": (GOOD.replace("A1", "A\udcff1") + TAIL, ":3:", "not well-formed"),
    "a trace without its case": (f"<trace>{CREATED}</trace>\n{TAIL}", ":3:1", "needs concept:name"),
    "an event of no trace": (CREATED + TAIL, ":3:", "outside any trace"),
    "a date that does not exist": (
        GOOD + trace("A2", event("Create Fine", "2011-02-30T00:00:00+01:00", amount="35.00")) + TAIL,
        ":7:1",
        "time:timestamp",
    ),
    "a date without an offset": (
        GOOD + trace("A2", CREATED.replace("+01:00", "")) + TAIL, ":7:1", "time:timestamp",
    ),
    "an amount that is no number": (GOOD.replace("35.00", "3.5e1") + TAIL, ":4:1", "amount"),
    "an amount finer than a cent": (GOOD.replace("35.00", "35.001") + TAIL, ":4:1", "amount"),
    "an attribute that stands twice": (
        GOOD.replace('<float key="amount"', '<float key="amount" value="1.00"/><float key="amount"') + TAIL,
        ":4:",
        "stands twice",
    ),
    "an activity that nobody knows": (
        GOOD + trace("A2", CREATED, event("Tow away", "2011-02-03T00:00:00+01:00")) + TAIL, ":8:1", "Tow away",
    ),
    "an event that refers to none": (
        GOOD + trace("A2", event("Insert Fine Notification", "2011-02-03T00:00:00+01:00")) + TAIL,
        ":7:1",
        "Send Fine",
    ),
}  # fmt: skip


@pytest.mark.parametrize("flaw", BROKEN)
def test_a_log_with_an_error_is_refused_with_its_place(
    refused: Callable[..., None], tmp_path: Path, flaw: str
) -> None:
    body, place, reason = BROKEN[flaw]
    log = tmp_path / "log.xes"
    log.write_bytes((HEAD + body).encode("utf-8", "surrogateescape"))
    refused(log, place, reason)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE log [<!ENTITY who "Ada">]>\n<log xes.version="1.0">\n',
        '<!DOCTYPE log SYSTEM "file:///etc/passwd">\n<log xes.version="1.0">\n',
        '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<log xes.version="1.0">\n',
    ],
)
def test_a_document_type_is_refused_and_no_entity_is_looked_at(
    refused: Callable[..., None], tmp_path: Path, head: str
) -> None:
    log = tmp_path / "log.xes"
    log.write_text(head + GOOD + TAIL)
    refused(log, ":1:", "document type")


def test_archives_that_cannot_be_unpacked_are_refused(refused: Callable[..., None], tmp_path: Path) -> None:
    fines = write_fines(tmp_path / "fines.xes", 300, seed=3)
    packed = tmp_path / "packed.xes.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(fines.path, "fines.xes")
    data = packed.read_bytes()
    cut = tmp_path / "cut.xes.zip"
    cut.write_bytes(data[: len(data) // 2])
    refused(cut, "", "zip")
    flipped = tmp_path / "flipped.xes.zip"
    flipped.write_bytes(data[:5000] + bytes([data[5000] ^ 0x55]) + data[5001:])
    refused(flipped, ":", "")
    squeezed = tmp_path / "cut.xes.gz"
    squeezed.write_bytes(gzip.compress(fines.path.read_bytes())[:-2000])
    refused(squeezed, ":", "damaged or cut short")
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.xes", HEAD + TAIL)
        archive.writestr("b.xes", HEAD + TAIL)
    refused(two, "", "one .xes file")
    text = tmp_path / "words.txt"
    text.write_text("these are no events")
    refused(text, ":1:", "broken XML")
    empty = tmp_path / "empty.xes"
    empty.touch()
    refused(empty, ":1:", "no element found")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('format = "duecourse xes mapping 1"', 'format = "duecourse xes mapping 2"'), "format"),
        (('type = "debt.itemised"', 'type = "debt.itemized"'), "debt.itemized"),
        (('product = "other"', 'product = "novel"'), "product"),
        (('product = "other"', 'prodeuct = "other"'), "prodeuct"),
        (('stage = "entrusted"', 'stage = { from = "x", as = "magic" }'), "data.stage: as must be one of"),
        (('code = "payment"', 'code = "create-fine"'), "stands twice"),
        (("[log]", "[log"), "not TOML"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_before_the_log_is_opened(
    founded: Path,
    complains: Callable[..., None],
    tmp_path: Path,
    root: Path,
    change: tuple[str, str],
    reason: str,
) -> None:
    shipped = root / "projections" / "exchange" / "mappings" / "road-traffic-fines.toml"
    text = shipped.read_text()
    assert change[0] in text
    mapping = tmp_path / "mine.toml"
    mapping.write_text(text.replace(*change, 1))
    log = tmp_path / "log.xes"
    log.write_text("not even XML")
    before = _contents(founded)
    complains(*_import(log, founded, mapping=mapping), says="mine.toml")
    complains(*_import(log, founded, mapping=mapping), says=reason)
    assert _contents(founded) == before


def test_a_mapping_or_log_that_is_not_there_is_named(
    founded: Path, complains: Callable[..., None], tmp_path: Path
) -> None:
    log = tmp_path / "log.xes"
    log.write_text(HEAD + GOOD + TAIL)
    complains(*_import(log, founded, mapping="no-such-mapping"), says="no-such-mapping")
    complains(*_import(log, founded, mapping=tmp_path / "gone.toml"), says="gone.toml")
    complains(*_import(tmp_path / "gone.xes", founded), says="gone.xes")


def test_what_is_not_mapped_is_listed_and_the_rest_recorded_when_asked(founded: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    shutil.copytree(founded, ledger)
    when = "2011-02-03T00:00:00+01:00"
    log = tmp_path / "log.xes"
    log.write_text(
        HEAD
        + trace("A1", CREATED, event("Tow away", when), event("Tow away", when))
        + trace("A2", event("Scrap", when), CREATED)
        + TAIL
    )
    ended = duecourse(*_import(log, ledger), status=1)
    for said in ("Tow away", "Scrap", "2 events", "log.xes:5:1", "log.xes:9:1"):
        assert said in ended.complaint
    assert duecourse("cases", ledger, "--json").json() == []
    answer = duecourse(*_import(log, ledger, "--skip-unmapped", "--json")).json()
    assert {(one["activity"], one["count"]) for one in answer["unmapped"]} == {("Tow away", 2), ("Scrap", 1)}
    assert answer["activities"] == {"Create Fine": 2}
    refs = Counter(entry.event["data"].get("source_ref") for entry in entries(ledger))
    assert refs["xes/create-fine/1/1"] == refs["xes/create-fine/2/2"] == 1
    assert len(duecourse("cases", ledger, "--json").json()) == 2
    text = duecourse(*_import(log, ledger, "--skip-unmapped")).text
    assert "not mapped: Tow away" in text
    assert "an earlier run had recorded 2 cases" in text


def test_checking_only_says_everything_and_does_nothing(founded: Path, tmp_path: Path) -> None:
    fines = write_fines(tmp_path / "fines.xes", 50, seed=4)
    before = _contents(founded)
    answer = duecourse(*_import(fines.path, founded, "--check-only", "--json")).json()
    assert (answer["events"], answer["recorded_events"]) == (fines.events, 0)
    assert answer["activities"] == dict(fines.activities)
    assert _contents(founded) == before


@pytest.mark.real_log
def test_a_slice_of_the_real_log_comes_in_and_is_counted(tmp_path: Path, shared: Path) -> None:
    source = shared / "data" / "road-traffic-fines.xes.zip"
    if not source.is_file():
        pytest.skip(f"no real log at {source}")
    log = tmp_path / "slice.xes"
    wanted, activities, codes = 400, Counter[str](), 0
    with (
        zipfile.ZipFile(source) as archive,
        archive.open(archive.namelist()[0]) as file,
        log.open("wb") as out,
    ):
        inside = False
        for line in file:
            inside = inside or b"<event" in line
            if inside and b"<string" in line and b'key="concept:name"' in line:
                activities[line.split(b'value="')[1].split(b'"')[0].decode()] += 1
            inside = inside and b"</event>" not in line
            out.write(line)
            codes += b"</trace>" in line
            if codes == wanted:
                break
        out.write(TAIL.encode())
    ledger = tmp_path / "ledger"
    duecourse("init", ledger, "--name", NAME)
    answer = duecourse(*_import(log, ledger, "--json")).json()
    assert answer["activities"] == dict(activities)
    assert (answer["cases"], answer["unmapped"]) == (wanted, [])
    found = Counter(
        ref.split("/")[1]
        for entry in entries(ledger)
        if (ref := entry.event["data"].get("source_ref", "")).startswith("xes/")
    )
    assert found == {name.lower().replace(" ", "-"): count for name, count in activities.items()}
    assert duecourse("fsck", ledger, "--json").json()["ok"]
