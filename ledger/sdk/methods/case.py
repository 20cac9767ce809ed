"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.case`: change that, not this."""

from __future__ import annotations

from ledger.events import codes as families
from ledger.events.catalogue.case import CaseAssigned, CaseClosed, CaseRegistered, StageChanged
from ledger.events.catalogue.common import Evidence, Place, Policy
from ledger.events.kinds import Id, Objects, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, EventRef, Moment, R_co


class CaseMethods(CaseStream[R_co]):
    """What a tool says of a case: case."""

    def registered(
        self,
        *,
        origin: families.Origin,
        stage: families.Stage,
        places: Objects[Place],
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        policies: Objects[Policy] | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A case was opened.

        origin: How the firm came by the case. [scope of rules]
        stage: Where the procedure stands. [CN-29]
        places: Where the person has lived, since when. [scope of rules]
        policies: Written policies that govern the case. [UK-01]"""
        return self._tell(CaseRegistered, locals())

    def assigned(
        self,
        *,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        staff: Uuid | None = None,
        to_agency: Uuid | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person or an agency became responsible for the case.

        staff: The person responsible.
        to_agency: The agency that gets the case. [CN-03, CN-23]"""
        return self._tell(CaseAssigned, locals())

    def stage_changed(
        self,
        *,
        stage: families.Stage,
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
        """The procedure moved on, or back.

        stage: Where it stands from now on. [CN-29]"""
        return self._tell(StageChanged, locals())

    def closed(
        self,
        *,
        reason: families.ReasonClose,
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
        """Collection in this case ended.

        reason: Why; the retention periods start here. [US-28]"""
        return self._tell(CaseClosed, locals())
