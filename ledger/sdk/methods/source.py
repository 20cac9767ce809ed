"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.source`: change that, not this."""

from __future__ import annotations

from ledger.events import codes as families
from ledger.events.catalogue.common import Evidence
from ledger.events.catalogue.source import SourceCounted
from ledger.events.kinds import Count, Id, Objects, Uuid
from ledger.sdk.config import Actor
from ledger.sdk.streams import Day, EventRef, Moment, R_co, Stream


class Source(Stream[R_co]):
    """The stream of one source."""

    KIND = "source"

    def counted(
        self,
        *,
        day: Day,
        zone: Id,
        unit: families.Unit,
        stated: Count,
        found: Count,
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
        """A provider's count of one day was compared. One event a day and unit, in the stream of the source.

        day: The day. [CN-03, all FC rules]
        zone: IANA zone of that day.
        unit: What was counted.
        stated: By the provider's statement.
        found: In the ledger, from this source."""
        return self._tell(SourceCounted, locals())
