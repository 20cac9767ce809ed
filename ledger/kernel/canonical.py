"""Canonical JSON: one value, one byte string (`docs/formats/` 1).

What `decode` returns has exactly one spelling, the bytes it was read from, and any RFC 8785 library
writes the same. It says nothing about meaning: closed schemas are checked elsewhere. Refusals carry the
code of the verdict contract: E_ENCODING (UTF-8, byte order mark, code points), E_LIMIT (depth), E_NUMBER,
E_DUP_KEY, E_SCHEMA (a key outside the profile; nothing there at all), E_NONCANONICAL (anything else)."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeGuard

import orjson

from ledger.errors import Refused

# Open `{` and `[` at once. An entry holds an event two levels down, so an event gets two fewer.
DEPTH_MAX: Final = 32
INTEGER_MAX: Final = 2**53 - 1

# Text in the clear: nothing to normalise, nothing invisible, nothing that turns the reading direction.
CODE_POINTS: Final = (
    "0020-007E 00A1-00AC 00AE-024F 0391-03A1 03A3-03C9 0400-045F 2010-2015 2018-201E 2020-2022 2026 2030 "
    "20AC 3001-3017 3041-3096 30A1-30FC 3400-4DBF 4E00-9FFC AC00-D7A3 FF01-FF5E FFE5 20000-2A6DD "
    "2A700-2B734 2B740-2B81D 2B820-2CEA1 2CEB0-2EBE0 30000-3134A"
)


def _character_class() -> str:
    spans = (span.partition("-") for span in CODE_POINTS.split())
    return "".join(f"\\U{int(low, 16):08x}-\\U{int(high or low, 16):08x}" for low, _, high in spans)


IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:/@+-]{1,200}")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
COUNTER: Final = re.compile(r"[0-9]{20}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CLOCK = re.compile(r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_TEXT = re.compile(f"[{_character_class()}]*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")

_WRITE: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_loads = orjson.loads
_dumps = orjson.dumps


# --- Reading and writing values ---------------------------------------------------------------------


def decode(data: bytes, *, depth: int = DEPTH_MAX) -> Any:
    """The value of `data`, which is its one spelling. Refused otherwise, with the code that fits the flaw."""
    if type(data) is not bytes:
        data = bytes(data)
    value = parse_plain(data)
    if value is not NOT_PLAIN and shaped(value, depth):
        return value
    return decode_slowly(data, depth=depth)


def decode_slowly(data: bytes, *, depth: int = DEPTH_MAX) -> Any:
    """The same verdict as `decode`, step by step: decode UTF-8, parse, walk, encode, compare.

    This is the reading that decides; the fast one may only accept what this one accepts."""
    return _read(bytes(data), depth, is_text)


def decode_free(data: bytes, *, depth: int = DEPTH_MAX) -> Any:
    """As `decode`, where a string is any well-formed Unicode text: inside a protected field (formats 2.1)."""
    return _read(bytes(data), depth, _is_unicode)


def encode(value: Any, *, depth: int = DEPTH_MAX) -> bytes:
    """The canonical bytes of a value, after a walk over all of it. A tuple is written as a list."""
    _walk(value, depth, is_text)
    return _dumps(value, None, _WRITE)


def encode_free(value: Any, *, depth: int = DEPTH_MAX) -> bytes:
    """As `encode`, for what stands inside a protected field: a string is any well-formed Unicode text."""
    _walk(value, depth, _is_unicode)
    return _dumps(value, None, _WRITE)


def dumps(value: Any) -> bytes:
    """The bytes of a value known to be in the profile. Nothing is checked but the size of integers."""
    return _dumps(value, None, _WRITE)


NOT_PLAIN: Final = object()


def parse_plain(data: bytes) -> Any:
    """The fast half of `decode`: the value if it prints back to `data` and all its text is in the profile.

    NOT_PLAIN otherwise. Keys, floats and depth are still to be looked at (`shaped`)."""
    try:
        value = _loads(data)
        if _dumps(value, None, _WRITE) != data:
            return NOT_PLAIN
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return NOT_PLAIN
    # A run of backslashes always begins at an escape, so pairs can be taken from the left.
    if b"\\" in data and b"\\" in data.replace(b"\\\\", b"").replace(b'\\"', b""):
        return NOT_PLAIN
    if data.isascii():
        return NOT_PLAIN if b"\x7f" in data else value
    return value if _TEXT.fullmatch(data.decode()) else NOT_PLAIN


# Keys already found to match the profile. A memo, never more than this many.
_KEYS_MAX: Final = 4096
_keys: set[str] = set()


def shaped(value: Any, depth: int) -> bool:
    """Of a parsed value: no floats, keys in the profile, not too deep."""
    level: list[Any] = [[value]]
    while level:
        if depth < 0:
            return False
        below = []
        for members in level:
            if type(members) is dict:
                if not _keys.issuperset(members) and not _learn(members):
                    return False
                members = members.values()
            for member in members:
                kind = type(member)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(member)
                elif kind is float:
                    return False
        level = below
        depth -= 1
    return True


def _learn(keys: dict[str, Any]) -> bool:
    for key in keys:
        if _KEY.fullmatch(key) is None:
            return False
    if len(_keys) + len(keys) > _KEYS_MAX:
        _keys.clear()
    if len(keys) <= 64:
        _keys.update(keys)
    return True


def _read(data: bytes, depth: int, text: Callable[[str], bool]) -> Any:
    if not data:
        raise Refused("E_SCHEMA", "expected a JSON value, found nothing")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Refused("E_ENCODING", "a byte order mark stands in front")
    try:
        string = data.decode()
    except UnicodeDecodeError as error:
        raise Refused("E_ENCODING", f"not UTF-8 at byte {error.start}") from error
    _scan_depth(data, depth)
    try:
        value = json.loads(
            string,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
            object_pairs_hook=_members,
        )
    except json.JSONDecodeError as error:
        raise Refused("E_NONCANONICAL", f"not JSON at character {error.pos}") from error
    _walk(value, depth, text)
    if _dumps(value, None, _WRITE) != data:
        raise Refused("E_NONCANONICAL", "not the one canonical spelling of this value")
    return value


def _scan_depth(data: bytes, limit: int) -> None:
    """Before parsing: a parser recurses, and Python's stack ends before a hostile file does."""
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            raise Refused("E_LIMIT", f"nested deeper than {limit}")


