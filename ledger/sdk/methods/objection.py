"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.objection`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence, Party
from ledger.events.catalogue.objection import (
    CeaseRequested,
    ComplaintReceived,
    ComplaintResolved,
    DisputeAnswered,
    DisputeRaised,
    HoldEnded,
    HoldStarted,
)
from ledger.events.kinds import Currency, Id, Money, Objects, Text, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, Day, EventRef, Moment, R_co


class ObjectionMethods(CaseStream[R_co]):
    """What a tool says of a case: objection."""

    def dispute_raised(
        self,
        *,
        debts: Sequence[Uuid],
        form: families.Form,
        request: families.DisputeRequest,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        grounds: Sequence[families.Ground] | None = None,
        amount: Money | None = None,
        duplicate_of: EventRef | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person disputed a debt, or asked for proof of it.

        debts: Debts in dispute.
        form: How it was raised. [US-21, New York rules]
        request: What is asked. [US-22, New York rules]
        grounds: Why. [UK-21]
        amount: The part in dispute, minor units of the debt's currency. [US-25]
        duplicate_of: Event of an earlier dispute that this one repeats. [US-21]"""
        return self._tell(DisputeRaised, locals())

    def dispute_answered(
        self,
        *,
        dispute: EventRef,
        outcome: families.DisputeOutcome,
        sent: Sequence[families.SentItem],
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
        """The firm answered a dispute.

        dispute: Event of the dispute.
        outcome: The answer. [UK-23]
        sent: What was sent with it. [US-21, US-22, New York rules]"""
        return self._tell(DisputeAnswered, locals())

    def cease_requested(
        self,
        *,
        party: Party | Uuid,
        form: families.Form,
        scope: families.CeaseScope,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        media: Sequence[families.Medium] | None = None,
        contact_points: Sequence[Uuid] | None = None,
        place_kind: families.PlaceKind | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person wants contact to stop, wholly or in part.

        party: The person. [CN-08]
        form: How it was said. [US-05]
        scope: What is to stop. [US-05, US-10]
        media: Media meant. [US-10]
        contact_points: Only these numbers or addresses.
        place_kind: Place meant."""
        return self._tell(CeaseRequested, locals())

    def complaint_received(
        self,
        *,
        forum: families.Forum,
        category: families.ComplaintCategory,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        words: Text | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Somebody complained.

        forum: Where. [UK-27, UK-30]
        category: About what.
        words: In their words."""
        return self._tell(ComplaintReceived, locals())

    def complaint_resolved(
        self,
        *,
        complaint: EventRef,
        outcome: families.ComplaintOutcome,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        redress: Money | None = None,
        currency: Currency | None = None,
        staff_action: families.StaffAction | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A complaint was settled.

        complaint: Event of the complaint.
        outcome: What came of it. [UK-30]
        redress: What was paid to make up for it, minor units.
        currency: Currency of that amount.
        staff_action: What it meant for the staff concerned."""
        return self._tell(ComplaintResolved, locals())

    def hold_started(
        self,
        *,
        kind: families.HoldKind,
        blocks: Sequence[families.Blocks],
        starts: Moment,
        authority: families.Authority,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        debts: Sequence[Uuid] | None = None,
        last_day: Day | None = None,
        extends: EventRef | None = None,
        about: EventRef | None = None,
        reason: families.HoldReason | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Something must not happen for a while. A hold for illness or incapacity is of kind `person`.

        kind: What kind of hold. [all ABS rules]
        blocks: What must not happen: the consequence.
        debts: Debts it covers; absent: all.
        starts: When it begins in law; `time` is when it became known.
        last_day: Planned last day, still protected.
        extends: Event of an earlier hold that it prolongs. [UK-05]
        about: Event of the dispute, plan or complaint that caused it. [CN-16]
        authority: Who ordered it.
        reason: Why."""
        return self._tell(HoldStarted, locals())

    def hold_ended(
        self,
        *,
        hold: EventRef,
        last_day: Day,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        trigger_on: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A hold ends.

        hold: Event of the hold.
        last_day: Last day still protected; may lie ahead.
        trigger_on: Day of what ended it, as the end of a treatment. [UK-28]"""
        return self._tell(HoldEnded, locals())
