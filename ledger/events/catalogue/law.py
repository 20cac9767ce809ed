"""Steps at law, and reports to the credit file."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes
from ledger.events.catalogue.common import Payload, record
from ledger.events.kinds import Id, Uuid


@record
class StepTaken(Payload):
    """A step at law was taken."""

    TYPE = "legal.step_taken"
    NUMBER = 41

    kind: codes.LegalKind
    """Which. [CN-27, CN-29, CN-30, US-24, UK-06, UK-27]"""
    debts: Sequence[Uuid]
    """Debts it is about."""
    court: Id | None = None
    """Code of the court."""
    venue_basis: codes.VenueBasis | None = None
    """Why this court. [US-26]"""
    reason: codes.LegalReason | None = None
    """Why the step. [UK-06, UK-25]"""
    authority: codes.Authority
    """Who allowed it."""


@record
class CreditReported(Payload):
    """Something was reported to a credit file."""

    TYPE = "credit.reported"
    NUMBER = 42

    debts: Sequence[Uuid]
    """Debts it is about."""
    item: codes.CreditItem
    """What was reported."""
    disputed: bool
    """It was marked as disputed."""
    notice: Uuid | None = None
    """Message in which the person was told beforehand. [X-3, US-23]"""
