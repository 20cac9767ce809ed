"""Exactly once, in whatever steps; a fault is waited for or named, and no entry is passed over."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from ledger.errors import ConfigurationError, LogUnavailable, ProjectionHalted
from projections.case_state.store import CaseStateView
from projections.engine.rebuild import open_or_begin_again, rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import OtherVersion, ViewStore, applied, connect
from projections.engine.streams import heads, places
from projections.engine.views import Batch
from projections.timeline.store import TimelineView


class Tally:
    """A view that counts what it is given, and fails where it is told to."""

    name = "tally"
    version = 1
    tables: Sequence[str] = ("tally",)

    def __init__(self, fault: Callable[[Batch], None] = lambda _: None) -> None:
        self.fault = fault

    def create(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute(f"CREATE TABLE {tables['tally']} (idx INTEGER, leaf BLOB)")

    def publish(self, db: sqlite3.Cursor, tables: Mapping[str, str]) -> None:
        db.execute("DROP VIEW IF EXISTS tally")
        db.execute(f"CREATE VIEW tally AS SELECT * FROM {tables['tally']}")

    def apply(self, batch: Batch) -> None:
        rows = [(p.entry.index, p.entry.leaf) for p in batch.placed]
        batch.db.executemany(f"INSERT INTO {batch.tables['tally']} VALUES (?, ?)", rows)
        self.fault(batch)

    def rows(self, db: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        return db.execute(f"SELECT idx, leaf FROM {tables['tally']} ORDER BY idx")


def _indexes(store: ViewStore) -> list[int]:
    with contextlib.closing(connect(store.path)) as db:
        return [row[0] for row in db.execute("SELECT idx FROM tally ORDER BY idx")]


def _grow(ledger: Any, rounds: int = 5) -> None:
    for number in range(rounds):
        ledger.call(1, 2, 3, number, number + 1)
        ledger.sequence()


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_every_entry_is_applied_once_whatever_the_batches(ledger: Any, batch: int) -> None:
    _grow(ledger)
    store = ledger.store(views=[Tally()])
    runner = Runner(store, ledger.shard(), batch=batch)
    applied_now = runner.catch_up()
    assert _indexes(store) == list(range(applied_now))
    assert runner.position == runner.sealed == applied_now
    assert runner.catch_up() == 0


def test_a_new_runner_goes_on_where_the_last_one_stopped(ledger: Any) -> None:
    store = ledger.store(views=[Tally()])
    total = 0
    for _ in range(4):
        _grow(ledger, 1)
        runner = Runner(store, ledger.shard(), batch=2)
        total += runner.step()
    total += Runner(store, ledger.shard()).catch_up()
    assert _indexes(store) == list(range(total))


def test_position_and_rows_change_together_or_not_at_all(ledger: Any) -> None:
    _grow(ledger, 2)

    def fail(batch: Batch) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    store = ledger.store(views=[Tally(fail)])
    waits: list[float] = []
    runner = Runner(store, ledger.shard(), sleep=waits.append)
    with pytest.raises(ProjectionHalted, match="attempts"):
        runner.catch_up()
    assert len(waits) == 4
    assert waits == sorted(waits)
    assert _indexes(store) == []
    assert store.position(ledger.rig.origin, store.generation)[0] == 0


def test_a_fault_that_passes_is_waited_for(ledger: Any) -> None:
    _grow(ledger, 2)
    faults = iter([True, True, False, False])

    def fail(batch: Batch) -> None:
        if next(faults, False):
            raise sqlite3.OperationalError("database is locked")

    store = ledger.store(views=[Tally(fail)])
    done = Runner(store, ledger.shard(), sleep=lambda _: None).catch_up()
    assert _indexes(store) == list(range(done))


def test_an_entry_that_a_view_cannot_read_halts_it_there_and_names_the_index(ledger: Any) -> None:
    _grow(ledger, 3)

    def fail(batch: Batch) -> None:
        if any(placed.entry.index == 7 for placed in batch.placed):
            raise KeyError("something about a person")

    store = ledger.store(views=[Tally(fail)])
    runner = Runner(store, ledger.shard())
    with pytest.raises(ProjectionHalted, match=r"before entry 7 .*KeyError") as caught:
        runner.catch_up()
    assert "person" not in str(caught.value)
    assert _indexes(store) == list(range(7))
    with pytest.raises(ProjectionHalted, match="before entry 7 "):
        Runner(store, ledger.shard()).catch_up()
    assert _indexes(store) == list(range(7))


def test_a_log_that_does_not_answer_for_a_while_is_asked_again(ledger: Any) -> None:
    _grow(ledger, 1)
    shard = ledger.shard()

    class Flaky:
        shard = 0
        fails = 2

        def records(self, cursor: int, limit: int) -> Any:
            if self.fails:
                self.fails -= 1
                raise LogUnavailable("no answer")
            return shard.log.records(cursor, limit)

        def end(self) -> int:
            return shard.log.end()

    store = ledger.store(views=[Tally()])
    flaky = Shard(Flaky(), shard.origin, shard.log_key)  # type: ignore[arg-type]
    done = Runner(store, flaky, sleep=lambda _: None).catch_up()
    assert _indexes(store) == list(range(done))


def test_two_runners_on_one_file_apply_every_entry_once(ledger: Any) -> None:
    _grow(ledger, 6)
    one, two = ledger.store(views=[Tally()]), ledger.store(views=[Tally()])
    first, second = Runner(one, ledger.shard(), batch=3), Runner(two, ledger.shard(), batch=4)
    while first.step() + second.step():
        pass
    first.catch_up()
    second.catch_up()
    assert _indexes(one) == list(range(first.position))
    assert first.position == second.position == first.sealed


def test_a_rebuild_equals_the_live_views(ledger: Any) -> None:
    _grow(ledger, 6)
    store = ledger.store()
    Runner(store, ledger.shard(), batch=2).catch_up()
    live = store.digests()
    assert set(live) == {"streams", "case_state", "timeline"}
    assert rebuild(store, [ledger.shard()]) == live
    assert store.digests() == live
    assert store.generation == 2


def test_readers_see_the_old_reading_until_the_new_one_takes_its_place(ledger: Any) -> None:
    _grow(ledger, 3)
    store = ledger.store(views=[Tally()])
    Runner(store, ledger.shard()).catch_up()
    before = _indexes(store)
    with store.transaction() as db:
        db.execute(f"DELETE FROM {store.tables(store.generation)['tally']} WHERE idx = 3")
    seen: list[list[int]] = []
    rebuild(store, [ledger.shard()], progress=lambda *_: seen.append(_indexes(store)))
    assert seen
    assert all(3 not in indexes for indexes in seen)
    assert _indexes(store) == before


def test_a_live_runner_goes_on_in_the_rebuilt_tables(ledger: Any) -> None:
    _grow(ledger, 3)
    store, other = ledger.store(), ledger.store()
    live = Runner(store, ledger.shard(), batch=3)
    live.catch_up()
    rebuild(other, [ledger.shard()])
    _grow(ledger, 2)
    live.catch_up()
    assert live.position == live.sealed
    assert store.generation == 2
    again = store.digests()
    assert rebuild(store, [ledger.shard()]) == again


def test_a_rebuild_that_was_broken_off_leaves_the_old_reading_and_nothing_else(ledger: Any) -> None:
    _grow(ledger, 3)
    store = ledger.store(views=[Tally()])
    Runner(store, ledger.shard()).catch_up()
    before = store.digests()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(store, [ledger.shard()], progress=stop)
    assert store.digests() == before
    assert rebuild(store, [ledger.shard()]) == before
    with contextlib.closing(connect(store.path)) as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'tally%'")}
        assert tables == {"tally", "tally_3"}
        assert list(applied(db)) == [ledger.rig.origin]


def test_two_rebuilds_at_once_are_refused(ledger: Any) -> None:
    store = ledger.store(views=[Tally()])
    with store.rebuilding(), pytest.raises(ConfigurationError, match="another rebuild"):
        rebuild(store, [ledger.shard()])


def test_views_of_another_version_are_refused_and_begun_again(ledger: Any) -> None:
    _grow(ledger, 1)
    store = ledger.store()
    Runner(store, ledger.shard()).catch_up()
    newer = TimelineView()
    newer.version = 2
    with pytest.raises(OtherVersion, match="another version"):
        ledger.store(views=[CaseStateView(), newer])
    store.close()
    again = open_or_begin_again(store.path, [CaseStateView(), newer])
    ledger.stores.append(again)
    assert Runner(again, ledger.shard()).catch_up() > 0


def test_tracking_is_the_librarys_and_counts_entries(ledger: Any) -> None:
    _grow(ledger, 1)
    store = ledger.store()
    runner = Runner(store, ledger.shard())
    runner.catch_up()
    with contextlib.closing(connect(store.path)) as db:
        name = store.tracking_name(ledger.rig.origin, store.generation)
        row = db.execute(
            "SELECT notification_id FROM tracking WHERE application_name = ?", (name,)
        ).fetchone()
        assert row == (runner.position,)
        assert applied(db) == {ledger.rig.origin: runner.position}


def test_the_index_of_streams_finds_every_entry(ledger: Any) -> None:
    _grow(ledger, 3)
    store = ledger.store()
    runner = Runner(store, ledger.shard(), batch=4)
    runner.catch_up()
    with contextlib.closing(connect(store.path)) as db:
        found = {subject: (count, last) for subject, count, last in heads(db, 0, runner.position)}
        total = 0
        for subject, (count, last) in found.items():
            here = places(db, subject, 0)
            assert [place.seq for place in here] == list(range(count))
            assert here[-1].idx == last
            total += count
        assert total == runner.position
        assert "seal" in found
        half = runner.position // 2
        assert all(place.idx < half for place in places(db, "seal", 0, below=half))


def test_there_are_no_views_before_the_first_run(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="no views"):
        connect(tmp_path / "views.db")
    with pytest.raises(ConfigurationError, match="cannot open"):
        ViewStore(tmp_path / "missing" / "views.db", [])
