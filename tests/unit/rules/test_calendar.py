"""Local time and business days do not depend on the machine."""

from __future__ import annotations

import datetime as dt

import pytest

from ledger.kernel.canonical import parse_time
from ledger.rules import calendar


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("2026-03-08T06:59:59.999999Z", "America/New_York", "2026-03-08 01:59:59.999999"),
        ("2026-03-08T07:00:00.000000Z", "America/New_York", "2026-03-08 03:00:00"),
        ("2026-11-01T05:30:00.000000Z", "America/New_York", "2026-11-01 01:30:00"),
        ("2026-11-01T06:30:00.000000Z", "America/New_York", "2026-11-01 01:30:00"),
        ("2026-06-10T15:59:59.000000Z", "Asia/Shanghai", "2026-06-10 23:59:59"),
        ("2026-06-10T18:14:00.000000Z", "Asia/Kathmandu", "2026-06-10 23:59:00"),
        ("2011-12-30T09:59:59.000000Z", "Pacific/Apia", "2011-12-29 23:59:59"),
        ("2011-12-30T10:00:00.000000Z", "Pacific/Apia", "2011-12-31 00:00:00"),
    ],
)
def test_local_time_is_exact_on_both_sides_of_a_change(time: str, zone: str, expected: str) -> None:
    day, clock = calendar.local(parse_time(time), zone)

    found = dt.datetime.fromordinal(day) + dt.timedelta(microseconds=clock)
    assert found == dt.datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "name", ["Asia/Beijing", "", "../../etc/passwd", "Europe", "zone.tab", "tzdata.zi", "/UTC"]
)
def test_a_zone_that_does_not_exist_is_none(name: str) -> None:
    assert calendar.zone(name) is None


def test_zones_come_from_the_distribution_and_not_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", "/nonexistent")
    calendar.zone.cache_clear()

    assert str(calendar.zone("Europe/Rome")) == "Europe/Rome"
    assert calendar.tzdata_version() == "2026.6"


@pytest.mark.parametrize(
    ("start", "count", "name", "expected"),
    [
        ("2026-08-28", 2, "GB-ENG", "2026-09-02"),
        ("2026-08-28", 2, "GB-SCT", "2026-09-01"),
        ("2026-12-21", 5, "US-6103", "2026-12-29"),
        ("2026-06-29", 5, "US-6103", "2026-07-06"),
        ("2026-06-29", 5, "US-6103-observed", "2026-07-07"),
        ("2027-12-30", 1, "US-6103", "2027-12-31"),
        ("2027-12-30", 1, "US-6103-observed", "2028-01-03"),
        ("2026-09-30", 1, "CN", "2026-10-08"),
    ],
)
def test_business_days_skip_weekends_and_the_named_holidays(
    start: str, count: int, name: str, expected: str
) -> None:
    assert calendar.spelled(calendar.add(calendar.ordinal(start), count, "business_days", name)) == expected


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-05-31", 1, "2026-06-30"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(start: str, months: int, expected: str) -> None:
    assert calendar.spelled(calendar.add_months(calendar.ordinal(start), months)) == expected


@pytest.mark.parametrize("name", ["XX", "GB-ATLANTIS", "US-6103-x", ""])
def test_a_calendar_that_does_not_exist_is_said_to(name: str) -> None:
    assert not calendar.calendar_exists(name)
