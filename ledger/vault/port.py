"""What a vault promises: it keeps protecting keys wrapped, and forgets them for good when it is told to.

Trusted: whoever can roll a vault back can bring an erased person back to life, together with the vault key;
whoever holds a copy of the vault and the vault key can read everybody in it. A vault alone reads nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.custody.wrapping import WrappedKey


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A wrapped key, and where it came from: what it takes to unwrap it."""

    origin: str
    producerid: str
    key: WrappedKey

    @property
    def info(self) -> bytes:
        """The HPKE `info` of its wrapping."""
        return self.key.info(self.origin, self.producerid)


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """Counts for operators: keys that are there, keys that were destroyed, streams and persons with a key."""

    keys: int
    erased: int
    streams: int
    parties: int


class Vault(Protocol):
    """Wrapped protecting keys of one installation."""

    def store(self, keys: Sequence[StoredKey]) -> int:
        """All durable on return, or VaultError and none. How many were new: a key that is there already is
        kept as it is, and one that was erased stays erased, however often its submission comes again."""

    def keys_of(self, stream: str) -> list[StoredKey]:
        """Every key of a stream, newest first. A stream has few."""

    def erased_of(self, stream: str) -> int:
        """How many keys of the stream were destroyed."""

    def erase(self, stream: str, party: str | None, erased_at: str) -> int:
        """Destroys the keys of one person in a stream, or of everybody in it (`party` None). On return no
        byte of them is left in the vault's files. VaultError where that could not be brought about: call
        again; an erasure that was begun is then finished. How many keys were destroyed by this call."""

    def status(self) -> VaultStatus:
        """Counts."""

    def close(self) -> None:
        """Gives back what it holds; twice is once."""
