"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.agency`: change that, not this."""

from __future__ import annotations

from ledger.events import codes as families
from ledger.events.catalogue.agency import AgencyEngaged, AgencyReviewed, StaffQualified
from ledger.events.catalogue.common import Evidence
from ledger.events.kinds import Id, Objects, Text, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import Day, EventRef, Moment, R_co, Stream


class Agency(Stream[R_co]):
    """The stream of one agency."""

    KIND = "agency"

    def engaged(
        self,
        *,
        contract_from: Day,
        contract_to: Day,
        pay_model: families.PayModel,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        listed_from: Day | None = None,
        listed_to: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """An agency was hired.

        contract_from: First day of the contract. [CN-22, CN-26]
        contract_to: Its last day.
        listed_from: First day on the published list. [CN-23]
        listed_to: Last day on it.
        pay_model: How the agency is paid. [CN-20]"""
        return self._tell(AgencyEngaged, locals())

    def reviewed(
        self,
        *,
        period_from: Day,
        period_to: Day,
        result: families.ReviewResult,
        action: families.ReviewAction,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        data_returned_on: Day | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """The work of an agency was judged.

        period_from: First day of the period. [CN-22]
        period_to: Its last day.
        result: The mark.
        action: What follows. [CN-22]
        data_returned_on: Day on which it gave back the data. [DP-6, X-2]"""
        return self._tell(AgencyReviewed, locals())


class Staff(Stream[R_co]):
    """The stream of one staff."""

    KIND = "staff"

    def qualified(
        self,
        *,
        kind: families.Qualification,
        valid_from: Day,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        valid_to: Day | None = None,
        pay_model: families.PayModel | None = None,
        certificate_no: Text | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person of the staff showed what they may do, or was taken on.

        kind: What was shown. [CN-21]
        valid_from: First day.
        valid_to: Last day.
        pay_model: How the person is paid; with kind `engagement` only. [CN-20]
        certificate_no: Number of the certificate."""
        return self._tell(StaffQualified, locals())
