"""What types, members and codes are called, in English (`en`) and in Chinese (`zh`).

For people to read: timelines, reports, `docs/events.md`. Nothing is judged by these words. What has no word
here is shown as it stands in the event, so that a newer type than this release knows is still readable."""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

from ledger.events import labels

Language: TypeAlias = Literal["en", "zh"]

_YES_NO = {"en": ("no", "yes"), "zh": ("否", "是")}


def _table(text: str) -> dict[str, tuple[str, str]]:
    found = {}
    for line in text.strip().split("\n"):
        left, _, english = line.partition(" | ")
        name, _, chinese = left.partition(" ")
        found[name] = (english or name.replace("_", " "), chinese)
    return found


@cache
def types() -> dict[str, tuple[str, str]]:
    """Every type: its English and its Chinese name."""
    return _table(labels.TYPES)


@cache
def member_names() -> dict[str, tuple[str, str]]:
    """Every member: its English and its Chinese name."""
    return _table(labels.MEMBERS)


@cache
def families() -> dict[str, tuple[str, str]]:
    """Every family of codes: its English and its Chinese name."""
    found = {}
    for family in _families():
        name, _, chinese = family.partition(":")[0].partition(" ")
        found[name] = (name.replace("_", " "), chinese)
    return found


@cache
def codes() -> dict[str, dict[str, tuple[str, str]]]:
    """Every family with its codes, and the English and Chinese name of each."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for line in _families():
        head, _, rest = line.partition(": ")
        family = head.partition(" ")[0]
        pairs = [item.strip().partition(" ") for item in rest.split(",")]
        found[family] = {code: (_english(family, code), chinese) for code, _, chinese in pairs}
    return found


def _families() -> list[str]:
    return labels.CODES.strip().replace("\n    ", " ").split("\n")


def _english(family: str, code: str) -> str:
    named = labels.ENGLISH.get(f"{family}.{code}") or labels.ENGLISH.get(code)
    return named or code.replace("_", " ")


def type_name(short_type: str, language: Language = "en") -> str:
    """`contact.call_placed` as "call placed" or "外呼"."""
    return types().get(short_type, (short_type, short_type))[language == "zh"]


def member_name(name: str, language: Language = "en") -> str:
    """`due_on` as "due on" or "到期日"."""
    return member_names().get(name, (name, name))[language == "zh"]


def family_name(family: str, language: Language = "en") -> str:
    """`call_outcome` as "call outcome" or "外呼结果"."""
    return families().get(family, (family, family))[language == "zh"]


def code_name(family: str, code: str, language: Language = "en") -> str:
    """`no_answer` of `call_outcome` as "no answer" or "无人接"."""
    return codes().get(family, {}).get(code, (code, code))[language == "zh"]


def flag_name(value: bool, language: Language = "en") -> str:
    """A flag as "yes" or "no", "是" or "否"."""
    return _YES_NO[language][value]


def family_of(short_type: str, member: str, version: int = 1) -> str | None:
    """The family whose codes a member holds; None where it holds none, or where type or member is not
    known."""
    return _families_by_member().get((short_type, version), {}).get(member) or None


@cache
def _families_by_member() -> dict[tuple[str, int], dict[str, str]]:
    # The classes are needed for this question alone.
    from ledger.events.registry import all_types, family_name_of, members

    return {
        (cls.TYPE, cls.VERSION): {m.name: family_name_of(m) for m in members(cls) if m.family is not None}
        for cls in all_types()
    }
