"""One handling of personal data, as the ledger holds it: its codes, never the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Access:
    """A `data.handled` event. `requester` says whether somebody's name was recorded (protected, not opened here);
    `records` are the events or files that were touched, by id or digest. Both a corrected event and its correction
    stay: `corrects` and `corrected_by` are indexes of entries."""

    case: str
    shard: int
    index: int
    event: str
    time: str
    sequenced: str
    actor: str
    role: str
    capacity: str
    producer: str
    action: str
    purpose: str
    fields: tuple[str, ...]
    records: tuple[str, ...]
    recipient_agency: str
    about: str
    request: str
    answer: str
    requester: bool
    corrects: int | None
    corrected_by: int | None
    voided: bool

    def value(self) -> dict[str, Any]:
        """As JSON, without what is empty."""
        value = {name: getattr(self, name) for name in self.__slots__}
        value["fields"], value["records"] = list(self.fields), list(self.records)
        return {k: v for k, v in value.items() if v is not None and v is not False and v not in ("", [])}
