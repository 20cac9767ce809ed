"""One history of orders: who may sign what at which index, and what is refused (docs/formats/ 5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel.digest import ZERO
from ledger.kernel.entry import Entry, build_entry, ledger_event
from ledger.kernel.flush import sign_flush
from ledger.kernel.registry import Registry
from ledger.testing.history import NAME, approve, event_id, registrar_list, signer

ORIGIN = f"{NAME}/0"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Row:
    value: Row = json.loads((shared / "vectors/duecourse/keys.json").read_text())
    return value


def _data(row: Row) -> Row:
    data = {name: value for name, value in row.items() if name not in ("index", "type", "producer")}
    if "key" in data:
        data["key"] = signer(data["key"]).public_key.hex()
    if "registrars" in data:
        data["registrars"] = registrar_list("".join(data["registrars"]))
    match row["type"]:
        case "ledger.founded":
            data |= {
                "format": "duecourse ledger 1",
                "log_key": signer("LOG").public_key.hex(),
                "name": NAME,
                "shard": 0,
                "shards": 1,
                "vault_key": "ab" * 32,
            }
        case "ledger.producer_registered":
            data |= {"capacities": ["agency"], "tenants": ["bank"], "types": ["contact"]}
        case "ledger.producer_key_revoked":
            data |= {"reason": "lost"}
    return data


def _entry(registry: Registry, row: Row, registrars: str) -> Entry:
    subject = f"producer/{row['producer']}" if "producer" in row else "registry"
    count = registry.stream_count(subject)
    data = approve(
        ORIGIN, row["type"], subject, {"at": count, **_data(row)}, [signer(letter) for letter in registrars]
    )
    time = "2026-03-02T01:00:00.000000Z"
    event = {
        "type": row["type"],
        "subject": subject,
        "data": data,
        "time": time,
        "epoch": 1,
        "seq": 0,
        "prev_digest": ZERO,
        "event_id": event_id(row["index"]),
        "source": "//ledger.example.com",
    }
    raw = ledger_event(**event)
    [proof] = sign_flush([raw], ORIGIN, "ledger", signer("LOG"))
    return Entry.parse(
        build_entry(
            raw,
            proof,
            index=row["index"],
            origin=ORIGIN,
            prev=ZERO,
            sequenced=time,
            stream_prev=ZERO,
            stream_seq=count,
            term=1,
        )
    )


def _history(vectors: Row) -> Registry:
    registry = Registry(ORIGIN, signer("LOG").public_key)
    registrars, threshold = "", 0
    for row in vectors["history"]:
        if not registrars:
            registrars, threshold = "".join(row["registrars"]), row["threshold"]
        registry.apply(_entry(registry, row, registrars[:threshold]))
        if "registrars" in row:
            registrars, threshold = "".join(row["registrars"]), row["threshold"]
    return registry


def _answers(registry: Registry, question: Row, producers: dict[str, str]) -> bool:
    key = signer(question["key"]).public_key
    if question.get("job") == "approval":
        return registry.is_registrar(key, question["index"])
    sequenced = question.get("sequenced", "2026-03-02T01:00:00.000000Z")
    try:
        registry.check_key(key, producers[question["key"]], question["index"], sequenced)
    except Refused:
        return False
    return True


def test_every_question_is_answered_as_the_vectors_say(vectors: Row) -> None:
    registry = _history(vectors)
    producers = {row["key"]: row["producer"] for row in vectors["history"] if "producer" in row}
    assert len(vectors["questions"]) == 24
    for question in vectors["questions"]:
        assert _answers(registry, question, producers) == question["valid"], question


def test_every_order_that_must_not_be_carried_out_is_refused_and_changes_nothing(vectors: Row) -> None:
    codes = {}
    for row in vectors["refused"]:
        registry = _history(vectors)
        before = registry.dump()
        with pytest.raises(Refused) as caught:
            registry.apply(_entry(registry, row["then"], "BC"))
        codes[row["name"]] = caught.value.code
        assert registry.dump() == before, row["name"]
    assert codes == {
        "K1 again for p": "E_KEY_SCOPE",
        "K3 for another producer": "E_KEY_SCOPE",
        "a registrar's key for a producer": "E_KEY_SCOPE",
        "the log key for a producer": "E_KEY_SCOPE",
        "a former registrar again": "E_KEY_SCOPE",
        "threshold above the registrars": "E_SCHEMA",
        "revoked twice": "E_KEY_REVOKED",
        "another producer's key revoked": "E_KEY_SCOPE",
        "registered twice": "E_KEY_SCOPE",
        # The envelope refuses the stream before the registry is asked.
        "the ledger as a producer": "E_SCHEMA",
    }


def test_the_same_history_is_carried_out_where_the_orders_are_in_order(vectors: Row) -> None:
    """So that the refusals above are refusals of what is wrong, not of everything."""
    registry = _history(vectors)
    row = {"index": 31, "type": "ledger.producer_key_added", "producer": "p", "key": "K9"}
    registry.apply(_entry(registry, row, "BC"))
    registry.check_key(signer("K9").public_key, "p", 32, "2026-03-02T01:00:00.000000Z")


def test_one_approval_is_not_enough_where_two_are_asked_for(vectors: Row) -> None:
    registry = _history(vectors)
    row = {"index": 31, "type": "ledger.producer_key_added", "producer": "p", "key": "K9"}
    with pytest.raises(Refused, match="E_KEY_SCOPE: 1 approvals of 2"):
        registry.apply(_entry(registry, row, "B"))
    with pytest.raises(Refused, match="E_KEY_SCOPE: approved by no registrar"):
        registry.apply(_entry(registry, row, "AB"))
    with pytest.raises(Refused, match="E_KEY_UNKNOWN: approved by no registrar"):
        registry.apply(_entry(registry, row, "BZ"))
