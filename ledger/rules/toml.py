"""Reads the tables of a pack so that every refusal names its line. A key that nobody asked for is refused: a
misspelt limit must not turn into no limit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from ledger.errors import ConfigurationError


class PackRefused(ConfigurationError):
    """A pack cannot be used as it stands. `line` is where to look (0 where no line can be named), `reason` what
    is wrong there. Nothing of the pack was taken."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        super().__init__(f"{name}:{line}: {reason}" if line else f"{name}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason


class PackNewer(PackRefused):
    """A pack in a later language than this one reads: nothing is said of whether it is a good one."""


class Source:
    """The text of one pack, to find lines in."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = text.splitlines()

    def line(self, block: str, key: str = "") -> int:
        """Line of `key` in the block whose id is `block` ("" is the whole file); of the block where the key is
        not found."""
        start, end = 0, len(self._lines)
        if block:
            wanted = re.compile(rf"""^\s*id\s*=\s*["']{re.escape(block)}["']""")
            start = next((n for n, text in enumerate(self._lines) if wanted.match(text)), 0)
            while start > 0 and not self._lines[start].lstrip().startswith("["):
                start -= 1
            heads = (n for n in range(start + 1, end) if self._lines[n].lstrip().startswith("[["))
            end = next(heads, end)
        if key:
            word = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])\s*=|\[[\w.-]*\b{re.escape(key)}\]")
            for n in range(start, end):
                if word.search(self._lines[n]):
                    return n + 1
        return start + 1 if block else 0


class Table:
    """One table of the pack. Each `take` names a key as known; `done` refuses what is left."""

    def __init__(self, source: Source, value: Any, where: str, block: str = "") -> None:
        self.source, self.where, self.block = source, where, block
        if not isinstance(value, Mapping):
            self._last = where.rpartition(".")[2]
            self.refuse("a table is expected", self._last)
        self.value: Mapping[str, Any] = value
        self._known: set[str] = set()

    def refuse(self, reason: str, key: str = "") -> NoReturn:
        """PackRefused with the line of `key` in this block."""
        place = f"{self.block}: " if self.block else ""
        path = f"{self.where}.{key}".strip(".") if key and not self.where.endswith(key) else self.where
        line = self.source.line(self.block, key or self.where.rpartition(".")[2])
        raise PackRefused(self.source.name, line, f"{place}{path + ': ' if path else ''}{reason}")

    def has(self, key: str) -> bool:
        return key in self.value

    def take(self, key: str, default: Any = None) -> Any:
        self._known.add(key)
        return self.value.get(key, default)

    def text(self, key: str, default: str | None = None, *, among: Iterable[str] = ()) -> str:
        """A text; `among` closes it. Required where no default is given."""
        found = self.take(key, default)
        if found is None:
            self.refuse("is missing", key)
        if not isinstance(found, str) or (default is None and not found.strip()):
            self.refuse("a text is expected", key)
        choices = tuple(among)
        if choices and found not in choices and found != default:
            self.refuse(f"{found!r} is none of {', '.join(choices)}", key)
        return found

    def number(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        found = self.take(key, default)
        if found is None:
            self.refuse("is missing", key)
        if not isinstance(found, int) or isinstance(found, bool) or (found < least and found != default):
            self.refuse(f"a whole number from {least} is expected", key)
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        found = self.take(key, default)
        if not isinstance(found, bool):
            self.refuse("true or false is expected", key)
        return found

    def texts(self, key: str, *, among: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of texts, one text standing for a list of one; empty where absent."""
        found = self.take(key, ())
        if isinstance(found, str):
            found = [found]
        if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
            self.refuse("a list of texts is expected", key)
        choices = frozenset(among)
        for item in found:
            if choices and item not in choices:
                self.refuse(f"{item!r} is not known here", key)
        return tuple(found)

    def date(self, key: str) -> dt.date | None:
        found = self.take(key)
        if found is None:
            return None
        if isinstance(found, str):
            try:
                return dt.date.fromisoformat(found)
            except ValueError:
                self.refuse(f"{found!r} is no date", key)
        if not isinstance(found, dt.date) or isinstance(found, dt.datetime):
            self.refuse("a date is expected", key)
        return found

    def table(self, key: str) -> Table | None:
        found = self.take(key)
        return None if found is None else Table(self.source, found, self._path(key), self.block)

    def tables(self, key: str) -> list[Table]:
        """A list of tables; one table stands for a list of one, absence for none."""
        found = self.take(key, ())
        if isinstance(found, Mapping):
            found = [found]
        if not isinstance(found, list | tuple):
            self.refuse("a list of tables is expected", key)
        return [Table(self.source, item, self._path(key), self.block) for item in found]

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def done(self) -> None:
        """Refuses the first key that nobody took."""
        for key in self.value:
            if key not in self._known:
                self.refuse("unknown key", key)
