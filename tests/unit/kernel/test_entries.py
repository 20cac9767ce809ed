"""Entries: written around the bytes of event and proof, read in one spelling only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.entry import ENTRY_BYTES_MAX, Entry, build_entry, is_ledgers_own, ledger_event
from ledger.kernel.flush import Proof
from ledger.testing.history import Tool, case, event_id

ORIGIN = "ledger.example.com/cards/0"
TIME = "2026-03-02T01:00:00.000000Z"


def _build(event: bytes, proof: bytes, **changes: Any) -> bytes:
    place: dict[str, Any] = {
        "index": 7,
        "origin": ORIGIN,
        "prev": b"p" * 32,
        "sequenced": TIME,
        "stream_prev": b"s" * 32,
        "stream_seq": 3,
        "term": 2,
    }
    return build_entry(event, proof, **(place | changes))


def _submission(**changes: Any) -> tuple[bytes, bytes]:
    tool = Tool(ORIGIN, "dialler")
    events = [tool.event(case(1), **changes), tool.event(case(2)), tool.event(case(1))]
    return tool.sign(events)[0]


def test_an_entry_holds_what_it_was_made_of() -> None:
    event_raw, proof_raw = _submission()
    raw = _build(event_raw, proof_raw)
    assert raw == canonical.encode(orjson.loads(raw))
    entry = Entry.parse(raw)
    assert entry.leaf == leaf_hash(raw)
    assert (entry.index, entry.origin, entry.term, entry.sequenced) == (7, ORIGIN, 2, TIME)
    assert (entry.prev, entry.stream_prev, entry.stream_seq) == (b"p" * 32, b"s" * 32, 3)
    assert (entry.event_raw, entry.proof_raw) == (event_raw, proof_raw)
    assert entry.proof == Proof.parse(proof_raw)
    assert entry.event == orjson.loads(event_raw)
    assert entry.subject == case(1)
    assert entry == Entry.read(raw)
    assert hash(entry) == hash(Entry.read(raw))


@given(st.text('abc"\\,:{}[]index proof sequenced ', max_size=60), st.integers(0, 2**53 - 1))
def test_event_and_proof_are_cut_out_whatever_the_payload_says(text: str, number: int) -> None:
    hostile = {
        "index": number,
        "more": [text, {"index": 1, "proof": {"index": 0, "sequenced": text}}],
        "proof": text,
    }
    event_raw, proof_raw = _submission(data=hostile)
    entry = Entry.parse(_build(event_raw, proof_raw))
    assert (entry.event_raw, entry.proof_raw) == (event_raw, proof_raw)


def _changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    value = orjson.loads(_build(*_submission()))
    change(value)
    return orjson.dumps(value, None, orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(more=1),
        lambda value: value.pop("term"),
        lambda value: (value.pop("term"), value.update(other=1)),
        lambda value: value.update(event=1),
        lambda value: value.update(event=[]),
        lambda value: value.update(proof=None),
        lambda value: value.update(index=-1),
        lambda value: value.update(index=True),
        lambda value: value.update(index="7"),
        lambda value: value.update(stream_seq=-1),
        lambda value: value.update(stream_seq=None),
        lambda value: value.update(term=0),
        lambda value: value.update(term=False),
        lambda value: value.update(origin=""),
        lambda value: value.update(origin="a b"),
        lambda value: value.update(origin=7),
        lambda value: value.update(prev="A" * 64),
        lambda value: value.update(prev="a" * 62),
        lambda value: value.update(prev="a" * 63),
        lambda value: value.update(prev=None),
        lambda value: value.update(stream_prev="é" * 64),
        lambda value: value.update(stream_prev="B" * 64),
        lambda value: value.update(stream_prev="b" * 66),
        lambda value: value.update(sequenced="2026-03-02T01:00:60.000000Z"),
        lambda value: value.update(sequenced=TIME[:-1]),
        lambda value: value.update(sequenced=7),
        lambda value: value["event"]["data"].update(amount=1.5),
        lambda value: value["event"]["data"].update(amount=2**53),
        lambda value: value["event"]["data"].update(Key=1),
        lambda value: value["event"]["data"].update(note="\u202e"),
        lambda value: value.clear(),
    ],
)
def test_an_entry_of_another_form_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    raw = _changed(change)
    with pytest.raises(Refused):
        Entry.read(raw)
    with pytest.raises(Refused):
        Entry.parse(raw)


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}", b'"x"', b"\xff"])
def test_what_is_no_entry_at_all_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        Entry.read(raw)


def test_white_space_another_order_and_duplicate_members_are_refused() -> None:
    raw = _build(*_submission())
    for changed in (
        b" " + raw,
        raw + b"\n",
        raw.replace(b',"index":7', b', "index":7'),
        raw.replace(b',"term":2}', b',"term":2,"term":2}'),
        raw.replace(b'"index":7', b'"index":07'),
    ):
        assert changed != raw
        with pytest.raises(Refused):
            Entry.read(changed)


def test_an_entry_is_as_long_as_a_bundle_can_write() -> None:
    event_raw, proof_raw = _submission(data={"note": "x" * 45_000, "more": ["y" * 1000] * 17})
    raw = _build(event_raw, proof_raw)
    room = ENTRY_BYTES_MAX - len(raw)
    longer, proof_raw = _submission(data={"note": "x" * (45_000 + room), "more": ["y" * 1000] * 17})
    assert len(_build(longer, proof_raw)) == ENTRY_BYTES_MAX
    Entry.read(_build(longer, proof_raw))
    with pytest.raises(Refused, match="E_LIMIT"):
        Entry.read(_build(longer.replace(b"xx", b"xxx", 1), proof_raw))


def test_parsing_asks_more_than_acceptance_does() -> None:
    """Size, depth and envelope of the event, and the form of the proof."""
    nested: dict[str, Any] = {"a": 1}
    for _ in range(29):
        nested = {"a": nested}
    for changes in ({"data": nested}, {"data": {"note": "x" * 49_152}}, {"tenantid": None}, {"more": "x"}):
        raw = _build(*_submission(**changes))
        Entry.read(raw)
        with pytest.raises(Refused):
            Entry.parse(raw)
    shallower = nested["a"]
    Entry.parse(_build(*_submission(data=shallower)))
    raw = _changed(lambda value: value["proof"].update(size=0))
    Entry.read(raw)
    with pytest.raises(Refused):
        Entry.parse(raw)


def test_an_event_of_the_ledgers_own_is_whole_and_says_so() -> None:
    raw = ledger_event(
        type="ledger.sealed",
        subject="seal",
        data={"prev": "0" * 64, "root": "1" * 64},
        time=TIME,
        epoch=3,
        seq=9,
        prev_digest=ZERO,
        event_id=event_id(1),
        source="//ledger.example.com",
    )
    event = canonical.decode(raw, depth=30)
    assert is_ledgers_own(event)
    assert (event["producerepoch"], event["producerseq"]) == (3, "0" * 19 + "9")
    for name in ("actorid", "actorrole", "actorcapacity", "tenantid", "producerid"):
        assert not is_ledgers_own({**event, name: "other"})
    with pytest.raises(Refused, match="E_KEY_SCOPE"):
        ledger_event(
            type="ledger.sealed",
            subject=case(1),
            data={},
            time=TIME,
            epoch=3,
            seq=9,
            prev_digest=ZERO,
            event_id=event_id(1),
            source="//ledger.example.com",
        )


def test_an_entry_shows_nothing_of_its_event_in_a_log_line() -> None:
    assert repr(Entry.parse(_build(*_submission()))) == "Entry(ledger.example.com/cards/0 index=7 term=2)"
