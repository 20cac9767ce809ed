"""The debtor's own clock, beside UTC. Where a person is said to be in several zones, each is shown: nothing is
guessed, and the machine's zone is never taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ledger.kernel import canonical
from ledger.rules import calendar

# More candidate zones than this tell a reader nothing more.
SHOWN = 3


class LocalTime(NamedTuple):
    """`time` is `YYYY-MM-DD hh:mm:ss` in `zone`."""

    zone: str
    time: str


class CaseZones:
    """The zones of one case: those that an event states (where the person lives, if that is stated), else all that
    the case has on file."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        found: set[str] = set()
        for event in events:
            data = event["data"]
            found.update(_stated(data))
            if isinstance(data.get("zone"), str) and "contact_point" in data:
                found.add(data["zone"])
        self.everywhere = tuple(sorted(zone for zone in found if calendar.zone(zone) is not None))

    def of(self, event: Mapping[str, Any]) -> tuple[LocalTime, ...]:
        """When the event happened, in each zone that may be the person's; none where none is known."""
        zones = [zone for zone in _stated(event["data"]) if calendar.zone(zone) is not None]
        moment = canonical.parse_time(event["time"])
        return tuple(LocalTime(zone, clock(moment, zone)) for zone in (zones or self.everywhere)[:SHOWN])


def _stated(data: Mapping[str, Any]) -> list[str]:
    stated = data.get("zones")
    if not isinstance(stated, list):
        return []
    pairs = [(item.get("zone"), item.get("source")) for item in stated if isinstance(item, Mapping)]
    living = [zone for zone, source in pairs if source == "residence" and isinstance(zone, str)]
    return list(dict.fromkeys(living or [zone for zone, _ in pairs if isinstance(zone, str)]))


def clock(moment: int, zone: str) -> str:
    """A moment (us since the epoch) in a zone that exists, to the second."""
    day, within = calendar.local(moment, zone)
    seconds = within // 1_000_000
    return f"{calendar.spelled(day)} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
