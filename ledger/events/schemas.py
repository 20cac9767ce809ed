"""What may stand in an event's `data`: the released schemas, and the rules that need the envelope beside
them.

Promised: an event that `check_event` lets pass has a type and version of this release, exactly the members
of its schema with values of their kinds, personal members only in their stored form, and stands in a stream
of the right kind. Not promised: that the envelope is well formed (`ledger.kernel.event`), or that anything
in it is true. An error names the place by JSON pointer and what is allowed there; it never repeats a value.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson

from ledger.errors import ConfigurationError, Refused

_PACKAGED: Final = Path(__file__).resolve().parent.parent / "_schemas"
_CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent / "schemas"
_URN: Final = re.compile(r"urn:duecourse:([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+):([1-9][0-9]{0,5})")
_PROTECTED: Final = "x-duecourse-protected"
_MEMBER: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LATE_AFTER_DAYS: Final = 1  # 24 hours between what happened and its capture; after that a reason is owed


def directory() -> Path:
    """Where the released schemas lie: beside the installed package, or at the top of a checkout."""
    for found in (_PACKAGED, _CHECKOUT):
        if (found / "RELEASED.json").is_file():
            return found
    raise ConfigurationError("the schemas are missing from this installation: install duecourse again")


def digest_of(schema_value: Mapping[str, Any]) -> str:
    """The digest that names a schema: SHA-256 of its RFC 8785 form, hex."""
    return hashlib.sha256(orjson.dumps(schema_value, option=orjson.OPT_SORT_KEYS)).hexdigest()


@cache
def released() -> dict[str, str]:
    """Name (`urn:duecourse:…`) and digest of every released schema."""
    found: dict[str, str] = orjson.loads((directory() / "RELEASED.json").read_bytes())["schemas"]
    return found


@cache
def schema(short_type: str, version: int = 1) -> dict[str, Any]:
    """The released schema; Refused `E_VERSION` for a type or version that this release does not know."""
    if f"urn:duecourse:{short_type}:{version}" not in released():
        raise Refused("E_VERSION", "a type or version that this release does not know", "/dataschema")
    loaded: dict[str, Any] = orjson.loads((directory() / short_type / f"{version}.json").read_bytes())
    return loaded


@dataclass(frozen=True, slots=True)
class _Check:
    """What is done to an event of one type and version."""

    event_type: str
    is_valid: Callable[[Any], bool]
    validator: jsonschema_rs.Draft202012Validator
    stream: str
    own: bool
    windows: bool
    short_type: str


_CHECKS: dict[str, _Check] = {}

_LEDGER_STREAMS: Final = {
    "equivocation_seen": "producer/",
    "submission_rejected": "refused/",
    "sealed": "seal",
    "quarantine_lifted": "producer/",
}


def stream_prefix(short_type: str) -> str:
    """What the subject of an event of this type is, or begins with."""
    family, _, word = short_type.partition(".")
    if family == "ledger":
        return _LEDGER_STREAMS.get(word, "producer/" if word.startswith("producer_") else "registry")
    return f"{family}/" if family in ("source", "agency", "staff") else "case/"


# Patterns here are plain, and this engine's time is linear in the text: no event can make a check slow.
_PATTERNS: Final = jsonschema_rs.RegexOptions()


def _load(name: str) -> _Check:
    found = _URN.fullmatch(name)
    if found is None:
        raise Refused("E_SCHEMA", "not the name of a schema", "/dataschema")
    short_type, version = found[1], int(found[2])
    loaded = schema(short_type, version)
    validator = jsonschema_rs.Draft202012Validator(loaded, pattern_options=_PATTERNS)
    members = loaded["properties"]
    made = _Check(
        event_type=f"duecourse.{short_type}.v{version}",
        is_valid=validator.is_valid,
        validator=validator,
        stream=stream_prefix(short_type),
        own=short_type.startswith("ledger."),
        windows="windows" in members or "from_min" in members,
        short_type=short_type,
    )
    _CHECKS[name] = made
    return made


def check_data(event: Mapping[str, Any]) -> None:
    """Judges `data` by the schema that `dataschema` names.

    Refused `E_VERSION` for a type or version that is not known here, `E_SCHEMA` with the place otherwise."""
    name = event["dataschema"]
    check = _CHECKS.get(name) or _load(name)
    if not check.is_valid(event["data"]):
        raise _explain(check.validator, event["data"])


def check_event(event: Mapping[str, Any]) -> None:
    """Judges an event whose envelope was checked: schema, stream, and what only the envelope can decide.

    Refused `E_VERSION` or `E_SCHEMA`, the latter with the place."""
    name = event["dataschema"]
    check = _CHECKS.get(name) or _load(name)
    data = event["data"]
    if not check.is_valid(data):
        raise _explain(check.validator, data)
    if event["type"] != check.event_type:
        raise Refused("E_SCHEMA", "type and dataschema do not name the same schema", "/dataschema")
    subject = event["subject"]
    if not subject.startswith(check.stream) or (check.stream[-1] != "/" and subject != check.stream):
        raise Refused("E_SCHEMA", f"events of this type stand in {check.stream}", "/subject")
    if check.own:
        return
    capacity = event["actorcapacity"]
    if capacity == "agency":
        if "agency" not in data:
            raise Refused("E_SCHEMA", "required where actorcapacity is agency", "/data/agency")
    elif capacity == "system" and check.short_type != "source.counted":
        raise Refused("E_SCHEMA", "system is for the ledger and for source.counted", "/actorcapacity")
    happened, captured = event["time"], event["recordedtime"]
    if happened[:10] != captured[:10] and "late_reason" not in data and _late(happened, captured):
        raise Refused("E_SCHEMA", "required: captured more than 24 h after it happened", "/data/late_reason")
    if "void" in data and "corrects" not in event:
        raise Refused("E_SCHEMA", "only in an event that corrects another", "/data/void")
    if check.windows:
        _check_windows(data)


@lru_cache(maxsize=1024)
def _day(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def _late(happened: str, captured: str) -> bool:
    days = _day(captured[:10]) - _day(happened[:10])
    return days > _LATE_AFTER_DAYS or (days == _LATE_AFTER_DAYS and captured[10:] > happened[10:])


def _check_windows(data: Mapping[str, Any]) -> None:
    places = [(data, "/data")] if "from_min" in data else []
    places += [(w, f"/data/windows/{i}") for i, w in enumerate(data.get("windows", ()))]
    for window, where in places:
        if window["from_min"] >= window["to_min"]:
            raise Refused("E_SCHEMA", "a window ends after it begins, on the same day", f"{where}/to_min")


def check_opened(short_type: str, version: int, pointer: str, value: Any) -> None:
    """Judges the value in the clear of a protected member: before it is sealed, or after it was opened.

    `pointer` is from the event's root, as `/data/to`. Refused `E_VERSION` or `E_SCHEMA`, never with the
    value."""
    validator = _opened(short_type, version).get(pointer.removeprefix("/data/"))
    if validator is None:
        raise Refused("E_SCHEMA", "no protected member stands there", pointer)
    if not validator.is_valid(value):
        refused = _explain(validator, value)
        raise Refused("E_SCHEMA", refused.detail, pointer + refused.where.removeprefix("/data"))


@cache
def _opened(short_type: str, version: int) -> dict[str, jsonschema_rs.Draft202012Validator]:
    found = {}
    for name, member in schema(short_type, version)["properties"].items():
        if _PROTECTED in member:
            opened = member[_PROTECTED]["opened"]
            found[name] = jsonschema_rs.Draft202012Validator(opened, pattern_options=_PATTERNS)
    return found


def _pointer(path: list[str | int], last: str = "") -> str:
    # A name outside of the profile may be data that went astray: it is not repeated.
    tokens = [
        t if isinstance(t, int) or _MEMBER.fullmatch(t) else "…" for t in [*path, *([last] if last else [])]
    ]
    return "/data" + "".join(f"/{t}" for t in tokens)


_KIND = jsonschema_rs.ValidationErrorKind
_DETAILS: Final = {
    "pattern": "not in the one spelling of its kind",
    "minimum": "less than the schema allows",
    "maximum": "more than the schema allows",
    "minLength": "shorter than the schema allows",
    "maxLength": "longer than the schema allows",
}


def _explain(validator: jsonschema_rs.Draft202012Validator, data: Any) -> Refused:
    """The error nearest to the root, as the refusal that names its place."""
    errors = list(validator.iter_errors(data))
    first = min(
        errors, key=lambda e: (len(e.instance_path), [str(p) for p in e.instance_path], str(e.schema_path))
    )
    path, rule, kind = list(first.instance_path), [str(p) for p in first.schema_path], first.kind
    # What follows repeats words of the schema, never of the event.
    if "dependentSchemas" in rule and isinstance(kind, _KIND.Constant):
        member = rule[rule.index("dependentSchemas") + 1]
        return Refused(
            "E_SCHEMA", f"only where {path[-1]} is {kind.expected_value}", _pointer(path[:-1], member)
        )
    if "protected" in rule:
        place = path[:1]
        return Refused(
            "E_SCHEMA", "protected: cipher, digest, key and nonce, and never the value", _pointer(place)
        )
    if isinstance(kind, _KIND.AnyOf):  # the one alternative of the catalogue
        return Refused("E_SCHEMA", "required, except for visits", _pointer(path, "contact_point"))
    if isinstance(kind, _KIND.AdditionalProperties):
        return Refused("E_SCHEMA", "the schema has no such member", _pointer(path, min(kind.unexpected)))
    if isinstance(kind, _KIND.Required):
        return Refused("E_SCHEMA", "required", _pointer(path, kind.property))
    if isinstance(kind, _KIND.Enum):
        codes = ", ".join(str(code) for code in kind.options)
        return Refused("E_SCHEMA", f"not one of {codes}", _pointer(path))
    if isinstance(kind, _KIND.Constant):
        return Refused("E_SCHEMA", f"not {kind.expected_value}", _pointer(path))
    if isinstance(kind, _KIND.Type):
        return Refused("E_SCHEMA", f"not of type {' or '.join(kind.types)}", _pointer(path))
    return Refused("E_SCHEMA", _DETAILS.get(kind.name, f"{kind.name} does not hold"), _pointer(path))


def write(target: Path) -> list[str]:
    """Writes the schema of every class under `target`, and `RELEASED.json` beside them; the names that are
    new.

    ConfigurationError, and nothing written, where a class would change a schema that was released."""
    # Only the maker of a release needs the classes; a reader of events needs the files alone.
    from ledger.events.build import schema_of, urn
    from ledger.events.registry import all_types

    register = target / "RELEASED.json"
    before: dict[str, str] = orjson.loads(register.read_bytes())["schemas"] if register.is_file() else {}
    made = {urn(cls.TYPE, cls.VERSION): (cls, schema_of(cls)) for cls in all_types()}
    names = {name: digest_of(value) for name, (_, value) in made.items()}
    changed = [name for name, digest in before.items() if names.get(name) != digest]
    if changed:
        raise ConfigurationError(
            f"released schemas never change; give a new version to: {', '.join(sorted(changed))}"
        )
    for cls, value in made.values():
        file = target / cls.TYPE / f"{cls.VERSION}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_pretty(value))
    register.write_bytes(_pretty({"format": "duecourse schemas 1", "schemas": names}))
    return sorted(set(names) - set(before))


def _pretty(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m ledger.events.schemas --write")
    for written in write(_CHECKOUT):
        print(f"released {written}")
