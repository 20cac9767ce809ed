"""Personal members: sealed before anything is written, readable by the vault alone."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from ledger.custody.file import VaultKey
from ledger.custody.wrapping import parse_header
from ledger.errors import EventRefused
from ledger.events.catalogue.contact import MessageSent
from ledger.kernel import canonical
from ledger.kernel.disclosure import Protected, open_field
from ledger.sdk.protect import Keyring
from ledger.sdk.rows import Row
from ledger.sdk.testmode import TestRecorder
from ledger.testing.history import NAME
from ledger.testing.producer import PRODUCER, recorder, settings

CANARY = "Zelda Canary, +447700900123"
SMS = {"medium": "sms", "kind": "reminder", "template": "r@1", "visibility": "private"}


def rows_of(made: object) -> list[Row]:
    return made._outbox.rows(0, 0, 1000)  # type: ignore[attr-defined,no-any-return]


def test_nothing_personal_stands_in_the_clear_in_any_file(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="account-8841")
        case.message_sent(to=CANARY, contact_point=case.contact_point("+447700900123"), **SMS)  # type: ignore[arg-type]
        case.call_placed(to="+447700900123", purpose="legal", outcome="busy")
        case.status_changed(
            party=case.party(), contact_allowed="none", effective="2026-01-01", status="deceased"
        )
        files = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    files += [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    for word in (b"Zelda", b"900123", b"deceased", b"8841"):
        assert not any(word in content for content in files)


def test_the_vault_opens_what_was_sealed(tmp_path: Path) -> None:
    vault = VaultKey.create(tmp_path / "vault.pem")
    with recorder(settings(tmp_path, vault_key=vault.public_key.hex())) as made:
        case = made.case(account="1")
        party = case.party("guarantor", "G").party
        case.message_sent(to=CANARY, parties=[case.party("guarantor", "G")], **SMS)  # type: ignore[arg-type]
        (row,) = rows_of(made)
    (wrapped,) = parse_header(row.wrapped)
    assert (wrapped.party, wrapped.stream) == (party, case.subject)
    secret = vault.open(wrapped.wrapped, wrapped.info(f"{NAME}/0", PRODUCER))
    event = canonical.decode(row.event)
    field = Protected.from_value(event["data"]["to"])
    _, value = open_field(field, event_id=event["id"], pointer="/data/to", protecting_key=secret)
    assert value == CANARY


def test_a_key_travels_once_with_the_first_event_that_uses_it(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case, other = made.case(account="1"), made.case(account="2")
        with made.batch():
            for _ in range(3):
                case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        other.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        rows = rows_of(made)
    assert [bool(row.wrapped) for row in rows] == [True, False, False, False, True]
    keys = [parse_header(row.wrapped)[0].key_id for row in rows if row.wrapped]
    assert len(set(keys)) == 2


def test_a_key_that_was_not_recorded_travels_with_the_next_event(tmp_path: Path) -> None:
    config = settings(tmp_path, outbox_events=1)
    with recorder(config) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        with pytest.raises(Exception, match="NOT recorded"):
            case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        made._outbox._events_max = 10
        case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        assert rows_of(made)[1].wrapped


def test_a_person_gets_a_new_key_each_month_and_after_forgetting() -> None:
    ring = Keyring()
    january = ring.key_for("case/1", "p", "2026-01")
    assert ring.key_for("case/1", "p", "2026-01") is january
    assert ring.key_for("case/1", "q", "2026-01") is not january
    assert ring.key_for("case/2", "p", "2026-01") is not january
    february = ring.key_for("case/1", "p", "2026-02")
    assert february.key_id != january.key_id
    ring.forget("case/1", "p")
    assert ring.key_for("case/1", "p", "2026-02") is not february


def test_the_keys_that_are_held_are_bounded() -> None:
    ring = Keyring(keys_max=2)
    first = ring.key_for("case/1", "p", "2026-01")
    ring.key_for("case/2", "p", "2026-01")
    ring.key_for("case/3", "p", "2026-01")
    assert ring.key_for("case/1", "p", "2026-01") is not first


def test_a_protecting_key_is_not_shown_pickled_or_copied() -> None:
    key = Keyring().key_for("case/1", "p", "2026-01")
    assert repr(key) == f"ProtectingKey({key.key_id})"
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            way(key)


def test_the_same_value_twice_is_sealed_in_two_ways() -> None:
    made = TestRecorder()
    case = made.case(account="1")
    for _ in range(2):
        case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
    one, two = (e.event["data"]["to"] for e in made.events)
    assert not set(one.values()) & set(two.values())


@pytest.mark.parametrize("status", ["dead", "", 7, ["deceased"]])
def test_a_code_is_checked_before_it_disappears_into_a_cipher(status: object) -> None:
    made = TestRecorder()
    case = made.case(account="1")
    with pytest.raises(EventRefused, match="/data/status") as caught:
        case.status_changed(
            party=case.party(),
            contact_allowed="none",
            effective="2026-01-01",
            status=status,  # type: ignore[arg-type]
        )
    assert "'dead'" not in str(caught.value)
    assert made.events == []


def test_a_stored_form_is_not_taken_for_a_value() -> None:
    made = TestRecorder()
    case = made.case(account="1")
    case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
    sealed = made.events[0].event["data"]["to"]
    payload = MessageSent(
        parties=[case.party()], debts=[], to=sealed, contact_point=case.contact_point("+441"), **SMS
    )  # type: ignore[arg-type]
    with pytest.raises(EventRefused, match="in the clear"):
        case.record(payload)


def test_without_a_vault_key_nothing_personal_is_recorded(tmp_path: Path) -> None:
    with recorder(settings(tmp_path, vault_key="")) as made:
        case = made.case(account="1")
        case.call_placed(to="+441", purpose="legal", outcome="busy")
        with pytest.raises(EventRefused, match="no vault_key"):
            case.message_sent(to="+441", **SMS)  # type: ignore[arg-type]
        assert made.status().pending == 1
