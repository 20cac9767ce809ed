"""What both forms of an OCEL 2.0 log share: which attributes the types have, and the values of an event's."""

from __future__ import annotations

from typing import Final

from projections.exchange.out.columns import BASE, Column, Kind, members_of, text_of
from projections.exchange.out.source import OutEvent

# The time at which the first known value of an attribute stands: OCEL's spelling of "from the beginning".
BEGINNING: Final = "1970-01-01T00:00:00.000000Z"

# What is known of every event besides its id, type and time. Its members follow, under their own names.
_KNOWN: Final = (
    "case_seq", "event_id", "recordedtime", "sequenced", "actor", "actor_role", "actor_capacity", "producer",
    "standing", "corrected_by", "corrects", "protected",
)  # fmt: skip


def attributes_of(short: str) -> list[Column]:
    """Attributes of events of this type, in the order in which they are written; then `more`, the lists and
    objects as JSON."""
    columns = [Column(name, BASE[name]) for name in _KNOWN]
    columns += [Column(name, kind) for name, kind in members_of(short).items()]
    return [*columns, Column("more", "text")]


def values_of(event: OutEvent, members: dict[str, Kind]) -> dict[str, str | int | bool]:
    """The event's attributes by name, without what is absent."""
    made: dict[str, str | int | bool] = {
        "case_seq": event.seq,
        "event_id": event.id,
        "recordedtime": event.recordedtime,
        "sequenced": event.sequenced,
        "actor": event.actor,
        "actor_role": event.role,
        "actor_capacity": event.capacity,
        "producer": event.producer,
        "standing": event.standing,
    }
    if event.corrected_by is not None:
        made["corrected_by"] = event.corrected_by
    if event.corrects is not None:
        made["corrects"] = event.corrects
    if event.protected:
        made["protected"] = event.protected
    more: dict[str, object] = {}
    for name, value in event.data.items():
        if name in members and isinstance(value, (str, int)):
            made[name] = value
        else:
            more[name] = value
    if more:
        made["more"] = text_of(more)
    return made
