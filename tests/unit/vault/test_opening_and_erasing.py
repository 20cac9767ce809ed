"""A protected field opens for who holds vault and vault key, and for nobody once its key was destroyed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.custody.file import VaultKey, wrap
from ledger.custody.wrapping import WrappedKey, encode_header, wrapping_info
from ledger.errors import Erased, Refused, VaultError
from ledger.events.catalogue.control import DataHandled
from ledger.kernel.disclosure import disclosure_digest, parse_disclosure, protect
from ledger.vault.erase import erase_person
from ledger.vault.sealing import Opener, protected_pointers, received_keys
from ledger.vault.sqlite import SqliteVault

ORIGIN, PRODUCER = "ledger.example.com/cards/0", "crm-1"
CASE = "case/00000000-0000-4000-8000-00000000000c"
ANN = "00000000-0000-4000-8000-0000000000a1"
BEN = "00000000-0000-4000-8000-0000000000b1"
EVENT = "019cac01-0000-7000-8000-000000000001"
AT = "2026-03-01T12:00:00.000000Z"
VALUE = "王小明, 13800138000"


@pytest.fixture
def vault_key(tmp_path: Path) -> VaultKey:
    return VaultKey.create(tmp_path / "vault.pem")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[SqliteVault]:
    with SqliteVault(tmp_path / "vault.db") as opened:
        yield opened


def an_event(protecting_key: bytes, *, event_id: str = EVENT, value: Any = VALUE) -> dict[str, Any]:
    field = protect(
        value,
        event_id=event_id,
        pointer="/data/to",
        protecting_key=protecting_key,
        nonce=os.urandom(12),
        salt_source=lambda n: "s" * n,
    )
    return {"id": event_id, "subject": CASE, "data": {"kind": "reminder", "to": field.value()}}


def header(vault_key: VaultKey, protecting_key: bytes, number: int = 1, party: str = ANN) -> bytes:
    key_id = f"00000000-0000-4000-8000-{number:012x}"
    info = wrapping_info(ORIGIN, PRODUCER, key_id=key_id, stream=CASE, party=party)
    return encode_header([WrappedKey(key_id, party, CASE, wrap(vault_key.public_key, protecting_key, info))])


def arrive(vault: SqliteVault, data: bytes, *, producerid: str = PRODUCER) -> None:
    vault.store(received_keys(data, origin=ORIGIN, producerid=producerid, stream=CASE))


def test_a_field_opens_with_the_key_that_its_event_commits_to(
    vault: SqliteVault, vault_key: VaultKey
) -> None:
    keys = [os.urandom(32) for _ in range(4)]
    for number, key in enumerate(keys):
        arrive(vault, header(vault_key, key, number))
    for key in keys:
        event = an_event(key)
        opened = Opener(vault, vault_key).open_field(event, "/data/to")
        assert opened.value == VALUE
        assert parse_disclosure(opened.disclosure, "/data/to") == VALUE
        assert disclosure_digest(opened.disclosure).hex() == event["data"]["to"]["digest"]


def test_the_protected_fields_of_an_event_are_found(vault_key: VaultKey) -> None:
    assert protected_pointers(an_event(bytes(32))) == ["/data/to"]


def test_what_was_opened_is_not_in_a_repr(vault: SqliteVault, vault_key: VaultKey) -> None:
    arrive(vault, header(vault_key, bytes(32)))
    opener = Opener(vault, vault_key)
    opened = opener.open_field(an_event(bytes(32)), "/data/to")
    assert repr(opened) == "Opened('/data/to')"
    assert "138" not in repr(opener)


def test_an_erased_field_says_so_and_its_digest_stands(vault: SqliteVault, vault_key: VaultKey) -> None:
    arrive(vault, header(vault_key, b"a" * 32, 1, ANN))
    arrive(vault, header(vault_key, b"b" * 32, 2, BEN))
    anns, bens = an_event(b"a" * 32), an_event(b"b" * 32)
    vault.erase(CASE, ANN, AT)
    opener = Opener(vault, vault_key)
    with pytest.raises(Erased) as caught:
        opener.open_field(anns, "/data/to")
    assert "138" not in str(caught.value)
    assert opener.open_field(bens, "/data/to").value == VALUE


def test_a_key_that_never_came_is_not_called_erased(vault: SqliteVault, vault_key: VaultKey) -> None:
    with pytest.raises(VaultError, match="never reached") as caught:
        Opener(vault, vault_key).open_field(an_event(bytes(32)), "/data/to")
    assert not isinstance(caught.value, Erased)


def test_the_wrong_vault_key_is_named_as_the_cause(
    vault: SqliteVault, vault_key: VaultKey, tmp_path: Path
) -> None:
    arrive(vault, header(vault_key, bytes(32)))
    other = VaultKey.create(tmp_path / "other.pem")
    with pytest.raises(VaultError, match="is it the right one"):
        Opener(vault, other).open_field(an_event(bytes(32)), "/data/to")


def test_a_foreign_key_in_the_header_opens_nothing_and_hinders_nothing(
    vault: SqliteVault, vault_key: VaultKey
) -> None:
    arrive(vault, header(vault_key, b"right".ljust(32)))
    arrive(vault, header(vault_key, b"foreign".ljust(32)))
    arrive(vault, header(vault_key, b"elsewhere".ljust(32)), producerid="crm-2")
    opener = Opener(vault, vault_key)
    assert opener.open_field(an_event(b"right".ljust(32)), "/data/to").value == VALUE
    with pytest.raises(VaultError):
        opener.open_field(an_event(b"elsewhere".ljust(32)), "/data/to")


def test_a_field_that_was_moved_or_changed_is_refused(vault: SqliteVault, vault_key: VaultKey) -> None:
    arrive(vault, header(vault_key, bytes(32)))
    opener = Opener(vault, vault_key)
    event = an_event(bytes(32))
    moved = {**event, "data": {"words": event["data"]["to"]}}
    with pytest.raises(Refused) as caught:
        opener.open_field(moved, "/data/words")
    assert caught.value.code == "E_DECRYPT"
    event["data"]["to"]["digest"] = "0" * 64
    with pytest.raises(Refused) as caught:
        opener.open_field(event, "/data/to")
    assert caught.value.code == "E_COMMITMENT"


@pytest.mark.parametrize(
    "pointer", ["/data/kind", "/data/nothing", "/data/to/cipher", "to", "", "/subject", "/data"]
)
def test_what_is_no_protected_field_is_refused(vault: SqliteVault, vault_key: VaultKey, pointer: str) -> None:
    with pytest.raises(Refused) as caught:
        Opener(vault, vault_key).open_field(an_event(bytes(32)), pointer)
    assert caught.value.code == "E_SCHEMA"


def test_a_header_for_another_stream_is_not_taken(vault_key: VaultKey) -> None:
    with pytest.raises(Refused) as caught:
        received_keys(header(vault_key, bytes(32)), origin=ORIGIN, producerid=PRODUCER, stream="case/" + ANN)
    assert caught.value.code == "E_CONTEXT"


def test_the_ledger_hears_of_an_erasure_before_it_happens(vault: SqliteVault, vault_key: VaultKey) -> None:
    arrive(vault, header(vault_key, bytes(32)))
    heard: list[tuple[DataHandled, int]] = []

    def record(payload: DataHandled) -> None:
        heard.append((payload, len(vault.keys_of(CASE))))

    done = erase_person(
        vault, stream=CASE, party=ANN, erased_at=AT, purpose="subject_right", record=record, about=EVENT
    )
    assert done.destroyed == 1
    (payload, keys_then), *more = heard
    assert keys_then == 1
    assert not more
    assert (payload.action, payload.purpose, payload.fields, payload.about) == (
        "erase",
        "subject_right",
        ["all"],
        EVENT,
    )


def test_an_erasure_that_cannot_be_recorded_does_not_happen(vault: SqliteVault, vault_key: VaultKey) -> None:
    arrive(vault, header(vault_key, bytes(32)))

    def record(payload: DataHandled) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        erase_person(vault, stream=CASE, party=ANN, erased_at=AT, purpose="retention", record=record)
    assert len(vault.keys_of(CASE)) == 1


@pytest.mark.parametrize(
    "wrong", [{"stream": "case of Mr Wang"}, {"party": "Mr Wang"}, {"erased_at": "yesterday"}, {"party": ""}]
)
def test_an_erasure_of_nobody_is_refused_before_it_is_recorded(
    vault: SqliteVault, wrong: dict[str, str]
) -> None:
    said: dict[str, Any] = {"stream": CASE, "party": ANN, "erased_at": AT} | wrong
    heard: list[object] = []
    with pytest.raises(Refused):
        erase_person(vault, purpose="retention", record=heard.append, **said)
    assert heard == []
