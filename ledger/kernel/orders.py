"""Shapes of what the ledger says itself: the closed members of every `ledger.…` type, by its stream.
A shape that passes says nothing of whether the order may be carried out: that is registry.py's.

Source: docs/formats/ 5."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.event import CAPACITIES, EPOCH_MAX

LEDGER_FORMAT: Final = "duecourse ledger 1"
KEY_MEMBER: Final = "key"
_FORMAT = re.compile(r"duecourse ledger ([1-9][0-9]{0,8})")
_PREFIX = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_CODE = re.compile(r"E_[A-Z_]{1,40}")
_SIGNATURE_TEXT = 88
TEXT_MAX = 200
LIST_MAX = 1000
SHARDS_MAX = 1 << 16

Check = Callable[[Any], bool]


def _text(value: object) -> bool:
    return canonical.is_text(value) and 1 <= len(value) <= TEXT_MAX


def _int(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _ascending(item: Check, *, low: int = 0) -> Check:
    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and low <= len(value) <= LIST_MAX
            and all(item(one) for one in value)
            and all(one < two for one, two in pairwise(value))
        )

    return check


def _keyed(members: Mapping[str, Check], *, low: int) -> Check:
    """A list of objects with exactly these members, ascending by `key`, each key once."""

    def check(value: Any) -> bool:
        if not isinstance(value, list) or not low <= len(value) <= LIST_MAX:
            return False
        for item in value:
            if not isinstance(item, dict) or item.keys() != members.keys():
                return False
            if not all(test(item[name]) for name, test in members.items()):
                return False
        return all(one["key"] < two["key"] for one, two in pairwise(value))

    return check


def _signature(value: object) -> bool:
    if not isinstance(value, str) or len(value) != _SIGNATURE_TEXT:
        return False
    try:
        return len(canonical.unb64(value)) == 64
    except Refused:
        return False


def _predecessor(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"origin", "root", "size"}
        and canonical.is_identifier(value["origin"])
        and canonical.is_digest(value["root"])
        and _int(1, canonical.INTEGER_MAX)(value["size"])
    )


def _prefix(value: object) -> bool:
    return isinstance(value, str) and len(value) <= TEXT_MAX and _PREFIX.fullmatch(value) is not None


_registrars = _keyed({"key": canonical.is_digest, "name": _text}, low=1)
_approvals = _keyed({"key": canonical.is_digest, "signature": _signature}, low=1)
_epoch = _int(0, EPOCH_MAX)
_scope: Final[dict[str, Check]] = {
    "capacities": _ascending(lambda value: value in CAPACITIES),
    "tenants": _ascending(canonical.is_identifier),
    "types": _ascending(_prefix),
}

# Streams in which a type stands. Orders are carried out on registrars' approvals, the ledger's own are not.
ORDERS: Final[dict[str, str]] = {
    "ledger.founded": "registry",
    "ledger.registrars_changed": "registry",
    "ledger.pack_adopted": "registry",
    "ledger.schema_released": "registry",
    "ledger.clock_corrected": "registry",
    "ledger.producer_registered": "producer",
    "ledger.producer_scope_changed": "producer",
    "ledger.producer_key_added": "producer",
    "ledger.producer_key_retired": "producer",
    "ledger.producer_key_revoked": "producer",
    "ledger.producer_epoch_opened": "producer",
    "ledger.quarantine_lifted": "producer",
}
OWN: Final[dict[str, str]] = {
    "ledger.equivocation_seen": "producer",
    "ledger.submission_rejected": "refused",
    "ledger.sealed": "seal",
}

_MEMBERS: Final[dict[str, dict[str, Check]]] = {
    "ledger.founded": {
        "format": lambda value: value == LEDGER_FORMAT,
        "log_key": canonical.is_digest,
        "name": canonical.is_identifier,
        "registrars": _registrars,
        "shard": _int(0, SHARDS_MAX - 1),
        "shards": _int(1, SHARDS_MAX),
        "threshold": _int(1, LIST_MAX),
        "vault_key": canonical.is_digest,
    },
    "ledger.registrars_changed": {"registrars": _registrars, "threshold": _int(1, LIST_MAX)},
    "ledger.pack_adopted": {
        "binding": _ascending(canonical.is_identifier),
        "digest": canonical.is_digest,
        "from": canonical.is_time,
        "id": canonical.is_identifier,
        "version": canonical.is_identifier,
    },
    "ledger.schema_released": {"digest": canonical.is_digest, "schema": canonical.is_identifier},
    "ledger.clock_corrected": {"reason": _text},
    "ledger.producer_registered": {KEY_MEMBER: canonical.is_digest, **_scope},
    "ledger.producer_scope_changed": _scope,
    "ledger.producer_key_added": {KEY_MEMBER: canonical.is_digest},
    "ledger.producer_key_retired": {KEY_MEMBER: canonical.is_digest, "until": canonical.is_time},
    "ledger.producer_key_revoked": {KEY_MEMBER: canonical.is_digest, "reason": _text},
    "ledger.producer_epoch_opened": {"epoch": _int(1, EPOCH_MAX)},
    "ledger.quarantine_lifted": {"reason": _text},
    "ledger.equivocation_seen": {
        "accepted": canonical.is_digest,
        "epoch": _epoch,
        "other": canonical.is_digest,
        "seq": canonical.is_counter,
    },
    "ledger.submission_rejected": {
        "code": lambda value: isinstance(value, str) and _CODE.fullmatch(value) is not None,
        "digest": canonical.is_digest,
        "epoch": _epoch,
        "seq": canonical.is_counter,
    },
    "ledger.sealed": {"prev": canonical.is_digest, "root": canonical.is_digest},
}
_OPTIONAL: Final[dict[str, dict[str, Check]]] = {
    "ledger.founded": {"predecessor": _predecessor},
    "ledger.producer_epoch_opened": {"last_seq": canonical.is_counter},
}
_ORDER_MEMBERS: Final[dict[str, Check]] = {"approvals": _approvals, "at": _int(0, canonical.INTEGER_MAX)}


def check_shape(short: str, data: object) -> None:
    """Closed members of a `ledger.…` payload, each of its kind. E_SCHEMA names the member; E_VERSION for a ledger
    of a newer format."""
    if not isinstance(data, dict):
        raise Refused("E_SCHEMA", "the payload is not an object", "data")
    required = dict(_MEMBERS[short])
    if short in ORDERS:
        required |= _ORDER_MEMBERS
    allowed = required | _OPTIONAL.get(short, {})
    for name in required:
        if name not in data:
            raise Refused("E_SCHEMA", "a required member is missing", f"data/{name}")
    if not data.keys() <= allowed.keys():
        raise Refused("E_SCHEMA", "a member that this type does not have", "data")
    if short == "ledger.founded" and isinstance(data["format"], str):
        newer = _FORMAT.fullmatch(data["format"])
        if newer is not None and int(newer[1]) > 1:
            raise Refused("E_VERSION", "a ledger of a newer format", "data/format")
    for name, value in data.items():
        if not allowed[name](value):
            raise Refused("E_SCHEMA", "the member is not what this type has there", f"data/{name}")
    if short == "ledger.founded" and data["shard"] >= data["shards"]:
        raise Refused("E_SCHEMA", "the shard is not one of the shards", "data/shard")
