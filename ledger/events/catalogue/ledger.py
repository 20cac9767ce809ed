"""The ledger's own events: orders of the registrars, and what the sequencer itself has to say (formats 5).

They stand in `registry`, `producer/…`, `refused/…` and `seal`, carry none of the members of a producer's
event, and are made by the ledger alone. What an order may say at which moment is the registry's business
(`ledger/kernel/registry.py`); here is only its shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from ledger.events.catalogue.common import Value, record
from ledger.events.kinds import (
    Capacity,
    Count,
    Counter,
    Digest,
    Epoch,
    Id,
    Label,
    Objects,
    RefusalCode,
    SchemaName,
    Scope,
    Shards,
    Signature,
    Time,
)


@record
class Approval(Value):
    """A registrar's signature under an order."""

    key: Digest
    """Public key of the registrar, hex."""
    signature: Signature
    """Ed25519, base64."""


@record
class Registrar(Value):
    """Somebody whose word changes the registry."""

    key: Digest
    """Public key, hex."""
    name: Label
    """Who that is."""


@record
class Predecessor(Value):
    """The log that this one goes on from, as far as it is vouched for."""

    origin: Id
    """Its origin."""
    root: Digest
    """Its tree root."""
    size: Count
    """At this size."""


@record
class LedgerPayload(Value):
    """Base of the ledger's own events."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    NUMBER: ClassVar[int] = 0
    RULES: ClassVar[tuple[dict[str, Any], ...]] = ()
    STREAM: ClassVar[str] = ""


@record
class Order(LedgerPayload):
    """Base of what registrars order."""

    at: Count
    """The `stream_seq` at which the order is to apply: it can be neither repeated nor moved."""
    approvals: Objects[Approval]
    """Signatures of registrars, ascending by key."""


@record
class LedgerFounded(Order):
    """A log begins: its first entry."""

    TYPE = "ledger.founded"
    STREAM = "registry"

    format: Literal["duecourse ledger 1"]
    """The format of everything that follows."""
    log_key: Digest
    """Public key of the log, hex."""
    name: Id
    """Name of the ledger; with `/` and the shard it is the origin."""
    predecessor: Predecessor | None = None
    """The log that it replaces."""
    registrars: Objects[Registrar]
    """The first registrars, ascending by key."""
    shard: Count
    """Which shard this is."""
    shards: Shards
    """How many there are, for ever."""
    threshold: Shards
    """How many registrars an order takes."""
    vault_key: Digest
    """Public key to which protecting keys are wrapped, hex."""


@record
class RegistrarsChanged(Order):
    """The whole new list of registrars."""

    TYPE = "ledger.registrars_changed"
    STREAM = "registry"

    registrars: Objects[Registrar]
    """Ascending by key."""
    threshold: Shards
    """How many an order takes from now on."""


@record
class PackAdopted(Order):
    """A rule pack governs from a moment on."""

    TYPE = "ledger.pack_adopted"
    STREAM = "registry"

    binding: Sequence[Id]
    """Rules of it that the tenant took as binding, ascending."""
    digest: Digest
    """SHA-256 of the pack."""
    from_: Time
    """From when."""
    id: Id
    """Its name."""
    version: Id
    """Its version."""


@record
class SchemaReleased(Order):
    """A schema is fixed for ever."""

    TYPE = "ledger.schema_released"
    STREAM = "registry"

    digest: Digest
    """Its digest in `schemas/RELEASED.json`."""
    schema: SchemaName
    """Its name."""


@record
class ClockCorrected(Order):
    """The sequencer's clock is put right: the next entry may carry an earlier time."""

    TYPE = "ledger.clock_corrected"
    STREAM = "registry"

    reason: Label
    """Why."""


@record
class ProducerRegistered(Order):
    """A producer may speak, about these things and for these tenants."""

    TYPE = "ledger.producer_registered"
    STREAM = "producer"

    capacities: Sequence[Capacity]
    """In which capacities its actors act, ascending."""
    key: Digest
    """Its first public key, hex."""
    tenants: Sequence[Id]
    """For whom, ascending."""
    types: Sequence[Scope]
    """What it can say: beginnings of types, whole words, ascending."""


@record
class ProducerScopeChanged(Order):
    """What a producer may say, anew and whole."""

    TYPE = "ledger.producer_scope_changed"
    STREAM = "producer"

    capacities: Sequence[Capacity]
    """Ascending."""
    tenants: Sequence[Id]
    """Ascending."""
    types: Sequence[Scope]
    """Ascending."""


@record
class ProducerKeyAdded(Order):
    """One more key of a producer."""

    TYPE = "ledger.producer_key_added"
    STREAM = "producer"

    key: Digest
    """Public key, hex."""


@record
class ProducerKeyRetired(Order):
    """A key runs out; a tool that was long offline can still deliver until then."""

    TYPE = "ledger.producer_key_retired"
    STREAM = "producer"

    key: Digest
    """Public key, hex."""
    until: Time
    """What is sequenced later is refused."""


@record
class ProducerKeyRevoked(Order):
    """A key is void from this entry on, whatever times are claimed."""

    TYPE = "ledger.producer_key_revoked"
    STREAM = "producer"

    key: Digest
    """Public key, hex."""
    reason: Label
    """Why."""


@record
class ProducerEpochOpened(Order):
    """A producer lost its outbox and starts a new feed."""

    TYPE = "ledger.producer_epoch_opened"
    STREAM = "producer"

    epoch: Epoch
    """The new epoch."""
    last_seq: Counter | None = None
    """The last number that it knows of the old one."""


@record
class QuarantineLifted(Order):
    """A producer that contradicted itself may speak again."""

    TYPE = "ledger.quarantine_lifted"
    STREAM = "producer"

    reason: Label
    """Why."""


@record
class EquivocationSeen(LedgerPayload):
    """A producer signed two events for one place in its feed; it is quarantined until registrars lift it."""

    TYPE = "ledger.equivocation_seen"
    STREAM = "producer"

    accepted: Digest
    """Digest of the event that has the place."""
    epoch: Epoch
    """Epoch of the feed."""
    other: Digest
    """Digest of the other."""
    seq: Counter
    """The place."""


@record
class SubmissionRejected(LedgerPayload):
    """A signed event was not acceptable. Its place in the feed is used up."""

    TYPE = "ledger.submission_rejected"
    STREAM = "refused"

    code: RefusalCode
    """Why."""
    digest: Digest
    """Digest of the event."""
    epoch: Epoch
    """Epoch of the feed."""
    seq: Counter
    """Its place."""


@record
class LedgerSealed(LedgerPayload):
    """The state of all streams, before a checkpoint."""

    TYPE = "ledger.sealed"
    STREAM = "seal"

    prev: Digest
    """The entry's own `prev`: a seal cannot be played again elsewhere."""
    root: Digest
    """Root of the head map."""