def _no_float(_spelling: str) -> NoReturn:
    raise Refused("E_NUMBER", "a number that is not an integer in plain digits")


def _integer(spelling: str) -> int:
    # 2**53 - 1 has 16 digits; a longer one is refused before it is read.
    if spelling == "-0" or len(spelling.lstrip("-")) > 16:
        raise Refused("E_NUMBER", "an integer beyond 2^53 - 1, or minus zero")
    number = int(spelling)
    if not -INTEGER_MAX <= number <= INTEGER_MAX:
        raise Refused("E_NUMBER", "an integer beyond 2^53 - 1")
    return number


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("E_DUP_KEY", "a key stands twice in one object")
    return members


def _walk(value: Any, depth: int, text: Callable[[str], bool], where: str = "") -> None:
    """Refuse what the profile does not have. `where` is a JSON pointer of member names and list places."""
    kind = type(value)
    if kind is str:
        if not text(value):
            raise Refused("E_ENCODING", "a code point that text here may not have", where)
    elif kind is bool or value is None:
        pass
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise Refused("E_NUMBER", "an integer beyond 2^53 - 1", where)
    elif kind is float:
        raise Refused("E_NUMBER", "a number that is not an integer", where)
    elif depth < 1 and kind in (dict, list, tuple):
        raise Refused("E_LIMIT", "nested too deep", where)
    elif kind is dict:
        for key, member in value.items():
            if type(key) is not str or _KEY.fullmatch(key) is None:
                raise Refused("E_SCHEMA", "a key that does not match [a-z][a-z0-9_]*", where)
            _walk(member, depth - 1, text, f"{where}/{key}")
    elif kind is list or kind is tuple:
        for place, member in enumerate(value):
            _walk(member, depth - 1, text, f"{where}/{place}")
    else:
        raise Refused("E_NONCANONICAL", f"JSON has no {kind.__name__}", where)


