"""A case: one debtor, with co-debtors and guarantors, at one creditor, with all the debts collected there."""

from __future__ import annotations

from ledger.events import codes
from ledger.events.catalogue.common import Payload, Place, Policy, record
from ledger.events.kinds import Objects, Uuid


@record
class CaseRegistered(Payload):
    """A case was opened."""

    TYPE = "case.registered"
    NUMBER = 1

    origin: codes.Origin
    """How the firm came by the case. [scope of rules]"""
    stage: codes.Stage
    """Where the procedure stands. [CN-29]"""
    places: Objects[Place]
    """Where the person has lived, since when. [scope of rules]"""
    policies: Objects[Policy] | None = None
    """Written policies that govern the case. [UK-01]"""


@record
class CaseAssigned(Payload):
    """A person or an agency became responsible for the case."""

    TYPE = "case.assigned"
    NUMBER = 2

    staff: Uuid | None = None
    """The person responsible."""
    to_agency: Uuid | None = None
    """The agency that gets the case. [CN-03, CN-23]"""


@record
class StageChanged(Payload):
    """The procedure moved on, or back."""

    TYPE = "case.stage_changed"
    NUMBER = 3

    stage: codes.Stage
    """Where it stands from now on. [CN-29]"""


@record
class CaseClosed(Payload):
    """Collection in this case ended."""

    TYPE = "case.closed"
    NUMBER = 4

    reason: codes.ReasonClose
    """Why; the retention periods start here. [US-28]"""
