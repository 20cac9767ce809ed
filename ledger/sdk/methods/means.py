"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.means`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Allocation, Evidence
from ledger.events.catalogue.means import (
    DocumentExchanged,
    HardshipAssessed,
    HardshipDeclared,
    PaymentPromised,
    PaymentReceived,
    PlanAgreed,
    PlanBreached,
    PlanDecided,
    PlanProposed,
)
from ledger.events.kinds import Count, Currency, Id, Money, Objects, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, Day, EventRef, Moment, R_co


class MeansMethods(CaseStream[R_co]):
    """What a tool says of a case: means."""

    def hardship_declared(
        self,
        *,
        willingness: families.Willingness,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        causes: Sequence[families.HardshipCause] | None = None,
        can_pay: Money | None = None,
        currency: Currency | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person said that paying is hard.

        willingness: Whether they want to pay. [UK-02]
        causes: Why it is hard.
        can_pay: What they say they can pay a month, minor units.
        currency: Currency of that amount."""
        return self._tell(HardshipDeclared, locals())

    def document_exchanged(
        self,
        *,
        direction: families.Direction,
        kind: families.DocumentKind,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        about: EventRef | None = None,
        deadline: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A paper changed hands; its digest is in `evidence`. A doctor's letter is `hardship_proof`.

        direction: From whom or to whom; passing on is an event too. [UK-09, UK-10, UK-24]
        kind: What it is.
        about: Event of the offer, dispute or payment that is passed on.
        deadline: Last day for what it asks."""
        return self._tell(DocumentExchanged, locals())

    def hardship_assessed(
        self,
        *,
        plan_justified: bool,
        willingness: families.Willingness,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        capacity: Money | None = None,
        currency: Currency | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """The firm looked at a person's means.

        plan_justified: The debt is beyond their means and they are willing: the consequence. [CN-18]
        willingness: Whether they want to pay.
        capacity: What they can pay a month, minor units.
        currency: Currency of that amount."""
        return self._tell(HardshipAssessed, locals())

    def plan_proposed(
        self,
        *,
        plan: Uuid,
        by: families.Proposer,
        debts: Sequence[Uuid],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        months: Count | None = None,
        amount: Money | None = None,
        waiver: Money | None = None,
        currency: Currency | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Somebody offered terms.

        plan: The plan, by a number of its own.
        by: Who offered. [UK-03, UK-09]
        debts: Debts it covers.
        months: How long.
        amount: Each instalment, minor units.
        waiver: What would be let off, minor units.
        currency: Currency of the amounts."""
        return self._tell(PlanProposed, locals())

    def plan_decided(
        self,
        *,
        plan: Uuid,
        decision: families.PlanDecision,
        authority: families.Authority,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        reasons: Sequence[families.ReasonPlan] | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """The firm answered an offer.

        plan: The plan.
        decision: The answer. [UK-03, UK-25]
        reasons: Why. [UK-03]
        authority: Who decided."""
        return self._tell(PlanDecided, locals())

    def plan_agreed(
        self,
        *,
        plan: Uuid,
        debts: Sequence[Uuid],
        form: families.Form,
        months: Count,
        total: Money,
        currency: Currency,
        first_due_on: Day,
        last_due_on: Day,
        items: Sequence[families.PlanItem],
        signed_by: Sequence[families.Role],
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
        """Terms were agreed.

        plan: The plan.
        debts: Debts it covers.
        form: How it was agreed. [CN-14]
        months: How long. [CN-18]
        total: All instalments together, minor units.
        currency: Currency of the total.
        first_due_on: First instalment.
        last_due_on: Last instalment. [CN-27]
        items: Items of the law that the paper holds. [CN-18]
        signed_by: Who signed; empty for an oral plan."""
        return self._tell(PlanAgreed, locals())

    def plan_breached(
        self,
        *,
        plan: Uuid,
        due_on: Day,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        grace_ends_on: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """An instalment was not paid.

        plan: The plan.
        due_on: When it was due. [CN-19]
        grace_ends_on: Last day of grace. [CN-19]"""
        return self._tell(PlanBreached, locals())

    def payment_promised(
        self,
        *,
        debts: Sequence[Uuid],
        amount: Money,
        currency: Currency,
        due_on: Day,
        form: families.Form,
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
        """A person promised to pay.

        debts: Debts meant. [CN-27]
        amount: Minor units.
        currency: Currency of the amount.
        due_on: Promised day.
        form: How it was promised. [CN-27]"""
        return self._tell(PaymentPromised, locals())

    def payment_received(
        self,
        *,
        amount: Money,
        currency: Currency,
        method: families.PayMethod,
        payer: families.Payer,
        allocation: Objects[Allocation],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        cleared: Sequence[Uuid] | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Money came in.

        amount: Minor units.
        currency: Currency of the amounts.
        method: How. [CN-27]
        payer: Who paid. [CN-06]
        allocation: What went to which debt. [US-25]
        cleared: Debts that are now paid in full. [CN-14]"""
        return self._tell(PaymentReceived, locals())
