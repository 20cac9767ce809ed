"""Local time and business days. Zones come from the `tzdata` distribution that this one pins, never from the
machine; a business day is a weekday that the named calendar does not list.

A calendar is named by ISO 3166: `CN`, `GB-ENG`, `US-NY`. `US-6103` holds the legal holidays on their own
dates (5 U.S.C. 6103(a)), `US-6103-observed` the days on which they are kept."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from functools import cache
from importlib import metadata, resources
from zoneinfo import ZoneInfo

import holidays

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.toordinal()
# Whatever a tool claims, a case can be judged: zones and dates are taken from the nearest day that has one.
_FIRST, _LAST = dt.date.min.toordinal(), dt.date.max.toordinal()
_EARLIEST_US, _LATEST_US = ((day - _EPOCH_DAY) * DAY_US for day in (_FIRST + 2, _LAST - 2))
_STATUTORY = "US-6103"
_ZONE_PART = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")


def tzdata_version() -> str:
    """Of the zone data that findings rest on; stands in every `findings.json`."""
    return metadata.version("tzdata")


@cache
def zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None where there is none. The machine's own zone files are never read."""
    parts = name.split("/")
    if not all(_ZONE_PART.fullmatch(part) for part in parts):
        return None
    file = resources.files("tzdata").joinpath("zoneinfo", *parts)
    if not file.is_file() or parts[-1].endswith((".py", ".tab")):
        return None
    with file.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def _utc(us: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=min(max(us, _EARLIEST_US), _LATEST_US))


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(min(max(day, _FIRST), _LAST))


@cache
def _offset(day: int, name: str) -> int | None:
    """Offset in us that holds through a whole UTC day (counted from the epoch); None on a day with a change."""
    found = zone(name)
    assert found is not None, name
    ends = []
    for us in (day * DAY_US, day * DAY_US + DAY_US // 2, (day + 1) * DAY_US):
        offset = _utc(us).astimezone(found).utcoffset()
        assert offset is not None
        ends.append(offset // dt.timedelta(microseconds=1))
    return ends[0] if ends[0] == ends[1] == ends[2] else None


def local(us: int, name: str) -> tuple[int, int]:
    """Proleptic day number and microseconds of the local day at a moment, in a zone that exists."""
    offset = _offset(us // DAY_US, name)
    if offset is None:
        found = zone(name)
        assert found is not None
        there = _utc(us).astimezone(found).utcoffset()
        assert there is not None
        offset = there // dt.timedelta(microseconds=1)
    day, clock = divmod(us + offset, DAY_US)
    return day + _EPOCH_DAY, clock


def ordinal(date: str) -> int:
    """Day number of `YYYY-MM-DD`."""
    return dt.date.fromisoformat(date).toordinal()


def spelled(day: int) -> str:
    """`YYYY-MM-DD` of a day number."""
    return _date(day).isoformat()


def add_months(day: int, months: int) -> int:
    """The same day of a later month, or its last one: 31 January and one month is 28 February."""
    date = _date(day)
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return _LAST
    for last in (date.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, min(date.day, last)).toordinal()
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@cache
def _calendar(name: str) -> Callable[[int], Collection[dt.date]] | None:
    statutory = name.startswith(_STATUTORY)
    if statutory and name not in (_STATUTORY, _STATUTORY + "-observed"):
        return None
    country, _, part = ("US", "", "") if statutory else name.partition("-")
    observed = not statutory or name.endswith("-observed")

    @cache
    def of_year(year: int) -> Collection[dt.date]:
        return frozenset(
            holidays.country_holidays(country, subdiv=part or None, years=year, observed=observed)
        )

    try:
        of_year(2026)
    except NotImplementedError:
        return None
    return of_year


def calendar_exists(name: str) -> bool:
    return _calendar(name) is not None


def is_business_day(day: int, calendar: str) -> bool:
    date = _date(day)
    of_year = _calendar(calendar)
    assert of_year is not None, calendar
    # A holiday is sometimes kept in the year before or after its own: 1 January on 31 December.
    return date.weekday() < 5 and not any(
        date in of_year(y) for y in (date.year, min(date.year + 1, dt.MAXYEAR))
    )


@cache
def add_business_days(day: int, count: int, calendar: str) -> int:
    """The `count`-th business day after `day`, which itself is not counted."""
    while count:
        day += 1
        count -= is_business_day(day, calendar)
    return day


UNITS = ("days", "business_days", "weeks", "months", "years")


def add(day: int, count: int, unit: str, calendar: str = "") -> int:
    """Day number after `count` units; the day itself is not counted."""
    if unit == "business_days":
        return add_business_days(day, count, calendar)
    if unit in ("months", "years"):
        return add_months(day, count * (12 if unit == "years" else 1))
    return day + count * (7 if unit == "weeks" else 1)
