"""One line of a case's timeline: what happened, when, by whom, as the ledger holds it.

It shows what stands in the clear, and names what is protected without opening it. A corrected event stays,
and says which entry corrected it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a case. `time` is when it happened as claimed, `recordedtime` when it was captured,
    `sequenced` when it entered the ledger. `codes` is the payload without its protected members, whose names
    stand in `protected`. `corrected_by` and `corrects` are indexes of entries; `corrects` is None where the
    event corrects nothing, or nothing in this case."""

    index: int
    stream_seq: int
    event: str
    type: str
    time: str
    recordedtime: str
    sequenced: str
    actor: str
    role: str
    capacity: str
    producer: str
    codes: dict[str, Any]
    protected: tuple[str, ...]
    corrects: int | None = None
    corrected_by: int | None = None
    voided: bool = False

    def value(self) -> dict[str, Any]:
        """As JSON, without what is empty."""
        value = {name: getattr(self, name) for name in self.__slots__}
        value["protected"] = list(self.protected)
        return {k: v for k, v in value.items() if v not in (None, [], False)}
