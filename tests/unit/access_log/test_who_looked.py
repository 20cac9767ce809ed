"""Every handling of personal data is a line: who, what, what for; and nothing protected is opened on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.kernel.disclosure import protect
from ledger.testing.history import TENANT, case, event_id
from ledger.testing.rig import rig
from projections.access_log.query import accesses, count_by_actor
from projections.access_log.store import AccessLogView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore, connect

SECRET = "Anna Bianchi"
TYPE = {"type": "duecourse.data.handled.v1", "dataschema": "urn:duecourse:data.handled:1", "tenantid": TENANT}


def _data(action: str, purpose: str = "collection", **more: Any) -> dict[str, Any]:
    return {"action": action, "purpose": purpose, "fields": ["contact", "debt"], **more}


def test_who_looked_exported_and_erased_is_told_by_case_and_by_actor(tmp_path: Path) -> None:
    field = protect(
        SECRET, event_id=event_id(9), pointer="/data/requester", protecting_key=bytes(32), nonce=bytes(12),
        salt_source=lambda n: "A" * n,
    ).value()  # fmt: skip
    with rig(tmp_path) as ledger, ViewStore(tmp_path / "views.db", [AccessLogView()]) as store:
        ledger.found()
        desk = ledger.register("desk", types=["data", "contact"])
        looked = desk.event(case(1), **TYPE, data=_data("access"), actorid="staff/1")
        sent = desk.event(
            case(1), **TYPE, actorid="staff/2",
            data=_data("disclose", "entrustment", recipient_agency=case(7)[5:], records=[{"event": event_id(3)}]),
        )  # fmt: skip
        asked = desk.event(
            case(2), **TYPE, id=event_id(9), actorid="staff/1",
            data=_data("request_received", "subject_right", request="erase", requester=field),
        )  # fmt: skip
        wrong = json.loads(looked)["id"]
        void = desk.event(
            case(1), **TYPE, actorid="staff/1", corrects=wrong, data={**_data("access"), "void": True}
        )
        other = desk.event(case(2), **TYPE, actorid="staff/1", corrects=event_id(77), data=_data("export"))
        ledger.submit(desk.sign([looked, sent, asked, desk.event(case(1)), void, other]))
        sequencer = ledger.sequencer()
        sequencer.start()
        sequencer.drain()
        shard = Shard(ledger.open_log("reader"), ledger.origin, ledger.log_key)
        Runner(store, shard, batch=2).catch_up()

        db = connect(store.path)
        lines = list(accesses(db, case=case(1)[5:]))
        assert [(one.action, one.actor) for one in lines] == [
            ("access", "staff/1"), ("disclose", "staff/2"), ("access", "staff/1"),
        ]  # fmt: skip
        correction, disclosed, first = lines
        assert (first.corrected_by, first.voided, first.corrects) == (correction.index, True, None)
        assert (correction.corrects, correction.voided) == (first.index, False)
        assert disclosed.value() == {
            "action": "disclose", "actor": "staff/2", "capacity": "first_party", "case": case(1)[5:],
            "event": json.loads(sent)["id"], "fields": ["contact", "debt"], "index": disclosed.index,
            "producer": "desk", "purpose": "entrustment", "recipient_agency": case(7)[5:],
            "records": [event_id(3)], "role": "collector", "sequenced": disclosed.sequenced, "shard": 0,
            "time": disclosed.time,
        }  # fmt: skip
        (request,) = accesses(db, action="request_received")
        assert (request.case, request.request, request.requester) == (case(2)[5:], "erase", True)
        (stray,) = accesses(db, action="export")
        assert stray.corrects is None
        assert [one.action for one in accesses(db, actor="staff/1", limit=2)] == ["export", "access"]
        assert list(accesses(db, purpose="audit")) == []
        assert count_by_actor(db) == [
            ("staff/1", "export", "collection", 1),
            ("staff/1", "request_received", "subject_right", 1),
            ("staff/2", "disclose", "entrustment", 1),
        ]
        db.close()
        live = store.digests()
        assert rebuild(store, [shard]) == live
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("views.db*"))
    assert SECRET.encode() not in stored
    assert field["cipher"].encode() not in stored