# --- Spellings: each of these texts has one, and `f(parse(x)) == x` ---------------------------------


def is_text(value: object) -> TypeGuard[str]:
    """Text in the clear: only the listed code points."""
    if not isinstance(value, str):
        return False
    if value.isascii():
        return value.isprintable()
    return _TEXT.fullmatch(value) is not None


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_identifier(value: object) -> TypeGuard[str]:
    """1 to 200 of `A-Z a-z 0-9 . _ : / @ + -`."""
    return isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None


def is_uuid(value: object) -> TypeGuard[str]:
    """Lower case, with hyphens, any version."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def is_digest(value: object) -> TypeGuard[str]:
    """64 hex digits in lower case."""
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def is_counter(value: object) -> TypeGuard[str]:
    """20 digits, zero-padded."""
    return isinstance(value, str) and COUNTER.fullmatch(value) is not None


def is_date(value: object) -> TypeGuard[str]:
    """`YYYY-MM-DD`, a day that the calendar has."""
    return isinstance(value, str) and len(value) == 10 and _ordinal(value) is not None


def is_time(value: object) -> TypeGuard[str]:
    """`YYYY-MM-DDThh:mm:ss.ffffffZ`, an instant that the calendar has; no second 60."""
    return (
        isinstance(value, str)
        and len(value) == 27
        and _CLOCK.fullmatch(value, 10) is not None
        and _ordinal(value[:10]) is not None
    )


@lru_cache(maxsize=4096)
def _ordinal(day: str) -> int | None:
    """Days since 1970-01-01, or None for what is no day in its one spelling."""
    match = _DATE.fullmatch(day)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal() - 719163
    except ValueError:
        return None


def parse_time(value: str) -> int:
    """Microseconds since the Unix epoch, no leap seconds. Refused E_NONCANONICAL for another spelling."""
    if not is_time(value):
        raise Refused("E_NONCANONICAL", "not a time as YYYY-MM-DDThh:mm:ss.ffffffZ")
    days = _ordinal(value[:10])
    assert days is not None
    seconds = days * 86400 + int(value[11:13]) * 3600 + int(value[14:16]) * 60 + int(value[17:19])
    return seconds * 1_000_000 + int(value[20:26])


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def format_time(us: int) -> str:
    """The one spelling of an instant, given in microseconds since the Unix epoch (years 1 to 9999)."""
    try:
        at = _EPOCH + timedelta(microseconds=us)
    except OverflowError as error:
        raise Refused("E_LIMIT", "an instant outside the years 1 to 9999") from error
    return (
        f"{at.year:04d}-{at.month:02d}-{at.day:02d}"
        f"T{at.hour:02d}:{at.minute:02d}:{at.second:02d}.{at.microsecond:06d}Z"
    )


def counter(number: int) -> str:
    """A counter as text: 20 digits."""
    if not 0 <= number < 10**20:
        raise Refused("E_LIMIT", "a counter outside 0 to 10^20 - 1")
    return f"{number:020d}"


def parse_counter(value: str) -> int:
    """The number of a counter. Refused E_NONCANONICAL unless it is 20 ASCII digits."""
    if not is_counter(value):
        raise Refused("E_NONCANONICAL", "not a counter of 20 digits")
    return int(value)


def b64(data: bytes) -> str:
    """RFC 4648 section 4, padded."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def unb64(value: str) -> bytes:
    """The bytes of a base64 text in its one spelling: padded, no spare bits, no white space."""
    try:
        data = binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise Refused("E_NONCANONICAL", "not base64") from error
    if b64(data) != value:
        raise Refused("E_NONCANONICAL", "not the one spelling of this base64")
    return data


def unhex(value: str, size: int = 32) -> bytes:
    """`size` bytes from lower-case hex digits, and nothing between them."""
    if not isinstance(value, str) or len(value) != 2 * size or _HEX.fullmatch(value) is None:
        raise Refused("E_NONCANONICAL", f"not {2 * size} hex digits in lower case")
    return bytes.fromhex(value)


_HEX = re.compile(r"[0-9a-f]*")
