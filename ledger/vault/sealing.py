"""Opening protected fields, for those who may: the one place where vault and vault key meet.

Promised: a value comes out only if the key that opened it is the one to which the signed event commits, the
field stands where it was sealed, and the value is the one of the event's digest (formats 2.1). A disclosure
can be handed on; a protecting key never leaves this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.custody.file import VaultKey
from ledger.custody.wrapping import parse_header
from ledger.errors import Erased, Refused, VaultError
from ledger.kernel.disclosure import Protected, is_protected, key_commitment
from ledger.kernel.disclosure import open_field as open_with
from ledger.vault.port import StoredKey, Vault


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A field that was opened. `disclosure` is what an outsider may be given; the repr shows neither."""

    pointer: str
    disclosure: str
    value: Any

    def __repr__(self) -> str:
        return f"Opened({self.pointer!r})"


def received_keys(header: bytes, *, origin: str, producerid: str, stream: str) -> list[StoredKey]:
    """What the header `wrapped-keys` of a submission brings for the vault.

    Refused for a header of another shape, or one with keys of other streams. No signature covers the
    header: its faults are no reason to refuse the event, only to keep nothing of it."""
    found = [StoredKey(origin, producerid, key) for key in parse_header(header)]
    if any(stored.key.stream != stream for stored in found):
        raise Refused("E_CONTEXT", "a wrapped key travels with an event of its own stream", "wrapped-keys")
    return found


def protected_pointers(event: Mapping[str, Any]) -> list[str]:
    """Pointers of an event's protected fields, in the order of its data."""
    return [f"/data/{name}" for name, value in event["data"].items() if is_protected(value)]


def field_at(event: Mapping[str, Any], pointer: str) -> Protected:
    """The protected field at a pointer from the event's root; Refused `E_SCHEMA` where there is none."""
    found: Any = event
    for token in pointer.split("/")[1:]:
        found = found.get(token) if isinstance(found, Mapping) else None
    if not pointer.startswith("/data/") or not is_protected(found):
        raise Refused("E_SCHEMA", "no protected field stands there", pointer)
    return Protected.from_value(found)


class Opener:
    """Opens the fields of events with the keys of a vault. Whoever has one can read every person in it."""

    __slots__ = ("_vault", "_vault_key")

    def __init__(self, vault: Vault, vault_key: VaultKey) -> None:
        self._vault = vault
        self._vault_key = vault_key

    def open_field(self, event: Mapping[str, Any], pointer: str) -> Opened:
        """Disclosure and value of one field.

        Erased where its key was destroyed, VaultError where it never came or came for another vault,
        Refused where the field is not what its event promises."""
        field = field_at(event, pointer)
        protecting_key = self._protecting_key(event["id"], event["subject"], field.key)
        disclosure, value = open_with(
            field, event_id=event["id"], pointer=pointer, protecting_key=protecting_key
        )
        return Opened(pointer, disclosure, value)

    def _protecting_key(self, event_id: str, stream: str, commitment: bytes) -> bytes:
        foreign = 0
        for stored in self._vault.keys_of(stream):
            try:
                protecting_key = self._vault_key.open(stored.key.wrapped, stored.info)
            except VaultError:
                foreign += 1
                continue
            if key_commitment(protecting_key, event_id) == commitment:
                return protecting_key
        if self._vault.erased_of(stream):
            raise Erased("keys of this stream were destroyed, and none that is left opens the field")
        if foreign:
            raise VaultError(
                f"{foreign} keys of this stream do not open with this vault key: is it the right one?"
            )
        raise VaultError("the key of this field never reached the vault")

    def __repr__(self) -> str:
        return f"Opener({self._vault!r})"
