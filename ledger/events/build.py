"""Writes the closed JSON Schema of a class: what the catalogue says, in a form that others can check.

A schema is JSON Schema 2020-12, holds everything it needs, and knows no member beside those of the class.
What a protected member holds once it is opened stands beside its stored form, under
`x-duecourse-protected`."""

from __future__ import annotations

from typing import Any, get_args

from ledger.events.catalogue.common import Value
from ledger.events.kinds import DIGEST_KIND
from ledger.events.registry import AnyPayload, Member, members

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Base64 with padding in its one spelling: the bits that no byte uses are zero (formats 0).
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?"
# A disclosure is at least 64 characters, its cipher 16 bytes more; and no event is longer than 48 KiB.
_CIPHER_CHARS_MIN = 108

_STORED: dict[str, Any] = {
    "additionalProperties": False,
    "properties": {
        "cipher": {"minLength": _CIPHER_CHARS_MIN, "pattern": f"^{_BASE64}$", "type": "string"},
        "digest": dict(DIGEST_KIND.schema),
        "key": dict(DIGEST_KIND.schema),
        "nonce": {"pattern": "^[A-Za-z0-9+/]{16}$", "type": "string"},
    },
    "required": ["cipher", "digest", "key", "nonce"],
    "type": "object",
}


def urn(short_type: str, version: int) -> str:
    """The `dataschema` of an event (formats 2)."""
    return f"urn:duecourse:{short_type}:{version}"


def _one(member: Member) -> dict[str, Any]:
    if member.object is not None:
        return {"$ref": f"#/$defs/{member.object.__name__.lower()}"}
    if member.family is not None:
        codes = list(get_args(member.family))
        return {"const": codes[0]} if len(codes) == 1 else {"enum": codes}
    assert member.kind is not None
    return dict(member.kind.schema)


def opened_schema(member: Member) -> dict[str, Any]:
    """The schema of a member's value in the clear."""
    return {"items": _one(member), "type": "array"} if member.many else _one(member)


def _member_schema(member: Member) -> dict[str, Any]:
    if member.protection is None:
        return opened_schema(member)
    note = {"grade": member.protection.grade, "opened": opened_schema(member)}
    return {"$ref": "#/$defs/protected", "x-duecourse-protected": note}


def _closed(cls: type[Value]) -> dict[str, Any]:
    found = members(cls)
    return {
        "additionalProperties": False,
        "properties": {m.name: _member_schema(m) for m in found},
        "required": sorted(m.name for m in found if m.required),
        "type": "object",
    }


def _definitions(cls: type[Value]) -> dict[str, Any]:
    defs: dict[str, Any] = {}
    for member in members(cls):
        if member.object is not None:
            defs[member.object.__name__.lower()] = _closed(member.object)
            defs |= _definitions(member.object)
        if member.protection is not None:
            defs["protected"] = _STORED
    return defs


def schema_of(cls: type[AnyPayload]) -> dict[str, Any]:
    """The whole schema of a type's `data`."""
    body = _closed(cls)
    if cls.RULES:
        body["allOf"] = [dict(rule) for rule in cls.RULES]
    defs = _definitions(cls)
    if defs:
        body["$defs"] = defs
    return {"$schema": DIALECT, "$id": urn(cls.TYPE, cls.VERSION), "title": cls.TYPE} | body
