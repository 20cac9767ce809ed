"""A layout says which column of a provider's CSV is what. It is data, closed, and checked when it is loaded.

It never guesses: a column that it does not list, a row of another width, a state that its `only` table does not know are
refused with their line. The keys are described in `docs/reconciling.md`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_identifier
from projections.exchange.outside.clock import FORMATS, Fold
from projections.exchange.outside.clock import zone as named_zone
from projections.exchange.outside.records import CHANNELS, Channel

FORMAT: Final = "duecourse statement layout 1"
COLUMNS_MAX: Final = 500
_ROLES: Final[dict[str, tuple[set[str], set[str]]]] = {
    # channel: what it must read, what it may
    "call": ({"id", "time", "to"}, {"status"}),
    "sms": ({"id", "time"}, {"to", "status"}),
    "mail": ({"id", "time"}, {"to", "status"}),
    "payment": ({"id", "amount", "currency"}, {"time", "day", "status"}),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """`shapes` are the rows that may come, each a tuple of column names; `reads` maps what we need to a column.
    `zone` is that of times without an offset, "" where those are refused."""

    name: str
    channel: Channel
    header: bool
    delimiter: str
    shapes: tuple[tuple[str, ...], ...]
    reads: Mapping[str, str]
    time_format: str
    zone: str
    fold: Fold
    prefix: str
    rewrite: tuple[tuple[str, str], ...]
    digits: int
    only: Mapping[str, frozenset[str]]

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(name for shape in self.shapes for name in shape)

    def needed(self) -> frozenset[str]:
        """Columns without which a row cannot be read."""
        return frozenset({*self.reads.values(), *self.only})

    def number(self, text: str) -> str:
        """A number as the tools of the ledger spell it: the first prefix of `rewrite` that it has is replaced."""
        for old, new in self.rewrite:
            if text.startswith(old):
                return new + text[len(old) :]
        return text


def shipped() -> list[str]:
    """Names of the layouts that come with the program."""
    folder = resources.files(__package__).joinpath("layouts")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load_layout(name_or_file: str | Path, channel: Channel) -> Layout:
    """A shipped layout by its name, or any by its file. `ConfigurationError` says which key to mend."""
    path = Path(name_or_file)
    if path.suffix == ".toml" or path.exists():
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"cannot read the layout {path}: {error.strerror}") from error
    else:
        if str(name_or_file) not in shipped():
            raise ConfigurationError(
                f"there is no layout {str(name_or_file)!r}: give a .toml file,"
                f" or one of those shipped: {', '.join(shipped())}"
            )
        data = resources.files(__package__).joinpath("layouts", f"{name_or_file}.toml").read_bytes()
    layout = parse_layout(data)
    if layout.channel != channel:
        raise ConfigurationError(
            f"the layout {layout.name} is for the channel {layout.channel}, not for {channel}"
        )
    return layout


def parse_layout(data: bytes) -> Layout:
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"the layout is not TOML: {error}") from error
    _closed(
        table,
        "the layout",
        {"format", "name", "channel", "header", "columns", "read"},
        {"description", "delimiter", "time", "ids", "numbers", "amounts", "only"},
    )
    if table["format"] != FORMAT:
        raise ConfigurationError(f"format must be {FORMAT!r}")
    name = _of(str, table["name"], "name")
    if not is_identifier(name):
        raise ConfigurationError("name must be an identifier")
    channel = table["channel"]
    if channel not in CHANNELS:
        raise ConfigurationError(f"channel must be one of {', '.join(CHANNELS)}")
    delimiter = _of(str, table.get("delimiter", ","), "delimiter")
    if delimiter not in (",", ";", "\t", "|"):
        raise ConfigurationError('delimiter must be one of "," ";" "|" and a tab')
    shapes = _shapes(table["columns"])
    reads = _reads(channel, table["read"], shapes)
    when = _table(table, "time", {"format", "zone", "fold"})
    form = _of(str, when.get("format", "iso"), "time.format")
    if form not in FORMATS:
        raise ConfigurationError(f"time.format must be one of {', '.join(FORMATS)}")
    zone = _of(str, when.get("zone", ""), "time.zone")
    if zone:
        named_zone(zone)
    fold = when.get("fold", "")
    if fold not in ("", "earlier", "later"):
        raise ConfigurationError('time.fold must be "earlier" or "later"')
    digits = _of(int, _table(table, "amounts", {"digits"}).get("digits", 2), "amounts.digits")
    if not 0 <= digits <= 6:
        raise ConfigurationError("amounts.digits is how many digits the minor unit has: 0 to 6")
    only = {
        column: frozenset(_texts(values, f"only.{column}"))
        for column, values in _of(dict, table.get("only", {}), "only").items()
    }
    prefix = _of(str, _table(table, "ids", {"prefix"}).get("prefix", ""), "ids.prefix")
    layout = Layout(
        name=name,
        channel=channel,
        header=_of(bool, table["header"], "header"),
        delimiter=delimiter,
        shapes=shapes,
        reads=reads,
        time_format=form,
        zone=zone,
        fold=fold,
        prefix=prefix,
        rewrite=_rewrite(_table(table, "numbers", {"rewrite"}).get("rewrite", [])),
        digits=digits,
        only=only,
    )
    for shape in shapes:
        missing = layout.needed() - set(shape)
        if missing:
            raise ConfigurationError(f"a row of {len(shape)} columns has no column {min(missing)!r}")
    return layout


def _shapes(value: Any) -> tuple[tuple[str, ...], ...]:
    shapes = tuple(tuple(_texts(shape, "columns")) for shape in _of(list, value, "columns"))
    if not shapes:
        raise ConfigurationError("columns must be a list of lists, one for each width that a row may have")
    for shape in shapes:
        if not 0 < len(shape) <= COLUMNS_MAX or len(set(shape)) != len(shape):
            raise ConfigurationError("columns: a row has no column, too many, or one of them twice")
    if len({len(shape) for shape in shapes}) != len(shapes):
        raise ConfigurationError("columns: two rows of the same width cannot be told apart")
    return shapes


def _reads(channel: str, value: Any, shapes: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    required, optional = _ROLES[channel]
    table: dict[str, str] = _of(dict, value, "read")
    _closed(table, f"read, for {channel}", required, optional)
    known = {name for shape in shapes for name in shape}
    for role, column in table.items():
        if _of(str, column, f"read.{role}") not in known:
            raise ConfigurationError(f"read.{role}: there is no column {column!r}")
    if channel == "payment" and ("time" in table) == ("day" in table):
        raise ConfigurationError("read: a payment has either a time or a day")
    return table


def _rewrite(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = []
    for pair in _of(list, value, "numbers.rewrite"):
        texts = _texts(pair, "numbers.rewrite")
        if len(texts) != 2:
            raise ConfigurationError("numbers.rewrite: each is a pair, the old prefix and the new one")
        pairs.append((texts[0], texts[1]))
    return tuple(pairs)


def _table(table: Mapping[str, Any], name: str, keys: set[str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _of(dict, table.get(name, {}), name)
    _closed(found, name, set(), keys)
    return found


def _of(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigurationError(f"{where} must be {kind.__name__}, not {type(value).__name__}")
    return value


def _texts(value: Any, where: str) -> list[str]:
    return [_of(str, item, where) for item in _of(list, value, where)]


def _closed(table: Mapping[str, Any], where: str, required: set[str], optional: set[str]) -> None:
    unknown = table.keys() - required - optional
    if unknown:
        raise ConfigurationError(f"{where}: unknown key {min(unknown)!r}")
    missing = required - table.keys()
    if missing:
        raise ConfigurationError(f"{where}: {min(missing)!r} is missing")
