"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.control`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence, Notification, Record
from ledger.events.catalogue.control import ConductReviewed, DataHandled, IncidentReported
from ledger.events.kinds import Id, Objects, Text, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, EventRef, Moment, R_co


class ControlMethods(CaseStream[R_co]):
    """What a tool says of a case: control."""

    def conduct_reviewed(
        self,
        *,
        about: EventRef,
        sample: families.Sample,
        found_by: families.FoundBy,
        codes: Sequence[families.Conduct],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        corrective: families.Corrective | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A contact was listened to or read again.

        about: Event of the call, message or visit.
        sample: Why this one.
        found_by: Who judged; what a model found is never enough for a breach.
        codes: What was found; empty: clean. [CN-11, UK-04, UK-11, US-20]
        corrective: What was done about it."""
        return self._tell(ConductReviewed, locals())

    def incident_reported(
        self,
        *,
        kind: families.IncidentKind,
        detected: Moment,
        notified: Objects[Notification],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        items: Sequence[families.IncidentItem] | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Something went wrong that others must be told of.

        kind: What.
        detected: When it was found. [DP-7]
        notified: Who was told, and when. [X-6, DP-7]
        items: What they were told. [X-6]"""
        return self._tell(IncidentReported, locals())

    def data_handled(
        self,
        *,
        action: families.DataAction,
        purpose: families.DataPurpose,
        fields: Sequence[families.DataField],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        records: Objects[Record] | None = None,
        request: families.RequestKind | None = None,
        recipient_agency: Uuid | None = None,
        about: EventRef | None = None,
        answer: families.Answer | None = None,
        reasons: Sequence[families.AnswerReason] | None = None,
        requester: Text | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Personal data were looked at, handed over, erased, or asked for.

        action: What was done. [DP-1 to DP-8]
        purpose: What for. [DP-2]
        fields: Which data.
        records: Events or files touched. [all RET rules]
        request: What a person asked for; with action `request_received` only.
        recipient_agency: To whom; with action `disclose` only. [CN-26, DP-3]
        about: Event of the request that is answered. [DP-4]
        answer: The answer.
        reasons: Why. [X-5]
        requester: Who asked."""
        return self._tell(DataHandled, locals())
