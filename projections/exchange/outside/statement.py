"""A statement of an outside source: its files read whole, and its days.

Whoever holds a `Statement` knows that every record of every file was read, that no id stands twice, and that each record
has an instant or a day. Not that the provider tells the truth: that is what the ledger is compared with."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange.outside.camt import Reference, read_camt
from projections.exchange.outside.clock import Clock, Fold, WrongTime, check_day, next_day, zone
from projections.exchange.outside.csvfile import read_csv
from projections.exchange.outside.layout import load_layout
from projections.exchange.outside.mail import read_mail
from projections.exchange.outside.receipts import read_receipts
from projections.exchange.outside.records import Channel, Collector, Records

# What `source.counted` counts. The catalogue has no unit for payments: their statements are compared, not recorded.
UNITS: Final[dict[Channel, str]] = {"call": "call", "sms": "message", "mail": "message"}
FILES_MAX: Final = 64
DAYS_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files of a statement are to be read. `layout` is "" for the format that the channel has of itself
    (receipts, mail, camt.053). `days` is the zone in which the provider counts its days, `times` that of times without
    one; `first` and `last` are the days that the statement covers, where it is known to cover days without a record."""

    channel: Channel
    layout: str = ""
    days: str = ""
    times: str = ""
    fold: Fold = ""
    encoding: str | None = None
    first: str = ""
    last: str = ""
    reference: Reference = "bank"


@dataclass(slots=True)
class Statement:
    """`days` are all days that it covers, in order, with how many records each has. `digest` is one of all its files
    together, whatever their order."""

    records: Records
    zone: str
    clock: Clock
    days: dict[str, int]
    digest: str

    @property
    def channel(self) -> Channel:
        return self.records.channel


def read_statement(paths: Sequence[Path], reading: Reading) -> Statement:
    """Reads all files of a statement. `ImportRefused` lists everything that is wrong with them, with line numbers."""
    if not 0 < len(paths) <= FILES_MAX:
        raise ConfigurationError(f"a statement is 1 to {FILES_MAX} files, not {len(paths)}")
    first, last = _covered(reading)
    layout = load_layout(reading.layout, reading.channel) if reading.layout else None
    if layout is None and reading.channel == "call":
        raise ConfigurationError("call records need a layout: --layout NAME_OR_FILE")
    times = reading.times or ("" if layout is None else layout.zone)
    days = reading.days or times
    if not days:
        raise ConfigurationError("say in which zone the provider counts its days: --zone, as Asia/Shanghai")
    fold: Fold = reading.fold or ("" if layout is None else layout.fold)
    clock = Clock(zone(days), zone(times) if times else None, fold)
    collector = Collector(reading.channel, first_day=first, last_day=last)
    for path in paths:
        if layout is not None:
            read_csv(path, layout, clock, collector, encoding=reading.encoding)
        elif reading.channel == "sms":
            read_receipts(path, clock, collector, encoding=reading.encoding)
        elif reading.channel == "mail":
            read_mail(path, clock, collector)
        else:
            read_camt(path, clock, collector, reference=reading.reference, encoding=reading.encoding)
    records = collector.finish()
    counts = Counter(records.days)
    found = sorted(counts) if not first else _range(first, last)
    if not found:
        raise ImportRefused(
            "the statement has no record, and does not say for which days: --from and --to say so",
            paths[0].name,
        )
    digests = sorted(file.sha256 for file in records.files)
    if len(set(digests)) != len(digests):
        raise ImportRefused("the same file was given twice", paths[0].name)
    return Statement(
        records,
        days,
        clock,
        {day: counts.get(day, 0) for day in found},
        hashlib.sha256("\n".join(digests).encode()).hexdigest(),
    )


def _covered(reading: Reading) -> tuple[str, str]:
    if not reading.first and not reading.last:
        return "", ""
    try:
        first, last = check_day(reading.first), check_day(reading.last)
    except WrongTime as error:
        raise ConfigurationError(
            f"the days that a statement covers are --from and --to, both: {error}"
        ) from error
    if last < first or len(_range(first, last)) > DAYS_MAX:
        raise ConfigurationError(f"a statement covers 1 to {DAYS_MAX} days, --from is not behind --to")
    return first, last


def _range(first: str, last: str) -> list[str]:
    found = [first]
    while found[-1] < last and len(found) <= DAYS_MAX:
        found.append(next_day(found[-1]))
    return found
