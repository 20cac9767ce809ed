"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.party`: change that, not this."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence, Party, Window
from ledger.events.catalogue.party import (
    ConsentRecorded,
    ContactPointChanged,
    IdentityVerified,
    PreferenceRecorded,
    StatusChanged,
)
from ledger.events.kinds import Id, Objects, PlaceCode, Text, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import CaseStream, Day, EventRef, Moment, R_co


class PartyMethods(CaseStream[R_co]):
    """What a tool says of a case: party."""

    def contact_point_changed(
        self,
        *,
        party: Party | Uuid,
        action: families.PointAction,
        medium: families.Medium,
        source: families.PointSource,
        role: families.Role | None = None,
        contact_point: Uuid | None = None,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        address: Text | None = None,
        zone: Id | None = None,
        zone_source: families.ZoneSource | None = None,
        place: PlaceCode | None = None,
        is_work: bool | None = None,
        is_reserved: bool | None = None,
        reassigned_checked_at: Moment | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A number, address or account of a person was added, verified or found not to be theirs.

        party: The person.
        role: Their role in the case.
        contact_point: The contact point, by a number of its own.
        action: What happened to it. [CN-07, US-12]
        medium: What it is good for.
        address: The number or address itself.
        source: Where it comes from. [CN-06]
        zone: IANA zone that it speaks for. [US-01]
        zone_source: Where the zone comes from.
        place: New residence, ISO 3166. [scope of rules]
        is_work: It belongs to a workplace. [US-03, US-30]
        is_reserved: It was reserved with the bank. [CN-27]
        reassigned_checked_at: When the register of reassigned numbers was asked. [US-12]"""
        return self._tell(ContactPointChanged, locals())

    def status_changed(
        self,
        *,
        party: Party | Uuid,
        contact_allowed: families.ContactAllowed,
        effective: Day,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        status: families.Status | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """Something about a person changed that decides whether they may be contacted. `time` is when it
            became known.

        party: The person.
        contact_allowed: The consequence. [CN-06, CN-07, UK-19]
        effective: Day from which it holds in law.
        status: The reason."""
        return self._tell(StatusChanged, locals())

    def preference_recorded(
        self,
        *,
        party: Party | Uuid,
        kind: families.PrefKind,
        form: families.Form,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        windows: Objects[Window] | None = None,
        zone: Id | None = None,
        media: Sequence[families.Medium] | None = None,
        place_kind: families.PlaceKind | None = None,
        expires: Day | None = None,
        confirms: EventRef | None = None,
        posted_on: Day | None = None,
        withdraws: EventRef | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person said when, where or how not to be contacted, or ended such a wish.

        party: The person.
        kind: What is preferred. [US-02, US-03, UK-12]
        form: How it was said. [Massachusetts rules]
        windows: Times meant. [US-02, UK-12]
        zone: IANA zone of these times.
        media: Media meant.
        place_kind: Place meant.
        expires: Last day.
        confirms: Event of the oral wish that this one confirms in writing. [Massachusetts rules]
        posted_on: Postmark of the confirmation. [Massachusetts rules]
        withdraws: Event of an earlier wish that this one ends."""
        return self._tell(PreferenceRecorded, locals())

    def consent_recorded(
        self,
        *,
        party: Party | Uuid,
        action: families.ConsentAction,
        scope: Sequence[families.ConsentScope],
        form: families.Form,
        given_to: families.GivenTo,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        given_in: EventRef | None = None,
        windows: Objects[Window] | None = None,
        zone: Id | None = None,
        valid_from: Day | None = None,
        expires: Day | None = None,
        debts: Sequence[Uuid] | None = None,
        consent: EventRef | None = None,
        wording: Text | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """A person agreed to something, agreed again, or took it back.

        party: The person.
        action: Which of the three. [US-08, US-12, CN-01, CN-04]
        scope: To what.
        form: How. [CN-01]
        given_to: To whom; some consents count only when the collector got them. [US-08]
        given_in: Event of the conversation or message in which it was given.
        windows: Hours agreed to.
        zone: IANA zone of these hours.
        valid_from: First day.
        expires: Last day as agreed; the law may end it sooner. [US-08]
        debts: Debts it speaks of; absent: all.
        consent: Event of the grant that is renewed or withdrawn.
        wording: The words."""
        return self._tell(ConsentRecorded, locals())

    def identity_verified(
        self,
        *,
        party: Party | Uuid,
        method: families.VerifyMethod,
        result: families.VerifyResult,
        role: families.Role | None = None,
        evidence: Objects[Evidence] | None = None,
        late_reason: families.LateReason | None = None,
        void: bool | None = None,
        automated: bool | None = None,
        agency: Uuid | None = None,
        source_ref: Id | None = None,
        contact: EventRef | None = None,
        time: Moment | None = None,
        corrects: EventRef | None = None,
        correlation: EventRef | None = None,
        causation: EventRef | None = None,
        expected_version: int | None = None,
        actor: Actor | str | None = None,
    ) -> R_co:
        """It was checked who somebody is.

        party: The person.
        role: The role that was checked.
        method: How.
        result: What came of it. [UK-07, UK-16]
        contact: Event of the call or visit in which it was done. [UK-16]"""
        return self._tell(IdentityVerified, locals())
