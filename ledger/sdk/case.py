"""A case, and everything that can be said of it: one method for each type of the catalogue that stands in a case.

`case.call_placed(...)`, `case.registered(...)` and `case.status_changed(...)` are called by their own words; a type of
another family by family and word, as `case.payment_received(...)`. Every argument is named, every code is a closed
set that a type checker knows, and every method also takes

    evidence, late_reason, void, automated, agency, source_ref        what every event may carry
    time                    when it happened; without it, now
    corrects                the event that this one corrects; with `void=True`: that did not happen
    correlation, causation  other events that this one belongs to or follows from
    expected_version        refused by the ledger unless the stream then holds exactly so many entries
    actor                   who acted, where it is not who the settings say

A contact takes `to` (`sender` where it came in): the number or address, from which the uuid of the contact point is
worked out. The number itself is not recorded, but for a message's `to`, which is protected."""

from __future__ import annotations

from ledger.sdk.methods.agency import Agency, Staff
from ledger.sdk.methods.case import CaseMethods
from ledger.sdk.methods.contact import ContactMethods
from ledger.sdk.methods.control import ControlMethods
from ledger.sdk.methods.debt import DebtMethods
from ledger.sdk.methods.law import LawMethods
from ledger.sdk.methods.means import MeansMethods
from ledger.sdk.methods.objection import ObjectionMethods
from ledger.sdk.methods.party import PartyMethods
from ledger.sdk.methods.source import Source
from ledger.sdk.streams import R_co

__all__ = ["Agency", "Case", "Source", "Staff"]


class Case(
    CaseMethods[R_co],
    DebtMethods[R_co],
    PartyMethods[R_co],
    ContactMethods[R_co],
    MeansMethods[R_co],
    ObjectionMethods[R_co],
    LawMethods[R_co],
    ControlMethods[R_co],
):
    """One case. Made by `recorder.case(account="…")`; cheap, and needs no closing."""
