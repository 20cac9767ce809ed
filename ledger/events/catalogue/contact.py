"""Contacts: calls, talks, messages, visits, third persons, and what was disclosed in them.

A call that was answered is two events: the call, on which hours and counts are judged, and the conversation
that names it. An inbound call is an `InboundReceived` by voice and a `ConversationHeld` that the party
initiated."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import POINT, POINT_UNLESS_VISIT, Contact, Payload, record
from ledger.events.kinds import Date, Id, Minute, Personal, Template, Text, Time, Uuid


@record
class CallPlaced(Contact):
    """A number was dialled, whatever came of it."""

    TYPE = "contact.call_placed"
    NUMBER = 13
    RULES = (POINT,)

    purpose: codes.CallPurpose
    """What for. [CN-03]"""
    outcome: codes.CallOutcome
    """What came of it. [US-06, CN-04, CN-07]"""
    in_reply_to: Uuid | None = None
    """Inbound event that asked for the call."""


@record
class ConversationHeld(Contact):
    """People talked, by telephone or face to face."""

    TYPE = "contact.conversation_held"
    NUMBER = 14
    RULES = (POINT_UNLESS_VISIT,)

    medium: codes.Medium
    """By what."""
    initiated_by: codes.Initiator
    """Who sought the talk. [CN-02]"""
    call: Uuid | None = None
    """Its `contact.call_placed`, on which hours and counts are judged."""
    recording: codes.Recording
    """Whether it was recorded; the digest is in `evidence`. [CN-12]"""
    demanded: bool | None = None
    """Payment was demanded. [CN-27, CN-30]"""


@record
class MessageSent(Contact):
    """A text, a mail, a letter or another message left the firm."""

    TYPE = "contact.message_sent"
    NUMBER = 15
    RULES = (POINT_UNLESS_VISIT,)

    medium: codes.Medium
    """By what."""
    kind: codes.MessageKind
    """What for. [US-05, US-10, CN-17, CN-19]"""
    template: Template
    """The template and its version."""
    visibility: codes.Visibility
    """Who could see it. [US-30, CN-25]"""
    content: Sequence[codes.Content] | None = None
    """What it said. [CN-15, US-19, US-20]"""
    to: Personal[Text] | None = None
    """Name and address as written."""
    optout_present: bool | None = None
    """A way to opt out was given. [US-11]"""
    optout_for: Uuid | None = None
    """The contact point of which the way to opt out speaks. [US-11]"""
    period_ends_on: Date | None = None
    """End of the validation period as the notice states it. [US-18]"""
    language: Id | None = None
    """BCP 47. [US-16]"""
    envelope: Sequence[codes.Envelope] | None = None
    """What the outside showed. [UK-15, US-14]"""
    callback_rate: codes.CallbackRate | None = None
    """What calling back costs. [UK-13]"""
    in_reply_to: Uuid | None = None
    """Inbound event or request that is answered. [US-10]"""


@record
class DeliveryStatus(Payload):
    """A carrier or gateway told what became of a message. `time` is the gateway's."""

    TYPE = "contact.delivery_status"
    NUMBER = 16

    message: Uuid
    """Event of the message."""
    status: codes.Delivery
    """What became of it. [CN-17, CN-27, CN-30, US-23]"""


@record
class InboundReceived(Contact):
    """Somebody called, wrote or came by themselves."""

    TYPE = "contact.inbound_received"
    NUMBER = 17
    RULES = (POINT_UNLESS_VISIT,)

    medium: codes.Medium
    """By what. [US-10, US-12]"""
    summary: codes.InboundSummary
    """What it was about."""
    wants_callback: bool | None = None
    """An answer was asked for. [US-10]"""
    words: Personal[Text] | None = None
    """What was written."""


@record
class VisitNotified(Contact):
    """A visit was announced."""

    TYPE = "contact.visit_notified"
    NUMBER = 18

    visit_on: Date
    """Day of the visit. [UK-17]"""
    from_min: Minute
    """Earliest local minute of that day."""
    to_min: Minute
    """Local minute by which it will have begun; later than `from_min`."""
    purpose: codes.VisitPurpose
    """What for."""
    medium: codes.Medium
    """By what it was announced."""


@record
class VisitMade(Contact):
    """Somebody of the firm went there."""

    TYPE = "contact.visit_made"
    NUMBER = 19

    notice: Uuid | None = None
    """Its `contact.visit_notified`. [UK-17]"""
    place_kind: codes.PlaceKind
    """Where. [CN-25]"""
    purpose: codes.VisitPurpose
    """What for."""
    staff: Sequence[Uuid]
    """Who went. [X-9]"""
    entered: codes.Entered
    """Whether they went in, and by what right. [CN-25, UK-18]"""
    asked_to_leave_at: Time | None = None
    """When they were told to go; they left at `time` plus `duration_ms`. [UK-18]"""
    recording: codes.Recording
    """Whether it was recorded. [CN-12]"""
    demanded: bool | None = None
    """Payment was demanded. [CN-30]"""


@record
class ThirdParty(Contact):
    """Somebody was contacted who does not owe the debt."""

    TYPE = "contact.third_party"
    NUMBER = 20
    RULES = (POINT_UNLESS_VISIT,)

    medium: codes.Medium
    """By what."""
    purpose: codes.ThirdPurpose
    """What for. [CN-06, US-13, US-14]"""
    basis: codes.ThirdBasis
    """What allowed it. [CN-07, US-14]"""
    said: Sequence[codes.Said]
    """What was said; empty: nothing. A firm's name without `firm_asked` was named unasked. [CN-09, US-14]"""
    refused: bool
    """The person wants no contact. [CN-08]"""
    location_known: bool | None = None
    """The firm knew already where to find the debtor. [US-13]"""
    call: Uuid | None = None
    """Its `contact.call_placed`."""
    recording: codes.Recording | None = None
    """Whether it was recorded. [CN-09]"""
    relation: Personal[Text] | None = None
    """What the person is to the debtor: heir, executor, brother."""


@record
class DisclosureGiven(Payload):
    """A person was told what the law wants them told."""

    TYPE = "disclosure.given"
    NUMBER = 21

    kinds: Sequence[codes.DisclosureKind]
    """What was told. [CN-10, US-09, US-15, US-16]"""
    contact: Uuid | None = None
    """Event of the call, message or visit in which it was told."""
    form: codes.Form
    """How."""
    language: Id | None = None
    """BCP 47. [US-16]"""
