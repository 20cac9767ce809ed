"""What a line shows, and that nothing protected is opened on the way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.kernel.disclosure import protect
from ledger.testing.history import case, event_id
from ledger.testing.rig import rig
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore, connect
from projections.timeline.fold import split
from projections.timeline.query import count_by_source, timeline
from projections.timeline.store import TimelineView

SECRET = "Anna Bianchi, Via Roma 1"


def test_a_line_shows_codes_and_names_what_is_protected(tmp_path: Path) -> None:
    field = protect(
        SECRET,
        event_id=event_id(1),
        pointer="/data/to",
        protecting_key=bytes(32),
        nonce=bytes(12),
        salt_source=lambda n: "A" * n,
    ).value()
    with rig(tmp_path) as ledger, ViewStore(tmp_path / "views.db", [TimelineView()]) as store:
        ledger.found()
        tool = ledger.register("gateway")
        data = {"kind": "demand", "medium": "letter", "source_ref": "xes/send-fine/7/2", "to": field}
        message = tool.event(case(1), id=event_id(1), type="duecourse.contact.message_sent.v1", data=data,
                             dataschema="urn:duecourse:contact.message_sent:1")  # fmt: skip
        other = tool.event(case(1), corrects=event_id(1), type="duecourse.contact.message_sent.v1",
                           data={**data, "source_ref": "xes-also/send-fine/7/2", "void": True},
                           dataschema="urn:duecourse:contact.message_sent:1")  # fmt: skip
        call = tool.event(case(2))
        ledger.submit(tool.sign([message, other, call]))
        sequencer = ledger.sequencer()
        sequencer.start()
        sequencer.drain()
        Runner(store, Shard(ledger.open_log("reader"), ledger.origin, ledger.log_key)).catch_up()

        db = connect(store.path)
        first, second = timeline(db, case(1)[5:], 0)
        assert first.type == "contact.message_sent"
        assert first.protected == ("to",)
        assert first.codes == {"kind": "demand", "medium": "letter", "source_ref": "xes/send-fine/7/2"}
        assert (first.corrected_by, first.voided, first.corrects) == (second.index, True, None)
        assert (second.corrects, second.corrected_by, second.stream_seq) == (first.index, None, 1)
        assert (first.producer, first.actor, first.capacity) == ("gateway", "staff/1", "first_party")
        assert "corrects" not in first.value()
        assert first.value()["protected"] == ["to"]

        (alone,) = timeline(db, case(1)[5:], 0, until=first.index)
        assert (alone.corrected_by, alone.voided) == (None, False)
        assert list(timeline(db, case(3)[5:], 0)) == []
        assert count_by_source(db, "xes") == {"send-fine": 1}
        db.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("views.db*"))
    assert SECRET.encode() not in stored
    assert field["cipher"].encode() not in stored


@pytest.mark.parametrize(
    ("data", "codes", "hidden"),
    [
        ({"a": 1}, {"a": 1}, ()),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, ()),
        ({"a": {"cipher": "", "digest": "", "key": "", "nonce": ""}, "b": []}, {"b": []}, ("a",)),
    ],
)
def test_only_the_stored_form_of_a_protected_field_is_left_out(
    data: dict[str, object], codes: dict[str, object], hidden: tuple[str, ...]
) -> None:
    assert split(data) == (codes, hidden)
