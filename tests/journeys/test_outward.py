"""Out to other people's tools, through the installed command: extract, sample, and a case as it stood."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.kernel.note import COSIGNATURE, VerifierKey
from ledger.sdk.recorder import Recorder
from ledger.testing.history import signer
from ledger.testing.journey import ZONES, World
from ledger.testing.shell import Ended, duecourse
from projections.exchange.xes import XesReader

FORMATS = ("csv", "ocel-json", "ocel-sqlite", "parquet", "xes")


def extract(world: World, form: str, output: Path, *more: str | Path, status: int = 0) -> Ended:
    if form == "parquet":
        pytest.importorskip("duckdb")
    return duecourse("extract", world.ledger, "--format", form, "-o", output, *more, status=status)


def record_cases(world: World, count: int) -> None:
    with Recorder.open(world.settings) as recorder:
        for number in range(count):
            case = recorder.case(account=f"account {number}")
            case.registered(origin="own", stage="registered", places=[])
            if number % 2:
                case.stage_changed(stage="overdue")
    duecourse("run", world.ledger, "--once")


# -- extract -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_names_what_is_protected_and_opens_nothing(
    world: World, tmp_path: Path, form: str
) -> None:
    output = tmp_path / f"all.{form}"
    answer = extract(world, form, output, "--json").json()
    assert (answer["cases"], answer["events"], answer["bytes"]) == (
        1,
        world.told.events,
        output.stat().st_size,
    )
    stored = output.read_bytes()
    if form == "parquet":
        # Packed: what is in it is read out.
        with pytest.importorskip("duckdb").connect(":memory:") as db:
            stored = repr(db.execute("SELECT * FROM read_parquet($1)", [str(output)]).fetchall()).encode()
    assert b"words" in stored
    values = [value for held in world.told.values.values() for value in held if isinstance(value, str)]
    assert len(values) >= 8
    for value in values:
        assert value.encode() not in stored
    # Another run, another process: the same bytes.
    again = extract(world, form, tmp_path / "again", "--json").json()
    assert again["sha256"] == answer["sha256"]


def test_the_xes_reads_back_as_the_timeline_shows_it(world: World, tmp_path: Path) -> None:
    extract(world, "xes", tmp_path / "log.xes.gz")
    lines = duecourse("case", "timeline", world.ledger, world.told.case, "--json").json()
    (trace,) = XesReader(tmp_path / "log.xes.gz")
    assert trace.attributes["concept:name"] == world.told.case
    assert [
        (event.attributes["concept:name"], event.attributes["time:timestamp"]) for event in trace.events
    ] == [(line["type"], line["time"]) for line in lines]


def test_our_own_importer_takes_the_xes(own_world: World, tmp_path: Path) -> None:
    """Out of one ledger and into another, with a mapping of five lines."""
    record_cases(own_world, 4)
    extract(own_world, "xes", tmp_path / "log.xes", "--stage", "overdue")
    mapping = tmp_path / "own.toml"
    mapping.write_text(
        """
        format = "duecourse xes mapping 1"
        name = "own"
        [log]
        case = "concept:name"
        activity = "concept:name"
        time = "time:timestamp"
        [[activity]]
        name = "case.registered"
        code = "registered"
        [[activity.event]]
        type = "case.registered"
        data = { origin = "own", stage = "registered", places = [] }
        [[activity]]
        name = "case.stage_changed"
        code = "stage-changed"
        [[activity.event]]
        type = "case.stage_changed"
        data = { stage = { from = "stage", as = "code", codes = { overdue = "overdue" } } }
        """
    )
    other = tmp_path / "other"
    duecourse("init", other, "--name", "ledger.example.com/other")
    duecourse("import", "xes", tmp_path / "log.xes", "--into", other, "--mapping", mapping)
    rows = duecourse("cases", other, "--json").json()
    assert [(row["entries"], row["stage"]) for row in rows] == [(2, "overdue"), (2, "overdue")]
    times = [
        event.attributes["time:timestamp"]
        for trace in XesReader(tmp_path / "log.xes")
        for event in trace.events
    ]
    found = [
        line["time"]
        for row in rows
        for line in duecourse("case", "timeline", other, row["case"], "--json").json()
    ]
    assert sorted(found) == sorted(times)


def test_one_case_a_selection_or_everything(own_world: World, tmp_path: Path) -> None:
    record_cases(own_world, 5)
    cases = [row["case"] for row in duecourse("cases", own_world.ledger, "--json").json()]
    assert extract(own_world, "csv", tmp_path / "all.csv", "--json").json()["cases"] == 6
    one = extract(own_world, "csv", tmp_path / "one.csv", "--case", own_world.told.case)
    assert "1 cases, 14 events" in one.text
    with (tmp_path / "one.csv").open(encoding="utf-8", newline="") as file:
        assert {row["case_id"] for row in csv.DictReader(file)} == {own_world.told.case}
    two = [word for case in cases[:2] for word in ("--case", f"case/{case}")]
    assert extract(own_world, "csv", tmp_path / "two.csv", *two, "--json").json()["cases"] == 2
    stage = extract(own_world, "csv", tmp_path / "stage.csv", "--stage", "overdue", "--json").json()
    assert (stage["cases"], stage["events"]) == (2, 4)
    none = extract(own_world, "csv", tmp_path / "none.csv", "--stage", "closed")
    assert "none is in stage closed" in none.complaint
    assert (tmp_path / "none.csv").read_text().count("\n") == 1


def test_what_cannot_be_written_is_said_and_changes_nothing(world: World, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("mine")
    assert "--force" in extract(world, "csv", path, status=3).complaint
    assert "no case id" in extract(world, "csv", path, "--force", "--case", "nonsense", status=3).complaint
    unknown = "00000000-0000-8000-8000-000000000000"
    assert "there is no case" in extract(world, "csv", path, "--force", "--case", unknown, status=3).complaint
    assert "gzip" in extract(world, "ocel-sqlite", tmp_path / "log.gz", status=3).complaint
    assert "no directory" in extract(world, "csv", tmp_path / "a" / "b", status=3).complaint
    assert extract(world, "nonsense", tmp_path / "x", status=3).out == b""
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
    extract(world, "csv", path, "--force")
    assert path.read_text().startswith("case_id,")


def test_pm4py_reads_xes_and_ocel(world: World, tmp_path: Path) -> None:
    """pm4py is AGPL and no dependency: DUECOURSE_PM4PY names a Python that has it, else this one is asked."""
    python = os.environ.get("DUECOURSE_PM4PY", sys.executable)
    script = """
