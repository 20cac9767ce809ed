"""What the adopted packs say of one case, as the view keeps it: findings that somebody must look at one by one,
all others by count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

# Outcomes that stand in the queue, from worst to least.
EXCEPTIONS: Final = ("BREACH", "PRESUMED_BREACH", "REVIEW", "INSUFFICIENT_EVIDENCE")
# Within how many days an exception is to be closed: proposals for a house policy (docs/conduct.md).
DEADLINE_DAYS: Final[Mapping[str, int]] = {
    "BREACH": 10,
    "PRESUMED_BREACH": 10,
    "REVIEW": 20,
    "INSUFFICIENT_EVIDENCE": 30,
}
STATES: Final = ("open", "assigned", "closed")


class Cell(NamedTuple):
    """What findings are counted by. `agency` is "" where the house itself acted, `product` where the case does not
    say; `week` is the ISO week (`2026-W10`) of the local date on which the judged event happened."""

    pack: str
    rule: str
    outcome: str
    agency: str
    product: str
    week: str


@dataclass(frozen=True, slots=True)
class Found:
    """One finding that is not PASS and not NOT_APPLICABLE. `index`, `rests` and `closed_by` are indexes of entries.

    `since` is when the ledger could first have said it: when the last entry that it rests on was sequenced, or when
    the time of an answer ran out. `owner` is the uuid of a member of the staff, "" for nobody; `closed_by` is the
    review that closed it, None while it is open."""

    pack: str
    rule: str
    version: str
    outcome: str
    index: int
    event: str
    codes: tuple[str, ...]
    rests: tuple[int, ...]
    since: str
    cell: Cell
    owner: str = ""
    closed_by: int | None = None


@dataclass(frozen=True, slots=True)
class CaseFindings:
    """Everything that the view keeps of one case. `look_us` is the next moment at which time alone may change it, us
    since the epoch; None where it cannot. `too_large`: the case has more entries than are judged, and nothing is said
    of it."""

    found: tuple[Found, ...] = ()
    counts: Mapping[Cell, int] = field(default_factory=dict)
    look_us: int | None = None
    too_large: bool = False


class Told(NamedTuple):
    """One entry, as far as judging needs it."""

    idx: int
    sequenced: str
    event: Mapping[str, Any]
