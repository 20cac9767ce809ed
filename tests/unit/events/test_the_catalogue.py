"""Every type, member and code of the catalogue is a class, a member and a code, with nothing beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from ledger.errors import Refused
from ledger.events import registry, terms
from ledger.events.catalogue.common import Contact, Payload
from ledger.events.catalogue.contact import CallPlaced, MessageSent
from ledger.events.catalogue.ledger import LedgerPayload, PackAdopted
from ledger.events.catalogue.means import HardshipDeclared
from ledger.events.codes import FAMILIES
from ledger.events.registry import Member

TYPES = [
    "case.registered",
    "case.assigned",
    "case.stage_changed",
    "case.closed",
    "debt.itemised",
    "debt.adjusted",
    "debt.transferred",
    "party.contact_point_changed",
    "party.status_changed",
    "party.preference_recorded",
    "consent.recorded",
    "identity.verified",
    "contact.call_placed",
    "contact.conversation_held",
    "contact.message_sent",
    "contact.delivery_status",
    "contact.inbound_received",
    "contact.visit_notified",
    "contact.visit_made",
    "contact.third_party",
    "disclosure.given",
    "hardship.declared",
    "document.exchanged",
    "hardship.assessed",
    "plan.proposed",
    "plan.decided",
    "plan.agreed",
    "plan.breached",
    "payment.promised",
    "payment.received",
    "dispute.raised",
    "dispute.answered",
    "cease.requested",
    "complaint.received",
    "complaint.resolved",
    "hold.started",
    "hold.ended",
    "agency.engaged",
    "agency.reviewed",
    "staff.qualified",
    "legal.step_taken",
    "credit.reported",
    "conduct.reviewed",
    "incident.reported",
    "data.handled",
    "source.counted",
]
LEDGER_TYPES = [
    "clock_corrected",
    "equivocation_seen",
    "founded",
    "pack_adopted",
    "producer_epoch_opened",
    "producer_key_added",
    "producer_key_retired",
    "producer_key_revoked",
    "producer_registered",
    "producer_scope_changed",
    "quarantine_lifted",
    "registrars_changed",
    "schema_released",
    "sealed",
    "submission_rejected",
]
COMMON = ["evidence", "late_reason", "void", "automated", "agency", "source_ref"]
CONTACT = ["parties", "debts", "contact_point", "zones", "duration_ms", "line"]


def test_all_46_types_are_classes_in_the_order_of_their_numbers() -> None:
    producers = [cls for cls in registry.all_types() if issubclass(cls, Payload)]
    assert [cls.TYPE for cls in producers] == TYPES
    assert [cls.NUMBER for cls in producers] == list(range(1, 47))


def test_the_ledgers_own_types_are_classes_too() -> None:
    own = [cls.TYPE for cls in registry.all_types() if issubclass(cls, LedgerPayload)]
    assert own == [f"ledger.{word}" for word in LEDGER_TYPES]


def test_every_producers_type_allows_the_common_members_and_no_ledger_type_does() -> None:
    for cls in registry.all_types():
        names = {m.name for m in registry.members(cls)}
        if issubclass(cls, Payload):
            assert names >= set(COMMON), cls.TYPE
        else:
            assert not names & set(COMMON), cls.TYPE


def test_contacts_share_their_members_and_nothing_else_has_them_all() -> None:
    for cls in registry.all_types():
        is_contact = cls.TYPE.startswith("contact.") and cls.TYPE != "contact.delivery_status"
        assert issubclass(cls, Contact) == is_contact, cls.TYPE


def test_a_class_is_named_for_the_last_word_of_its_type_or_for_both() -> None:
    for cls in registry.all_types():
        family, last = cls.TYPE.split(".")
        words = last.split("_") if "_" in last else [family, last]
        assert cls.__name__ == "".join(word.capitalize() for word in words)


def test_no_two_classes_and_no_two_families_are_mistaken_for_each_other() -> None:
    assert len({cls.__name__ for cls in registry.all_types()}) == len(registry.all_types())
    assert len(set(FAMILIES.values())) == len(FAMILIES)


def test_an_unknown_type_or_version_is_newer_than_this_release() -> None:
    for name, version in (("contact.call_dreamt", 1), ("contact.call_placed", 2)):
        with pytest.raises(Refused) as refused:
            registry.event_class(name, version)
        assert refused.value.code == "E_VERSION"


def test_data_comes_back_as_the_payload_that_it_was() -> None:
    call = CallPlaced(
        parties=({"party": "a" * 8, "role": "debtor"},),
        debts=(),
        purpose="interactive",
        outcome="no_answer",
        zones=(),
    )
    data = registry.to_data(call)
    assert data == {
        "purpose": "interactive",
        "outcome": "no_answer",
        "parties": [{"party": "a" * 8, "role": "debtor"}],
        "debts": [],
        "zones": [],
    }
    back = registry.from_data("contact.call_placed", 1, data)
    assert isinstance(back, CallPlaced)
    assert back.parties[0].role == "debtor"  # type: ignore[union-attr]
    assert registry.to_data(back) == data


def test_a_member_whose_name_is_a_word_of_python_keeps_its_name_in_the_data() -> None:
    digest = "0" * 64
    adopted = PackAdopted(
        at=0,
        approvals=(),
        binding=(),
        digest=digest,
        from_="2026-01-01T00:00:00.000000Z",
        id="x",
        version="1",
    )
    data = registry.to_data(adopted)
    assert data["from"] == "2026-01-01T00:00:00.000000Z"
    assert registry.from_data("ledger.pack_adopted", 1, data) == PackAdopted(
        at=0, approvals=(), binding=(), digest=digest, from_=data["from"], id="x", version="1"
    )


def test_protected_members_are_named_with_their_place_until_they_are_protected() -> None:
    stored = {"cipher": "", "digest": "", "key": "", "nonce": ""}
    declared = HardshipDeclared(willingness="willing", causes=("illness",), can_pay=stored)
    assert registry.protected_pointers(declared) == [("/data/causes", ["illness"])]
    assert dict(registry.protected_members("hardship.declared")) == {
        "causes": "sensitive",
        "can_pay": "sensitive",
    }
    assert dict(registry.protected_members("contact.message_sent")) == {"to": "personal"}


def test_a_repr_tells_which_members_are_there_and_no_value() -> None:
    message = MessageSent(
        parties=(), debts=(), medium="sms", kind="reminder", template="t@1", visibility="private", to="王小明"
    )
    assert "王小明" not in repr(message)
    assert "reminder" not in repr(message)
    assert repr(message).startswith("MessageSent(parties, debts, ")


# From here the page that everything is made from is the oracle.


def _sections(shared: Path) -> tuple[str, str, str]:
    text = (shared / "design" / "catalogue.md").read_text(encoding="utf-8")
    head, _, rest = text.partition("## 2. Objects")
    objects, _, rest = rest.partition("## 3. Codes")
    return head, objects, rest.partition("## 4. ")[0]


def _described(member: Member) -> str:
    if member.object is not None:
        name = {"Notification": "notified"}.get(member.object.__name__, member.object.__name__.lower())
        text = f"{{{name}}}"
    elif member.family is not None:
        text = f"`{registry.family_name_of(member)}`"
    else:
        assert member.kind is not None
        text = member.kind.name
    grade = (
        {"personal": " **P**", "sensitive": " **S**"}[member.protection.grade] if member.protection else ""
    )
    return text + ("[]" if member.many else "") + grade


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 2 or cells[0] in ("member", "---", "object"):
            continue
        yield cells[0], cells[1], line


def test_every_member_is_as_the_catalogue_says(shared: Path) -> None:
    head, _, _ = _sections(shared)
    found: dict[str, dict[str, tuple[bool, str]]] = {"common": {}, "contact": {}}
    chinese = {}
    current = ""
    for line in head.splitlines():
        if line.startswith("### Common"):
            current = "common"
        elif line.startswith("### Contact: allowed"):
            current = "contact"
        for name, kind, _ in _rows(line):
            if title := re.fullmatch(r"\*\*(\d+) (\S+)\*\* (.+)", name):
                current = title[2]
                chinese[current] = title[3]
                found[current] = {}
            elif current:
                found[current][name.rstrip("*")] = (name.endswith("*"), kind)
    built: dict[str, dict[str, tuple[bool, str]]] = {"common": {}, "contact": {}}
    for cls in registry.all_types():
        if not issubclass(cls, Payload):
            continue
        built[cls.TYPE] = {}
        for member in registry.members(cls):
            described = (member.required, _described(member))
            if member.name in COMMON:
                built["common"][member.name] = described
            elif issubclass(cls, Contact) and member.name in CONTACT:
                built["contact"][member.name] = described
            else:
                built[cls.TYPE][member.name] = described
    assert len(found) == 48
    assert built == found
    assert {name: terms.type_name(name, "zh") for name in chinese} == chinese


def test_every_object_is_as_the_catalogue_says(shared: Path) -> None:
    _, objects, _ = _sections(shared)
    stated = {name: re.sub(r"\s+", "", rest) for name, rest, _ in _rows(objects)}
    built = {}
    for cls in registry.all_types():
        for member in registry.members(cls):
            if member.object is not None and issubclass(cls, Payload):
                name = {"Notification": "notified"}.get(
                    member.object.__name__, member.object.__name__.lower()
                )
                parts = [
                    f"{m.name}{'*' if m.required else ''}:{_described(m)}"
                    for m in registry.members(member.object)
                ]
                built[name] = ",".join(parts)
    assert built == stated


def test_every_code_and_its_chinese_name_is_as_the_catalogue_says(shared: Path) -> None:
    _, _, codes = _sections(shared)
    stated: dict[str, list[str]] = {}
    for line in codes.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 3 or cells[0] in ("family", "---"):
            continue
        stated[cells[0]] = []
        assert terms.family_name(cells[0], "zh") == cells[1]
        for item in cells[2].split(","):
            code, _, chinese = item.strip().partition(" ")
            stated[cells[0]].append(code)
            if chinese:
                assert terms.code_name(cells[0], code, "zh") == chinese
    assert {family: list(get_args(alias)) for family, alias in FAMILIES.items()} == stated
