"""A mapping file says, activity by activity, what the events of somebody else's log are in the catalogue.

It is data, closed and checked when it is loaded: an unknown key, type, member or code is refused before a
single event of the log is read, and so is a template whose events would not fit their schema. It never
guesses: an activity, a code or a required attribute that it does not know makes the event one that is listed,
not one that is written. The keys are described in `docs/importing.md`."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from re import ASCII
from re import compile as pattern
from typing import Any, Final

from uuid_utils import uuid7

from ledger.errors import ConfigurationError, Refused
from ledger.events.schemas import check_data
from ledger.kernel.canonical import is_identifier

FORMAT: Final = "duecourse xes mapping 1"
INTEGER_MAX: Final = 2**53 - 1  # formats 1
LATE_REASON: Final = "backfill"

_DECIMAL = pattern(r"(-?)(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,15}))?", ASCII)
_INTEGER = pattern(r"-?(?:0|[1-9][0-9]{0,15})", ASCII)
_MOMENT = pattern(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})",
    ASCII,
)
_WORD = pattern(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", ASCII)


class Unmapped(Exception):
    """This event of the log has no place in the catalogue by this mapping; `args[0]` says why."""


class WrongValue(ValueError):
    """A value of the log is not what its attribute must be (a date that does not exist, an amount that is no
    number). The log is refused; `attribute` names where."""

    def __init__(self, attribute: str, detail: str) -> None:
        super().__init__(f"{attribute}: {detail}")
        self.attribute = attribute
        self.detail = detail


@dataclass(slots=True)
class SourceEvent:
    """One event of the log as it was read: attribute texts by key, and its ordinal in its trace from 1."""

    number: int
    attributes: dict[str, str]


@dataclass(slots=True)
class CaseContext:
    """What the templates of one case may look back at: nothing outside the case, nothing after the event.

    `number` is the trace's ordinal; `derive` makes the uuid of a label ("debt", "party") that means something
    in this case only, the same one every time."""

    number: int
    derive: Callable[[str], str]
    last: dict[str, int] = field(default_factory=dict)
    main_ids: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)

    def uuid(self, label: str) -> str:
        known = self.derived.get(label)
        if known is None:
            known = self.derived[label] = self.derive(label)
        return known


# One event of the catalogue, ready to be recorded: (short type, version, data, time in UTC, event id). A
# plain tuple, because hundreds of thousands of them go through a spool.
Mapped = tuple[str, int, dict[str, Any], str, str]

Maker = Callable[[SourceEvent, CaseContext], Any]


@lru_cache(maxsize=65536)
def moment(text: str) -> tuple[str, str]:
    """(time in UTC in the one spelling of formats 1, the date as written) of an xs:dateTime with an offset.
    ValueError for a spelling without an offset, or a moment that does not exist."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError("not a moment with an offset, like 2006-07-24T00:00:00+02:00")
    date, clock, fraction, offset = match.groups()
    fraction = fraction or ""
    if len(fraction) > 6 and fraction[6:].strip("0"):
        raise ValueError("finer than a microsecond")
    micros = fraction[:6].ljust(6, "0")
    try:
        parsed = datetime.fromisoformat(f"{date}T{clock}.{micros}{'+00:00' if offset == 'Z' else offset}")
        utc = parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("no such moment") from error
    return f"{utc.strftime('%Y').rjust(4, '0')}-{utc.strftime('%m-%dT%H:%M:%S')}.{utc.microsecond:06d}Z", date


