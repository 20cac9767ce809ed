"""Ids that the tenant works out: the same everywhere, guessed by nobody, joined by nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, EventRefused
from ledger.kernel.canonical import is_uuid
from ledger.sdk.ids import case_id, contact_reference, create_tenant_key, load_tenant_key, local_id
from ledger.sdk.testmode import TestRecorder

KEY = b"k" * 32


def test_a_case_id_is_a_uuid_of_version_8_and_always_the_same() -> None:
    found = case_id(KEY, "8841-2231")
    assert found == "4d42592c-8f43-83a8-a1d5-9d9670b5004a"
    assert is_uuid(found)
    assert found[14] == "8"
    assert found[19] in "89ab"


def test_another_tenant_or_another_account_is_another_case() -> None:
    assert len({case_id(KEY, "1"), case_id(KEY, "2"), case_id(b"x" * 32, "1")}) == 3


def test_one_person_in_two_cases_has_two_uuids() -> None:
    one, two = "case/" + case_id(KEY, "1"), "case/" + case_id(KEY, "2")
    assert local_id(KEY, "party", one, "x") != local_id(KEY, "party", two, "x")
    assert local_id(KEY, "party", one, "x") != local_id(KEY, "debt", one, "x")


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("+44 7700 900123", "+447700900123"),
        ("+44 (7700) 900-123 ", "+447700900123"),
        ("07700 900123", "07700 900123"),
        ("+44 extension 7", "+44 extension 7"),
        ("a.b@example.com", "a.b@example.com"),
        ("+４４", "+４４"),
    ],
)
def test_only_an_international_number_is_respelt(given: str, spelt: str) -> None:
    assert contact_reference(given) == spelt


def test_a_party_keeps_its_uuid_when_its_role_changes() -> None:
    case = TestRecorder().case(account="1")
    assert case.party("contact_person", "P-7").party == case.party("guarantor", "P-7").party
    assert case.party("debtor").party != case.party("guarantor").party
    # A reference that reads like a role is no role.
    assert case.party("debtor", "debtor").party != case.party("debtor").party


def test_contact_points_debts_and_plans_are_of_this_case() -> None:
    recorder = TestRecorder()
    one, two = recorder.case(account="1"), recorder.case(account="2")
    assert one.contact_point("+44 1") == one.contact_point("+441") != two.contact_point("+441")
    assert one.debt("A") != one.debt("B")
    assert one.plan("A") != one.debt("A")


def test_a_tenant_key_file_is_made_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "tenant.key"
    key = create_tenant_key(path)
    assert load_tenant_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="made once"):
        create_tenant_key(path)
    assert load_tenant_key(path) == key


def test_a_tenant_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tenant.key"
    create_tenant_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_tenant_key(path)


@pytest.mark.parametrize(
    "text", ["", "00" * 31 + "\n", "AA" * 32 + "\n", "aa" * 32, "aa" * 33 + "\n", "z" * 64 + "\n"]
)
def test_a_tenant_key_in_another_spelling_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tenant.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        load_tenant_key(path)


def test_a_case_is_named_in_one_way_only() -> None:
    recorder = TestRecorder()
    uuid = recorder.case(account="1").id
    assert recorder.case(id=uuid).subject == f"case/{uuid}"
    for arguments in ({}, {"account": "1", "id": uuid}, {"id": uuid.upper()}, {"id": "1"}):
        with pytest.raises(EventRefused, match="NOT recorded"):
            recorder.case(**arguments)
