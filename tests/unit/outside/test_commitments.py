"""A day in one digest: the same whatever the order of the files, and one record of it can be proved."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical
from projections.exchange.outside.commitments import (
    RecordProof,
    by_day,
    day_key,
    day_root,
    leaves,
    prove,
    root_bytes,
    source_id,
)
from projections.exchange.outside.records import Collector, FileRead, Records

KEY = bytes(range(32))
DAY = "2026-06-10"
SOURCE = source_id(KEY, "call", "carrier-a")


def _records(ids: list[str]) -> Records:
    collector = Collector("call")
    collector.begin(FileRead("f", "00", 0, "text/csv", 0))
    for line, identity in enumerate(ids, 1):
        at = 1_781_049_600_000_000 + len(identity)
        collector.add(line, id=identity, at_us=at, day=DAY, number="+447700900123", status="BUSY")
    return collector.finish()


def _root(records: Records) -> bytes:
    return day_root(records, by_day(records).get(DAY, []), day_key(KEY, SOURCE, DAY))


_IDS = st.lists(st.text("abc019", min_size=1, max_size=6), min_size=1, max_size=20, unique=True)


@settings(max_examples=100, deadline=None)
@given(ids=_IDS, data=st.data())
def test_every_record_can_be_proved_and_only_as_it_was(ids: list[str], data: st.DataObject) -> None:
    records = _records(ids)
    number = data.draw(st.integers(0, len(ids) - 1))
    proof = prove(records, number, KEY, SOURCE)
    assert proof.root == _root(records)
    read = RecordProof.parse(canonical.encode(proof.value()))
    read.check()
    assert read == replace(proof)
    for changed in (
        replace(proof, record={**proof.record, "number": "+447700900124"}),
        replace(proof, record={**proof.record, "at": "2026-06-10T22:00:00.000000Z"}),
        replace(proof, key=bytes(32)),
        replace(proof, index=proof.index + 1),
        replace(proof, root=bytes(32)),
        replace(proof, path=(*proof.path, bytes(32))),
    ):
        with pytest.raises(Refused):
            changed.check()


@settings(max_examples=50, deadline=None)
@given(ids=_IDS)
def test_the_root_does_not_depend_on_the_order_of_the_records(ids: list[str]) -> None:
    assert _root(_records(ids)) == _root(_records(ids[::-1]))


def test_the_root_depends_on_key_source_and_day() -> None:
    records = _records(["a", "b"])
    numbers = by_day(records)[DAY]
    roots = {
        day_root(records, numbers, day_key(key, source, day))
        for key, source, day in (
            (KEY, SOURCE, DAY), (bytes(32), SOURCE, DAY), (KEY, source_id(KEY, "call", "carrier-b"), DAY),
            (KEY, source_id(KEY, "sms", "carrier-a"), DAY), (KEY, SOURCE, "2026-06-11"),
        )
    }  # fmt: skip
    assert len(roots) == 5


def test_the_root_is_the_digest_of_as_many_bytes_as_its_evidence_says() -> None:
    for count in (0, 1, 2, 3):
        records = _records([f"id{n}" for n in range(count)])
        hashes = leaves(records, by_day(records).get(DAY, []), day_key(KEY, SOURCE, DAY))
        assert root_bytes(count) == (0, 33, 65, 65)[count]
        if count == 0:
            assert _root(records) == hashlib.sha256(b"").digest()
        if count == 2:
            assert _root(records) == hashlib.sha256(b"\x01" + hashes[0] + hashes[1]).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"format": "duecourse statement proof 2"},
        {"index": "0"},
        {"key": "00"},
        {"path": [1]},
        {"record": []},
        {"record": {"day": "2026-06-11"}},
        {"more": 1},
        {"root": 5},
    ],
)
def test_what_is_no_proof_is_refused(change: dict[str, object]) -> None:
    value = prove(_records(["a", "b"]), 0, KEY, SOURCE).value()
    with pytest.raises(Refused):
        RecordProof.parse(canonical.encode({**value, **change}))
    with pytest.raises(Refused):
        RecordProof.parse(canonical.encode(value)[:-1])
