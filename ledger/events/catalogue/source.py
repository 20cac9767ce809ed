"""Comparison with outside sources: what a provider says that it carried, beside what the ledger holds."""

from __future__ import annotations

from ledger.events import codes
from ledger.events.catalogue.common import Payload, record
from ledger.events.kinds import Count, Date, Id


@record
class SourceCounted(Payload):
    """A provider's count of one day was compared. One event a day and unit, in the stream of the source."""

    TYPE = "source.counted"
    NUMBER = 46

    day: Date
    """The day. [CN-03, all FC rules]"""
    zone: Id
    """IANA zone of that day."""
    unit: codes.Unit
    """What was counted."""
    stated: Count
    """By the provider's statement."""
    found: Count
    """In the ledger, from this source."""
