"""The registry: who may approve, who may speak, with which key, from which index on. A fold over the entries of
`registry`, `producer/…` and `refused/…`, in index order; each order is judged by the registry as it stood before it.

Whoever replays all of them under a trusted log key knows every key's interval. It does not know that no entry was
left out: for that see headmap.py. Source: docs/formats/ 5; R5, R6, R16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from ledger.errors import Refused
from ledger.kernel import canonical, keys
from ledger.kernel.digest import sha256
from ledger.kernel.entry import Entry, is_ledgers_own
from ledger.kernel.event import (
    LEDGER,
    is_ledger_type,
    is_producerid,
    schema_version,
    short_type,
    subject_kind,
)
from ledger.kernel.orders import KEY_MEMBER, ORDERS, OWN, check_shape

LOG_OWNER: Final = "log"
REGISTRAR_OWNER: Final = "registrar"
VAULT_OWNER: Final = "vault"
_ALLOWED_MAX: Final = 4096


def approval_message(origin: str, event_type: str, subject: str, data: Mapping[str, Any]) -> bytes:
    """What a registrar signs: `data` without its approvals. `event_type` is the whole type."""
    bare = {name: value for name, value in data.items() if name != "approvals"}
    digest = sha256(canonical.encode(bare)).hex()
    return f"duecourse/approval/v1\n{origin}\n{event_type}\n{subject}\n{digest}\n".encode()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key's whole life. `since` and `ended` are the indexes of the entries that record and revoke it (or
    dismiss its registrar); `until` is a time after which no flush may be sequenced."""

    owner: str
    since: int
    ended: int | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Producer:
    """What one producer may say. `epochs`: opened ones; epoch 0 comes with the registration. `count`: entries of its
    stream, which is the `at` of the next order."""

    tenants: frozenset[str]
    capacities: frozenset[str]
    types: tuple[str, ...]
    since: int
    epochs: frozenset[int] = frozenset((0,))
    quarantined: bool = False
    count: int = 0
    # (tenant, capacity, type) found allowed under the present scope; a memo.
    allowed: set[tuple[str, str, str]] = field(default_factory=set, compare=False, repr=False)

    def may_say(self, short: str) -> bool:
        """Is this type (without `duecourse.` and version) under one of the registered prefixes, by whole words?"""
        return any(short == prefix or short.startswith(f"{prefix}.") for prefix in self.types)