@lru_cache(maxsize=65536)
def minor_units(text: str, digits: int) -> int:
    """Decimal text to minor units, exactly: "71.5" is 7150 with two digits. ValueError for exponents, signs
    other than a leading minus, and amounts finer than the minor unit; nothing is rounded."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError("not a plain decimal number")
    sign, whole, fraction = match.groups()
    fraction = fraction or ""
    if fraction[digits:].strip("0"):
        raise ValueError(f"finer than {digits} digits")
    value: int = int(whole) * 10**digits + int(fraction[:digits].ljust(digits, "0") or "0")
    if value > INTEGER_MAX:
        raise ValueError("too large for the ledger (2^53 - 1)")
    return -value if sign else value


@dataclass(frozen=True, slots=True)
class Template:
    """One catalogue event that an activity becomes. `when` names an amount that must not be zero for it."""

    type: str
    version: int
    make: Maker
    ref: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    name: str
    code: str
    main: int
    templates: tuple[Template, ...]
    reads: frozenset[str]
    left_out: frozenset[str]
    remembers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A loaded mapping. `digest` binds an import that is resumed to the mapping it was begun with."""

    name: str
    digest: str
    case_key: str
    activity_key: str
    time_key: str
    digits: int
    activities: Table[str, Activity]
    skip: frozenset[str]
    left_out: frozenset[str]

    def map_event(self, event: SourceEvent, case: CaseContext) -> list[Mapped]:
        """The catalogue's events for one event of the log, the main one among them, in the order of the file.
        Raises `Unmapped` or `WrongValue`; the case's memory is then as it was."""
        attributes = event.attributes
        name = attributes.get(self.activity_key)
        activity = self.activities.get(name) if name is not None else None
        if activity is None:
            raise Unmapped("no activity" if name is None else "unknown activity")
        text = attributes.get(self.time_key)
        if text is None:
            raise WrongValue(self.time_key, "missing")
        try:
            time, _ = moment(text)
        except ValueError as error:
            raise WrongValue(self.time_key, str(error)) from error
        made: list[Mapped] = []
        main_id = ""
        for place, template in enumerate(activity.templates):
            if template.when and not self._amount(attributes, template.when):
                continue
            data = template.make(event, case)
            data["late_reason"] = LATE_REASON
            data["source_ref"] = f"{template.ref}{case.number}/{event.number}"
            event_id = str(uuid7())
            if place == activity.main:
                main_id = event_id
            made.append((template.type, template.version, data, time, event_id))
        for attribute in activity.remembers:
            if attribute in attributes:
                case.last[attribute] = self._amount(attributes, attribute)
        case.main_ids[activity.name] = main_id
        return made

    def _amount(self, attributes: dict[str, str], attribute: str) -> int:
        text = attributes.get(attribute)
        if text is None:
            return 0
        try:
            return minor_units(text, self.digits)
        except ValueError as error:
            raise WrongValue(attribute, str(error)) from error

    def not_carried(self, event: SourceEvent) -> tuple[list[str], list[str]]:
        """Attributes of a mapped event that no catalogue event carries: those that the mapping leaves out on
        purpose, and those of which it says nothing."""
        activity = self.activities[event.attributes[self.activity_key]]
        rest = event.attributes.keys() - activity.reads
        strange = [key for key in rest if key not in activity.left_out and key not in self.left_out]
        return [key for key in rest if key not in strange], strange


# -- loading -------------------------------------------------------------------------------------------------


def shipped() -> list[str]:
    """Names of the mappings that come with the program."""
    folder = resources.files(__package__).joinpath("mappings")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load_mapping(name_or_file: str | Path) -> Mapping:
    """A shipped mapping by its name, or any by its file. `ConfigurationError` says which key to mend."""
    path = Path(name_or_file)
    if path.suffix == ".toml" or path.exists():
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"cannot read the mapping {path}: {error.strerror}") from error
    else:
        if str(name_or_file) not in shipped():
            raise ConfigurationError(
                f"there is no mapping {str(name_or_file)!r}: give a .toml file,"
                f" or one of those shipped: {', '.join(shipped())}"
            )
        data = resources.files(__package__).joinpath("mappings", f"{name_or_file}.toml").read_bytes()
    try:
        return parse_mapping(data)
    except ConfigurationError as error:
        raise ConfigurationError(f"the mapping {name_or_file}: {error}") from error


