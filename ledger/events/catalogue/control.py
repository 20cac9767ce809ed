"""Control: how conduct was reviewed, what went wrong, who handled whose data."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Notification, Payload, Record, only_with, record
from ledger.events.kinds import Objects, Personal, Text, Time, Uuid


@record
class ConductReviewed(Payload):
    """A contact was listened to or read again."""

    TYPE = "conduct.reviewed"
    NUMBER = 43

    about: Uuid
    """Event of the call, message or visit."""
    sample: families.Sample
    """Why this one."""
    found_by: families.FoundBy
    """Who judged; what a model found is never enough for a breach."""
    codes: Sequence[families.Conduct]
    """What was found; empty: clean. [CN-11, UK-04, UK-11, US-20]"""
    corrective: families.Corrective | None = None
    """What was done about it."""


@record
class IncidentReported(Payload):
    """Something went wrong that others must be told of."""

    TYPE = "incident.reported"
    NUMBER = 44

    kind: families.IncidentKind
    """What."""
    detected: Time
    """When it was found. [DP-7]"""
    notified: Objects[Notification]
    """Who was told, and when. [X-6, DP-7]"""
    items: Sequence[families.IncidentItem] | None = None
    """What they were told. [X-6]"""


@record
class DataHandled(Payload):
    """Personal data were looked at, handed over, erased, or asked for."""

    TYPE = "data.handled"
    NUMBER = 45
    RULES = (
        only_with("request", "action", "request_received"),
        only_with("recipient_agency", "action", "disclose"),
    )

    action: families.DataAction
    """What was done. [DP-1 to DP-8]"""
    purpose: families.DataPurpose
    """What for. [DP-2]"""
    fields: Sequence[families.DataField]
    """Which data."""
    records: Objects[Record] | None = None
    """Events or files touched. [all RET rules]"""
    request: families.RequestKind | None = None
    """What a person asked for; with action `request_received` only."""
    recipient_agency: Uuid | None = None
    """To whom; with action `disclose` only. [CN-26, DP-3]"""
    about: Uuid | None = None
    """Event of the request that is answered. [DP-4]"""
    answer: families.Answer | None = None
    """The answer."""
    reasons: Sequence[families.AnswerReason] | None = None
    """Why. [X-5]"""
    requester: Personal[Text] | None = None
    """Who asked."""
