"""What every event may carry, the members that all contacts share, and the small objects that members are
made of.

Nothing here is derived: local times, ages and counts are worked out by rules from what the tools saw. What
a tool does not know it leaves out; `None` is absence, and is never written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from ledger.events import codes
from ledger.events.kinds import Count, Date, Digest, Id, Minute, Money, Objects, PlaceCode, Time, Uuid

C = TypeVar("C")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(cls: type[C]) -> type[C]:
    """A frozen value with named arguments only, and no generated repr: a payload may hold personal data."""
    return dataclass(frozen=True, kw_only=True, slots=True, repr=False)(cls)


@record
class Value:
    """Base of objects and payloads. Its repr names the members that are set, and shows no value."""

    def __repr__(self) -> str:
        named = [f.name.rstrip("_") for f in fields(self) if getattr(self, f.name) is not None]
        return f"{type(self).__name__}({', '.join(named)})"


@record
class Zone(Value):
    """A time zone in which the person may be."""

    zone: Id
    """IANA name, as `Asia/Shanghai`."""
    source: codes.ZoneSource
    """Where that knowledge comes from."""
    since: Time | None = None
    """Since when it is known."""


@record
class Party(Value):
    """A person of the case, by the number that means something in this case only."""

    party: Uuid
    """The person."""
    role: codes.Role
    """As what the person was addressed."""


@record
class Evidence(Value):
    """A file that stays outside of the ledger, and its digest that does not."""

    kind: codes.EvidenceKind
    """What it is."""
    sha256: Digest
    """SHA-256 of the file."""
    bytes: Count
    """Its size."""
    media_type: Id
    """Its media type, as `audio/wav`."""
    captured: Time
    """When the file was made."""


@record
class Place(Value):
    """A residence, as far as law asks for it."""

    place: PlaceCode
    """ISO 3166: `CN`, `US-NY`, `GB-SCT`."""
    since: Date
    """First day there."""


@record
class Policy(Value):
    """A written policy of the firm that governs the case."""

    kind: codes.PolicyKind
    """What it is about."""
    version: Id
    """Which text."""
    valid_from: Date
    """First day."""
    valid_to: Date | None = None
    """Last day."""


@record
class Window(Value):
    """A stretch of local time that holds its first minute and not its last, within one day."""

    from_min: Minute
    """Local minute at which it opens."""
    to_min: Minute
    """Local minute at which it has closed; later than `from_min`."""
    days: Sequence[codes.Weekday] | None = None
    """Days of the week; absent: every day."""


@record
class Allocation(Value):
    """The part of a payment that went to one debt."""

    debt: Uuid
    """The debt."""
    amount: Money
    """Minor units."""


@record
class Notification(Value):
    """Somebody who was told of an incident."""

    to: codes.Notified
    """Who."""
    at: Time
    """When."""


@record
class Record(Value):
    """Something that a data operation touched: an event, or a file by its digest."""

    event: Uuid | None = None
    """Id of the event."""
    sha256: Digest | None = None
    """SHA-256 of the file."""


@record
class Payload(Value):
    """Base of every event that a producer may record: the members that all types allow."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    NUMBER: ClassVar[int] = 0
    RULES: ClassVar[tuple[dict[str, Any], ...]] = ()

    evidence: Objects[Evidence] | None = None
    """Recordings, letters, pictures: digests only. [CN-12, CN-13, CN-14, CN-26, CN-30, X-9]"""
    late_reason: codes.LateReason | None = None
    """Why it was captured more than 24 hours after it happened; required then."""
    void: bool | None = None
    """In a correction: the corrected event did not happen at all."""
    automated: bool | None = None
    """A bot, a blaster or a model acted. [X-8]"""
    agency: Uuid | None = None
    """Whose staff or system acted; required where the actor's capacity is `agency`. [CN-03, CN-10, CN-23,
    CN-26]"""
    source_ref: Id | None = None
    """The tool's own id of this record. Never a telephone number, a name or an account."""


# A visit needs no number or address that was dialled; every other contact does (JSON Schema, added to the
# class).
POINT_UNLESS_VISIT: dict[str, Any] = {
    "anyOf": [
        {"required": ["contact_point"]},
        {"properties": {"medium": {"const": "visit"}}, "required": ["medium"]},
    ]
}
POINT: dict[str, Any] = {"required": ["contact_point"]}


def needs_currency(*members: str) -> dict[str, Any]:
    """An amount without its currency is not an amount."""
    return {"dependentRequired": {member: ["currency"] for member in members}}


def only_with(member: str, other: str, value: str) -> dict[str, Any]:
    """`member` may stand only where `other` is `value`."""
    return {"dependentSchemas": {member: {"properties": {other: {"const": value}}}}}


@record
class Contact(Payload):
    """Base of the contacts: who was meant, about which debts, by which number, in which zones."""

    parties: Objects[Party]
    """Who was meant or reached. [all contact rules]"""
    debts: Sequence[Uuid]
    """Every debt that was spoken or written about; may be empty."""
    contact_point: Uuid | None = None
    """The number, address or account used; required except for visits. [US-06, CN-04]"""
    zones: Objects[Zone] | None = None
    """Every zone in which the person may be; empty or absent: not known."""
    duration_ms: Count | None = None
    """From `time` to the end, in milliseconds. [CN-01]"""
    line: codes.Line | None = None
    """Over a registered line or account, or over a private one. [CN-24]"""
