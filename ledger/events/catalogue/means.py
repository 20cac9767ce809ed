"""Means and plans: hardship, papers, what was offered, agreed, broken and paid."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import Allocation, Payload, needs_currency, record
from ledger.events.kinds import Count, Currency, Date, Money, Objects, Sensitive, Uuid


@record
class HardshipDeclared(Payload):
    """A person said that paying is hard."""

    TYPE = "hardship.declared"
    NUMBER = 22
    RULES = (needs_currency("can_pay"),)

    willingness: codes.Willingness
    """Whether they want to pay. [UK-02]"""
    causes: Sensitive[Sequence[codes.HardshipCause]] | None = None
    """Why it is hard."""
    can_pay: Sensitive[Money] | None = None
    """What they say they can pay a month, minor units."""
    currency: Currency | None = None
    """Currency of that amount."""


@record
class DocumentExchanged(Payload):
    """A paper changed hands; its digest is in `evidence`. A doctor's letter is `hardship_proof`."""

    TYPE = "document.exchanged"
    NUMBER = 23

    direction: codes.Direction
    """From whom or to whom; passing on is an event too. [UK-09, UK-10, UK-24]"""
    kind: codes.DocumentKind
    """What it is."""
    about: Uuid | None = None
    """Event of the offer, dispute or payment that is passed on."""
    deadline: Date | None = None
    """Last day for what it asks."""


@record
class HardshipAssessed(Payload):
    """The firm looked at a person's means."""

    TYPE = "hardship.assessed"
    NUMBER = 24
    RULES = (needs_currency("capacity"),)

    plan_justified: bool
    """The debt is beyond their means and they are willing: the consequence. [CN-18]"""
    willingness: codes.Willingness
    """Whether they want to pay."""
    capacity: Sensitive[Money] | None = None
    """What they can pay a month, minor units."""
    currency: Currency | None = None
    """Currency of that amount."""


@record
class PlanProposed(Payload):
    """Somebody offered terms."""

    TYPE = "plan.proposed"
    NUMBER = 25
    RULES = (needs_currency("amount", "waiver"),)

    plan: Uuid
    """The plan, by a number of its own."""
    by: codes.Proposer
    """Who offered. [UK-03, UK-09]"""
    debts: Sequence[Uuid]
    """Debts it covers."""
    months: Count | None = None
    """How long."""
    amount: Money | None = None
    """Each instalment, minor units."""
    waiver: Money | None = None
    """What would be let off, minor units."""
    currency: Currency | None = None
    """Currency of the amounts."""


@record
class PlanDecided(Payload):
    """The firm answered an offer."""

    TYPE = "plan.decided"
    NUMBER = 26

    plan: Uuid
    """The plan."""
    decision: codes.PlanDecision
    """The answer. [UK-03, UK-25]"""
    reasons: Sequence[codes.ReasonPlan] | None = None
    """Why. [UK-03]"""
    authority: codes.Authority
    """Who decided."""


@record
class PlanAgreed(Payload):
    """Terms were agreed."""

    TYPE = "plan.agreed"
    NUMBER = 27

    plan: Uuid
    """The plan."""
    debts: Sequence[Uuid]
    """Debts it covers."""
    form: codes.Form
    """How it was agreed. [CN-14]"""
    months: Count
    """How long. [CN-18]"""
    total: Money
    """All instalments together, minor units."""
    currency: Currency
    """Currency of the total."""
    first_due_on: Date
    """First instalment."""
    last_due_on: Date
    """Last instalment. [CN-27]"""
    items: Sequence[codes.PlanItem]
    """Items of the law that the paper holds. [CN-18]"""
    signed_by: Sequence[codes.Role]
    """Who signed; empty for an oral plan."""


@record
class PlanBreached(Payload):
    """An instalment was not paid."""

    TYPE = "plan.breached"
    NUMBER = 28

    plan: Uuid
    """The plan."""
    due_on: Date
    """When it was due. [CN-19]"""
    grace_ends_on: Date | None = None
    """Last day of grace. [CN-19]"""


@record
class PaymentPromised(Payload):
    """A person promised to pay."""

    TYPE = "payment.promised"
    NUMBER = 29

    debts: Sequence[Uuid]
    """Debts meant. [CN-27]"""
    amount: Money
    """Minor units."""
    currency: Currency
    """Currency of the amount."""
    due_on: Date
    """Promised day."""
    form: codes.Form
    """How it was promised. [CN-27]"""


@record
class PaymentReceived(Payload):
    """Money came in."""

    TYPE = "payment.received"
    NUMBER = 30

    amount: Money
    """Minor units."""
    currency: Currency
    """Currency of the amounts."""
    method: codes.PayMethod
    """How. [CN-27]"""
    payer: codes.Payer
    """Who paid. [CN-06]"""
    allocation: Objects[Allocation]
    """What went to which debt. [US-25]"""
    cleared: Sequence[Uuid] | None = None
    """Debts that are now paid in full. [CN-14]"""
