"""Only what a checkpoint covers is handed out, and it is handed out once."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import ConfigurationError, Misbehaviour
from ledger.kernel.checkpoint import Checkpoint, sign_statement
from ledger.kernel.entry import Entry, build_entry
from projections.engine.reader import Reader, Resume


def _reader(ledger: Any, **where: Any) -> Reader:
    shard = ledger.shard()
    return Reader(shard.log, shard.origin, shard.log_key, **where)


def _all(reader: Reader, step: int = 7) -> list[int]:
    found: list[int] = []
    while True:
        read = reader.read(3)
        while batch := reader.peek(step):
            found += [placed.entry.index for placed in batch]
            reader.advance(len(batch))
        if not read:
            return found


def test_entries_come_in_index_order_up_to_the_newest_checkpoint(ledger: Any) -> None:
    ledger.call(1, 2, 3)
    ledger.sequence()
    ledger.call(1, 2)
    ledger.sequence()
    reader = _reader(ledger)
    indexes = _all(reader)
    assert indexes == list(range(len(ledger.rig.values("entry"))))
    assert reader.sealed == len(indexes) == reader.position


def test_what_no_checkpoint_covers_yet_is_not_handed_out(ledger: Any) -> None:
    ledger.call(1, 2, 3)
    ledger.sequence()
    records = ledger.rig.front.records(0, 1000)
    assert records[-1].kind == "checkpoint"

    class WithoutTheLast:
        shard = 0

        def records(self, cursor: int, limit: int) -> list[Any]:
            return records[:-1][cursor : cursor + limit]

    shard = ledger.shard()
    reader = Reader(WithoutTheLast(), shard.origin, shard.log_key)  # type: ignore[arg-type]
    assert _all(reader) == []
    assert len(reader.peek(100)) == 0


def test_a_reader_goes_on_from_every_place_it_could_have_stopped_at(ledger: Any) -> None:
    for _ in range(4):
        ledger.call(1, 2, 3, 4, 5)
        ledger.sequence()
    whole = _all(_reader(ledger))
    first = _reader(ledger)
    while first.read(1000):
        pass
    for position in range(len(whole) + 1):
        resume = first.resume_at(position)
        assert resume.index <= position
        again = _reader(ledger, resume=resume, position=position)
        assert _all(again) == whole[position:]


def test_a_place_beyond_the_position_is_refused(ledger: Any) -> None:
    ledger.call(1)
    ledger.sequence()
    reader = _reader(ledger)
    while reader.read():
        pass
    resume = reader.resume_at(reader.sealed)
    with pytest.raises(ConfigurationError, match="position"):
        _reader(ledger, resume=resume, position=0)
    with pytest.raises(ConfigurationError, match="rebuild"):
        _reader(ledger, resume=Resume(0, 0, '{"final": 1}'), position=0)


def test_a_log_that_contradicts_itself_stops_the_reader_with_the_evidence(ledger: Any) -> None:
    ledger.call(1)
    ledger.sequence()
    size = len(ledger.rig.values("entry"))
    forged = sign_statement(Checkpoint(ledger.rig.origin, size + 5, b"\x07" * 32), ledger.rig.signer)
    ledger.rig.open_log("sequencer").append([("checkpoint", forged)])
    reader = _reader(ledger)
    with pytest.raises(Misbehaviour) as caught:
        _all(reader)
    assert caught.value.note == forged


def test_entries_that_a_later_term_cut_off_are_never_handed_out(ledger: Any) -> None:
    ledger.call(1, 2)
    ledger.sequence()
    last = Entry.parse(ledger.rig.values("entry")[-1])
    call = Entry.parse(ledger.rig.values("entry")[2])
    # Chained as acceptance asks, and wrong in everything that only the next sequencer looks at.
    foreign = build_entry(
        call.event_raw,
        call.proof_raw,
        index=last.index + 1,
        origin=ledger.rig.origin,
        prev=last.leaf,
        sequenced=last.sequenced,
        stream_prev=bytes(32),
        stream_seq=0,
        term=last.term,
    )
    ledger.rig.open_log("sequencer").append([("entry", foreign)])
    waiting = _reader(ledger)
    assert _all(waiting)[-1] == last.index
    ledger.sequencer = None
    ledger.call(3)
    ledger.sequence()
    indexes = _all(waiting)
    assert indexes[0] == last.index + 1
    raws = [raw for raw in ledger.rig.values("entry") if raw != foreign]
    assert foreign in ledger.rig.values("entry")
    assert indexes == list(range(last.index + 1, len(raws)))

    fresh = _reader(ledger)
    while fresh.read():
        pass
    assert [placed.entry.raw for placed in fresh.peek(1000)] == raws
