"""Orders: who has to approve what, and what they change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel.registry import Registry, shared_statements
from ledger.testing.history import NAME, Shard, approve, registrar_list, signer

ORIGIN = f"{NAME}/0"
TIME = "2026-03-02T01:00:00.000000Z"
FOUNDING: dict[str, Any] = {
    "at": 0,
    "format": "duecourse ledger 1",
    "log_key": signer("LOG").public_key.hex(),
    "name": NAME,
    "registrars": registrar_list("ABC"),
    "shard": 0,
    "shards": 4,
    "threshold": 2,
    "vault_key": "ab" * 32,
}


def _refused(
    short: str, subject: str, data: dict[str, Any], *, by: str = "AB", registry: Registry | None = None
) -> str:
    asked = registry or Registry(ORIGIN, signer("LOG").public_key)
    order = approve(ORIGIN, short, subject, data, [signer(letter) for letter in by])
    before = asked.dump()
    with pytest.raises(Refused) as caught:
        asked.check_order(f"duecourse.{short}.v1", subject, order, data["at"])
    assert asked.dump() == before
    return caught.value.code


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E_SCHEMA", {"threshold": 4}),
        ("E_SCHEMA", {"threshold": 0}),
        ("E_SCHEMA", {"threshold": True}),
        ("E_SCHEMA", {"registrars": registrar_list("ABC")[::-1]}),
        ("E_SCHEMA", {"registrars": []}),
        ("E_SCHEMA", {"registrars": [{"key": "00" * 32}]}),
        ("E_SCHEMA", {"registrars": "ABC"}),
        ("E_SCHEMA", {"shard": 4}),
        ("E_SCHEMA", {"shards": 0}),
        ("E_SCHEMA", {"more": 1}),
        ("E_SCHEMA", {"predecessor": {"origin": "o", "root": "x", "size": 1}}),
        ("E_SCHEMA", {"format": "duecourse ledger 01"}),
        ("E_VERSION", {"format": "duecourse ledger 2"}),
        ("E_ORIGIN", {"name": "ledger.example.com/other"}),
        ("E_ORIGIN", {"shard": 1}),
        ("E_KEY_SCOPE", {"log_key": signer("other").public_key.hex()}),
        ("E_KEY_SCOPE", {"vault_key": signer("LOG").public_key.hex()}),
        ("E_KEY_SCOPE", {"vault_key": signer("A").public_key.hex()}),
        ("E_KEY_WEAK", {"registrars": [{"key": "00" * 32, "name": "weak"}], "threshold": 1}),
        ("E_CONTEXT", {"at": 1}),
    ],
)
def test_a_founding_that_is_not_right_is_refused(code: str, changes: dict[str, Any]) -> None:
    assert _refused("ledger.founded", "registry", {**FOUNDING, **changes}) == code


def test_a_founding_is_approved_by_those_it_names() -> None:
    assert _refused("ledger.founded", "registry", FOUNDING, by="A") == "E_KEY_SCOPE"
    assert _refused("ledger.founded", "registry", FOUNDING, by="AX") == "E_KEY_UNKNOWN"
    registry = Registry(ORIGIN, signer("LOG").public_key)
    whole = {**FOUNDING, "predecessor": {"origin": "old/0", "root": "00" * 32, "size": 9}}
    order = approve(ORIGIN, "ledger.founded", "registry", whole, [signer("B"), signer("C")])
    registry.check_order("duecourse.ledger.founded.v1", "registry", order, 0)
    for member in order:
        short = {name: value for name, value in order.items() if name != member}
        with pytest.raises(Refused):
            registry.check_order("duecourse.ledger.founded.v1", "registry", {**short, "new": 1}, 0)
    with pytest.raises(Refused, match="E_INDEX"):
        registry.check_order("duecourse.ledger.founded.v1", "registry", order, 0, index=1)
    with pytest.raises(Refused, match="not an object"):
        registry.check_order("duecourse.ledger.founded.v1", "registry", [], 0)  # type: ignore[arg-type]


def test_an_approval_is_good_for_one_order_only() -> None:
    shard = Shard()
    registry = shard.validation.registry
    data = {"at": 0, "capacities": [], "key": signer("K").public_key.hex(), "tenants": [], "types": []}
    order = approve(ORIGIN, "ledger.producer_registered", "producer/p", data, [signer("A"), signer("B")])
    registry.check_order("duecourse.ledger.producer_registered.v1", "producer/p", order, 0)
    for type_, subject, changed, origin in (
        ("duecourse.ledger.producer_registered.v1", "producer/q", order, ORIGIN),
        ("duecourse.ledger.producer_registered.v1", "producer/p", {**order, "tenants": ["bank"]}, ORIGIN),
        ("duecourse.ledger.producer_registered.v1", "producer/p", order, f"{NAME}/1"),
    ):
        other = Shard(shard=int(origin[-1]), shards=2) if origin != ORIGIN else shard
        with pytest.raises(Refused, match="E_SIG"):
            other.validation.registry.check_order(type_, subject, changed, 0)
    twice = {**order, "approvals": [order["approvals"][0]] * 2}
    with pytest.raises(Refused, match="E_SCHEMA"):
        registry.check_order("duecourse.ledger.producer_registered.v1", "producer/p", twice, 0)
    with pytest.raises(Refused, match="E_CONTEXT"):
        registry.check_order("duecourse.ledger.producer_registered.v1", "producer/p", order, 1)


def test_types_and_streams_that_do_not_belong_together_are_refused() -> None:
    registry = Shard().validation.registry
    for type_, subject, code in (
        ("duecourse.ledger.clock_corrected.v1", "producer/p", "E_KEY_SCOPE"),
        ("duecourse.ledger.producer_key_added.v1", "registry", "E_KEY_SCOPE"),
        ("duecourse.ledger.clock_corrected.v2", "registry", "E_VERSION"),
        ("duecourse.ledger.something_new.v1", "registry", "E_VERSION"),
        ("duecourse.contact.call_placed.v1", "registry", "E_KEY_SCOPE"),
        ("duecourse.ledger.sealed.v1", "seal", "E_KEY_SCOPE"),
        ("duecourse.ledger.equivocation_seen.v1", "producer/p", "E_KEY_SCOPE"),
    ):
        with pytest.raises(Refused) as caught:
            registry.check_order(type_, subject, {}, 0)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("short", "subject", "data", "code"),
    [
        (
            "ledger.producer_registered",
            "producer/ledger",
            {"capacities": [], "tenants": [], "types": []},
            "E_KEY_SCOPE",
        ),
        ("ledger.producer_key_added", "producer/nobody", {}, "E_KEY_UNKNOWN"),
        ("ledger.producer_key_revoked", "producer/p", {"reason": "lost"}, "E_KEY_UNKNOWN"),
        ("ledger.producer_key_revoked", "producer/p", {"reason": ""}, "E_SCHEMA"),
        ("ledger.producer_key_retired", "producer/p", {"until": "2026-03-02"}, "E_SCHEMA"),
    ],
)
def test_an_order_about_a_producer_or_key_that_is_not_there_is_refused(
    short: str, subject: str, data: dict[str, Any], code: str
) -> None:
    shard = Shard()
    shard.register("p")
    at = shard.validation.registry.stream_count(subject)
    order = {"at": at, "key": signer("K").public_key.hex(), **data}
    assert _refused(short, subject, order, registry=shard.validation.registry) == code


def test_a_weak_key_is_not_registered() -> None:
    shard = Shard()
    shard.register("p")
    order = {"at": 1, "key": "01" + "00" * 31}
    assert (
        _refused("ledger.producer_key_added", "producer/p", order, registry=shard.validation.registry)
        == "E_KEY_WEAK"
    )


def test_epochs_open_in_order_and_quarantine_is_lifted_once() -> None:
    shard = Shard()
    shard.register("p")
    registry = shard.validation.registry
    shard.order("ledger.producer_epoch_opened", "producer/p", {"epoch": 2, "last_seq": "0" * 20})
    for epoch in (1, 2):
        order = {"at": 2, "epoch": epoch}
        assert _refused("ledger.producer_epoch_opened", "producer/p", order, registry=registry) == "E_CONTEXT"
    lift = {"at": 2, "reason": "looked at"}
    assert _refused("ledger.quarantine_lifted", "producer/p", lift, registry=registry) == "E_CONTEXT"
    known = shard.validation.registry.producer("p")
    assert known is not None
    assert known.epochs == {0, 2}


def test_scope_is_by_whole_words_and_can_be_changed() -> None:
    shard = Shard()
    shard.register("p", types=["contact", "debt.itemised"])
    known = shard.validation.registry.producer("p")
    assert known is not None
    assert [known.may_say(one) for one in ("contact.call_placed", "contact", "contacts.x", "debt", "debt.itemised")] == [
        True, True, False, False, True,
    ]  # fmt: skip
    event = {"tenantid": "bank", "actorcapacity": "agency", "type": "duecourse.contact.call_placed.v1"}
    registry = shard.validation.registry
    registry.check_scope(known, event)
    registry.check_scope(known, event)
    for name, value in (
        ("tenantid", "other"),
        ("actorcapacity", "law_firm"),
        ("type", "duecourse.debt.adjusted.v1"),
        ("type", "duecourse.ledger.sealed.v1"),
    ):
        with pytest.raises(Refused, match="E_KEY_SCOPE"):
            registry.check_scope(known, {**event, name: value})
    shard.order(
        "ledger.producer_scope_changed", "producer/p", {"capacities": ["agency"], "tenants": [], "types": []}
    )
    changed = shard.validation.registry.producer("p")
    assert changed is not None
    with pytest.raises(Refused, match="E_KEY_SCOPE"):
        shard.validation.registry.check_scope(changed, event)


def test_a_producer_registered_for_the_ledgers_types_still_cannot_say_them() -> None:
    shard = Shard()
    shard.register("p", types=["ledger"])
    known = shard.validation.registry.producer("p")
    assert known is not None
    event = {"tenantid": "bank", "actorcapacity": "agency", "type": "duecourse.ledger.sealed.v1"}
    with pytest.raises(Refused, match="E_KEY_SCOPE"):
        shard.validation.registry.check_scope(known, event)


def test_a_retired_key_is_not_retired_again_but_can_be_revoked() -> None:
    shard = Shard()
    shard.register("p")
    key = signer("p").public_key.hex()
    shard.order("ledger.producer_key_retired", "producer/p", {"key": key, "until": TIME})
    again = {"at": 2, "key": key, "until": "2027-03-02T01:00:00.000000Z"}
    registry = shard.validation.registry
    assert _refused("ledger.producer_key_retired", "producer/p", again, registry=registry) == "E_KEY_REVOKED"
    shard.order("ledger.producer_key_revoked", "producer/p", {"key": key, "reason": "lost"})
    with pytest.raises(Refused, match="E_KEY_REVOKED"):
        shard.validation.registry.check_key(signer("p").public_key, "p", shard.validation.next_index, TIME)


def test_packs_schemas_and_clock_corrections_are_remembered() -> None:
    shard = Shard()
    pack = {"binding": ["a", "b"], "digest": "00" * 32, "from": TIME, "id": "us", "version": "1"}
    shard.order("ledger.pack_adopted", "registry", pack)
    shard.order("ledger.schema_released", "registry", {"digest": "11" * 32, "schema": "urn:duecourse:x:1"})
    shard.order("ledger.clock_corrected", "registry", {"reason": "ntp was wrong"})
    registry = shard.validation.registry
    assert registry.packs == [{**pack, "index": 1}]
    assert registry.schemas == {"urn:duecourse:x:1": "11" * 32}
    assert (registry.clock_corrected, registry.registry_count, registry.shards) == (3, 4, 1)
    unsorted = {"at": 4, **pack, "binding": ["b", "a"]}
    assert _refused("ledger.pack_adopted", "registry", unsorted, registry=registry) == "E_SCHEMA"


def test_a_dump_is_loaded_as_it_was_and_a_copy_goes_its_own_way() -> None:
    shard = Shard()
    shard.register("p")
    registry = shard.validation.registry
    loaded = Registry.load(json.loads(json.dumps(registry.dump())))
    assert loaded.dump() == registry.dump()
    copied = registry.copy()
    before = copied.dump()
    shard.register("q")
    shard.order(
        "ledger.producer_key_revoked", "producer/p", {"key": signer("p").public_key.hex(), "reason": "lost"}
    )
    assert copied.dump() == before != shard.validation.registry.dump()
    for value in ({}, {**before, "keys": [["zz", {}]]}, {**before, "producers": 7}):
        with pytest.raises(Refused):
            Registry.load(value)


def test_shards_that_say_different_things_are_named() -> None:
    one, two = Shard(shard=0, shards=2), Shard(shard=1, shards=2)
    for shard in (one, two):
        shard.register("p")
    assert shared_statements([one.validation.registry, two.validation.registry]) == []
    one.order("ledger.schema_released", "registry", {"digest": "11" * 32, "schema": "urn:duecourse:x:1"})
    one.order(
        "ledger.producer_key_revoked", "producer/p", {"key": signer("p").public_key.hex(), "reason": "lost"}
    )
    assert shared_statements([one.validation.registry, two.validation.registry]) == ["schemas", "producers"]


def test_nothing_is_ordered_before_the_shard_is_founded() -> None:
    registry = Registry(ORIGIN, signer("LOG").public_key)
    assert (
        _refused("ledger.clock_corrected", "registry", {"at": 0, "reason": "x"}, registry=registry)
        == "E_CONTEXT"
    )
    with pytest.raises(Refused, match="E_CONTEXT"):
        _ = registry.shards