import sys, warnings
warnings.filterwarnings("ignore")
try:
    import pm4py
except ImportError:
    sys.exit(77)
from pm4py.objects.ocel.validation import ocel20_rel_validation
log = pm4py.read_xes("log.xes")
told = [len(log), log["case:concept:name"].nunique()]
for name in ("log.jsonocel", "log.sqlite"):
    ocel = pm4py.read_ocel2(name)
    told += [len(ocel.events), len(ocel.objects), len(ocel.relations), len(ocel.o2o)]
told.append(ocel20_rel_validation.apply("log.sqlite")[1])
print("told", __import__("json").dumps(told))
"""
    for form, name in (("xes", "log.xes"), ("ocel-json", "log.jsonocel"), ("ocel-sqlite", "log.sqlite")):
        extract(world, form, tmp_path / name)
    done = subprocess.run(
        [python, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 77:
        pytest.skip("no pm4py here: set DUECOURSE_PM4PY to a Python that has it")
    assert done.returncode == 0, done.stderr[-2000:]
    log = json.loads((tmp_path / "log.jsonocel").read_bytes())
    counts = [
        len(log["events"]),
        len(log["objects"]),
        sum(len(event["relationships"]) for event in log["events"]),
        sum(len(thing["relationships"]) for thing in log["objects"]),
    ]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("told ")]
    # Every constraint of the standard on the relational form holds.
    assert json.loads(line.removeprefix("told ")) == [14, 1, *counts, *counts, []]


# -- sample --------------------------------------------------------------------------------------------------


def test_a_sample_is_drawn_exported_verified_and_can_be_drawn_again(own_world: World, tmp_path: Path) -> None:
    record_cases(own_world, 12)
    ended = duecourse("sample", own_world.ledger, "--size", "5", "-o", tmp_path / "one", "--json")
    summary = ended.json()
    assert json.loads((tmp_path / "one" / "sample.json").read_bytes()) == summary
    assert (summary["verdict"], summary["population"], summary["verdicts"]["VERIFIED"]) == ("VERIFIED", 13, 5)
    drawn = [one["case"] for one in summary["cases"]]
    assert [one["rank"] for one in summary["cases"]] == sorted(one["rank"] for one in summary["cases"])
    for case in drawn:
        duecourse("verify", tmp_path / "one" / f"{case}.duecourse", "--trust", own_world.trust)
    assert len(list((tmp_path / "one").iterdir())) == 5 + 2

    # The ledger goes on; by the checkpoint that was kept the same cases are drawn, by the newest one others may be.
    record_cases(own_world, 20)
    again = duecourse(
        "sample", own_world.ledger, "--size", "5", "-o", tmp_path / "two", "--json",
        "--checkpoint", tmp_path / "one" / "checkpoint-0",
    ).json()  # fmt: skip
    assert [one["case"] for one in again["cases"]] == drawn
    assert (again["seed"], again["population"]) == (summary["seed"], 13)
    newest = duecourse("sample", own_world.ledger, "--size", "99", "-o", tmp_path / "all", "--json").json()
    assert newest["seed"] != summary["seed"]
    assert len(newest["cases"]) == newest["population"] == 21

    text = duecourse("sample", own_world.ledger, "--size", "2", "-o", tmp_path / "three").text
    assert "drawn: 2 of 21 cases" in text
    assert text.rstrip().splitlines()[-1].startswith("VERIFIED: 2 VERIFIED;")


def test_the_exit_status_is_that_of_the_worst_verdict(own_world: World, tmp_path: Path) -> None:
    record_cases(own_world, 3)
    sample = ["sample", own_world.ledger, "--json", "--size"]
    # A reader who asks for a witness that has not cosigned cannot decide.
    witness = VerifierKey.of("witness.example.com/w", COSIGNATURE, signer("W").public_key).format()
    strict = tmp_path / "strict.toml"
    strict.write_text(own_world.trust.read_text().replace("quorum none", f"witness w {witness}\nquorum w"))
    ended = duecourse(*sample, "2", "-o", tmp_path / "strict", "--trust", strict, status=2)
    assert ended.json()["verdicts"] == {"ERROR": 0, "REJECTED": 0, "UNVERIFIABLE": 2, "VERIFIED": 0}
    assert ended.json()["verdict"] == "UNVERIFIABLE"
    # One who trusts another ledger rejects it.
    other = tmp_path / "other"
    duecourse("init", other, "--name", "ledger.example.com/other")
    ended = duecourse(*sample, "2", "-o", tmp_path / "wrong", "--trust", other / "trust.toml", status=1)
    assert ended.json()["verdicts"]["REJECTED"] == 2

    # One entry is changed in the published tiles: the case that it is in cannot be proved, the others can.
    before = duecourse(*sample, "9", "-o", tmp_path / "before").json()
    victim = own_world.told.case
    published = (own_world.ledger / "tiles" / "0" / "tile" / "entries").rglob("*")
    bundle = max((path for path in published if path.is_file()), key=lambda path: int(path.name))
    data = bundle.read_bytes()
    place = data.index(b'"summary":"complaint"') + len(b'"summary":"')
    bundle.write_bytes(data[:place] + b"d" + data[place + 1 :])
    ended = duecourse(*sample, "9", "-o", tmp_path / "after", status=1)
    after = {one["case"]: one for one in ended.json()["cases"]}
    assert (after[victim]["verdict"], after[victim]["codes"]) == ("REJECTED", ["E_LEAF_BINDING"])
    assert after[victim]["file"] is None
    assert not (tmp_path / "after" / f"{victim}.duecourse").exists()
    assert ended.json()["verdicts"]["VERIFIED"] == len(before["cases"]) - 1 == 3


def test_a_sample_is_refused_where_it_would_not_be_what_it_says(own_world: World, tmp_path: Path) -> None:
    note = own_world.ledger / "tiles" / "0" / "checkpoint"
    kept = tmp_path / "checkpoint"
    shutil.copyfile(note, kept)
    sample = ["sample", own_world.ledger, "--size", "1", "-o"]
    assert "there already" in duecourse(*sample, tmp_path, status=3).complaint
    assert "no directory" in duecourse(*sample, tmp_path / "a" / "b", status=3).complaint
    forged = tmp_path / "forged"
    forged.write_bytes(
        kept.read_bytes().replace(b"\n1", b"\n2", 1).replace(b"\n2", b"\n1", 1)[:-9] + b"AAAAAAAA\n"
    )
    duecourse(*sample, tmp_path / "x", "--checkpoint", forged, status=1)
    twice = duecourse(*sample, tmp_path / "x", "--checkpoint", kept, "--checkpoint", kept, status=3)
    assert "second of one" in twice.complaint
    other = tmp_path / "other"
    duecourse("init", other, "--name", "ledger.example.com/other")
    duecourse("run", other, "--once")
    strange = duecourse(
        *sample, tmp_path / "x", "--checkpoint", other / "tiles" / "0" / "checkpoint", status=3
    )
    assert "no checkpoint of a shard" in strange.complaint
    empty = duecourse("sample", other, "--size", "1", "-o", tmp_path / "x", status=None)
    assert empty.status == 3
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.glob(".*"))
    # A newer checkpoint than the tree has: the ledger was rolled back.
    copy = tmp_path / "copy"
    shutil.copytree(own_world.ledger, copy)
    own_world.record_more()
    shutil.copyfile(note, kept)
    older = duecourse("sample", copy, "--size", "1", "-o", tmp_path / "x", "--checkpoint", kept, status=3)
    assert "rolled back?" in older.complaint


# -- a case as it stood --------------------------------------------------------------------------------------


def test_a_case_as_it_stood_and_as_it_was_known_then(own_world: World) -> None:
    told = own_world.told
    at = ["case", "at", own_world.ledger, told.case]
    lines = duecourse("case", "timeline", own_world.ledger, told.case, "--json").json()
    call = next(line for line in lines if line["type"] == "contact.call_placed")
    # Later it turns out that the call was answered, and that there had been another.
    with Recorder.open(own_world.settings) as recorder:
        case = recorder.case(id=told.case)
        point = {"parties": [case.party()], "debts": [], "contact_point": call["codes"]["contact_point"]}
        case.call_placed(
            purpose="interactive", outcome="busy", zones=ZONES, corrects=call["event"], time=call["time"],
            **point,
        )  # fmt: skip
        case.call_placed(
            purpose="interactive", outcome="no_answer", zones=ZONES, time=call["time"], late_reason="backfill",
            **point,
        )  # fmt: skip
    duecourse("run", own_world.ledger, "--once")
    after = duecourse("case", "timeline", own_world.ledger, told.case, "--json").json()
    late = after[-1]["index"]
    then = lines[-1]["sequenced"]

    answer = duecourse(*at, "--time", then, "--json").json()
    assert (answer["known"]["counts"]["calls"], answer["stood"]["counts"]["calls"]) == (1, 2)
    assert [(one["entry"], one["how"]) for one in answer["differences"]] == [
        (call["index"], "corrected"),
        (late, "later"),
    ]
    text = duecourse(*at, "--time", then).text
    assert f"entry {call['index']}  contact.call_placed" in text
    assert "corrected later" in text
    assert "known only later" in text

    # Known today, nothing is different; by an index it is as case show has it.
    known = duecourse(*at, "--time", then, "--known-at", "9999-01-01T00:00:00Z", "--json").json()
    assert known["known"] == known["stood"]
    assert known["differences"] == []
    assert "nothing that came later" in duecourse(*at, "--index", str(late)).text
    index = duecourse(*at, "--index", str(call["index"]), "--json").json()
    shown = duecourse(
        "case", "show", own_world.ledger, told.case, "--index", str(call["index"]), "--json"
    ).json()
    assert {name: index["known"][name] for name in shown if name not in ("case", "origin")} == {
        name: value for name, value in shown.items() if name not in ("case", "origin")
    }
    # Before anything was known or had happened.
    nothing = duecourse(*at, "--time", "2001-01-01T00:00+08:00", "--json").json()
    assert (nothing["time"], nothing["known"], nothing["stood"]) == (
        "2000-12-31T16:00:00.000000Z",
        None,
        None,
    )
    assert "nothing" in duecourse(*at, "--time", "2001-01-01T00:00+08:00").text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "either --index or --time"),
        (["--index", "1", "--time", "2026-01-01T00:00Z"], "either --index or --time"),
        (["--index", "1", "--known-at", "2026-01-01T00:00Z"], "goes with --time"),
        (["--time", "2026-01-01T00:00"], "has no zone"),
        (["--time", "yesterday"], "no moment"),
        (["--time", "0001-01-01T00:00+14:00"], "no moment"),
        (["--time", "2026-01-01T00:00Z", "--known-at", "2026-02-30T00:00Z"], "no moment"),
        (["--index", "0"], "up to entry 0"),
    ],
)
def test_a_moment_is_asked_for_in_one_way(world: World, words: list[str], said: str) -> None:
    assert said in duecourse("case", "at", world.ledger, world.told.case, *words, status=3).complaint


def test_a_case_that_is_not_there_has_no_past(world: World) -> None:
    unknown = "00000000-0000-8000-8000-000000000000"
    assert (
        "no entry of case"
        in duecourse("case", "at", world.ledger, unknown, "--index", "9", status=3).complaint
    )


def test_extraction_leaves_the_views_alone(world: World, tmp_path: Path) -> None:
    with closing(sqlite3.connect(world.ledger / "views.db")) as db:
        before: Any = db.execute("SELECT * FROM progress").fetchall()
        extract(world, "ocel-sqlite", tmp_path / "log.sqlite")
        assert db.execute("SELECT * FROM progress").fetchall() == before
