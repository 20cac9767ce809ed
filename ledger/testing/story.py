"""The story that the forged bundles bend: a card debt, from registration to a broken plan, in some thirty entries."""

from __future__ import annotations

from typing import Any

from ledger.kernel.digest import sha256
from ledger.testing.forge import (
    CASE,
    NAME,
    OTHER_CASE,
    PACK,
    PACK_TOML,
    SHARDS,
    STAFF,
    START_US,
    THRESHOLD,
    Forge,
    identity,
    registrars,
    signer,
)

PARTY, DEBT, POINT = identity("debtor"), identity("debt"), identity("point")
_CONTACT: dict[str, Any] = {
    "contact_point": POINT,
    "debts": [DEBT],
    "parties": [{"party": PARTY, "role": "debtor"}],
}
CALL: dict[str, Any] = {**_CONTACT, "outcome": "no_answer", "purpose": "interactive"}
WORDS = "Please stop calling my mother.\nShe is 81 \u202eand ill\u202c \U0001f61e"


def found(forge: Forge) -> None:
    """Founding, adoption, and three producers: the administrative beginning."""
    forge.order(
        "founded",
        "ledger.founded",
        "registry",
        format="duecourse ledger 1",
        log_key=signer(forge.log).public_key.hex(),
        name=NAME,
        registrars=registrars(),
        shard=0,
        shards=SHARDS,
        threshold=THRESHOLD,
        vault_key=sha256(b"vault").hex(),
    )
    forge.order(
        "adopted",
        "ledger.pack_adopted",
        "registry",
        binding=[],
        digest=sha256(PACK_TOML).hex(),
        id=PACK[0],
        version=PACK[1],
        **{"from": "2026-03-02T00:00:00.000000Z"},
    )
    scope = {
        "crm": ["case", "complaint", "debt", "party", "payment", "plan", "staff"],
        "dialler": ["contact"],
        "gateway": ["contact.message_sent"],
    }
    for producer, types in scope.items():
        forge.order(
            f"register-{producer}",
            "ledger.producer_registered",
            f"producer/{producer}",
            capacities=["first_party"],
            key=signer(producer).public_key.hex(),
            tenants=["bank"],
            types=types,
        )
    forge.seal("seal-0")


def play(forge: Forge) -> Forge:
    """The whole story. Seals stand at three places, and the last one ends it."""
    found(forge)
    _open_case(forge)
    forge.seal("seal-1")
    _collect(forge)
    forge.seal("seal-2")
    _change_keys(forge)
    forge.seal("seal")
    return forge


def _open_case(forge: Forge) -> None:
    forge.event(
        "registered",
        "crm",
        "case.registered",
        {"origin": "own", "places": [{"place": "CN-31", "since": "2019-05-01"}], "stage": "registered"},
    )
    forge.event(
        "debt",
        "crm",
        "debt.itemised",
        {
            "currency": "CNY",
            "debt": DEBT,
            "fees": 12_00,
            "interest": 345_67,
            "itemised_on": "2026-02-28",
            "principal": 8_900_00,
            "product": "credit_card",
        },
    )
    forge.event(
        "point",
        "crm",
        "party.contact_point_changed",
        {
            "action": "add",
            "contact_point": POINT,
            "medium": "voice",
            "party": PARTY,
            "role": "debtor",
            "source": "contract",
            "zone": "Asia/Shanghai",
            "zone_source": "residence",
        },
        protected={"address": "+86 138 0000 0000"},
    )
    forge.event(
        "staff",
        "crm",
        "staff.qualified",
        {"kind": "certificate", "valid_from": "2025-01-01"},
        subject=STAFF,
        protected={"certificate_no": "C-0001"},
    )
    forge.flush()
    forge.event(
        "other",
        "crm",
        "case.registered",
        {"origin": "placed", "places": [{"place": "CN-11", "since": "2020-01-01"}], "stage": "overdue"},
        subject=OTHER_CASE,
    )
    forge.flush()


def _collect(forge: Forge) -> None:
    for number in range(1, 4):
        forge.event(f"call-{number}", "dialler", "contact.call_placed", CALL)
    forge.event("call-4", "dialler", "contact.call_placed", {**CALL, "outcome": "busy"}, subject=OTHER_CASE)
    forge.flush()
    forge.event(
        "message",
        "gateway",
        "contact.message_sent",
        {
            **_CONTACT,
            "content": ["balance", "contact"],
            "evidence": [
                {
                    "bytes": 1234,
                    "captured": "2026-03-02T01:00:00.000000Z",
                    "kind": "message_copy",
                    "media_type": "text/plain",
                    "sha256": sha256(b"message").hex(),
                }
            ],
            "kind": "reminder",
            "medium": "sms",
            "template": "reminder@3",
            "visibility": "private",
        },
        protected={"to": "王小明 +86 138 0000 0000"},
    )
    forge.flush()
    forge.event(
        "complaint",
        "crm",
        "complaint.received",
        {"category": "third_party", "forum": "bank"},
        protected={"words": WORDS},
    )
    forge.event(
        "plan",
        "crm",
        "plan.agreed",
        {
            "currency": "CNY",
            "debts": [DEBT],
            "first_due_on": "2026-04-01",
            "form": "written",
            "items": ["balance", "schedule", "charges", "no_new_card", "rights_duties"],
            "last_due_on": "2027-03-01",
            "months": 12,
            "plan": identity("plan"),
            "signed_by": ["debtor"],
            "total": 9_257_67,
        },
    )
    forge.flush()


def _change_keys(forge: Forge) -> None:
    forge.order(
        "key-added",
        "ledger.producer_key_added",
        "producer/crm",
        key=signer("crm new").public_key.hex(),
    )
    forge.event(
        "payment",
        "crm",
        "payment.received",
        {
            "allocation": [{"amount": 771_00, "debt": DEBT}],
            "amount": 771_00,
            "currency": "CNY",
            "method": "transfer",
            "payer": "debtor",
        },
    )
    forge.flush("crm new")
    forge.order(
        "key-revoked",
        "ledger.producer_key_revoked",
        "producer/crm",
        key=signer("crm").public_key.hex(),
        reason="laptop lost",
    )
    forge.order("epoch", "ledger.producer_epoch_opened", "producer/dialler", epoch=1, last_seq=f"{3:020d}")
    forge.event("call-5", "dialler", "contact.call_placed", {**CALL, "outcome": "answered"}, epoch=1)
    forge.flush()
    forge.event("stage", "crm", "case.stage_changed", {"stage": "overdue"})
    forge.flush("crm new")


__all__ = ["CASE", "START_US", "found", "play"]
