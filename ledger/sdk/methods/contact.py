"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.contact`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence, Party, Zone
from ledger.events.catalogue.contact import (
    CallPlaced,
    ConversationHeld,
    DeliveryStatus,
    DisclosureGiven,
    InboundReceived,
    MessageSent,
    ThirdParty,
    VisitMade,
    VisitNotified,
)
from ledger.events.kinds import Count, Id, Minute, Objects, Template, Text, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, Day, EventRef, Moment, R_co


class ContactMethods(CaseStream[R_co]):
    """What a tool says of a case: contact."""

    def call_placed(
        self,
        *,
        purpose: families.CallPurpose,
        outcome: families.CallOutcome,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        in_reply_to: EventRef | None = None,
        to: str | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A number was dialled, whatever came of it.

        purpose: What for. [CN-03]
        outcome: What came of it. [US-06, CN-04, CN-07]
        in_reply_to: Inbound event that asked for the call."""
        return self._tell(CallPlaced, locals())

    def conversation_held(
        self,
        *,
        medium: families.Medium,
        initiated_by: families.Initiator,
        recording: families.Recording,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        call: EventRef | None = None,
        demanded: bool | None = None,
        to: str | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """People talked, by telephone or face to face.

        medium: By what.
        initiated_by: Who sought the talk. [CN-02]
        call: Its `contact.call_placed`, on which hours and counts are judged.
        recording: Whether it was recorded; the digest is in `evidence`. [CN-12]
        demanded: Payment was demanded. [CN-27, CN-30]"""
        return self._tell(ConversationHeld, locals())

    def message_sent(
        self,
        *,
        medium: families.Medium,
        kind: families.MessageKind,
        template: Template,
        visibility: families.Visibility,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        content: Sequence[families.Content] | None = None,
        to: Text | None = None,
        optout_present: bool | None = None,
        optout_for: Uuid | None = None,
        period_ends_on: Day | None = None,
        language: Id | None = None,
        envelope: Sequence[families.Envelope] | None = None,
        callback_rate: families.CallbackRate | None = None,
        in_reply_to: EventRef | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A text, a mail, a letter or another message left the firm.

        medium: By what.
        kind: What for. [US-05, US-10, CN-17, CN-19]
        template: The template and its version.
        visibility: Who could see it. [US-30, CN-25]
        content: What it said. [CN-15, US-19, US-20]
        to: Name and address as written.
        optout_present: A way to opt out was given. [US-11]
        optout_for: The contact point of which the way to opt out speaks. [US-11]
        period_ends_on: End of the validation period as the notice states it. [US-18]
        language: BCP 47. [US-16]
        envelope: What the outside showed. [UK-15, US-14]
        callback_rate: What calling back costs. [UK-13]
        in_reply_to: Inbound event or request that is answered. [US-10]"""
        return self._tell(MessageSent, locals())

    def delivery_status(
        self,
        *,
        message: EventRef,
        status: families.Delivery,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A carrier or gateway told what became of a message. `time` is the gateway's.

        message: Event of the message.
        status: What became of it. [CN-17, CN-27, CN-30, US-23]"""
        return self._tell(DeliveryStatus, locals())

    def inbound_received(
        self,
        *,
        medium: families.Medium,
        summary: families.InboundSummary,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        wants_callback: bool | None = None,
        words: Text | None = None,
        sender: str | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Somebody called, wrote or came by themselves.

        medium: By what. [US-10, US-12]
        summary: What it was about.
        wants_callback: An answer was asked for. [US-10]
        words: What was written."""
        return self._tell(InboundReceived, locals())

    def visit_notified(
        self,
        *,
        visit_on: Day,
        from_min: Minute,
        to_min: Minute,
        purpose: families.VisitPurpose,
        medium: families.Medium,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        to: str | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A visit was announced.

        visit_on: Day of the visit. [UK-17]
        from_min: Earliest local minute of that day.
        to_min: Local minute by which it will have begun; later than `from_min`.
        purpose: What for.
        medium: By what it was announced."""
        return self._tell(VisitNotified, locals())

    def visit_made(
        self,
        *,
        place_kind: families.PlaceKind,
        purpose: families.VisitPurpose,
        staff: Sequence[Uuid],
        entered: families.Entered,
        recording: families.Recording,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        notice: EventRef | None = None,
        asked_to_leave_at: Moment | None = None,
        demanded: bool | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Somebody of the firm went there.

        notice: Its `contact.visit_notified`. [UK-17]
        place_kind: Where. [CN-25]
        purpose: What for.
        staff: Who went. [X-9]
        entered: Whether they went in, and by what right. [CN-25, UK-18]
        asked_to_leave_at: When they were told to go; they left at `time` plus `duration_ms`. [UK-18]
        recording: Whether it was recorded. [CN-12]
        demanded: Payment was demanded. [CN-30]"""
        return self._tell(VisitMade, locals())

    def third_party(
        self,
        *,
        medium: families.Medium,
        purpose: families.ThirdPurpose,
        basis: families.ThirdBasis,
        said: Sequence[families.Said],
        refused: bool,
        parties: Objects[Party] | None = None,
        debts: Sequence[Uuid] = (),
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact_point: Uuid | None = None,
        zones: Objects[Zone] | None = None,
        duration_ms: Count | None = None,
        line: families.Line | None = None,
        location_known: bool | None = None,
        call: EventRef | None = None,
        recording: families.Recording | None = None,
        relation: Text | None = None,
        to: str | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Somebody was contacted who does not owe the debt.

        medium: By what.
        purpose: What for. [CN-06, US-13, US-14]
        basis: What allowed it. [CN-07, US-14]
        said: What was said; empty: nothing. A firm's name without `firm_asked` was named unasked. [CN-09,
            US-14]
        refused: The person wants no contact. [CN-08]
        location_known: The firm knew already where to find the debtor. [US-13]
        call: Its `contact.call_placed`.
        recording: Whether it was recorded. [CN-09]
        relation: What the person is to the debtor: heir, executor, brother."""
        return self._tell(ThirdParty, locals())

    def disclosure_given(
        self,
        *,
        kinds: Sequence[families.DisclosureKind],
        form: families.Form,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact: EventRef | None = None,
        language: Id | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person was told what the law wants them told.

        kinds: What was told. [CN-10, US-09, US-15, US-16]
        contact: Event of the call, message or visit in which it was told.
        form: How.
        language: BCP 47. [US-16]"""
        return self._tell(DisclosureGiven, locals())
