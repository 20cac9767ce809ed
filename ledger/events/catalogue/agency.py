"""Agencies and staff, in streams of their own: with whom the firm works, and who may do what."""

from __future__ import annotations

from ledger.events import codes
from ledger.events.catalogue.common import Payload, only_with, record
from ledger.events.kinds import Date, Personal, Text


@record
class AgencyEngaged(Payload):
    """An agency was hired."""

    TYPE = "agency.engaged"
    NUMBER = 38

    contract_from: Date
    """First day of the contract. [CN-22, CN-26]"""
    contract_to: Date
    """Its last day."""
    listed_from: Date | None = None
    """First day on the published list. [CN-23]"""
    listed_to: Date | None = None
    """Last day on it."""
    pay_model: codes.PayModel
    """How the agency is paid. [CN-20]"""


@record
class AgencyReviewed(Payload):
    """The work of an agency was judged."""

    TYPE = "agency.reviewed"
    NUMBER = 39

    period_from: Date
    """First day of the period. [CN-22]"""
    period_to: Date
    """Its last day."""
    result: codes.ReviewResult
    """The mark."""
    action: codes.ReviewAction
    """What follows. [CN-22]"""
    data_returned_on: Date | None = None
    """Day on which it gave back the data. [DP-6, X-2]"""


@record
class StaffQualified(Payload):
    """A person of the staff showed what they may do, or was taken on."""

    TYPE = "staff.qualified"
    NUMBER = 40
    RULES = (only_with("pay_model", "kind", "engagement"),)

    kind: codes.Qualification
    """What was shown. [CN-21]"""
    valid_from: Date
    """First day."""
    valid_to: Date | None = None
    """Last day."""
    pay_model: codes.PayModel | None = None
    """How the person is paid; with kind `engagement` only. [CN-20]"""
    certificate_no: Personal[Text] | None = None
    """Number of the certificate."""