def parse_mapping(data: bytes) -> Mapping:
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"not TOML: {error}") from error
    return _Loader(table, hashlib.sha256(data).hexdigest()).load()


class _Loader:
    def __init__(self, table: dict[str, Any], digest: str) -> None:
        self.table = table
        self.digest = digest
        self.digits = 2
        self.names: set[str] = set()

    def load(self) -> Mapping:
        table = self.table
        _closed(table, "the mapping", {"format", "name", "log", "activity"}, {"description", "skip"})
        if table["format"] != FORMAT:
            raise ConfigurationError(f"format must be {FORMAT!r}")
        log = _of(dict, table["log"], "log")
        _closed(log, "log", {"case", "activity", "time"}, {"digits", "ref", "left_out"})
        self.digits = _of(int, log.get("digits", 2), "log.digits")
        if not 0 <= self.digits <= 6:
            raise ConfigurationError("log.digits is how many digits the minor unit has: 0 to 6")
        ref = _word(log.get("ref", "xes"), "log.ref")
        rows = _of(list, table["activity"], "activity")
        self.names = {row.get("name", "") for row in rows if isinstance(row, dict)}
        activities: dict[str, Activity] = {}
        codes: set[str] = set()
        for row in rows:
            activity = self._activity(_of(dict, row, "activity"), ref, log)
            if activity.name in activities or activity.code in codes:
                raise ConfigurationError(f"activity {activity.name!r}: its name or its code stands twice")
            activities[activity.name] = activity
            codes.add(activity.code)
        mapping = Mapping(
            name=_word(table["name"], "name"),
            digest=self.digest,
            case_key=_of(str, log["case"], "log.case"),
            activity_key=_of(str, log["activity"], "log.activity"),
            time_key=_of(str, log["time"], "log.time"),
            digits=self.digits,
            activities=activities,
            skip=frozenset(_texts(table.get("skip", []), "skip")),
            left_out=frozenset(_texts(log.get("left_out", []), "log.left_out")),
        )
        if mapping.skip & activities.keys():
            raise ConfigurationError("an activity in skip has a table of its own too")
        return mapping

    def _activity(self, row: dict[str, Any], ref: str, log: dict[str, Any]) -> Activity:
        where = f"activity {row.get('name', '?')!r}"
        _closed(row, where, {"name", "code", "event"}, {"left_out"})
        code = _word(row["code"], f"{where}: code")
        if "_" in code:
            raise ConfigurationError(f"{where}: code has hyphens, not underscores")
        rows = _of(list, row["event"], f"{where}: event")
        reads: set[str] = {log["activity"], log["time"]}
        templates: list[Template] = []
        main: list[int] = []
        for place, event in enumerate(rows):
            _closed(_of(dict, event, where), f"{where}: event", {"type", "data"}, {"version", "also", "when"})
            also = _of(bool, event.get("also", False), f"{where}: also")
            if not also:
                main.append(place)
            when = _of(str, event.get("when", ""), f"{where}: when")
            if when:
                reads.add(when)
                if not also:
                    raise ConfigurationError(f"{where}: only an event with also = true may have when")
            source = f"{ref}-also/{code}/" if also else f"{ref}/{code}/"
            templates.append(self._template(event, where, source, reads, when))
        if len(main) != 1:
            raise ConfigurationError(
                f"{where}: exactly one of its events is the main one (without also = true)"
            )
        return Activity(
            name=_of(str, row["name"], where),
            code=code,
            main=main[0],
            templates=tuple(templates),
            reads=frozenset(reads),
            left_out=frozenset(_texts(row.get("left_out", []), f"{where}: left_out")),
            # What one activity compares with an earlier value has to be remembered from every other.
            remembers=tuple(sorted(self._compared())),
        )

    def _compared(self) -> set[str]:
        """Attributes that some template of the file takes as an increase."""
        found: set[str] = set()

        def walk(value: object) -> None:
            if isinstance(value, dict):
                if value.get("as") == "increase" and isinstance(value.get("from"), str):
                    found.add(value["from"])
                for inner in value.values():
                    walk(inner)
            elif isinstance(value, list):
                for inner in value:
                    walk(inner)

        walk(self.table["activity"])
        return found

    def _template(self, event: dict[str, Any], where: str, ref: str, reads: set[str], when: str) -> Template:
        short = _of(str, event["type"], f"{where}: type")
        version = _of(int, event.get("version", 1), f"{where}: version")
        data = _of(dict, event["data"], f"{where}: data")
        if {"late_reason", "source_ref"} & data.keys():
            raise ConfigurationError(f"{where}: late_reason and source_ref are the importer's own")
        make = self._object(data, f"{where}: data", reads)
        for sample in self._samples(data):
            sample |= {"late_reason": LATE_REASON, "source_ref": f"{ref}1/1"}
            try:
                check_data(
                    {
                        "type": f"duecourse.{short}.v{version}",
                        "dataschema": f"urn:duecourse:{short}:{version}",
                        "data": sample,
                    }
                )
            except Refused as refused:
                raise ConfigurationError(f"{where}: {short}: {refused}") from refused
        return Template(short, version, make, ref, when)

    # -- values ----------------------------------------------------------------------------------------------

    def _value(self, value: object, where: str, reads: set[str]) -> Maker:
        if isinstance(value, dict):
            if "from" in value:
                return self._attribute(value, where, reads)
            if "uuid_of" in value:
                _closed(value, where, {"uuid_of"}, set())
                label = _word(value["uuid_of"], where)
                return lambda _event, case: case.uuid(label)
            if "event_of" in value:
                _closed(value, where, {"event_of"}, {"optional"})
                return self._reference(value, where)
            return self._object(value, where, reads)
        if isinstance(value, list):
            makers = [self._value(item, where, reads) for item in value]
            return lambda event, case: [v for make in makers if (v := make(event, case)) is not None]
        if isinstance(value, (str, bool, int)):
            return lambda _event, _case: value
        raise ConfigurationError(f"{where}: {type(value).__name__} is no value of an event")

    def _object(self, table: dict[str, Any], where: str, reads: set[str]) -> Maker:
        fixed = {k: v for k, v in table.items() if isinstance(v, (str, bool, int))}
        makers = [(k, self._value(v, f"{where}.{k}", reads)) for k, v in table.items() if k not in fixed]

        def make(event: SourceEvent, case: CaseContext) -> dict[str, Any]:
            result = dict(fixed)
            for key, maker in makers:
                value = maker(event, case)
                if value is not None:
                    result[key] = value
            return result

        return make

    def _reference(self, value: dict[str, Any], where: str) -> Maker:
        name = _of(str, value["event_of"], where)
        optional = _of(bool, value.get("optional", False), where)
        if name not in self.names:
            raise ConfigurationError(f"{where}: event_of names no activity of this mapping: {name!r}")

        def make(_event: SourceEvent, case: CaseContext) -> str | None:
            found = case.main_ids.get(name)
            if found is None and not optional:
                raise Unmapped(f"refers to {name!r}, and there is none before it in its case")
            return found

        return make

    def _attribute(self, value: dict[str, Any], where: str, reads: set[str]) -> Maker:
        _closed(value, where, {"from", "as"}, {"optional", "codes"})
        attribute = _of(str, value["from"], where)
        kind = _of(str, value["as"], where)
        optional = _of(bool, value.get("optional", False), where)
        reads.add(attribute)
        if ("codes" in value) != (kind == "code"):
            raise ConfigurationError(f'{where}: codes goes with as = "code", and only with it')
        codes = _of(dict, value.get("codes", {}), where)
        digits = self.digits
        convert: Callable[[str, CaseContext], Any]
        match kind:
            case "money":
                convert = lambda text, _case: minor_units(text, digits)  # noqa: E731
            case "increase":
                convert = lambda text, case: minor_units(text, digits) - case.last.get(attribute, 0)  # noqa: E731
            case "date":
                convert = lambda text, _case: moment(text)[1]  # noqa: E731
            case "time":
                convert = lambda text, _case: moment(text)[0]  # noqa: E731
            case "int":
                convert = lambda text, _case: _integer(text)  # noqa: E731
            case "id":
                convert = lambda text, _case: _identifier(text)  # noqa: E731
            case "code":
                convert = lambda text, _case: codes[text]  # noqa: E731
            case _:
                raise ConfigurationError(f"{where}: as must be one of {', '.join(sorted(SAMPLES))}")

        def make(event: SourceEvent, case: CaseContext) -> Any:
            text = event.attributes.get(attribute)
            if text is None:
                if optional:
                    return None
                raise Unmapped(f"has no attribute {attribute!r}")
            try:
                return convert(text, case)
            except KeyError:
                raise Unmapped(f"a code of {attribute!r} that the mapping does not have") from None
            except ValueError as error:
                raise WrongValue(attribute, str(error)) from error

        return make

    def _samples(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Payloads as the template would make them: one with everything, one without what is optional, and
        one for each code that it can write. They go through the schema when the mapping is loaded, so that no
        event of a log can fail there later."""
        codes = _codes_in(data) or [None]
        samples = [_sample(data, code, with_optional=True) for code in codes]
        samples.append(_sample(data, codes[0], with_optional=False))
        return samples


SAMPLES: Final[dict[str, Any]] = {
    "money": 100,
    "increase": 100,
    "date": "2006-07-24",
    "time": "2006-07-23T22:00:00.000000Z",
    "int": 1,
    "id": "id-1",
    "code": "",
}
_UUID = "00000000-0000-8000-8000-000000000000"


def _sample(value: Any, code: str | None, *, with_optional: bool) -> Any:
    if isinstance(value, dict):
        if "from" in value:
            if value["as"] != "code":
                return SAMPLES[value["as"]]
            codes = list(value["codes"].values())
            return code if code in codes else codes[0] if codes else ""
        if "uuid_of" in value or "event_of" in value:
            return _UUID
        return {
            k: _sample(v, code, with_optional=with_optional)
            for k, v in value.items()
            if with_optional or not (isinstance(v, dict) and v.get("optional") is True)
        }
    if isinstance(value, list):
        return [_sample(item, code, with_optional=with_optional) for item in value]
    return value


def _codes_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        if "from" in value:
            return list(value.get("codes", {}).values())
        return [c for inner in value.values() for c in _codes_in(inner)]
    if isinstance(value, list):
        return [c for inner in value for c in _codes_in(inner)]
    return []


def _integer(text: str) -> int:
    if _INTEGER.fullmatch(text) is None or abs(int(text)) > INTEGER_MAX:
        raise ValueError("not a whole number of the ledger's range")
    return int(text)


def _identifier(text: str) -> str:
    if not is_identifier(text):
        raise ValueError("not an identifier (letters, digits and ._:/@+-, at most 200)")
    return text


def _of(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigurationError(f"{where} must be {kind.__name__}, not {type(value).__name__}")
    return value


def _word(value: Any, where: str) -> str:
    text: str = _of(str, value, where)
    if _WORD.fullmatch(text) is None:
        raise ConfigurationError(f"{where} must be lower-case words with hyphens, not {text!r}")
    return text


def _texts(value: Any, where: str) -> Sequence[str]:
    return [_of(str, item, where) for item in _of(list, value, where)]


def _closed(table: dict[str, Any], where: str, required: set[str], optional: set[str]) -> None:
    unknown = table.keys() - required - optional
    if unknown:
        raise ConfigurationError(f"{where}: unknown key {min(unknown)!r}")
    missing = required - table.keys()
    if missing:
        raise ConfigurationError(f"{where}: {min(missing)!r} is missing")
