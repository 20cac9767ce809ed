"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.law`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence
from ledger.events.catalogue.law import CreditReported, StepTaken
from ledger.events.kinds import Id, Objects, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, EventRef, Moment, R_co


class LawMethods(CaseStream[R_co]):
    """What a tool says of a case: law."""

    def legal_step_taken(
        self,
        *,
        kind: families.LegalKind,
        debts: Sequence[Uuid],
        authority: families.Authority,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        court: Id | None = None,
        venue_basis: families.VenueBasis | None = None,
        reason: families.LegalReason | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A step at law was taken.

        kind: Which. [CN-27, CN-29, CN-30, US-24, UK-06, UK-27]
        debts: Debts it is about.
        court: Code of the court.
        venue_basis: Why this court. [US-26]
        reason: Why the step. [UK-06, UK-25]
        authority: Who allowed it."""
        return self._tell(StepTaken, locals())

    def credit_reported(
        self,
        *,
        debts: Sequence[Uuid],
        item: families.CreditItem,
        disputed: bool,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        notice: EventRef | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Something was reported to a credit file.

        debts: Debts it is about.
        item: What was reported.
        disputed: It was marked as disputed.
        notice: Message in which the person was told beforehand. [X-3, US-23]"""
        return self._tell(CreditReported, locals())