class Registry:
    """State of the administrative streams. `apply` either takes an entry whole or raises and changes nothing."""

    def __init__(self, origin: str, log_key: bytes) -> None:
        self.origin = origin
        self.log_key = log_key
        self.founded: dict[str, Any] | None = None
        self.registrars: dict[bytes, str] = {}
        self.threshold = 0
        self.keys: dict[bytes, KeyRecord] = {log_key: KeyRecord(LOG_OWNER, -1)}
        self.producers: dict[str, Producer] = {}
        self.packs: list[dict[str, Any]] = []
        self.schemas: dict[str, str] = {}
        self.registry_count = 0
        # Index of the last clock correction: the next entry's `sequenced` may go back.
        self.clock_corrected: int | None = None

    @property
    def shards(self) -> int:
        """Number of shards of the ledger; E_CONTEXT before it is founded."""
        return int(self._founded()["shards"])

    def _founded(self) -> dict[str, Any]:
        if self.founded is None:
            raise Refused("E_CONTEXT", "the shard is not founded")
        return self.founded

    def producer(self, producerid: str) -> Producer | None:
        return self.producers.get(producerid)

    def stream_count(self, subject: str) -> int:
        """Entries that the registry has seen in `registry` or `producer/…`: the `at` of an order there."""
        if subject == "registry":
            return self.registry_count
        known = self.producers.get(subject.partition("/")[2])
        return known.count if known else 0

    # -- keys

    def check_key(self, key: bytes, producerid: str, index: int, sequenced: str) -> None:
        """Is this the producer's key, at this index and time? E_KEY_UNKNOWN, E_KEY_SCOPE for another's,
        E_KEY_REVOKED for one revoked before this index or retired before this time."""
        record = self.keys.get(key)
        if record is None or not record.since < index:
            raise Refused("E_KEY_UNKNOWN", "no such key is registered at this index")
        if record.owner != _owner(producerid):
            raise Refused("E_KEY_SCOPE", "the key belongs to somebody else")
        if record.ended is not None and not index < record.ended:
            raise Refused("E_KEY_REVOKED", f"the key was revoked at index {record.ended}")
        if record.until is not None and sequenced > record.until:
            raise Refused("E_KEY_REVOKED", f"the key was retired at {record.until}")

    def is_registrar(self, key: bytes, index: int) -> bool:
        """May this key approve an order at this index? An order is judged by what stood before it, so the dismissed
        may approve their dismissal and the appointed not their appointment."""
        record = self.keys.get(key)
        return (
            record is not None
            and record.owner == REGISTRAR_OWNER
            and record.since < index
            and (record.ended is None or index <= record.ended)
        )

    def check_producer(self, event: Mapping[str, Any], proof_key: bytes, index: int, sequenced: str) -> None:
        """May this event of a producer stand at this index, under this key? E_KEY_UNKNOWN, E_KEY_SCOPE,
        E_KEY_REVOKED, and E_PRODUCER_GAP for an epoch that was never opened."""
        producerid = event["producerid"]
        known = self.producers.get(producerid)
        if known is None:
            if proof_key not in self.keys:
                raise Refused("E_KEY_UNKNOWN", "no such producer, and no such key")
            raise Refused("E_KEY_SCOPE", "no such producer")
        self.check_key(proof_key, producerid, index, sequenced)
        if known.quarantined:
            raise Refused("E_KEY_SCOPE", "the producer is quarantined")
        self.check_epoch(known, event["producerepoch"])
        self.check_scope(known, event)

    def check_epoch(self, known: Producer, epoch: int) -> None:
        if epoch not in known.epochs:
            raise Refused("E_PRODUCER_GAP", f"epoch {epoch} was not opened")

    def check_scope(self, known: Producer, event: Mapping[str, Any]) -> None:
        """E_KEY_SCOPE unless the producer is registered for this tenant, capacity and type."""
        said = (event["tenantid"], event["actorcapacity"], event["type"])
        if said in known.allowed:
            return
        if event["tenantid"] not in known.tenants:
            raise Refused("E_KEY_SCOPE", "not registered for this tenant", "tenantid")
        if event["actorcapacity"] not in known.capacities:
            raise Refused("E_KEY_SCOPE", "not registered for this capacity", "actorcapacity")
        # The envelope lets other types stand in none of the ledger's own streams.
        if is_ledger_type(event["type"]):
            raise Refused("E_KEY_SCOPE", "only the ledger itself says this", "type")
        if not known.may_say(short_type(event["type"])):
            raise Refused("E_KEY_SCOPE", "not registered for this type", "type")
        if len(known.allowed) < _ALLOWED_MAX:
            known.allowed.add(said)

    # -- entries

    def apply(self, entry: Entry) -> None:
        """The next administrative or ledger-made entry. An entry whose event is not of a `ledger.…` type is
        E_KEY_SCOPE here; seals change nothing."""
        event = entry.event
        short = short_type(event["type"])
        subject = event["subject"]
        if not is_ledgers_own(event):
            raise Refused("E_KEY_SCOPE", "not made by the ledger itself")
        check_place(short, schema_version(event["type"]), subject)
        if event["producerepoch"] != entry.term:
            raise Refused("E_CONTEXT", f"made in term {event['producerepoch']}, entered in term {entry.term}")
        if entry.proof.key != self.log_key:
            raise Refused("E_KEY_SCOPE", "not signed by the log key")
        data = event["data"]
        if short in ORDERS:
            self.check_order(event["type"], subject, data, entry.stream_seq, index=entry.index)
            self._carry_out(short, subject, data, entry.index)
        else:
            check_shape(short, data)
            self._own(short, subject, data)

    def _own(self, short: str, subject: str, data: Mapping[str, Any]) -> None:
        producerid = subject.partition("/")[2]
        if short == "ledger.equivocation_seen":
            known = self._known_producer(producerid)
            if data["accepted"] == data["other"]:
                raise Refused("E_CONTEXT", "one event is no equivocation")
            self.producers[producerid] = replace(known, quarantined=True, count=known.count + 1)
        elif short == "ledger.submission_rejected":
            self._known_producer(producerid)

    def _known_producer(self, producerid: str) -> Producer:
        known = self.producers.get(producerid)
        if known is None:
            raise Refused("E_KEY_UNKNOWN", "the producer is not registered")
        return known

    # -- orders

    def check_order(
        self,
        event_type: str,
        subject: str,
        data: Mapping[str, Any],
        at: int,
        *,
        index: int | None = None,
    ) -> None:
        """Would this order be carried out now, as entry `at` of its stream? `event_type` is the whole type.
        E_SCHEMA for its shape, E_CONTEXT for a wrong `at` or state, E_SIG, E_KEY_SCOPE, E_KEY_UNKNOWN, E_KEY_WEAK,
        E_KEY_REVOKED for approvals and keys, E_INDEX for a founding elsewhere than at 0, E_VERSION."""
        short = short_type(event_type)
        check_place(short, schema_version(event_type), subject)
        if short not in ORDERS:
            raise Refused("E_KEY_SCOPE", "the ledger makes this without orders", "type")
        check_shape(short, data)
        if short == "ledger.founded":
            self._check_founding(data, index)
            approvers: Mapping[bytes, str] = {bytes.fromhex(item["key"]): "" for item in data["registrars"]}
            threshold = data["threshold"]
        else:
            self._founded()
            approvers, threshold = self.registrars, self.threshold
        if data["at"] != at or at != self.stream_count(subject):
            raise Refused("E_CONTEXT", f"the order is for place {data['at']} of its stream", "data/at")
        self._check_approvals(event_type, subject, data, approvers, threshold)
        self._check_state(short, subject, data)

    def _check_approvals(
        self,
        event_type: str,
        subject: str,
        data: Mapping[str, Any],
        approvers: Mapping[bytes, str],
        threshold: int,
    ) -> None:
        message = approval_message(self.origin, event_type, subject, data)
        for approval in data["approvals"]:
            key = bytes.fromhex(approval["key"])
            if key not in approvers:
                known = key in self.keys
                raise Refused(
                    "E_KEY_SCOPE" if known else "E_KEY_UNKNOWN", "approved by no registrar", "data/approvals"
                )
            if not keys.verify(key, canonical.unb64(approval["signature"]), message):
                raise Refused("E_SIG", "an approval does not verify", "data/approvals")
        if len(data["approvals"]) < threshold:
            raise Refused(
                "E_KEY_SCOPE", f"{len(data['approvals'])} approvals of {threshold}", "data/approvals"
            )

    def _check_founding(self, data: Mapping[str, Any], index: int | None) -> None:
        if self.founded is not None or index not in (None, 0):
            raise Refused("E_INDEX", "a shard is founded once, by entry 0")
        if data["log_key"] != self.log_key.hex():
            raise Refused("E_KEY_SCOPE", "founded for another log key", "data/log_key")
        if self.origin != f"{data['name']}/{data['shard']}":
            raise Refused("E_ORIGIN", f"founded as {data['name']}/{data['shard']}", "data/name")
        _check_registrars(data)
        if data["log_key"] in {item["key"] for item in data["registrars"]} or data["vault_key"] in {
            data["log_key"],
            *(item["key"] for item in data["registrars"]),
        }:
            raise Refused("E_KEY_SCOPE", "one key with two jobs", "data/registrars")

    def _check_state(self, short: str, subject: str, data: Mapping[str, Any]) -> None:
        if short == "ledger.registrars_changed":
            _check_registrars(data)
            for item in data["registrars"]:
                key = bytes.fromhex(item["key"])
                if key in self.keys and key not in self.registrars:
                    raise Refused("E_KEY_SCOPE", "the key has or had another job", "data/registrars")
        elif subject_kind(subject) == "producer":
            self._check_producer_order(short, subject.partition("/")[2], data)

    def _check_producer_order(self, short: str, producerid: str, data: Mapping[str, Any]) -> None:
        known = self.producers.get(producerid)
        if short == "ledger.producer_registered":
            if producerid == LEDGER or not is_producerid(producerid):
                raise Refused("E_KEY_SCOPE", "no producer can have this name", "subject")
            if known is not None:
                raise Refused("E_KEY_SCOPE", "the producer is registered already", "subject")
            self._check_new_key(data[KEY_MEMBER])
            return
        if known is None:
            raise Refused("E_KEY_UNKNOWN", "the producer is not registered", "subject")
        if short == "ledger.producer_key_added":
            self._check_new_key(data[KEY_MEMBER])
        elif short in ("ledger.producer_key_retired", "ledger.producer_key_revoked"):
            self._check_ending(short, producerid, data)
        elif short == "ledger.producer_epoch_opened":
            if data["epoch"] <= max(known.epochs):
                raise Refused("E_CONTEXT", "epochs only rise", "data/epoch")
        elif short == "ledger.quarantine_lifted" and not known.quarantined:
            raise Refused("E_CONTEXT", "the producer is not quarantined", "subject")

    def _check_new_key(self, text: str) -> None:
        key = bytes.fromhex(text)
        keys.check_public_key(key)
        if key in self.keys:
            raise Refused("E_KEY_SCOPE", "the key has or had an owner", "data/key")

    def _check_ending(self, short: str, producerid: str, data: Mapping[str, Any]) -> None:
        record = self.keys.get(bytes.fromhex(data[KEY_MEMBER]))
        if record is None:
            raise Refused("E_KEY_UNKNOWN", "no such key is registered", "data/key")
        if record.owner != _owner(producerid):
            raise Refused("E_KEY_SCOPE", "the key belongs to somebody else", "data/key")
        if record.ended is not None or (short == "ledger.producer_key_retired" and record.until is not None):
            raise Refused("E_KEY_REVOKED", "the key was ended before", "data/key")

    def _carry_out(self, short: str, subject: str, data: Mapping[str, Any], index: int) -> None:
        producerid = subject.partition("/")[2]
        if short == "ledger.founded":
            self.founded = dict(data)
            self.keys[bytes.fromhex(data["vault_key"])] = KeyRecord(VAULT_OWNER, index)
        if short in ("ledger.founded", "ledger.registrars_changed"):
            self._appoint(data, index)
        elif short == "ledger.pack_adopted":
            self.packs.append(
                {name: data[name] for name in ("binding", "digest", "from", "id", "version")}
                | {"index": index}
            )
        elif short == "ledger.schema_released":
            self.schemas[data["schema"]] = data["digest"]
        elif short == "ledger.clock_corrected":
            self.clock_corrected = index
        elif short == "ledger.producer_registered":
            self.producers[producerid] = Producer(
                frozenset(data["tenants"]), frozenset(data["capacities"]), tuple(data["types"]), index
            )
            self.keys[bytes.fromhex(data[KEY_MEMBER])] = KeyRecord(_owner(producerid), index)
        else:
            self._change_producer(short, producerid, data, index)
        if subject == "registry":
            self.registry_count += 1
        else:
            known = self.producers[producerid]
            self.producers[producerid] = replace(known, count=known.count + 1)

    def _appoint(self, data: Mapping[str, Any], index: int) -> None:
        chosen = {bytes.fromhex(item["key"]): item["name"] for item in data["registrars"]}
        for key in self.registrars:
            if key not in chosen:
                self.keys[key] = replace(self.keys[key], ended=index)
        for key in chosen:
            if key not in self.registrars:
                self.keys[key] = KeyRecord(REGISTRAR_OWNER, index)
        self.registrars, self.threshold = chosen, data["threshold"]

    def _change_producer(self, short: str, producerid: str, data: Mapping[str, Any], index: int) -> None:
        known = self.producers[producerid]
        key = bytes.fromhex(data.get(KEY_MEMBER, ""))
        if short == "ledger.producer_scope_changed":
            self.producers[producerid] = replace(
                known,
                tenants=frozenset(data["tenants"]),
                capacities=frozenset(data["capacities"]),
                types=tuple(data["types"]),
                allowed=set(),
            )
        elif short == "ledger.producer_key_added":
            self.keys[key] = KeyRecord(_owner(producerid), index)
        elif short == "ledger.producer_key_retired":
            self.keys[key] = replace(self.keys[key], until=data["until"])
        elif short == "ledger.producer_key_revoked":
            self.keys[key] = replace(self.keys[key], ended=index)
        elif short == "ledger.producer_epoch_opened":
            self.producers[producerid] = replace(known, epochs=known.epochs | {data["epoch"]})
        elif short == "ledger.quarantine_lifted":
            self.producers[producerid] = replace(known, quarantined=False)

    def statement(self, name: str) -> Any:
        """One part of what all shards of a ledger have to say alike, without indexes, which differ."""
        if name == "packs":
            return [{key: value for key, value in item.items() if key != "index"} for item in self.packs]
        if name == "producers":
            return {
                producerid: (
                    item.tenants,
                    item.capacities,
                    item.types,
                    sorted(
                        (key, record.until, record.ended is None)
                        for key, record in self.keys.items()
                        if record.owner == _owner(producerid)
                    ),
                )
                for producerid, item in self.producers.items()
            }
        return getattr(self, name)

    # -- copies

    def copy(self) -> Registry:
        """A registry that goes its own way from here. Records are never changed in place, so they are shared."""
        made = Registry(self.origin, self.log_key)
        made.founded = self.founded
        made.registrars = dict(self.registrars)
        made.threshold = self.threshold
        made.keys = dict(self.keys)
        made.producers = dict(self.producers)
        made.packs = list(self.packs)
        made.schemas = dict(self.schemas)
        made.registry_count = self.registry_count
        made.clock_corrected = self.clock_corrected
        return made

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values."""
        return {
            "clock_corrected": self.clock_corrected,
            "founded": self.founded,
            "keys": [[key.hex(), asdict(record)] for key, record in self.keys.items()],
            "log_key": self.log_key.hex(),
            "origin": self.origin,
            "packs": self.packs,
            "producers": [
                [
                    name,
                    {
                        "capacities": sorted(item.capacities),
                        "count": item.count,
                        "epochs": sorted(item.epochs),
                        "quarantined": item.quarantined,
                        "since": item.since,
                        "tenants": sorted(item.tenants),
                        "types": list(item.types),
                    },
                ]
                for name, item in self.producers.items()
            ],
            "registrars": [[key.hex(), name] for key, name in self.registrars.items()],
            "registry_count": self.registry_count,
            "schemas": [[schema, digest] for schema, digest in self.schemas.items()],
            "threshold": self.threshold,
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Registry:
        """A dumped state, believed as it stands. E_INCOMPLETE for something else."""
        try:
            made = cls(value["origin"], canonical.unhex(value["log_key"]))
            made.clock_corrected = value["clock_corrected"]
            made.founded = value["founded"]
            made.keys = {canonical.unhex(key): KeyRecord(**record) for key, record in value["keys"]}
            made.packs = list(value["packs"])
            for name, item in value["producers"]:
                made.producers[name] = Producer(
                    frozenset(item["tenants"]),
                    frozenset(item["capacities"]),
                    tuple(item["types"]),
                    item["since"],
                    frozenset(item["epochs"]),
                    item["quarantined"],
                    item["count"],
                )
            made.registrars = {canonical.unhex(key): name for key, name in value["registrars"]}
            made.registry_count = value["registry_count"]
            made.schemas = dict(value["schemas"])
            made.threshold = value["threshold"]
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("E_INCOMPLETE", "not a dump of a registry") from error
        return made


@lru_cache(maxsize=4096)
def _owner(producerid: str) -> str:
    return f"producer/{producerid}"


def _check_registrars(data: Mapping[str, Any]) -> None:
    for item in data["registrars"]:
        keys.check_public_key(bytes.fromhex(item["key"]))
    if not 1 <= data["threshold"] <= len(data["registrars"]):
        raise Refused("E_SCHEMA", "the threshold is above the number of registrars", "data/threshold")


def check_place(short: str, version: int, subject: str) -> None:
    """Does an event of this `ledger.…` type stand where it may? E_VERSION for a type or version that is newer than
    this code, E_KEY_SCOPE for another stream."""
    place = ORDERS.get(short) or OWN.get(short)
    if not short.startswith("ledger."):
        raise Refused("E_KEY_SCOPE", "not a type of the ledger's own", "type")
    if place is None or version != 1:
        raise Refused("E_VERSION", f"{short} version {version} is not known here", "type")
    if subject_kind(subject) != place:
        raise Refused("E_KEY_SCOPE", f"this type stands in {place} only", "subject")


def shared_statements(registries: Sequence[Registry]) -> list[str]:
    """What the shards of one ledger say differently (docs/formats/ 5): names of the differing parts."""
    return [
        name
        for name in ("registrars", "threshold", "packs", "schemas", "producers")
        if any(item.statement(name) != registries[0].statement(name) for item in registries[1:])
    ]
