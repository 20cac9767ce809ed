"""Findings follow the entries: whom a batch touches is judged again, nobody else is, and a rebuild finds the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ledger.testing.history import case
from projections.conformance.query import adopted, judged_at, too_large
from projections.engine.runner import Runner
from projections.engine.store import connect


def test_without_an_adopted_pack_nothing_is_judged_and_nothing_is_kept(world: Any) -> None:
    world.call(1, "02 10:00")
    world.complain(1, "02 11:00")
    world.sequence("20 10:00")

    assert world.judged == []
    for table in ("findings", "adoptions", "conformance", "portfolio", "portfolio_cases"):
        assert world.query(f"SELECT COUNT(*) FROM {table}") == [(0,)]
    assert world.rebuilt()


def test_an_answer_that_never_came_is_a_breach_once_its_day_is_over_and_time_alone_tells(world: Any) -> None:
    world.adopt()
    event = world.complain(1, "02 11:00")
    world.sequence("02 12:00")
    assert world.outcomes() == []

    world.call(2, "05 22:58")
    world.sequence("05 22:59")  # in Rome it is 5 March, a minute before midnight
    assert ("H-1", "BREACH") not in world.outcomes()
    assert len(world.judged) == 1

    world.call(3, "05 23:00")
    world.sequence("05 23:01")
    (row,) = world.found(rule="H-1")
    assert (row.outcome, row.event, row.case) == ("BREACH", event, case(1)[5:])
    assert row.codes == ("due:2026-03-05",)
    assert row.since == "2026-03-05T23:00:00.000000Z"
    assert len(world.judged) == 2, "the case of the call, and the case whose day was over"

    world.call(4, "09 23:00")
    world.sequence("09 23:01")
    assert len(world.judged) == 1, "a case on which time has nothing more to say is left alone"
    assert world.rebuilt()


def test_an_answer_in_time_leaves_no_exception(world: Any) -> None:
    world.adopt()
    complaint = world.complain(1, "02 11:00")
    world.say(case(1), "complaint.resolved", "05 20:00", complaint=complaint, outcome="rejected")
    world.sequence("20 10:00")

    assert world.outcomes() == []
    assert world.query("SELECT rule, outcome, week, n FROM portfolio") == [("H-1", "PASS", "2026-W10", 1)]


def test_only_cases_that_a_batch_touches_are_judged_again(world: Any) -> None:
    world.adopt()
    for number in range(1, 30):
        world.call(number, "02 10:00")
    world.sequence()
    assert len(world.judged) == 29

    world.call(7, "02 11:00")
    world.sequence()
    assert len(world.judged) == 1
    assert world.rebuilt()


def test_a_certificate_recorded_later_is_found_by_the_cases_that_lean_on_it(world: Any) -> None:
    world.adopt()
    world.call(1, "02 10:00")
    world.complain(2, "02 10:00")
    world.sequence()
    assert [(row.rule, row.outcome, row.codes) for row in world.found()] == [
        ("H-2", "INSUFFICIENT_EVIDENCE", ("stream_missing",))
    ]

    world.say(
        f"staff/{world.staff}", "staff.qualified", "03 10:00", kind="certificate", valid_from="2026-01-01"
    )
    world.sequence()
    assert len(world.judged) == 1
    assert world.outcomes() == []
    assert world.rebuilt()


def test_a_count_of_a_source_that_differs_reaches_the_cases_of_its_day_alone(world: Any) -> None:
    world.adopt(world.counted)
    world.call(1, "02 10:00")
    world.call(2, "12 10:00")
    world.sequence()
    assert world.outcomes() == []

    source = f"source/{case(500)[5:]}"
    counted = {"day": "2026-03-02", "zone": "Europe/Rome", "unit": "call", "stated": 4, "found": 3}
    world.say(source, "source.counted", "13 10:00", **counted)
    world.sequence()
    assert len(world.judged) == 1
    (row,) = world.found()
    assert (row.case, row.outcome, row.codes) == (case(1)[5:], "INSUFFICIENT_EVIDENCE", ("count_differs",))

    # A case that is told of only afterwards is judged by that count too.
    world.call(3, "02 15:00")
    world.sequence()
    assert {row.case for row in world.found()} == {case(1)[5:], case(3)[5:]}
    assert world.rebuilt()


def test_a_pack_adopted_late_judges_every_case_that_is_there(world: Any) -> None:
    for number in (1, 2, 3):
        world.complain(number, "02 11:00")
    world.sequence("20 10:00")
    world.adopt()
    world.sequence("20 11:00")

    assert world.outcomes() == [("H-1", "BREACH")] * 3
    assert len(world.judged) == 3
    assert world.rebuilt()


def test_a_pack_whose_bytes_are_missing_is_shown_and_judges_nothing_until_they_come(world: Any) -> None:
    world.adopt(keep=False)
    world.complain(1, "02 11:00")
    world.sequence("20 10:00")
    db = connect(world.store.path)
    (one,) = adopted(db)
    db.close()
    assert (one.pack, one.version, one.at_hand) == ("house", "1", False)
    assert world.outcomes() == []

    (world.packs / "house@1.toml").write_text(world.house.replace("three days", "four days"))
    world.complain(2, "02 11:00")
    world.sequence()
    assert world.outcomes() == [], "another file of the same name is not what was adopted"

    (world.packs / "house@1.toml").write_text(world.house)
    world.call(3, "20 10:00")
    world.sequence()
    assert world.outcomes().count(("H-1", "BREACH")) == 2
    assert world.query("SELECT at_hand FROM adoptions") == [(1,)]
    assert world.rebuilt()


def test_a_pack_that_this_release_cannot_read_is_missing_too(world: Any) -> None:
    world.adopt('[pack]\nid = "house"\nversion = "1"\nunheard_of = true\n')
    world.complain(1, "02 11:00")
    world.sequence("20 10:00")

    assert world.query("SELECT at_hand FROM adoptions") == [(0,)]
    assert world.outcomes() == []


def test_a_correction_changes_what_is_found(world: Any) -> None:
    world.adopt()
    event = world.complain(1, "02 11:00")
    world.sequence("20 10:00")
    assert world.outcomes() == [("H-1", "BREACH")]

    world.complain(1, "02 11:00", corrects=event, void=True)
    world.sequence()
    assert world.outcomes() == []
    assert world.rebuilt()


def test_an_exception_is_owned_closed_and_open_again_if_its_outcome_changes(world: Any) -> None:
    world.adopt()
    called = world.call(1, "02 10:00")
    world.sequence()
    assert [(row.state, row.owner) for row in world.found()] == [("open", "")]

    world.say(case(1), "case.assigned", "03 10:00", staff=case(40)[5:])
    world.sequence()
    assert [(row.state, row.owner) for row in world.found(state="assigned")] == [("assigned", case(40)[5:])]
    assert world.found(state="open") == []

    (row,) = world.found()
    review = {"about": called, "sample": "targeted", "codes": [], "source_ref": row.closing}
    world.say(case(1), "conduct.reviewed", "04 10:00", found_by="model", **review)
    world.sequence()
    assert [row.state for row in world.found()] == ["assigned"], "what a model says closes nothing"

    world.say(case(1), "conduct.reviewed", "04 11:00", found_by="person", **review)
    world.sequence()
    (row,) = world.found(state="closed")
    assert row.closed_by == world.rig.accepted()[-2].index
    assert world.found(state="assigned") == []

    # A certificate that was not good on the day makes a breach of what could not be proved.
    late = {"kind": "certificate", "valid_from": "2026-03-04"}
    world.say(f"staff/{world.staff}", "staff.qualified", "05 10:00", **late)
    world.sequence()
    assert [(row.outcome, row.state) for row in world.found()] == [("BREACH", "assigned")]
    assert world.rebuilt()


def test_a_review_that_was_voided_closes_nothing(world: Any) -> None:
    world.adopt()
    called = world.call(1, "02 10:00")
    world.sequence()
    (row,) = world.found()
    review = {
        "about": called,
        "sample": "targeted",
        "codes": [],
        "source_ref": row.closing,
        "found_by": "person",
    }
    first = world.say(case(1), "conduct.reviewed", "04 11:00", **review)
    world.say(case(1), "conduct.reviewed", "04 12:00", **review, corrects=first, void=True)
    world.sequence()

    assert [row.state for row in world.found()] == ["open"]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batches_make_no_difference(world: Any, tmp_path: Path, batch: int) -> None:
    """Everything that moves a finding, in one history, read in small bites; the rebuild reads it at once."""
    world.batch = batch
    world.adopt()
    complaint = world.complain(1, "02 11:00")
    for number in (1, 2, 1, 3):
        world.call(number, "02 12:00")
    world.sequence("03 10:00")
    world.complain(2, "03 11:00", zone="nowhere")
    world.say(case(1), "case.assigned", "03 10:00", staff=case(40)[5:])
    world.sequence("05 22:59")
    world.say(case(1), "complaint.resolved", "06 09:00", complaint=complaint, outcome="upheld")
    world.say(
        f"staff/{world.staff}", "staff.qualified", "06 10:00", kind="certificate", valid_from="2026-01-01"
    )
    world.sequence("06 10:00")
    world.adopt(world.counted.replace('"house"', '"other"'), name="other")
    world.call(3, "07 12:00")
    world.sequence("15 10:00")

    assert world.outcomes()
    assert world.rebuilt()
    db = connect(world.store.path)
    assert judged_at(db)[0] == world.rig.accepted()[-1].sequenced
    db.close()


def test_a_batch_that_fails_half_way_is_judged_once(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.adopt()
    world.call(1, "02 10:00")
    world.sequence()
    world.call(1, "02 11:00")
    world.call(1, "02 12:00")
    take, failed = world.view._sink, []

    def fail_once(batch: Any, cases: Any) -> None:
        take(batch, cases)
        if not failed:
            failed.append(True)
            raise ValueError("half way")

    monkeypatch.setattr(world.view, "_sink", fail_once)
    world.sequence()

    assert failed
    assert [row for row in world.outcomes() if row[0] == "H-3"] == [("H-3", "BREACH")]
    assert world.query("SELECT SUM(n) FROM portfolio WHERE rule = 'H-3'") == [(3,)]
    assert world.rebuilt()


def test_views_that_are_opened_again_go_on_where_they_stood(world: Any) -> None:
    world.adopt()
    world.call(1, "02 10:00")
    world.sequence()
    world.view._memory.__init__()
    world.view._basis.clear()
    world.call(1, "02 11:00")
    world.call(1, "02 12:00")
    Runner(world.store, world.shard()).catch_up()
    world.sequence()

    assert ("H-3", "BREACH") in world.outcomes()
    assert world.rebuilt()


def test_a_file_that_is_gone_later_takes_its_findings_with_it(world: Any) -> None:
    world.adopt()
    world.complain(1, "02 11:00")
    world.sequence("20 10:00")
    assert world.outcomes() == [("H-1", "BREACH")]

    shutil.rmtree(world.packs)
    world.view._basis.clear()
    world.call(2, "20 10:00")
    world.sequence()
    assert world.outcomes() == []
    assert world.query("SELECT at_hand FROM adoptions") == [(0,)]
    assert world.rebuilt()


def test_a_case_that_is_too_large_is_named_and_stops_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.rules.proof.JUDGED_MAX", 2)
    world.adopt()
    for at in ("02 10:00", "02 11:00", "02 12:00"):
        world.call(1, at)
    world.call(2, "02 10:00")
    world.sequence()

    db = connect(world.store.path)
    assert too_large(db) == [case(1)[5:]]
    db.close()
    assert {row.case for row in world.found()} == {case(2)[5:]}
    assert world.rebuilt()


def test_an_update_of_zones_and_holidays_judges_every_case_anew(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.adopt()
    world.call(1, "02 10:00")
    world.complain(2, "02 10:00")
    world.sequence()

    monkeypatch.setattr("projections.conformance.basis.data_version", lambda: "2099.1+holidays.9")
    world.view._basis.clear()
    world.call(3, "02 11:00")
    world.sequence()
    assert len(world.judged) == 3
    assert world.rebuilt()
