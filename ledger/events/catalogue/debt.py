"""Debts: what is owed, what was taken off or added, who owns it."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import Payload, record
from ledger.events.kinds import Currency, Date, Id, Money, Uuid


@record
class DebtItemised(Payload):
    """A debt was written out into its parts."""

    TYPE = "debt.itemised"
    NUMBER = 5

    debt: Uuid
    """The debt."""
    product: codes.Product
    """What it comes from; one case may hold several products. A medical bill is `other`. [scope of rules]"""
    currency: Currency
    """Currency of the amounts."""
    principal: Money
    """Minor units."""
    interest: Money
    """Minor units."""
    fees: Money
    """Minor units."""
    itemised_on: Date
    """Day as of which the parts hold. [US-19]"""
    due_on: Date | None = None
    """First due date that was not met. [CN-27, CN-30]"""
    charged_off_on: Date | None = None
    """Day of charge-off. [scope of New York rules]"""
    original_creditor: Id | None = None
    """The firm's label of the first creditor. [US-22]"""
    limitation_on: Date | None = None
    """Last day before the debt is time-barred, as the creditor works it out. [US-24, UK-26]"""


@record
class DebtAdjusted(Payload):
    """A debt was lowered, raised or corrected."""

    TYPE = "debt.adjusted"
    NUMBER = 6

    debt: Uuid
    """The debt."""
    kind: codes.AdjustKind
    """What was done. [UK-28, UK-02]"""
    amount: Money
    """Minor units."""
    currency: Currency
    """Currency of the amount."""
    authority: codes.Authority
    """Who allowed it."""


@record
class DebtTransferred(Payload):
    """Debts went to another owner. The notice to the debtor is a message of kind `assignment_notice`."""

    TYPE = "debt.transferred"
    NUMBER = 7

    debts: Sequence[Uuid]
    """The debts. [CN-28, UK-29]"""
    transferee: Uuid
    """The new owner."""
    effective: Date
    """First day of the new ownership."""
