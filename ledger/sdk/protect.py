"""Personal members on their way into an event: sealed under a key of one person in one case (formats 2.1).

Promises: what is marked personal or sensitive never leaves here in the clear; a protecting key is random, serves one
party of one stream for at most a calendar month, and is kept in this process's memory alone. On disk and on the way
it stands only wrapped to the vault's key. After a restart a person gets a new key, and erasing at the vault then
leaves nothing here to forget but what this process still holds: see `forget`."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from ledger.custody.wrapping import PROTECTING_KEY_BYTES, WrappedKey, wrap, wrapping_info
from ledger.errors import EventRefused
from ledger.events.registry import is_stored_form, protected_members
from ledger.events.schemas import check_opened
from ledger.kernel.disclosure import protect

# Protecting keys held at once, about 500 bytes each. A person whose key was dropped gets a new one.
KEYS_MAX: Final = 20_000
_SALT: Final = bytes(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[i & 63] for i in range(256)
)


class ProtectingKey:
    """One protecting key. `recorded_in`: the shards in whose feed its wrapped form already travels."""

    __slots__ = ("_secret", "_wrapped", "key_id", "month", "party", "recorded_in", "stream")

    def __init__(self, stream: str, party: str, month: str) -> None:
        self.key_id = str(uuid4())
        self.stream = stream
        self.party = party
        self.month = month
        self.recorded_in: set[int] = set()
        self._secret = os.urandom(PROTECTING_KEY_BYTES)
        self._wrapped: dict[str, WrappedKey] = {}

    def __repr__(self) -> str:
        return f"ProtectingKey({self.key_id})"

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a protecting key is neither pickled nor copied")

    def seal(self, event_id: str, pointer: str, value: Any) -> dict[str, str]:
        """The stored form of a value, for one place of one event."""
        field = protect(
            value,
            event_id=event_id,
            pointer=pointer,
            protecting_key=self._secret,
            nonce=os.urandom(12),
            salt_source=_salt,
        )
        return dict(field.value())

    def wrapped(self, vault_key: bytes, origin: str, producerid: str) -> WrappedKey:
        """The key as it travels to the vault of one origin. Made once: a resend carries the same bytes."""
        found = self._wrapped.get(origin)
        if found is None:
            info = wrapping_info(origin, producerid, key_id=self.key_id, stream=self.stream, party=self.party)
            data = wrap(vault_key, self._secret, info)
            found = self._wrapped[origin] = WrappedKey(self.key_id, self.party, self.stream, data)
        return found


def _salt(length: int) -> str:
    return os.urandom(length).translate(_SALT).decode("ascii")


class Keyring:
    """The protecting keys of this process, one a party, stream and month. Threads may share it."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys: OrderedDict[tuple[str, str], ProtectingKey] = OrderedDict()
        self._keys_max = keys_max
        self._lock = threading.Lock()

    def key_for(self, stream: str, party: str, month: str) -> ProtectingKey:
        """The key of this party in this stream; `month` is `YYYY-MM` in UTC."""
        with self._lock:
            key = self._keys.get((stream, party))
            if key is None or key.month != month:
                key = self._keys[stream, party] = ProtectingKey(stream, party, month)
                if len(self._keys) > self._keys_max:
                    self._keys.popitem(last=False)
            self._keys.move_to_end((stream, party))
            return key

    def forget(self, stream: str, party: str | None = None) -> None:
        """Drops the keys of a party, or of everybody in the stream: what comes later gets another key."""
        with self._lock:
            for name in [n for n in self._keys if n[0] == stream and party in (None, n[1])]:
                del self._keys[name]

    def travel_again(self, key_ids: set[str]) -> None:
        """Lets the next events carry these keys again: the submission that first had them was refused."""
        with self._lock:
            for key in self._keys.values():
                if key.key_id in key_ids:
                    key.recorded_in.clear()


def person_of(data: Mapping[str, Any]) -> str:
    """Whom the protected members speak of: `party` where the type has it, else the first of `parties`, else ""."""
    party = data.get("party")
    if isinstance(party, str):
        return party
    parties = data.get("parties")
    if isinstance(parties, list) and parties and isinstance(parties[0], Mapping):
        return str(parties[0].get("party", ""))
    return ""


def protect_data(
    data: dict[str, Any],
    short_type: str,
    version: int,
    *,
    event_id: str,
    stream: str,
    month: str,
    keys: Keyring,
) -> ProtectingKey | None:
    """Seals the protected members of `data` in place; the key that was used, or None where there is none.

    Raises `Refused` where a value is not of its member's kind, `EventRefused` where it is a stored form: that was
    sealed for another event and would not open in this one."""
    marked = protected_members(short_type, version)
    names = [name for name in marked if name in data] if marked else []
    if not names:
        return None
    key = keys.key_for(stream, person_of(data), month)
    for name in names:
        pointer = f"/data/{name}"
        if is_stored_form(data[name]):
            raise EventRefused(f"{pointer}: give the value in the clear, it is protected here. NOT recorded")
        check_opened(short_type, version, pointer, data[name])
        data[name] = key.seal(event_id, pointer, data[name])
    return key
