"""What the rules found, from adoption to a closed exception, with the installed commands; and that the views, the
findings of a case and its bundle say the same."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ledger.sdk.recorder import Recorder
from ledger.testing.fines import HEAD, TAIL, event, trace
from ledger.testing.shell import Ended

NAME = "ledger.example.com/fines"
STAFF = "b1f4a2d0-7c39-4b52-8f43-5a1f0c2e9d10"
AGENCY = "3f0c8f6e-6f0e-4d0c-9a55-0f6a3a1c7b21"
FOUND = ("BREACH", "PRESUMED_BREACH", "REVIEW", "INSUFFICIENT_EVIDENCE")
# What each case is, by the day on which it was created in 2011 (the first column of the log).
FINES = trace(
    "late",  # sent after more than 90 days
    event("Create Fine", "2011-01-03T00:00:00+01:00", amount="35.00"),
    event("Send Fine", "2011-06-03T00:00:00+02:00", expense="11.00"),
) + trace(
    "good",  # sent, notified, a penalty on the 60th day
    event("Create Fine", "2011-01-04T00:00:00+01:00", amount="35.00"),
    event("Send Fine", "2011-02-04T00:00:00+01:00", expense="11.00"),
    event("Insert Fine Notification", "2011-02-10T00:00:00+01:00"),
    event("Add penalty", "2011-04-11T00:00:00+02:00", amount="70.00"),
) + trace(
    "early",  # a penalty on the 59th day, after a payment that nobody said to be the whole
    event("Create Fine", "2011-01-05T00:00:00+01:00", amount="35.00"),
    event("Send Fine", "2011-02-04T00:00:00+01:00", expense="0.00"),
    event("Insert Fine Notification", "2011-02-10T00:00:00+01:00"),
    event("Payment", "2011-03-01T00:00:00+01:00", paymentAmount="20.00"),
    event("Add penalty", "2011-04-10T00:00:00+02:00", amount="70.00"),
) + trace(
    "appeal",  # sent to credit collection while an appeal is open
    event("Create Fine", "2011-01-06T00:00:00+01:00", amount="35.00"),
    event("Send Fine", "2011-02-04T00:00:00+01:00", expense="11.00"),
    event("Insert Fine Notification", "2011-02-10T00:00:00+01:00"),
    event("Insert Date Appeal to Prefecture", "2011-04-12T00:00:00+02:00"),
    event("Send for Credit Collection", "2012-01-12T00:00:00+01:00"),
)  # fmt: skip


class Fines:
    """A ledger with four fines, in which `example-fines` was adopted, all of it binding."""

    def __init__(self, root: Path, command: Callable[..., Ended], shards: int = 1) -> None:
        self.directory = root / "ledger"
        self._command = command
        self.run("init", self.directory, "--name", NAME, "--shards", str(shards))
        self.run(
            "packs",
            "adopt",
            self.directory,
            "example-fines",
            "--binding",
            "all",
            "--from",
            "2000-01-01T00:00Z",
        )
        self.run("registry", "add", self.directory, "desk")
        log = root / "fines.xes"
        log.write_text(HEAD + FINES + TAIL)
        self.run("import", "xes", log, "--into", self.directory, "--mapping", "road-traffic-fines")

    def run(self, *words: str | Path) -> Ended:
        ended = self._command(*words)
        assert ended.status == 0, ended
        return ended

    def ask(self, word: str, *words: str | Path) -> Any:
        return self.run(word, self.directory, *words, "--json").json()

    def exceptions(self, *words: str | Path) -> list[dict[str, Any]]:
        return list(self.ask("exceptions", *words)["exceptions"])

    def recorder(self) -> Recorder:
        return Recorder.open(self.directory / "producers" / "desk" / "producer.toml")


@pytest.fixture
def fines(tmp_path: Path, command: Callable[..., Ended]) -> Fines:
    return Fines(tmp_path, command)


def test_the_queue_the_portfolio_and_the_findings_of_each_case_say_the_same(fines: Fines) -> None:
    rows = fines.exceptions()
    assert Counter((row["rule"], row["outcome"]) for row in rows) == {
        ("example-fines/FINE-01@1", "BREACH"): 1,
        ("example-fines/FINE-02@1", "BREACH"): 1,
        ("example-fines/FINE-03@1", "BREACH"): 1,
        ("example-fines/FINE-04@1", "INSUFFICIENT_EVIDENCE"): 1,
        ("example-fines/FINE-05@1", "BREACH"): 1,
    }
    assert [row["outcome"] for row in rows] == ["BREACH"] * 4 + ["INSUFFICIENT_EVIDENCE"]
    assert {row["state"] for row in rows} == {"open"}
    assert not any(row["overdue"] for row in rows), "found today, whatever the events' age"

    counted: Counter[tuple[str, str]] = Counter()
    for case in fines.ask("cases"):
        found = fines.run("case", "findings", fines.directory, case["case"], "--all", "--json").json()
        told = []
        for item in found["findings"]:
            if item["reading"] != "corrected":
                continue
            counted[item["rule"].partition("@")[0], item["outcome"]] += len(item.get("events", [0]))
            if item["outcome"] in FOUND:
                told.append((item["rule"], item["outcome"], item["event"], item["codes"], item["rests_on"]))
        mine = [
            (row["rule"], row["outcome"], row["index"], row["codes"], row["rests_on"])
            for row in fines.exceptions("--case", case["case"])
        ]
        assert sorted(mine) == sorted(told)
    portfolio = fines.ask("portfolio")["rows"]
    assert {(row["rule"], outcome): n for row in portfolio for outcome, n in row["counts"].items()} == counted
    assert fines.run("rebuild", fines.directory, "--check", "--json").json()["equal"] is True


def test_numbers_lead_to_cases_and_are_drawn(fines: Fines, tmp_path: Path) -> None:
    (row,) = fines.exceptions("--rule", "FINE-05")
    behind = fines.ask("portfolio", "--rule", "FINE-05", "--outcome", "BREACH", "--cases")
    assert behind == [{"case": row["case"], "findings": 1, "shard": 0}]
    weeks = {one["week"] for one in fines.ask("portfolio", "--by", "week", "--outcome", "BREACH")["rows"]}
    assert weeks == {"2011-W01", "2011-W14", "2011-W15", "2012-W02"}
    assert [one["product"] for one in fines.ask("portfolio", "--by", "product")["rows"]] == ["other"]

    picture = tmp_path / "picture.svg"
    text = fines.run("portfolio", fines.directory, "--svg", picture).text
    assert "example-fines/FINE-05" in text
    root = ET.parse(picture).getroot()
    said = root.findtext("{http://www.w3.org/2000/svg}desc", "")
    assert "FINE-05: breached 1 (100.0 %)." in said
    assert "in 4 cases" in said
    fines.run("portfolio", fines.directory, "--svg", picture, "--lang", "zh")
    assert "违反" in picture.read_text("utf-8")


def test_an_exception_is_assigned_and_closed_by_events_of_its_case(
    fines: Fines, complains: Callable[..., None]
) -> None:
    (row,) = fines.exceptions("--rule", "example-fines/FINE-05")
    case, directory = row["case"], fines.directory
    with fines.recorder() as recorder:
        recorder.case(id=case).assigned(to_agency=AGENCY)
        recorder.deliver_once()

    done = fines.run(
        "exceptions",
        "assign",
        directory,
        case,
        "--staff",
        STAFF,
        "--producer",
        "desk",
        "--actor",
        "lead",
        "--json",
    ).json()
    assert done["owner"] == STAFF
    assert {one["owner"] for one in fines.exceptions("--case", case)} == {STAFF}
    assert [one["rule"] for one in fines.exceptions("--owner", STAFF)] == [
        one["rule"] for one in fines.exceptions("--state", "assigned")
    ]
    assert fines.run("case", "show", directory, case, "--json").json()["agency"] == AGENCY, (
        "it keeps the case"
    )

    close = ["exceptions", "close", directory, case, "--producer", "desk", "--corrective", "coached"]
    fines.run(*close, "--rule", "FINE-05", "--actor", f"staff/{STAFF}", "--json")
    (closed,) = fines.exceptions("--state", "closed")
    assert (closed["rule"], closed["event"], closed["overdue"]) == (row["rule"], row["event"], False)
    line = fines.run("case", "timeline", directory, case, "--json").json()[-1]
    assert (line["index"], line["type"], line["actor"]) == (
        closed["closed_by"],
        "conduct.reviewed",
        f"staff/{STAFF}",
    )
    assert line["codes"]["about"] == row["event"]
    assert closed["outcome"] == "BREACH", "a closed exception is still what it was"

    complains(*close, "--rule", "FINE-05", says="no exception of FINE-05 waits")
    complains(*close, "--rule", "FINE-02", "--entry", "1", says="no exception of FINE-02 waits")
    wrong = [*close[:5], "nobody", *close[6:]]
    complains(*wrong, "--rule", "FINE-02", says="not enrolled here")
    assign = ["exceptions", "assign", directory, case, "--producer", "desk", "--staff"]
    complains(*assign, "Ms Lovelace", says="not the uuid")
    assert fines.run("rebuild", directory, "--check", "--json").json()["equal"] is True


def test_a_pack_whose_file_is_gone_is_named_and_not_guessed(
    tmp_path: Path, command: Callable[..., Ended]
) -> None:
    ledger, house = tmp_path / "ledger", tmp_path / "house.toml"
    house.write_text(
        '[pack]\nid = "house"\nversion = "1"\ntitle = {en = "x", zh = "x"}\nnote = {en = "x", zh = "x"}\n'
    )
    assert command("init", ledger, "--name", NAME).status == 0
    assert command("exceptions", ledger).text.startswith("no rule pack is adopted yet")
    assert command("portfolio", ledger).text.startswith("no rule pack is adopted yet")
    assert command("packs", "adopt", ledger, house).status == 0
    assert command("exceptions", ledger).text == "no exceptions\n"

    (ledger / "packs" / "house@1.toml").unlink()
    assert command("rebuild", ledger).status == 0
    ended = command("exceptions", ledger)
    assert "house@1 was adopted, but its bytes are not here" in ended.complaint
    assert command("exceptions", ledger, "--json").json()["packs_missing"] == ["house@1"]


def test_who_looked_is_listed_by_case_and_by_actor(fines: Fines) -> None:
    case = fines.ask("cases")[0]["case"]
    with fines.recorder() as recorder:
        stream = recorder.case(id=case)
        for action, actor in (("access", f"staff/{STAFF}"), ("export", "lead")):
            stream.data_handled(
                action=action,  # type: ignore[arg-type]
                purpose="complaint",
                fields=["debt"],
                requester="Ms Ada Lovelace",
                actor=actor,
            )
        recorder.deliver_once()
    fines.run("run", fines.directory, "--once")

    rows = fines.ask("access", "--case", case)
    assert [(row["action"], row["actor"], row["requester"]) for row in rows] == [
        ("export", "lead", True), ("access", f"staff/{STAFF}", True),
    ]  # fmt: skip
    assert "Lovelace" not in json.dumps(rows)
    assert [row["action"] for row in fines.ask("access", "--actor", "lead")] == ["export"]
    assert fines.ask("access", "--by-actor") == [
        {"action": "export", "actor": "lead", "purpose": "complaint", "times": 1},
        {"action": "access", "actor": f"staff/{STAFF}", "purpose": "complaint", "times": 1},
    ]
    assert "export" in fines.run("access", fines.directory).text


def test_cases_of_several_shards_stand_in_one_queue(tmp_path: Path, command: Callable[..., Ended]) -> None:
    fines = Fines(tmp_path, command, shards=3)
    said = fines.ask("exceptions")

    assert len(said["as_of"]) == 3
    assert {row["shard"] for row in said["exceptions"]} > {said["exceptions"][0]["shard"]}
    assert said["counts"] == {"BREACH": 4, "INSUFFICIENT_EVIDENCE": 1}
    assert fines.run("rebuild", fines.directory, "--check", "--json").json()["equal"] is True


def test_views_of_an_earlier_release_are_named(fines: Fines, complains: Callable[..., None]) -> None:
    views = sqlite3.connect(fines.directory / "views.db")
    views.execute("DROP VIEW findings")
    views.execute("UPDATE readings SET version = 0")
    views.commit()
    views.close()

    complains("exceptions", fines.directory, says="made by an earlier release")
    fines.run("run", fines.directory, "--once")
    assert len(fines.exceptions()) == 5
