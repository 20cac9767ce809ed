"""`docs/events.md` is what the classes say."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.events import registry, terms
from ledger.events.codes import FAMILIES
from ledger.events.pages import notes_of, page


def test_the_page_is_up_to_date(root: Path) -> None:
    # Renew it with `python -m ledger.events.pages --write`.
    assert (root / "docs" / "events.md").read_text(encoding="utf-8") == page()


def test_every_type_member_and_code_stands_on_the_page_with_its_chinese_name() -> None:
    text = page()
    for cls in registry.all_types():
        assert f"{cls.TYPE} {terms.type_name(cls.TYPE, 'zh')}\n" in text
        for member in registry.members(cls):
            assert f"| `{member.name}` | {terms.member_name(member.name, 'zh')} |" in text
    for family in FAMILIES:
        assert f"### {family} {terms.family_name(family, 'zh')}\n" in text
        for code, (english, chinese) in terms.codes()[family].items():
            assert f"| `{code}` | {english} | {chinese} |" in text


def test_every_member_is_explained() -> None:
    for cls in registry.all_types():
        notes = notes_of(cls)
        for member in registry.members(cls):
            assert notes.get(member.attribute), (cls.TYPE, member.name)


def test_every_link_on_the_page_leads_somewhere() -> None:
    text = page()
    anchors = set(re.findall(r'<a id="([^"]+)">', text))
    links = set(re.findall(r"\(#([^)]+)\)", text))
    assert links
    assert links <= anchors
