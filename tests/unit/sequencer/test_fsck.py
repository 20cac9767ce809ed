"""fsck: says that all is well where it is, and names the exact index where it is not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from ledger.kernel.checkpoint import Checkpoint, TermNote, sign_statement
from ledger.kernel.entry import Entry, build_entry
from ledger.kernel.tiles import entries_path, tile_path
from ledger.log.port import LogConfig, create_log, open_log
from ledger.sequencer.fsck import FsckReport, fsck
from ledger.testing.history import Tool, case
from ledger.testing.rig import Rig
from ledger.tilestore.directory import DirectoryTiles

EVENTS = 600
SIZE = EVENTS + 3  # founding, registration, seal


def filled(shard: Rig) -> Tool:
    shard.found()
    tool = shard.register("dialler")
    for _ in range(EVENTS // 50):
        shard.submit(tool.flush(*[case(i % 9) for i in range(50)]))
    shard.sequencer().drain()
    return tool


def report(shard: Rig, progress: Callable[[int], None] | None = None) -> FsckReport:
    log = open_log(shard.config, 0, "reader")
    try:
        return fsck(
            log, DirectoryTiles(shard.tiles), shard.origin, shard.log_key, shard.check_event, progress
        )
    finally:
        log.close()


def test_a_sound_ledger_has_no_findings_and_its_report_is_json(shard: Rig) -> None:
    filled(shard)
    told: list[int] = []
    found = report(shard, told.append)
    assert found.ok
    value = json.loads(json.dumps(found.value()))
    assert value["entries"] == value["sealed"] == value["published"] == SIZE
    assert value["first_damage"] is None
    assert told == [SIZE + 2], "records: entries, a term note and a checkpoint"


@pytest.mark.parametrize("index", [0, 255, 256, 511, 513])
def test_one_flipped_byte_in_a_bundle_names_its_entry(shard: Rig, index: int) -> None:
    filled(shard)
    n, at = divmod(index, 256)
    path = shard.tiles / entries_path(n, 256 if n < 2 else SIZE % 256)
    data = bytearray(path.read_bytes())
    place = 0
    for _ in range(at):
        place += 2 + int.from_bytes(data[place : place + 2], "big")
    data[place + 30] ^= 1
    path.write_bytes(data)
    found = report(shard)
    assert not found.ok
    assert found.first_damage == index


@pytest.mark.parametrize(
    ("level", "n", "at", "index"), [(0, 0, 7, 7), (0, 1, 255, 511), (0, 2, 3, 515), (1, 0, 1, 256)]
)
def test_one_flipped_byte_in_a_hash_tile_names_the_first_entry_below(
    shard: Rig, level: int, n: int, at: int, index: int
) -> None:
    filled(shard)
    size = SIZE
    count = size >> (8 * level)
    path = shard.tiles / tile_path(level, n, 256 if n < count // 256 else count % 256)
    data = bytearray(path.read_bytes())
    data[at * 32 + 5] ^= 1
    path.write_bytes(data)
    found = report(shard)
    assert [one.code for one in found.findings] == ["E_INCLUSION"]
    assert found.first_damage == index


def test_a_missing_tile_and_a_missing_checkpoint_are_found(shard: Rig) -> None:
    filled(shard)
    (shard.tiles / tile_path(0, 1)).unlink()
    assert report(shard).first_damage == 256
    (shard.tiles / "checkpoint").unlink()
    assert [one.code for one in report(shard).findings] == ["E_MISSING_FILE"]


def test_a_checkpoint_of_another_key_root_or_time_is_found(shard: Rig) -> None:
    tool = filled(shard)
    path = shard.tiles / "checkpoint"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"ledger", b"ladder"))
    assert [one.code for one in report(shard).findings] == ["E_CHECKPOINT"]
    path.write_bytes(sign_statement(Checkpoint(shard.origin, SIZE, bytes(32)), shard.signer))
    assert [one.code for one in report(shard).findings] == ["E_CHECKPOINT"]
    path.write_bytes(sign_statement(Checkpoint(shard.origin, SIZE + 400, bytes(32)), shard.signer))
    found = report(shard)
    assert [one.code for one in found.findings] == ["E_TRUNCATED"]
    assert found.first_damage == SIZE
    path.write_bytes(good)
    shard.submit(tool.flush(case(1)))
    shard.sequencer().drain()
    path.write_bytes(good)
    assert [one.code for one in report(shard).findings] == ["E_STALE"]


def rewrite(shard: Rig, index: int, change: Callable[[bytes], bytes | None]) -> None:
    """Changes one stored record behind the log's back."""
    database = shard.directory / "log" / "0" / "ledger.db"
    connection = sqlite3.connect(database)
    try:
        [(position, value)] = connection.execute(
            "SELECT position, value FROM records WHERE kind = 'entry' ORDER BY position LIMIT 1 OFFSET ?",
            (index,),
        ).fetchall()
        changed = change(value)
        if changed is None:
            connection.execute("DELETE FROM records WHERE position = ?", (position,))
        else:
            connection.execute("UPDATE records SET value = ? WHERE position = ?", (changed, position))
        connection.commit()
    finally:
        connection.close()


