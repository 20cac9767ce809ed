"""Registrars' orders: how the registry and the producers' streams are written (formats 5).

An order is what registrars approve and the sequencer turns into an entry of the ledger's own. It says for which
place in its stream it is (`at`), so nobody can replay or reorder it, and each approval is for one shard's origin.
Nothing here judges an order: the registry does, when the sequencer comes to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.keys import Signer
from ledger.kernel.registry import approval_message
from ledger.log.port import Submission

FORMAT = "duecourse ledger 1"
ORDER_BYTES_MAX = 32 * 1024
MEMBERS = ("data", "subject", "type")


@dataclass(frozen=True, slots=True)
class Order:
    """One order: `type` is the whole event type, `data` has `at` and the approvals collected so far."""

    type: str
    subject: str
    data: Mapping[str, Any]

    def encode(self) -> bytes:
        return canonical.encode({"data": dict(self.data), "subject": self.subject, "type": self.type})


def event_type(short: str) -> str:
    """`founded` or `ledger.founded` as a whole type: `duecourse.ledger.founded.v1`."""
    return f"duecourse.ledger.{short.removeprefix('ledger.')}.v1"


def make_order(short: str, subject: str, data: Mapping[str, Any]) -> bytes:
    """An order nobody has approved yet, as canonical bytes. `data` must say `at`.
    Raises `Refused` where it cannot be said in canonical JSON."""
    if "at" not in data:
        raise Refused("E_CONTEXT", "an order says at which place of its stream it is to apply", "/data/at")
    return Order(event_type(short), subject, {**data, "approvals": []}).encode()


def approve(order: bytes, origin: str, signer: Signer) -> bytes:
    """The order with one registrar's approval for the shard `origin`; approving twice changes nothing."""
    parsed = parse_order(order)
    said = {name: value for name, value in parsed.data.items() if name != "approvals"}
    message = approval_message(origin, parsed.type, parsed.subject, said)
    key = signer.public_key.hex()
    approvals = {approval["key"]: approval for approval in parsed.data["approvals"]}
    approvals[key] = {"key": key, "signature": canonical.b64(signer.sign(message))}
    said["approvals"] = [approvals[one] for one in sorted(approvals)]
    return Order(parsed.type, parsed.subject, said).encode()


def parse_order(raw: bytes) -> Order:
    """Reads an order strictly; `Refused` with the place where it is none."""
    if len(raw) > ORDER_BYTES_MAX:
        raise Refused("E_LIMIT", f"an order of {len(raw)} bytes; at most {ORDER_BYTES_MAX}", "order")
    value = canonical.decode(raw)
    if not isinstance(value, dict) or tuple(sorted(value)) != MEMBERS:
        raise Refused("E_SCHEMA", "an order has the members data, subject and type", "order")
    data = value["data"]
    if (
        not isinstance(data, dict)
        or not isinstance(value["subject"], str)
        or not isinstance(value["type"], str)
    ):
        raise Refused("E_SCHEMA", "an order's type and subject are text and its data is an object", "order")
    approvals = data.get("approvals")
    if not isinstance(approvals, list) or not all(
        isinstance(one, dict)
        and sorted(one) == ["key", "signature"]
        and all(isinstance(part, str) for part in one.values())
        for one in approvals
    ):
        raise Refused("E_SCHEMA", "approvals are a list of key and signature", "/data/approvals")
    if isinstance(data.get("at"), bool) or not isinstance(data.get("at"), int):
        raise Refused("E_SCHEMA", "`at` is a whole number", "/data/at")
    return Order(value["type"], value["subject"], data)


def submission(order: bytes) -> Submission:
    """The order as it is handed in at the log's front door."""
    return Submission(subject=parse_order(order).subject, value=order, proof=b"", kind="order")


def founding(
    *,
    name: str,
    shard: int,
    shards: int,
    log_key: bytes,
    registrars: Sequence[tuple[bytes, str]],
    threshold: int,
    vault_key: bytes,
    predecessor: Mapping[str, Any] | None = None,
) -> bytes:
    """The order that founds a shard, its first submission. `registrars` are (public key, name)."""
    data: dict[str, Any] = {
        "at": 0,
        "format": FORMAT,
        "log_key": log_key.hex(),
        "name": name,
        "registrars": registrar_list(registrars),
        "shard": shard,
        "shards": shards,
        "threshold": threshold,
        "vault_key": vault_key.hex(),
    }
    if predecessor is not None:
        data["predecessor"] = dict(predecessor)
    return make_order("founded", "registry", data)


def registrar_list(registrars: Sequence[tuple[bytes, str]]) -> list[dict[str, str]]:
    """Registrars as the registry writes them, ascending by key."""
    return sorted(({"key": key.hex(), "name": name} for key, name in registrars), key=lambda one: one["key"])
