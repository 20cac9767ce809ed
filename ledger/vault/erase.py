"""Forgetting a person: their protecting keys are destroyed, every proof stays.

The ledger hears of it first. An erasure that cannot be recorded does not happen; one that was recorded and
then interrupted is finished by doing it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.errors import Refused
from ledger.events.catalogue.control import DataHandled
from ledger.events.codes import DataPurpose
from ledger.kernel import canonical
from ledger.vault.port import Vault


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done: how many keys of whom were destroyed."""

    stream: str
    party: str | None
    destroyed: int


def erase_person(
    vault: Vault,
    *,
    stream: str,
    party: str | None,
    erased_at: str,
    purpose: DataPurpose,
    record: Callable[[DataHandled], object],
    about: str | None = None,
) -> Erasure:
    """Records that the data of `party` (None: of everybody in the stream) are erased, then destroys their
    keys.

    `record` puts the event into the ledger's way and raises where it cannot; then nothing is destroyed.
    `about` is the event of the request that this answers. Refused for a stream, party or time that is none;
    VaultError where the files could not be cleaned: call again."""
    if not canonical.is_identifier(stream) or (party is not None and not canonical.is_uuid(party)):
        raise Refused("E_SCHEMA", "a stream and the uuid of a party, or none for everybody", "/party")
    if not canonical.is_time(erased_at):
        raise Refused("E_SCHEMA", "not a moment in its one spelling", "/erased_at")
    record(DataHandled(action="erase", purpose=purpose, fields=["all"], about=about))
    # From here the ledger knows. What follows can be repeated until it has succeeded.
    return Erasure(stream, party, vault.erase(stream, party, erased_at))