@pytest.mark.parametrize("index", [0, 1, 300, SIZE - 1])
def test_a_changed_record_in_the_log_is_found_at_its_index(shard: Rig, index: int) -> None:
    filled(shard)
    rewrite(shard, index, lambda value: value.replace(b'"sequenced":"2026', b'"sequenced":"2027'))
    found = report(shard)
    assert not found.ok
    assert found.first_damage == index


def test_a_missing_record_in_the_log_is_found_at_its_index(shard: Rig) -> None:
    filled(shard)
    rewrite(shard, 400, lambda _: None)
    found = report(shard)
    assert not found.ok
    assert found.first_damage == 400


def test_an_entry_that_holds_by_the_chain_and_not_by_the_rules_is_found(shard: Rig) -> None:
    """Whoever holds the log key has sealed an event with a signature that is none: 4.2 says no."""
    filled(shard)
    other = shard.directory / "other"
    config = create_log(LogConfig(kind="sqlite", path=other))
    log = open_log(config, 0, "sequencer")
    head, values = bytes(32), []
    for raw in shard.values("entry")[:300]:
        entry = Entry.parse(raw)
        proof = entry.proof_raw
        if entry.index == 250:
            proof = entry.proof_raw.replace(entry.proof_raw[-30:-20], b"AAAAAAAAAA")
        rebuilt = build_entry(
            entry.event_raw,
            proof,
            index=entry.index,
            origin=shard.origin,
            prev=head,
            sequenced=entry.sequenced,
            stream_prev=entry.stream_prev,
            stream_seq=entry.stream_seq,
            term=1,
        )
        head = Entry.parse(rebuilt).leaf
        values.append(("entry", rebuilt))
    log.append(
        [("term", sign_statement(TermNote(shard.origin, 1, 0, bytes(32), bytes(32)), shard.signer)), *values]
    )
    found = fsck(log, None, shard.origin, shard.log_key, shard.check_event)
    log.close()
    assert found.first_damage == 250
    assert found.findings[0].code == "E_SIG"


def test_dead_records_are_counted_by_reason_and_are_no_damage(shard: Rig) -> None:
    filled(shard)
    writer = shard.open_log("sequencer")
    old = shard.values("entry")[10]
    writer.append(
        [("entry", b"{}"), ("surprise", b""), ("entry", old), ("checkpoint", shard.values("checkpoint")[0])]
    )
    found = report(shard)
    assert found.ok
    assert found.dead == {"form": 1, "kind": 1, "index": 1, "prev": 1, "repeat": 1}


def test_evidence_of_misbehaviour_is_a_finding(shard: Rig) -> None:
    filled(shard)
    lie = sign_statement(Checkpoint(shard.origin, 3, bytes(32)), shard.signer)
    shard.open_log("sequencer").append([("checkpoint", lie)])
    assert [one.code for one in report(shard).findings] == ["E_INCONSISTENT"]
