"""The ordinary life of a sequencer: seals by the timer, restarts, snapshots, clocks (docs/formats/ 4.2, 5)."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import ClockRefused, LogDrifted, StoreDamaged, Superseded
from ledger.kernel.canonical import parse_time
from ledger.kernel.validation import Validation
from ledger.log.port import ShardLog
from ledger.sequencer import snapshot as snapshots
from ledger.sequencer.intake import OwnProcess as OwnIntake
from ledger.sequencer.recover import from_snapshot
from ledger.sequencer.run import CLOCK_AWAY_US_MAX
from ledger.sequencer.second import OwnProcess
from ledger.testing.history import START_US, Tool, any_schema, case
from ledger.testing.rig import Rig
from ledger.tilestore.directory import DirectoryTiles

DAY_US = 86_400_000_000


def founded(shard: Rig) -> Tool:
    shard.found()
    return shard.register("dialler")


def events_of(tool: Tool, shard: Rig, count: int) -> list[bytes]:
    events = [tool.event(case(i % 11)) for i in range(count)]
    for at in range(0, count, 64):
        shard.submit(tool.sign(events[at : at + 64]))
    return events


def test_seals_come_by_the_timer_and_only_when_there_is_something_new(shard: Rig) -> None:
    now = [0.0]
    tool = founded(shard)
    sequencer = shard.sequencer(cadence_s=1.0, ticks=lambda: now[0])
    sequencer.step()
    assert (sequencer.size, sequencer.sealed) == (2, 0)
    now[0] = 0.99
    sequencer.step()
    assert sequencer.sealed == 0
    now[0] = 1.0
    sequencer.step()
    assert sequencer.sealed == 3
    now[0] = 500.0
    assert sequencer.step().idle
    assert sequencer.sealed == 3
    shard.submit(tool.flush(case(1)))
    sequencer.step()
    assert sequencer.sealed == 5
    now[0] = 500.0 + 3600.0
    sequencer.step()
    assert sequencer.sealed == 6, "an hour without anything new is evidence too"
    shard.check()


def test_a_restart_goes_on_in_the_next_term_behind_the_last_entry(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 100)
    first = shard.sequencer()
    first.drain()
    first.close()
    assert snapshots.read(shard.state, shard.origin) is not None
    events += events_of(tool, shard, 100)
    second = shard.sequencer()
    second.drain()
    assert second.counts["duplicate"] == 0
    assert [entry.term for entry in shard.accepted()] == [1] * 103 + [2] * 101
    shard.check(events)


def test_without_a_snapshot_the_log_says_it_all_and_duplicates_are_absorbed(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 300)
    shard.sequencer(batch=64).drain()
    shard.submit(tool.sign([last := tool.event(case(1))]))
    restarted = shard.sequencer(state_dir=None)
    restarted.drain()
    assert restarted.counts["duplicate"] == 302
    shard.check([*events, last])


@pytest.mark.parametrize("flaw", ["torn", "flipped", "other origin", "empty", "old"])
def test_a_snapshot_that_is_no_good_is_thrown_away(shard: Rig, flaw: str) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 100)
    first = shard.sequencer()
    first.drain()
    first.close()
    path = shard.state / snapshots.NAME
    data = bytearray(path.read_bytes())
    if flaw == "old":
        events += events_of(tool, shard, 100)
        shard.sequencer(state_dir=None).drain()
    elif flaw == "other origin":
        found = snapshots.read(shard.state, shard.origin)
        assert found is not None
        assert snapshots.read(shard.state, "another/0") is None
        data = bytearray(b"duecourse")
    elif flaw == "flipped":
        data[len(data) // 2] ^= 1
    else:
        data = data[:100] if flaw == "torn" else bytearray()
    path.write_bytes(data)
    events += events_of(tool, shard, 10)
    second = shard.sequencer()
    second.drain()
    shard.check(events)


def test_a_snapshot_that_does_not_lead_to_its_checkpoint_is_not_believed(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 100)
    first = shard.sequencer()
    first.drain()
    first.close()
    found = snapshots.read(shard.state, shard.origin)
    assert found is not None
    other = [raw for raw in shard.values("entry") if b'"subject":"seal"' not in raw][-1]
    wrong = snapshots.Snapshot(
        found.origin,
        found.cursor,
        found.submissions,
        found.checkpoint,
        other,
        found.acceptance,
        {},
        found.validation,
    )
    snapshots.write(shard.state, wrong)
    events += events_of(tool, shard, 10)
    second = shard.sequencer()
    second.start()
    assert not (shard.state / snapshots.NAME).exists()
    second.drain()
    shard.check(events)


def test_tiles_that_were_lost_are_made_again_from_the_log(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 700)
    first = shard.sequencer()
    first.drain()
    first.close()
    before = {p.relative_to(shard.tiles): p.read_bytes() for p in shard.tiles.rglob("*") if p.is_file()}
    shutil.rmtree(shard.tiles)
    shard.sequencer().start()
    after = {p.relative_to(shard.tiles): p.read_bytes() for p in shard.tiles.rglob("*") if p.is_file()}
    assert after.items() <= before.items()
    shard.check(events)


def test_receipts_that_were_lost_are_signed_again_the_same(shard: Rig) -> None:
    tool = founded(shard)
    events_of(tool, shard, 10)
    shard.sequencer().drain()
    before = shard.front.receipts()
    (shard.directory / "log" / "0" / "receipts.db").unlink()
    for suffix in ("-wal", "-shm"):
        (shard.directory / "log" / "0" / f"receipts.db{suffix}").unlink(missing_ok=True)
    from ledger.log.port import create_log

    create_log(shard.config)
    shard.front.reopen()
    assert shard.front.receipts() == {}
    shard.sequencer().start()
    assert shard.front.receipts() == before


def test_another_holder_of_the_term_supersedes(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 10)
    first, second = shard.sequencer(state_dir=None), shard.sequencer(state_dir=None)
    first.drain()
    second.start()
    events += events_of(tool, shard, 10)
    with pytest.raises(Superseded):
        first.drain()
    second.drain()
    shard.check(events)
    # The first comes back when it is asked to, and then the second has to yield.
    events += events_of(tool, shard, 10)
    first.drain()
    with pytest.raises(Superseded):
        second.step()
    shard.check(events)


def test_an_idle_sequencer_notices_that_it_is_superseded(shard: Rig) -> None:
    founded(shard)
    first, second = shard.sequencer(state_dir=None), shard.sequencer(state_dir=None)
    first.drain()
    second.start()
    with pytest.raises(Superseded):
        first.step()


def test_sequenced_stands_still_while_the_clock_is_a_little_behind(shard: Rig) -> None:
    tool = founded(shard)
    sequencer = shard.sequencer()
    sequencer.drain()
    shard.clock.us -= CLOCK_AWAY_US_MAX - 1_000_000
    shard.submit(tool.flush(case(1)))
    sequencer.drain()
    times = [entry.sequenced for entry in shard.accepted()]
    assert times == sorted(times)
    assert times[-1] == times[-2] == times[-3]
    shard.check()


def test_a_clock_far_behind_the_last_entry_is_refused_until_registrars_say_so(shard: Rig) -> None:
    tool = founded(shard)
    shard.clock.us += DAY_US
    sequencer = shard.sequencer()
    sequencer.drain()
    shard.clock.us = START_US
    flush = tool.flush(case(1))
    shard.submit(flush)
    with pytest.raises(ClockRefused):
        sequencer.drain()
    shard.order("clock_corrected", "registry", {"reason": "the clock was a day ahead"})
    sequencer.drain()
    times = [parse_time(entry.sequenced) for entry in shard.accepted()]
    assert times[3] >= START_US + DAY_US, "the correction itself does not go back"
    assert all(START_US <= us < START_US + DAY_US for us in times[4:])
    assert shard.front.dead_letter_count() == 0
    shard.check([flush[0][0]])


def test_a_clock_far_behind_the_logs_own_is_refused(shard: Rig) -> None:
    founded(shard)
    sequencer = shard.sequencer(arrivals_are_reference=True)
    with pytest.raises(ClockRefused):
        sequencer.drain()
    assert shard.values("entry") == []


def test_stored_bytes_that_lead_to_another_root_are_never_signed(shard: Rig) -> None:
    class Flipping:
        """Reads one stored byte wrong, once it is told to."""

        def __init__(self, log: ShardLog) -> None:
            self._log = log
            self.flip = True

        def records(self, cursor: int, limit: int) -> list[object]:
            records = self._log.records(cursor, limit)
            if self.flip and len(records) > 1:
                value = bytearray(records[1].value)
                value[40] ^= 1
                records[1] = records[1]._replace(value=bytes(value))
            return list(records)

    tool = founded(shard)
    events = events_of(tool, shard, 10)
    stored = Flipping(shard.open_log("reader"))
    sequencer = shard.sequencer(stored=stored)
    with pytest.raises(StoreDamaged):
        sequencer.drain()
    assert shard.values("checkpoint") == []
    assert shard.front.receipts() == {}
    stored.flip = False
    sequencer.drain()
    shard.check(events)


def test_the_second_path_works_in_a_process_of_its_own(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 1000)
    sequencer = shard.sequencer(second=OwnProcess(shard.config, 0, shard.tiles), batch=64)
    sequencer.drain()
    shard.check(events)
    events += events_of(tool, shard, 300)
    sequencer.drain()
    sequencer.close()
    shard.check(events)
    restarted = shard.sequencer(second=OwnProcess(shard.config, 0, shard.tiles))
    restarted.drain()
    assert restarted.counts["duplicate"] == 0
    restarted.close()
    shard.check(events)


def test_when_the_process_of_the_second_path_dies_the_next_start_makes_another(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 100)
    second = OwnProcess(shard.config, 0, shard.tiles)
    sequencer = shard.sequencer(second=second)
    sequencer.drain()
    second.companion.process.kill()
    events += events_of(tool, shard, 100)
    sequencer.drain()
    assert sequencer.counts["restarts"] == 1
    sequencer.close()
    shard.check(events)


def test_a_published_checkpoint_is_the_one_in_the_log(shard: Rig) -> None:
    tool = founded(shard)
    events_of(tool, shard, 10)
    shard.sequencer().drain()
    assert DirectoryTiles(shard.tiles).checkpoint() == shard.values("checkpoint")[-1]


def test_the_snapshot_is_private(shard: Rig) -> None:
    founded(shard)
    sequencer = shard.sequencer()
    sequencer.drain()
    sequencer.close()
    assert Path(shard.state).stat().st_mode & 0o077 == 0


def test_submissions_are_looked_at_in_a_process_of_their_own(shard: Rig) -> None:
    """The other process judges nothing, so the whole table of formats 3 comes out the same."""
    tool = founded(shard)
    stranger = Tool(shard.origin, "stranger")
    good = [tool.event(case(i % 11)) for i in range(200)]
    bad = tool.event(case(1), tenantid="other")
    late = tool.event(case(2), expectedversion=f"{18:020d}")
    broken = tool.sign([tool.event(case(1), actorrole=7)])
    shard.submit(*[tool.sign(good[at : at + 64]) for at in range(0, 200, 64)])
    shard.submit(tool.sign([bad, late]), broken, stranger.flush(case(1)))
    intake = OwnIntake(shard.config, 0, shard.origin, any_schema)
    sequencer = shard.sequencer(intake=intake, batch=50)
    sequencer.drain()
    assert sequencer.counts["rejected"] == 2
    assert [letter.reason[:13] for letter in shard.front.dead_letters()] == ["E_KEY_UNKNOWN"]
    shard.check([*good, late])
    shard.order("quarantine_lifted", "producer/dialler", {"reason": "there is none"})
    fork = Tool(shard.origin, "dialler")
    shard.submit(fork.sign([fork.event(case(9))]), tool.flush(case(1)))
    sequencer.drain()
    assert sequencer.counts["equivocation"] == sequencer.counts["refused"] == 1
    intake.companion.process.kill()
    shard.order("quarantine_lifted", "producer/dialler", {"at": 2, "reason": "the clone was switched off"})
    sequencer.drain()
    assert sequencer.counts["restarts"] == 1
    assert shard.accepted()[-2].subject == "producer/dialler"
    shard.check([*good, late])


def test_a_snapshot_whose_streams_are_not_those_of_its_map_is_not_believed(shard: Rig) -> None:
    tool = founded(shard)
    events_of(tool, shard, 100)
    first = shard.sequencer()
    first.drain()
    first.close()
    found = snapshots.read(shard.state, shard.origin)
    assert found is not None
    arguments = (shard.origin, shard.log_key, shard.check_event)
    assert from_snapshot(found, *arguments) is not None
    for flaw in ("count", "missing"):
        validation = Validation.load(found.validation, *arguments)
        count, leaf, number = validation.streams[case(3)]
        if flaw == "count":
            validation.streams[case(3)] = (count + 1, leaf, number)
        else:
            del validation.streams[case(3)]
        assert from_snapshot(replace(found, validation=validation.dump()), *arguments) is None


@pytest.mark.parametrize("left", ["tiles", "receipts", "snapshot"])
def test_an_older_copy_of_the_log_is_not_signed_again(shard: Rig, left: str) -> None:
    """What is left of the newer one says that more was signed than the log now holds."""
    tool = founded(shard)
    events_of(tool, shard, 50)
    first = shard.sequencer()
    first.drain()
    first.close()
    database = shard.directory / "log" / "0" / "ledger.db"
    shard.close()
    copy = database.read_bytes()
    shard.front.reopen()
    events_of(tool, shard, 50)
    second = shard.sequencer()
    second.drain()
    second.close()
    shard.close()
    database.write_bytes(copy)
    for suffix in ("-wal", "-shm"):
        database.with_name(f"ledger.db{suffix}").unlink(missing_ok=True)
    if left != "tiles":
        shutil.rmtree(shard.tiles)
    if left != "snapshot":
        (shard.state / snapshots.NAME).unlink()
    if left != "receipts":
        with closing(sqlite3.connect(database.with_name("receipts.db"))) as connection:
            connection.execute("DELETE FROM receipts")
            connection.commit()
    shard.front.reopen()
    before = shard.front.end()
    for _ in range(2):
        with pytest.raises(LogDrifted if left == "snapshot" else StoreDamaged):
            shard.sequencer().drain()
    assert shard.front.end() == before


def test_a_stand_by_lets_the_holder_work_and_takes_over_when_it_falls_silent(shard: Rig) -> None:
    tool = founded(shard)
    holder, second = shard.sequencer(state_dir=None), shard.sequencer(state_dir=None)
    holder.drain()
    turns: list[int] = []

    def works() -> bool:
        """Something is handed in, and the holder takes it in, five times; then it is gone."""
        shard.submit(tool.flush(case(1)))
        if len(turns) < 5:
            holder.drain()
            turns.append(shard.front.submissions_end())
        return False

    second.stand_by(works, quiet_s=0.2)
    assert len(turns) == 5
    assert shard.front.submissions_end() > turns[-1]
    assert {entry.term for entry in shard.accepted()} == {1}
    second.drain()
    assert shard.accepted()[-1].term == 2
    shard.check()


def test_run_stops_when_it_is_told_and_leaves_everything_sealed_that_was_due(shard: Rig) -> None:
    tool = founded(shard)
    events = events_of(tool, shard, 100)
    sequencer = shard.sequencer(cadence_s=0.01)
    sequencer.run(lambda: shard.front.receipt("dialler/0") is not None and sequencer.sealed == 103)
    shard.check(events)
