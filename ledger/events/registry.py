"""Which types there are, and how a payload becomes the `data` of an event and comes back from it.

`to_data` leaves protected members as their clear values: whoever records an event replaces them first, at the
places that `protected_pointers` names. Nothing here validates; that is `schemas.py`."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from ledger.errors import Refused
from ledger.events.catalogue import (
    agency,
    case,
    common,
    contact,
    control,
    debt,
    law,
    means,
    objection,
    party,
    source,
)
from ledger.events.catalogue import ledger as ledger_types
from ledger.events.catalogue.common import Payload, Value
from ledger.events.catalogue.ledger import LedgerPayload
from ledger.events.codes import FAMILIES
from ledger.events.kinds import FLAG_KIND, Kind, Protection

AnyPayload: TypeAlias = Payload | LedgerPayload

_MODULES = (case, debt, party, contact, means, objection, agency, law, control, source, ledger_types)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a type or object, as its class declares it."""

    name: str
    attribute: str
    required: bool
    many: bool
    kind: Kind | None
    family: Any
    object: type[Value] | None
    protection: Protection | None


def _classes() -> Iterable[type[AnyPayload]]:
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Payload | LedgerPayload) and value.TYPE:
                yield value


_TYPES: dict[tuple[str, int], type[AnyPayload]] = {
    (found.TYPE, found.VERSION): found
    for found in sorted(_classes(), key=lambda found: (found.NUMBER or 99, found.TYPE, found.VERSION))
}


def all_types() -> tuple[type[AnyPayload], ...]:
    """Every class: the producers' types in the order of the catalogue, then the ledger's own by name."""
    return tuple(_TYPES.values())


def event_class(short_type: str, version: int = 1) -> type[AnyPayload]:
    """The class of `contact.call_placed`, 1; Refused `E_VERSION` for a type or version that is not known
    here."""
    try:
        return _TYPES[short_type, version]
    except KeyError:
        raise Refused(
            "E_VERSION", "a type or version that this release does not know", "/dataschema"
        ) from None


def _strip(hint: Any) -> tuple[Any, list[Any]]:
    """The bare type, and everything that was said about it on the way."""
    said: list[Any] = []
    while True:
        if get_origin(hint) is Annotated:
            said.extend(hint.__metadata__)
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, types.UnionType):
            # What is left of a union without absence and plain mappings is the type that is meant.
            (hint,) = (a for a in get_args(hint) if a is not type(None) and not _is_mapping(a))
        else:
            return hint, said


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _member(name: str, hint: Any, required: bool) -> Member:
    bare, said = _strip(hint)
    many = False
    if get_origin(bare) is not None and get_origin(bare) is not Literal:
        many = True
        bare, inner = _strip(get_args(bare)[0])
        said += inner
    protection = next((s for s in said if isinstance(s, Protection)), None)
    kind = next((s for s in said if isinstance(s, Kind)), FLAG_KIND if bare is bool else None)
    family = bare if get_origin(bare) is Literal else None
    obj = bare if isinstance(bare, type) and issubclass(bare, Value) else None
    return Member(name.rstrip("_"), name, required, many, kind, family, obj, protection)


_MEMBERS: dict[type[Value], tuple[Member, ...]] = {}


def members(cls: type[Value]) -> tuple[Member, ...]:
    """Every member of a type or object, the type's own first, then those that its bases share."""
    if cls not in _MEMBERS:
        _MEMBERS[cls] = _declared_members(cls)
    return _MEMBERS[cls]


def _declared_members(cls: type[Value]) -> tuple[Member, ...]:
    hints = get_type_hints(cls, include_extras=True)
    declared = [f.name for f in fields(cls)]
    own = [name for name in declared if name in vars(cls).get("__annotations__", {})]
    shared = [name for name in declared if name not in own]
    required = {f.name for f in fields(cls) if f.default is not None}
    return tuple(_member(name, hints[name], name in required) for name in own + shared)


_FAMILY_NAMES: dict[Any, str] = {family: name for name, family in FAMILIES.items()}


def family_name_of(member: Member) -> str:
    """The family of a member's codes, as the catalogue names it; empty where it has a closed list of its
    own."""
    return _FAMILY_NAMES.get(member.family, "")


@cache
def protected_members(short_type: str, version: int = 1) -> Mapping[str, str]:
    """Names of the members that never stand in the clear, with their grade, `personal` or `sensitive`."""
    found = members(event_class(short_type, version))
    return {m.name: m.protection.grade for m in found if m.protection is not None}


_SCALARS = frozenset({str, int, bool})
_NAMES: dict[type[Value], tuple[tuple[str, str], ...]] = {}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [item if type(item) is str else _plain(item) for item in value]
    if isinstance(value, Value):
        return to_object(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def to_object(value: Value) -> dict[str, Any]:
    """An object or payload as plain JSON values; absent members are left out."""
    cls = type(value)
    names = _NAMES.get(cls)
    if names is None:
        names = _NAMES[cls] = tuple((m.name, m.attribute) for m in members(cls))
    found = {}
    for name, attribute in names:
        held = getattr(value, attribute)
        if held is not None:
            found[name] = held if type(held) in _SCALARS else _plain(held)
    return found


def to_data(payload: AnyPayload) -> dict[str, Any]:
    """The `data` of an event, protected members still as they were given."""
    return to_object(payload)


def is_stored_form(value: Any) -> bool:
    """Whether a protected member already holds what is stored: cipher, digest, key and nonce."""
    return isinstance(value, Mapping) and set(value) == {"cipher", "digest", "key", "nonce"}


def protected_pointers(payload: AnyPayload) -> list[tuple[str, Any]]:
    """Pointer (from the event's root) and clear value of each member that is still to be protected."""
    found = []
    for member in members(type(payload)):
        if member.protection is not None:
            held = getattr(payload, member.attribute)
            if held is not None and not is_stored_form(held):
                found.append((f"/data/{member.name}", _plain(held)))
    return found


def _object_of(cls: type[Value], data: Mapping[str, Any]) -> Value:
    given: dict[str, Any] = {}
    for member in members(cls):
        if member.name in data:
            held = data[member.name]
            if member.object is not None and member.many:
                held = tuple(_object_of(member.object, item) for item in held)
            elif member.object is not None:
                held = _object_of(member.object, held)
            elif isinstance(held, list):
                held = tuple(held)
            given[member.attribute] = held
    return cls(**given)


def from_data(short_type: str, version: int, data: Mapping[str, Any]) -> AnyPayload:
    """The payload of an event that was validated. Protected members hold their stored form; objects are
    objects."""
    payload = _object_of(event_class(short_type, version), data)
    assert isinstance(payload, Payload | LedgerPayload)
    return payload


__all__ = [
    "AnyPayload",
    "Member",
    "Payload",
    "all_types",
    "common",
    "event_class",
    "from_data",
    "is_stored_form",
    "members",
    "protected_members",
    "protected_pointers",
    "to_data",
    "to_object",
]
