"""Objections: disputes, wishes to be left alone, complaints, and the holds that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import Payload, needs_currency, record
from ledger.events.kinds import Currency, Date, Money, Personal, Sensitive, Text, Time, Uuid


@record
class DisputeRaised(Payload):
    """A person disputed a debt, or asked for proof of it."""

    TYPE = "dispute.raised"
    NUMBER = 31

    debts: Sequence[Uuid]
    """Debts in dispute."""
    form: codes.Form
    """How it was raised. [US-21, New York rules]"""
    request: codes.DisputeRequest
    """What is asked. [US-22, New York rules]"""
    grounds: Sequence[codes.Ground] | None = None
    """Why. [UK-21]"""
    amount: Money | None = None
    """The part in dispute, minor units of the debt's currency. [US-25]"""
    duplicate_of: Uuid | None = None
    """Event of an earlier dispute that this one repeats. [US-21]"""


@record
class DisputeAnswered(Payload):
    """The firm answered a dispute."""

    TYPE = "dispute.answered"
    NUMBER = 32

    dispute: Uuid
    """Event of the dispute."""
    outcome: codes.DisputeOutcome
    """The answer. [UK-23]"""
    sent: Sequence[codes.SentItem]
    """What was sent with it. [US-21, US-22, New York rules]"""


@record
class CeaseRequested(Payload):
    """A person wants contact to stop, wholly or in part."""

    TYPE = "cease.requested"
    NUMBER = 33

    party: Uuid
    """The person. [CN-08]"""
    form: codes.Form
    """How it was said. [US-05]"""
    scope: codes.CeaseScope
    """What is to stop. [US-05, US-10]"""
    media: Sequence[codes.Medium] | None = None
    """Media meant. [US-10]"""
    contact_points: Sequence[Uuid] | None = None
    """Only these numbers or addresses."""
    place_kind: codes.PlaceKind | None = None
    """Place meant."""


@record
class ComplaintReceived(Payload):
    """Somebody complained."""

    TYPE = "complaint.received"
    NUMBER = 34

    forum: codes.Forum
    """Where. [UK-27, UK-30]"""
    category: codes.ComplaintCategory
    """About what."""
    words: Personal[Text] | None = None
    """In their words."""


@record
class ComplaintResolved(Payload):
    """A complaint was settled."""

    TYPE = "complaint.resolved"
    NUMBER = 35
    RULES = (needs_currency("redress"),)

    complaint: Uuid
    """Event of the complaint."""
    outcome: codes.ComplaintOutcome
    """What came of it. [UK-30]"""
    redress: Money | None = None
    """What was paid to make up for it, minor units."""
    currency: Currency | None = None
    """Currency of that amount."""
    staff_action: codes.StaffAction | None = None
    """What it meant for the staff concerned."""


@record
class HoldStarted(Payload):
    """Something must not happen for a while. A hold for illness or incapacity is of kind `person`."""

    TYPE = "hold.started"
    NUMBER = 36

    kind: codes.HoldKind
    """What kind of hold. [all ABS rules]"""
    blocks: Sequence[codes.Blocks]
    """What must not happen: the consequence."""
    debts: Sequence[Uuid] | None = None
    """Debts it covers; absent: all."""
    starts: Time
    """When it begins in law; `time` is when it became known."""
    last_day: Date | None = None
    """Planned last day, still protected."""
    extends: Uuid | None = None
    """Event of an earlier hold that it prolongs. [UK-05]"""
    about: Uuid | None = None
    """Event of the dispute, plan or complaint that caused it. [CN-16]"""
    authority: codes.Authority
    """Who ordered it."""
    reason: Sensitive[codes.HoldReason] | None = None
    """Why."""


@record
class HoldEnded(Payload):
    """A hold ends."""

    TYPE = "hold.ended"
    NUMBER = 37

    hold: Uuid
    """Event of the hold."""
    last_day: Date
    """Last day still protected; may lie ahead."""
    trigger_on: Sensitive[Date] | None = None
    """Day of what ended it, as the end of a treatment. [UK-28]"""
