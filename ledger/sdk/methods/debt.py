"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.debt`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence
from ledger.events.catalogue.debt import DebtAdjusted, DebtItemised, DebtTransferred
from ledger.events.kinds import Currency, Id, Money, Objects, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, Day, EventRef, Moment, R_co


class DebtMethods(CaseStream[R_co]):
    """What a tool says of a case: debt."""

    def debt_itemised(
        self,
        *,
        debt: Uuid,
        product: families.Product,
        currency: Currency,
        principal: Money,
        interest: Money,
        fees: Money,
        itemised_on: Day,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        due_on: Day | None = None,
        charged_off_on: Day | None = None,
        original_creditor: Id | None = None,
        limitation_on: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A debt was written out into its parts.

        debt: The debt.
        product: What it comes from; one case may hold several products. A medical bill is `other`. [scope
            of rules]
        currency: Currency of the amounts.
        principal: Minor units.
        interest: Minor units.
        fees: Minor units.
        itemised_on: Day as of which the parts hold. [US-19]
        due_on: First due date that was not met. [CN-27, CN-30]
        charged_off_on: Day of charge-off. [scope of New York rules]
        original_creditor: The firm's label of the first creditor. [US-22]
        limitation_on: Last day before the debt is time-barred, as the creditor works it out. [US-24, UK-26]"""
        return self._tell(DebtItemised, locals())

    def debt_adjusted(
        self,
        *,
        debt: Uuid,
        kind: families.AdjustKind,
        amount: Money,
        currency: Currency,
        authority: families.Authority,
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
        """A debt was lowered, raised or corrected.

        debt: The debt.
        kind: What was done. [UK-28, UK-02]
        amount: Minor units.
        currency: Currency of the amount.
        authority: Who allowed it."""
        return self._tell(DebtAdjusted, locals())

    def debt_transferred(
        self,
        *,
        debts: Sequence[Uuid],
        transferee: Uuid,
        effective: Day,
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
        """Debts went to another owner. The notice to the debtor is a message of kind `assignment_notice`.

        debts: The debts. [CN-28, UK-29]
        transferee: The new owner.
        effective: First day of the new ownership."""
        return self._tell(DebtTransferred, locals())
