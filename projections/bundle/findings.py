"""What the adopted rules say of a gathered case (docs/formats/findings.md). The pack files in a ledger directory
are no evidence: a file counts only if its digest is the one that the registry adopted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import pack_name
from ledger.kernel.entry import Entry
from ledger.rules import calendar
from ledger.rules.proof import KINDS, Adoption, Judgement, judge, newest, open_pack, with_opened
from ledger.rules.shapes import FrequencyCap, Pack
from ledger.rules.toml import PackRefused
from projections.bundle.gather import Gathered, references
from projections.conformance.shelf import Shelf

ADOPTED: Final = "duecourse.ledger.pack_adopted.v1"
# A local date is at most one day away from the date in UTC.
_ZONE_DAYS: Final = 1


@dataclass(frozen=True, slots=True)
class Adopted:
    """The packs that a registry adopted. `held` are those whose adopted bytes are at hand and can be read, by
    `id@version`; `lacking` are the names of the others, with the reason."""

    adoptions: tuple[Adoption, ...]
    held: Mapping[str, Pack]
    lacking: Mapping[str, str]

    @property
    def judges(self) -> bool:
        """Whether there is any rule to judge by."""
        return any(pack.rules for pack in self.held.values())

    def files(self) -> list[tuple[str, str, bytes]]:
        """Id, version and bytes of each pack that is held, ascending."""
        return sorted((pack.id, pack.version, pack.data) for pack in self.held.values())

    def members(self) -> list[tuple[str, bytes]]:
        """The same as members of a bundle."""
        return [(pack_name(pack, version), data) for pack, version, data in self.files()]


def adoptions_of(registry: Iterable[Entry]) -> tuple[Adoption, ...]:
    """Every adoption in the registry's stream, in order."""
    return tuple(
        Adoption.from_value(entry.event["data"]) for entry in registry if entry.event["type"] == ADOPTED
    )


def read_adopted(adoptions: Sequence[Adoption], folder: Path | None) -> Adopted:
    """The adopted packs as far as `folder`, or this release, has the bytes that were adopted."""
    shelf = Shelf(folder)
    held: dict[str, Pack] = {}
    lacking: dict[str, str] = {}
    for name, adoption in newest(adoptions).items():
        data = shelf(adoption.pack, adoption.version, adoption.digest)
        if data is None:
            lacking[name] = "the bytes that were adopted are not at hand"
            continue
        try:
            pack = open_pack(data, f"{name}.toml")
        except PackRefused as error:
            lacking[name] = error.reason
            continue
        if pack.name == name:
            held[name] = pack
        else:
            lacking[name] = f"the pack calls itself {pack.name}"
    return Adopted(tuple(adoptions), held, lacking)


def gather_leaned_on(gathered: Gathered, subject: str, adopted: Adopted) -> None:
    """Adds the streams of staff, agencies and sources on which findings about this case may rest."""
    case = gathered.streams[subject]
    for reference in sorted(references(case)):
        gathered.stream(reference)
    if not adopted.judges:
        return
    days = _days(case, adopted)
    for source in gathered.subjects("source/"):
        if any(str(entry.event["data"].get("day", "")) in days for entry in gathered.peek(source)):
            gathered.stream(source)


class _Days(NamedTuple):
    first: str
    last: str

    def __contains__(self, day: object) -> bool:
        return isinstance(day, str) and self.first <= day <= self.last


def _days(case: Sequence[Entry], adopted: Adopted) -> _Days:
    """The days on which a count could touch a cap over this case."""
    caps = [
        params.dates
        for pack in adopted.held.values()
        for rule in pack.rules
        for params in (rule.params, *(reading.params for reading in rule.readings))
        if isinstance(params, FrequencyCap)
    ]
    if not caps:
        return _Days("~", "")
    times = [canonical.parse_time(entry.event["time"]) for entry in case]
    first, last = (at // calendar.DAY_US for at in (min(times), max(times)))
    before = first - max(caps) - _ZONE_DAYS
    return _Days(_spelled(before), _spelled(last + _ZONE_DAYS))


def _spelled(day: int) -> str:
    """The date of a day counted from the epoch."""
    return calendar.spelled(day + calendar.ordinal("1970-01-01"))


def judged(gathered: Gathered, adopted: Adopted, opened: Mapping[int, Mapping[str, Any]]) -> Judgement:
    """Findings over what was gathered, as of its seal. `opened` are values by index and pointer."""
    events: list[tuple[int, Mapping[str, Any]]] = []
    for entry in gathered.in_order():
        if entry.subject.partition("/")[0] in KINDS:
            event: Mapping[str, Any] = entry.event
            if entry.index in opened:
                event = with_opened(canonical.decode(entry.event_raw), opened[entry.index])
            events.append((entry.index, event))
    try:
        return judge(events, adopted.held, adopted.adoptions, as_of=gathered.seal.sequenced)
    except Refused as error:
        raise ConfigurationError(f"{error.detail}: export the case without its findings") from error
