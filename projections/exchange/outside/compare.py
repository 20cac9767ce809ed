"""A statement beside the ledger, day by day, and the counts that follow from it.

`found` is how many of the provider's records the ledger bears out. Where it bears out all of them and has more besides,
those are counted too. So `found` equals `stated` exactly when nothing differs, and a missing call is never made up for by
one that the provider does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ledger.events.catalogue.common import Evidence
from ledger.events.catalogue.source import SourceCounted
from ledger.kernel import canonical
from ledger.sdk.ids import local_id
from projections.exchange.outside.commitments import (
    ROOT_MEDIA_TYPE,
    by_day,
    day_key,
    day_root,
    root_bytes,
)
from projections.exchange.outside.ledgerside import Counted
from projections.exchange.outside.matching import (
    BY_ID,
    BY_POINT,
    DEFAULT_TOLERANCE_US,
    LedgerRecord,
    Matching,
    match,
)
from projections.exchange.outside.statement import UNITS, Statement


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a statement beside the ledger. `root` is over the statement's records of that day."""

    day: str
    stated: int
    by_id: int
    by_point: int
    missing: int
    extra: int
    differing: int
    root: bytes

    @property
    def found(self) -> int:
        gaps = self.missing + self.differing
        return self.stated - gaps if gaps else self.stated + self.extra

    @property
    def differs(self) -> bool:
        return bool(self.missing or self.extra or self.differing)


@dataclass(slots=True)
class Comparison:
    """Everything that came of comparing a statement with the ledger."""

    statement: Statement
    matching: Matching
    days: list[Day]

    @property
    def differs(self) -> bool:
        return any(day.differs for day in self.days)


def compare(
    statement: Statement,
    ledger: Iterable[LedgerRecord],
    *,
    tenant_key: bytes,
    source: str,
    tolerance_us: int = DEFAULT_TOLERANCE_US,
) -> Comparison:
    """Matches a statement with the ledger's records, and commits to each of its days."""
    records = statement.records

    def point_of(case: str, number: str) -> str:
        return local_id(tenant_key, "contact_point", case, number)

    result = match(records, ledger, statement.days.keys(), point_of, tolerance_us=tolerance_us)
    missing = Counter(records.days[number] for number in result.missing)
    differing = Counter(records.days[number] for number, _ in result.differing)
    extra = Counter(event.day for event in result.extra)
    ways: Counter[tuple[str, int]] = Counter(zip(records.days, result.found, strict=True))
    grouped = by_day(records)
    days = [
        Day(
            day=day,
            stated=stated,
            by_id=ways[day, BY_ID],
            by_point=ways[day, BY_POINT],
            missing=missing[day],
            extra=extra[day],
            differing=differing[day],
            root=day_root(records, grouped.get(day, []), day_key(tenant_key, source, day)),
        )
        for day, stated in statement.days.items()
    ]
    return Comparison(statement, result, days)


def payload(comparison: Comparison, day: Day) -> SourceCounted:
    """The event that says what was stated and found of a day. Its evidence: the files, and the root over the records."""
    records = comparison.statement.records
    used = {records.file_of[n] for n, of in enumerate(records.days) if of == day.day} if day.stated else set()
    files = [file for place, file in enumerate(records.files) if place in used or not used]
    newest = canonical.format_time(max(file.captured_us for file in files))
    evidence = [
        Evidence(
            kind="statement",
            sha256=file.sha256,
            bytes=file.size,
            media_type=file.media_type,
            captured=canonical.format_time(file.captured_us),
        )
        for file in files
    ]
    evidence.append(
        Evidence(
            kind="statement",
            sha256=day.root.hex(),
            bytes=root_bytes(day.stated),
            media_type=ROOT_MEDIA_TYPE,
            captured=newest,
        )
    )
    unit: Any = UNITS[comparison.statement.channel]
    return SourceCounted(
        day=day.day,
        zone=comparison.statement.zone,
        unit=unit,
        stated=day.stated,
        found=day.found,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A count that the ledger does not have yet: a new one, or a correction of `corrects`."""

    payload: SourceCounted
    corrects: Counted | None


def changes(comparison: Comparison, before: dict[tuple[str, str], Counted]) -> tuple[list[Change], list[str]]:
    """(what has to be recorded, days that were counted from other files before)."""
    found: list[Change] = []
    elsewhere: list[str] = []
    for day in comparison.days:
        said = payload(comparison, day)
        old = before.get((said.unit, said.day))
        if old is not None:
            assert said.evidence is not None
            digests = {one.sha256 for one in said.evidence[:-1]}  # type: ignore[union-attr]
            if old.files != digests:
                elsewhere.append(day.day)
            same = (old.data["stated"], old.data["found"], old.data["zone"], old.root, old.files)
            if same == (said.stated, said.found, said.zone, day.root.hex(), digests):
                continue
        found.append(Change(said, old))
    return found, elsewhere
