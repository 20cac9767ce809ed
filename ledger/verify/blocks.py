"""What a report is made of: lines in which our words and others' words never mix, and sections of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.kernel.canonical import is_identifier
from ledger.verify.i18n import Lang, label

# Longest piece of others' text that is shown whole. Past it a reader is helped more by the file itself.
SHOWN_MAX = 2_000

# Code points that are not what they seem to a reader: controls, what is invisible, what turns the reading
# direction, what combines with the letters of others' text, private use, and what is no character at all.
# A fixed list, not `unicodedata`: a page must not depend on which Python printed it.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff\\\\]"
    "|(?:^|(?<=[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2}))"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def visible(value: str) -> str:
    """`value` with everything hidden written out: `\\x1b`, `\\u202e`, `\\\\`. Two texts never look the same."""
    return _HIDDEN.sub(_escape, value)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


@dataclass(frozen=True, slots=True)
class Quote:
    """What others wrote, already visible and not too long. `free` is text in which anything may stand; the rest is
    an identifier, a time or a code, without a space in it."""

    text: str
    free: bool = False


# A line is our own words and others' in turn.
Line = tuple["str | Quote", ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what stands beside them; one label may have several lines."""

    rows: tuple[tuple[str, tuple[Line, ...]], ...]


@dataclass(frozen=True, slots=True)
class Items:
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` may be read once only: a case may have a hundred thousand entries."""

    caption: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    note: str
    body: Facts | Items | Table
    evidence: bool = False
    # As text, a block for each row, every line named by its column.
    long: bool = False


def quote(value: str, lang: Lang) -> Quote:
    """Others' text for showing: visible, and cut with a marker that says how much is left out."""
    free = not is_identifier(value)
    if len(value) <= SHOWN_MAX:
        return Quote(visible(value), free)
    return Quote(visible(value[:SHOWN_MAX]) + label(lang, "more", count=str(len(value) - SHOWN_MAX)), free)
