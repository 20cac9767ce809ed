"""People of a case: how to reach them, whether they may be contacted, what they prefer, allow and have shown.

A consequence stands in the clear (`contact_allowed`), its reason is protected (`status`)."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import Payload, Window, record
from ledger.events.kinds import Date, Id, Objects, Personal, PlaceCode, Sensitive, Text, Time, Uuid


@record
class ContactPointChanged(Payload):
    """A number, address or account of a person was added, verified or found not to be theirs."""

    TYPE = "party.contact_point_changed"
    NUMBER = 8

    party: Uuid
    """The person."""
    role: codes.Role
    """Their role in the case."""
    contact_point: Uuid
    """The contact point, by a number of its own."""
    action: codes.PointAction
    """What happened to it. [CN-07, US-12]"""
    medium: codes.Medium
    """What it is good for."""
    address: Personal[Text] | None = None
    """The number or address itself."""
    source: codes.PointSource
    """Where it comes from. [CN-06]"""
    zone: Id | None = None
    """IANA zone that it speaks for. [US-01]"""
    zone_source: codes.ZoneSource | None = None
    """Where the zone comes from."""
    place: PlaceCode | None = None
    """New residence, ISO 3166. [scope of rules]"""
    is_work: bool | None = None
    """It belongs to a workplace. [US-03, US-30]"""
    is_reserved: bool | None = None
    """It was reserved with the bank. [CN-27]"""
    reassigned_checked_at: Time | None = None
    """When the register of reassigned numbers was asked. [US-12]"""


@record
class StatusChanged(Payload):
    """Something about a person changed that decides whether they may be contacted. `time` is when it became
    known."""

    TYPE = "party.status_changed"
    NUMBER = 9

    party: Uuid
    """The person."""
    contact_allowed: codes.ContactAllowed
    """The consequence. [CN-06, CN-07, UK-19]"""
    effective: Date
    """Day from which it holds in law."""
    status: Sensitive[codes.Status] | None = None
    """The reason."""


@record
class PreferenceRecorded(Payload):
    """A person said when, where or how not to be contacted, or ended such a wish."""

    TYPE = "party.preference_recorded"
    NUMBER = 10

    party: Uuid
    """The person."""
    kind: codes.PrefKind
    """What is preferred. [US-02, US-03, UK-12]"""
    form: codes.Form
    """How it was said. [Massachusetts rules]"""
    windows: Objects[Window] | None = None
    """Times meant. [US-02, UK-12]"""
    zone: Id | None = None
    """IANA zone of these times."""
    media: Sequence[codes.Medium] | None = None
    """Media meant."""
    place_kind: codes.PlaceKind | None = None
    """Place meant."""
    expires: Date | None = None
    """Last day."""
    confirms: Uuid | None = None
    """Event of the oral wish that this one confirms in writing. [Massachusetts rules]"""
    posted_on: Date | None = None
    """Postmark of the confirmation. [Massachusetts rules]"""
    withdraws: Uuid | None = None
    """Event of an earlier wish that this one ends."""


@record
class ConsentRecorded(Payload):
    """A person agreed to something, agreed again, or took it back."""

    TYPE = "consent.recorded"
    NUMBER = 11

    party: Uuid
    """The person."""
    action: codes.ConsentAction
    """Which of the three. [US-08, US-12, CN-01, CN-04]"""
    scope: Sequence[codes.ConsentScope]
    """To what."""
    form: codes.Form
    """How. [CN-01]"""
    given_to: codes.GivenTo
    """To whom; some consents count only when the collector got them. [US-08]"""
    given_in: Uuid | None = None
    """Event of the conversation or message in which it was given."""
    windows: Objects[Window] | None = None
    """Hours agreed to."""
    zone: Id | None = None
    """IANA zone of these hours."""
    valid_from: Date | None = None
    """First day."""
    expires: Date | None = None
    """Last day as agreed; the law may end it sooner. [US-08]"""
    debts: Sequence[Uuid] | None = None
    """Debts it speaks of; absent: all."""
    consent: Uuid | None = None
    """Event of the grant that is renewed or withdrawn."""
    wording: Personal[Text] | None = None
    """The words."""


@record
class IdentityVerified(Payload):
    """It was checked who somebody is."""

    TYPE = "identity.verified"
    NUMBER = 12

    party: Uuid
    """The person."""
    role: codes.Role
    """The role that was checked."""
    method: codes.VerifyMethod
    """How."""
    result: codes.VerifyResult
    """What came of it. [UK-07, UK-16]"""
    contact: Uuid | None = None
    """Event of the call or visit in which it was done. [UK-16]"""
