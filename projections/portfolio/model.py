"""A number of findings, and what it is the number of."""

from __future__ import annotations

from typing import Final, NamedTuple

OUTCOMES: Final = (
    "BREACH",
    "PRESUMED_BREACH",
    "REVIEW",
    "INSUFFICIENT_EVIDENCE",
    "ADVISORY",
    "PASS",
    "NOT_APPLICABLE",
)
# What rows of the portfolio may stand for.
DIMENSIONS: Final = ("rule", "agency", "week", "product")


class Key(NamedTuple):
    """What findings are counted by. `agency` is "" for the house itself, `product` where the case does not say;
    `week` is the ISO week of the judged event."""

    pack: str
    rule: str
    outcome: str
    agency: str
    product: str
    week: str


class Line(NamedTuple):
    """One row of the portfolio: what it stands for, and the findings of each outcome."""

    name: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())
