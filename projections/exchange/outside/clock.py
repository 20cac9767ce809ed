"""Times as providers write them, turned into instants and into the provider's days.

A time without a zone is no instant: it is refused unless the caller has said in which zone such times are written. A
local time that the clocks skipped is refused; one that came twice is refused unless the caller says which is meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from re import ASCII
from re import compile as pattern
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_identifier

Fold: TypeAlias = Literal["", "earlier", "later"]
FORMATS: Final = ("iso", "compact", "smpp", "epoch", "epoch_ms", "epoch_us")

_DATE: Final = r"([0-9]{4})([-/])([0-9]{2})\2([0-9]{2})"
_ISO = pattern(
    _DATE + r"[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9}))? ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?",
    ASCII,
)
_COMPACT = pattern(r"([0-9]{4})([0-9]{2})([0-9]{2})T?([0-9]{2})([0-9]{2})([0-9]{2})(Z|[+-][0-9]{4})?", ASCII)
_SMPP = pattern(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?", ASCII)
_NUMBER = pattern(r"([0-9]{1,16})(?:\.([0-9]{1,9}))?", ASCII)
_DAY = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_US: Final = 60_000_000
_LAST_US: Final = 253_402_300_799_999_999
_CACHED: Final = 1 << 17


class WrongTime(ValueError):
    """The text is no instant. The message says why, and never repeats it."""


def zone(name: str) -> ZoneInfo:
    """An IANA zone by its name. `ConfigurationError` for one that does not exist."""
    try:
        return ZoneInfo(name if is_identifier(name) else "")
    except (ValueError, OSError, KeyError) as error:  # a name that is unknown, a folder, or no name at all
        raise ConfigurationError(
            f"there is no time zone {name!r}: give an IANA name, as Asia/Shanghai"
        ) from error


def check_day(text: str) -> str:
    """A day `YYYY-MM-DD` that exists; `WrongTime` otherwise."""
    if _DAY.fullmatch(text) is None:
        raise WrongTime("not a day as YYYY-MM-DD")
    try:
        datetime(int(text[:4]), int(text[5:7]), int(text[8:]), tzinfo=UTC)
    except ValueError as error:
        raise WrongTime("no such day") from error
    return text


def next_day(day: str) -> str:
    return (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()


class Clock:
    """`times` is the zone of times that are written without one (None: they are refused), `days` the zone in which the
    provider counts its days."""

    def __init__(self, days: ZoneInfo, times: ZoneInfo | None = None, fold: Fold = "") -> None:
        self.days = days
        self.times = times
        self.fold = fold
        self._days: dict[int, str] = {}
        # Providers write whole seconds mostly, so the same texts come again and again.
        self.instant: Callable[[str, str], int] = lru_cache(maxsize=_CACHED)(self._instant)

    def day(self, us: int) -> str:
        """The provider's day of an instant."""
        minute = us // _MINUTE_US
        known = self._days.get(minute)
        if known is None:
            at = _EPOCH + timedelta(microseconds=minute * _MINUTE_US)
            known = self._days[minute] = at.astimezone(self.days).date().isoformat()
        return known

    def begins(self, day: str) -> int:
        """The first instant of a day, µs. Where midnight was skipped, the first that there was."""
        naive = datetime.fromisoformat(day)
        us = _us(naive.replace(tzinfo=self.days))
        # A skipped midnight is read with the offset before it, which lands at or behind the first instant.
        while us > 0 and self.day(us - 1) == day:
            us -= _MINUTE_US
        while self.day(us) != day:
            us += _MINUTE_US
        return us

    def _instant(self, text: str, form: str) -> int:
        """µs since the Unix epoch of a time in one of `FORMATS`. `WrongTime` says what is wrong."""
        try:
            us = _READERS[form](self, text)
        except (ValueError, OverflowError) as error:
            if isinstance(error, WrongTime):
                raise
            raise WrongTime("no such moment") from error
        if not 0 <= us <= _LAST_US:
            raise WrongTime("a moment before 1970, or behind the year 9999")
        return us

    def _local(self, naive: datetime) -> int:
        if self.times is None:
            raise WrongTime("a time without zone: say in which it is written (--times-zone)")
        first, second = naive.replace(tzinfo=self.times), naive.replace(tzinfo=self.times, fold=1)
        if first.utcoffset() != second.utcoffset():
            if _us(first) > _us(second):
                raise WrongTime("a local time that the clocks skipped")
            if not self.fold:
                raise WrongTime(
                    "a local time that came twice that night: say which is meant (fold in the layout)"
                )
        return _us(first if self.fold != "later" else second)

    def _iso(self, text: str) -> int:
        match = _ISO.fullmatch(text)
        if match is None:
            raise WrongTime("not a time as YYYY-MM-DD hh:mm:ss, with an offset or without")
        year, _, month, day, hour, minute, second, fraction, offset = match.groups()
        micros = int((fraction or "").ljust(6, "0")[:6])
        return self._made((year, month, day, hour, minute, second), micros, offset)

    def _compact(self, text: str) -> int:
        match = _COMPACT.fullmatch(text)
        if match is None:
            raise WrongTime("not a time as YYYYMMDDhhmmss")
        *parts, offset = match.groups()
        return self._made(parts, 0, offset)

    def _smpp(self, text: str) -> int:
        match = _SMPP.fullmatch(text)
        if match is None:
            raise WrongTime("not a time as YYMMDDhhmm or YYMMDDhhmmss")
        year, *parts, second = match.groups()
        return self._made(("20" + year, *parts, second or "00"), 0, None)

    def _made(self, parts: tuple[str, ...] | list[str], micros: int, offset: str | None) -> int:
        year, month, day, hour, minute, second = map(int, parts)
        naive = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001
        if offset is None:
            return self._local(naive)
        return _us(naive.replace(tzinfo=UTC)) - _offset_us(offset)

    def _epoch(self, text: str, unit: int = 1_000_000) -> int:
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise WrongTime("not a number of seconds since 1970")
        whole, fraction = match.groups()
        return int(whole) * unit + (int((fraction or "").ljust(9, "0")) * unit) // 1_000_000_000


def _us(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _offset_us(text: str) -> int:
    if text in ("Z", "UTC"):
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise WrongTime("no such offset")
    us = (hours * 60 + minutes) * _MINUTE_US
    return -us if text[0] == "-" else us


_READERS: Final[dict[str, Callable[[Clock, str], int]]] = {
    "iso": Clock._iso,
    "compact": Clock._compact,
    "smpp": Clock._smpp,
    "epoch": Clock._epoch,
    "epoch_ms": lambda clock, text: clock._epoch(text, 1000),
    "epoch_us": lambda clock, text: clock._epoch(text, 1),
}
