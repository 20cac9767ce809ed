"""Everything that is shown to people has a name in both languages."""

from __future__ import annotations

from typing import get_args

from ledger.events import registry, terms
from ledger.events.codes import FAMILIES


def _is_chinese(text: str) -> bool:
    return text == "SHA-256" or any("一" <= letter <= "鿿" for letter in text)


def test_every_type_has_both_names() -> None:
    assert set(terms.types()) == {cls.TYPE for cls in registry.all_types()}
    assert all(english and _is_chinese(chinese) for english, chinese in terms.types().values())


def test_every_member_has_both_names() -> None:
    names = set()
    for cls in registry.all_types():
        for member in registry.members(cls):
            names.add(member.name)
            if member.object is not None:
                names |= {inner.name for inner in registry.members(member.object)}
    assert set(terms.member_names()) == names
    assert all(english and _is_chinese(chinese) for english, chinese in terms.member_names().values())


def test_every_code_has_both_names() -> None:
    assert set(terms.codes()) == set(terms.families()) == set(FAMILIES)
    for family, alias in FAMILIES.items():
        assert set(terms.codes()[family]) == set(get_args(alias))
        for english, chinese in terms.codes()[family].values():
            assert english
            assert "_" not in english
            assert _is_chinese(chinese)


def test_names_are_found_by_language() -> None:
    assert terms.type_name("contact.call_placed") == "call placed"
    assert terms.type_name("contact.call_placed", "zh") == "外呼"
    assert terms.code_name("call_outcome", "no_answer") == "no answer"
    assert terms.code_name("call_outcome", "no_answer", "zh") == "无人接"
    assert terms.member_name("due_on", "zh") == "到期日"
    assert terms.flag_name(True, "zh") == "是"


def test_what_has_no_name_is_shown_as_it_stands() -> None:
    assert terms.type_name("contact.call_dreamt", "zh") == "contact.call_dreamt"
    assert terms.code_name("call_outcome", "dreamt", "zh") == "dreamt"
    assert terms.member_name("dream", "zh") == "dream"


def test_the_family_of_a_member_is_known_by_type() -> None:
    assert terms.family_of("contact.call_placed", "outcome") == "call_outcome"
    assert terms.family_of("dispute.answered", "outcome") == "dispute_outcome"
    assert terms.family_of("cease.requested", "media") == "medium"
    assert terms.family_of("contact.call_placed", "debts") is None
    assert terms.family_of("ledger.founded", "format") is None
