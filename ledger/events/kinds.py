"""What a member may hold: the alphabet from which every class of the catalogue is built.

A class says `Personal[str]`, `Uuid` or `Sequence[Role]`; `build.py` reads these annotations and writes the
closed JSON Schema, so that the class and the schema cannot drift apart. The type checker sees plain `str`
and `int`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

T = TypeVar("T")

# Years 0001 to 9999, months by their length, and 29 February only in leap years: the pattern is the calendar,
# so a validator that knows nothing of dates refuses 2026-02-30 too.
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DATE = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    f"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}"
_IDENTIFIER = "[A-Za-z0-9._:/@+-]"

INTEGER_MAX = 2**53 - 1  # beyond it two readers of JSON may disagree about the number (formats 1)


@dataclass(frozen=True, eq=False)
class Kind:
    """One scalar kind: its name in the catalogue, and the JSON Schema of its values."""

    name: str
    title: str
    schema: Mapping[str, Any]


def _text(name: str, title: str, pattern: str) -> Kind:
    return Kind(name, title, {"pattern": f"^{pattern}$", "type": "string"})


def _integer(name: str, title: str, low: int, high: int = INTEGER_MAX) -> Kind:
    return Kind(name, title, {"maximum": high, "minimum": low, "type": "integer"})


UUID_KIND = _text(
    "uuid", "UUID, lower case, with hyphens", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
DATE_KIND = _text("date", "date, `YYYY-MM-DD`, one that exists", _DATE)
TIME_KIND = _text("time", "moment in UTC, six digits of a second", f"{_DATE}T{_CLOCK}Z")
ID_KIND = _text("id", "identifier, no spaces", f"{_IDENTIFIER}{{1,200}}")
DIGEST_KIND = _text("digest", "SHA-256, 64 hex digits", "[0-9a-f]{64}")
CURRENCY_KIND = _text("id", "ISO 4217 code", "[A-Z]{3}")
PLACE_KIND = _text("id", "ISO 3166 code of a country or of a part of one", "[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
TEMPLATE_KIND = _text("id", "template, `name@version`", f"{_IDENTIFIER}{{1,150}}@{_IDENTIFIER}{{1,49}}")
COUNTER_KIND = _text("counter", "count as text, 20 digits", "[0-9]{20}")
SIGNATURE_KIND = _text("signature", "Ed25519 signature, base64", "[A-Za-z0-9+/]{85}[AQgw]==")
SCHEMA_KIND = _text(
    "schema", "name of a schema", "urn:duecourse:[a-z0-9_]+(?:[.][a-z0-9_]+)+:[1-9][0-9]{0,5}"
)
SCOPE_KIND = _text("scope", "whole dotted words of a type", "[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)*")
CODE_KIND = _text("code", "code of the verdict contract", "[A-Z][A-Z0-9_]{1,60}")
LABEL_KIND = Kind("label", "short text in the clear", {"maxLength": 200, "minLength": 1, "type": "string"})
INTEGER_KIND = _integer("int", "whole number", -INTEGER_MAX)
COUNT_KIND = _integer("int", "whole number, not negative", 0)
MINUTE_KIND = _integer("int", "local minute of the day, 0 to 1440", 0, 1440)
SHARDS_KIND = _integer("int", "how many, from 1", 1, 1 << 20)
EPOCH_KIND = _integer("int", "epoch of a producer", 0, 2**31 - 1)
TEXT_KIND = Kind("text", "free text", {"type": "string"})
FLAG_KIND = Kind("bool", "true or false", {"type": "boolean"})

Uuid: TypeAlias = Annotated[str, UUID_KIND]
Date: TypeAlias = Annotated[str, DATE_KIND]
Time: TypeAlias = Annotated[str, TIME_KIND]
Id: TypeAlias = Annotated[str, ID_KIND]
Digest: TypeAlias = Annotated[str, DIGEST_KIND]
Currency: TypeAlias = Annotated[str, CURRENCY_KIND]
PlaceCode: TypeAlias = Annotated[str, PLACE_KIND]
Template: TypeAlias = Annotated[str, TEMPLATE_KIND]
Counter: TypeAlias = Annotated[str, COUNTER_KIND]
Signature: TypeAlias = Annotated[str, SIGNATURE_KIND]
SchemaName: TypeAlias = Annotated[str, SCHEMA_KIND]
Scope: TypeAlias = Annotated[str, SCOPE_KIND]
RefusalCode: TypeAlias = Annotated[str, CODE_KIND]
Label: TypeAlias = Annotated[str, LABEL_KIND]
Money: TypeAlias = Annotated[int, INTEGER_KIND]
Count: TypeAlias = Annotated[int, COUNT_KIND]
Minute: TypeAlias = Annotated[int, MINUTE_KIND]
Shards: TypeAlias = Annotated[int, SHARDS_KIND]
Epoch: TypeAlias = Annotated[int, EPOCH_KIND]
Text: TypeAlias = Annotated[str, TEXT_KIND]
Capacity: TypeAlias = Literal["first_party", "agency", "debt_buyer", "law_firm", "system"]


@dataclass(frozen=True)
class Protection:
    """Marks a member whose value never stands in the clear (formats 2.1)."""

    grade: Literal["personal", "sensitive"]


PERSONAL = Protection("personal")
SENSITIVE = Protection("sensitive")

# In a payload that is about to be recorded such a member holds the clear value; in one that was read from the
# ledger it holds the stored form, {"cipher", "digest", "key", "nonce"}.
Stored: TypeAlias = Mapping[str, Any]
Personal = Annotated[T | Stored, PERSONAL]
Sensitive = Annotated[T | Stored, SENSITIVE]

# A list of objects takes the objects of `catalogue.common`, or plain mappings with the same members.
Objects = Sequence[T | Mapping[str, Any]]
