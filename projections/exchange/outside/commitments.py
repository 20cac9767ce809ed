"""A day of a statement in one digest, so that one record of it can be proved later, and nothing else be learnt.

Each record is committed to under a key of its own, worked out from the tenant key; the commitments are the leaves of a
Merkle tree in the order of the records' ids. Whoever holds a proof (record, its key, its path) and the root out of the
ledger knows that the record stood in the statement when it was counted. Without the key of a record nobody can test a
guess at it; with it, only at that one. Whoever has the tenant key and the files makes every proof again: nothing has to be
kept beside them. Source: docs/reconciling.md."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import leaf_hash
from ledger.kernel.merkle import inclusion_path, tree_root, verify_inclusion
from ledger.sdk.ids import local_id
from projections.exchange.outside.records import Channel, Records

FORMAT: Final = "duecourse statement proof 1"
ROOT_MEDIA_TYPE: Final = "application/vnd.duecourse.statement-root"
_MEMBERS: Final = {"day", "format", "index", "key", "path", "record", "root", "size", "source"}


def source_id(tenant_key: bytes, channel: Channel, name: str) -> str:
    """The uuid of a source's stream, from the name by which the tenant knows it."""
    return local_id(tenant_key, "source", channel, name)


def root_bytes(size: int) -> int:
    """How many bytes the root is the SHA-256 of: two hashes and a mark, one commitment and a mark, or nothing."""
    return 65 if size > 1 else 33 if size == 1 else 0


def day_key(tenant_key: bytes, source: str, day: str) -> bytes:
    """What the keys of one day's records are worked out with. A secret."""
    return hmac.digest(tenant_key, f"duecourse/statement/v1\n{source}\n{day}".encode(), "sha256")


def _committed(key: bytes, record: Mapping[str, Any]) -> bytes:
    return leaf_hash(hmac.digest(key, canonical.dumps(record), "sha256"))


def record_key(key_of_day: bytes, record_id: str) -> bytes:
    """The key of one record. It is told with a proof of that record, and opens no other."""
    return hmac.digest(key_of_day, record_id.encode(), "sha256")


def leaves(records: Records, numbers: Sequence[int], key_of_day: bytes) -> list[bytes]:
    """Leaf hashes of these records, in the order given."""
    ids, value = records.ids, records.value
    return [_committed(record_key(key_of_day, ids[n]), value(n)) for n in numbers]


def by_day(records: Records) -> dict[str, list[int]]:
    """The records of each day, in the order of their ids."""
    found: dict[str, list[int]] = {}
    for number, day in enumerate(records.days):
        found.setdefault(day, []).append(number)
    for numbers in found.values():
        numbers.sort(key=records.ids.__getitem__)
    return found


def day_root(records: Records, numbers: Sequence[int], key_of_day: bytes) -> bytes:
    """The root of one day, `numbers` in the order of `by_day`."""
    return tree_root(leaves(records, numbers, key_of_day))


@dataclass(frozen=True, slots=True)
class RecordProof:
    """That a record stood in a statement, as the root says that stands in the ledger."""

    source: str
    day: str
    record: Mapping[str, Any]
    key: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes

    def value(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "format": FORMAT,
            "index": self.index,
            "key": self.key.hex(),
            "path": [item.hex() for item in self.path],
            "record": dict(self.record),
            "root": self.root.hex(),
            "size": self.size,
            "source": self.source,
        }

    @classmethod
    def parse(cls, data: bytes) -> RecordProof:
        """A proof as `value` writes it, in canonical JSON. `Refused` for anything else."""
        value = canonical.decode(data)
        if not isinstance(value, dict) or value.keys() != _MEMBERS or value["format"] != FORMAT:
            raise Refused("E_SCHEMA", f"not a {FORMAT}")
        for name, kind in (("record", dict), ("index", int), ("size", int), ("path", list), ("source", str)):
            if type(value[name]) is not kind:
                raise Refused("E_SCHEMA", f"not {kind.__name__}", name)
        for name in ("key", "root", "day"):
            if type(value[name]) is not str:
                raise Refused("E_SCHEMA", "not text", name)
        if any(type(item) is not str for item in value["path"]):
            raise Refused("E_SCHEMA", "not text", "path")
        if value["record"].get("day") != value["day"]:
            raise Refused("E_SCHEMA", "the record is of another day", "day")
        return cls(
            source=value["source"],
            day=value["day"],
            record=value["record"],
            key=canonical.unhex(value["key"]),
            index=value["index"],
            size=value["size"],
            path=tuple(canonical.unhex(item) for item in value["path"]),
            root=canonical.unhex(value["root"]),
        )

    def check(self) -> None:
        """`Refused` unless the record stands at its place under the root. That the root stands in the ledger, for this
        source and day, is for the caller to see in a verified entry."""
        verify_inclusion(_committed(self.key, self.record), self.index, self.size, self.path, self.root)


def prove(records: Records, number: int, tenant_key: bytes, source: str) -> RecordProof:
    """The proof of one record."""
    day = records.days[number]
    numbers = by_day(records)[day]
    key = day_key(tenant_key, source, day)
    hashes = leaves(records, numbers, key)
    index = numbers.index(number)
    return RecordProof(
        source=source,
        day=day,
        record=records.value(number),
        key=record_key(key, records.ids[number]),
        index=index,
        size=len(numbers),
        path=tuple(inclusion_path(hashes, index)),
        root=tree_root(hashes),
    )
