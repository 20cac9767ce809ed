"""Times become instants only where they are: with a zone, or with one that was said, and never in a skipped hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import format_time, parse_time
from projections.exchange.outside.clock import Clock, WrongTime, check_day, next_day, zone


def _naive(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)


LONDON, SHANGHAI, NEW_YORK = zone("Europe/London"), zone("Asia/Shanghai"), zone("America/New_York")


@pytest.mark.parametrize(
    ("text", "form", "instant"),
    [
        ("2026-06-10T22:00:00+08:00", "iso", "2026-06-10T14:00:00.000000Z"),
        ("2026-06-10 22:00:00.5 +0800", "iso", "2026-06-10T14:00:00.500000Z"),
        ("2026/06/10 22:00:00", "iso", "2026-06-10T14:00:00.000000Z"),
        ("2026-06-10T22:00:00Z", "iso", "2026-06-10T22:00:00.000000Z"),
        ("20260610220000", "compact", "2026-06-10T14:00:00.000000Z"),
        ("2606102200", "smpp", "2026-06-10T14:00:00.000000Z"),
        ("260610220007", "smpp", "2026-06-10T14:00:07.000000Z"),
        ("1780000000", "epoch", "2026-05-28T20:26:40.000000Z"),
        ("1780000000.25", "epoch", "2026-05-28T20:26:40.250000Z"),
        ("1780000000250", "epoch_ms", "2026-05-28T20:26:40.250000Z"),
        ("1780000000250001", "epoch_us", "2026-05-28T20:26:40.250001Z"),
    ],
)
def test_every_way_of_writing_a_time(text: str, form: str, instant: str) -> None:
    assert format_time(Clock(SHANGHAI, SHANGHAI).instant(text, form)) == instant


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-06-10 22:00", "iso"),
        ("2026-06/10 22:00:00", "iso"),
        ("10.06.2026 22:00:00", "iso"),
        ("2026-02-30 22:00:00Z", "iso"),
        ("2026-06-10 24:00:00Z", "iso"),
        ("2026-06-10 22:00:00+24:00", "iso"),
        ("1969-12-31T23:59:59Z", "iso"),
        ("２０２６-06-10 22:00:00Z", "iso"),
        ("26061022", "smpp"),
        ("-1", "epoch"),
        ("99999999999999", "epoch"),
        ("", "iso"),
    ],
)
def test_what_is_no_instant_is_refused_without_being_repeated(text: str, form: str) -> None:
    with pytest.raises(WrongTime) as refused:
        Clock(SHANGHAI, SHANGHAI).instant(text, form)
    assert not text or text not in str(refused.value)


def test_a_time_without_a_zone_needs_one_that_was_said() -> None:
    with pytest.raises(WrongTime, match="without zone"):
        Clock(SHANGHAI).instant("2026-06-10 22:00:00", "iso")
    with pytest.raises(WrongTime, match="without zone"):
        Clock(SHANGHAI).instant("2606102200", "smpp")


def test_an_hour_that_was_skipped_is_refused_and_one_that_came_twice_must_be_told_apart() -> None:
    with pytest.raises(WrongTime, match="skipped"):
        Clock(LONDON, LONDON).instant("2026-03-29 01:30:00", "iso")
    with pytest.raises(WrongTime, match="twice"):
        Clock(LONDON, LONDON).instant("2026-10-25 01:30:00", "iso")
    earlier = Clock(LONDON, LONDON, "earlier").instant("2026-10-25 01:30:00", "iso")
    later = Clock(LONDON, LONDON, "later").instant("2026-10-25 01:30:00", "iso")
    assert (format_time(earlier), later - earlier) == ("2026-10-25T00:30:00.000000Z", 3_600_000_000)
    with pytest.raises(WrongTime, match="skipped"):
        Clock(LONDON, LONDON, "later").instant("2026-03-29 01:30:00", "iso")


def test_days_are_the_providers() -> None:
    clock = Clock(SHANGHAI)
    assert clock.day(parse_time("2026-06-10T15:59:59.999999Z")) == "2026-06-10"
    assert clock.day(parse_time("2026-06-10T16:00:00.000000Z")) == "2026-06-11"
    assert next_day("2026-12-31") == "2027-01-01"


def test_days_that_do_not_exist_and_zones_that_do_not_are_refused() -> None:
    for text in ("2026-02-30", "2026-2-3", "20260203", "2026-06-10 "):
        with pytest.raises(WrongTime):
            check_day(text)
    for name in ("", "Mars/Olympus", "../../etc/passwd", "Asia"):
        with pytest.raises(ConfigurationError):
            zone(name)


@given(
    at=st.datetimes(_naive(1980), _naive(2090)),
    where=st.sampled_from(
        ["Asia/Shanghai", "America/New_York", "America/Santiago", "Asia/Beirut", "Pacific/Apia"]
    ),
)
def test_a_day_begins_at_its_first_instant(at: datetime, where: str) -> None:
    clock = Clock(zone(where))
    us = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    day = clock.day(us)
    begins = clock.begins(day)
    assert begins <= us
    assert (clock.day(begins), clock.day(begins - 1) < day) == (day, True)


@given(at=st.datetimes(_naive(1971), _naive(2090)), fold=st.sampled_from(["earlier", "later"]))
def test_a_local_time_is_an_instant_that_reads_so_or_is_refused(at: datetime, fold: str) -> None:
    at = at.replace(microsecond=0)
    clock = Clock(NEW_YORK, NEW_YORK, fold)  # type: ignore[arg-type]
    try:
        us = clock.instant(at.strftime("%Y-%m-%d %H:%M:%S"), "iso")
    except WrongTime:
        back = at.replace(tzinfo=NEW_YORK).astimezone(UTC).astimezone(NEW_YORK).replace(tzinfo=None)
        assert back != at
        return
    read = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    assert read.astimezone(NEW_YORK).replace(tzinfo=None) == at
