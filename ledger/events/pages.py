"""Writes `docs/events.md` from the classes: every type, member and code, in English and Chinese.

`python -m ledger.events.pages --write` renews the page; a test compares it with what this makes."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from ledger.events import terms
from ledger.events.catalogue.common import Contact, Payload, Value
from ledger.events.catalogue.ledger import Order
from ledger.events.codes import FAMILIES
from ledger.events.registry import AnyPayload, Member, all_types, family_name_of, members
from ledger.events.schemas import released, stream_prefix

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "events.md"

_FAMILY_TITLES = {
    "case": "Case 案件",
    "debt": "Debt 债务",
    "party": "Person 当事人",
    "contact": "Contact 联系",
    "means": "Means and plans 还款能力与方案",
    "objection": "Objection, stop, complaint, hold 异议、停止、投诉、暂停",
    "agency": "Agencies and staff 机构与人员",
    "law": "Law and credit file 法律与征信",
    "control": "Control 管控",
    "source": "Comparison 对账",
}

_INTRO = """\
# Events 事件目录

<!-- Written by `python -m ledger.events.pages --write`. Change the classes, not this page. -->

What a collection tool can say to the ledger, and what the ledger says itself. Each type is a
class in `ledger/events/catalogue/` and a closed JSON Schema in `schemas/<type>/<version>.json`: a
member that is not on this page is refused. Who acted, when, and in which case stands in the
envelope (`docs/formats/` 2), not here.

**How to read the tables.** 必填 marks a member that must be there. 保护 marks one that never stands
in the clear: `P` personal 个人信息, `S` sensitive 敏感个人信息. Such a member is stored as `cipher`,
`digest`, `key` and `nonce` (`docs/formats/` 2.1), a list as one value, and can be forgotten
without breaking a proof. `[]` is a list. A name in *italics* is a family of codes, listed at the
end. The last column names the rules that read the member.

**Conventions.**

- Amounts count the smallest unit of the `currency` beside them; durations count milliseconds.
- Minutes of the day are local and run from 0 to 1440. A window holds its first minute but not its
  last one, and never reaches into the next day: write two windows then.
- Dates carry no zone. They are read where the person lives, or taken from the paper as they
  stand. Last days count.
- Parties, debts, contact points and plans go by UUIDs that the SDK makes and that tell nothing
  outside of their case. Agencies and staff go by the UUIDs of their streams. Events are named by
  their `id`.
- Leave out what the tool does not know. A rule that misses a member says that the evidence is
  insufficient; from a guess it draws a wrong conclusion.
- A person's situation is protected; what follows from it for the procedure is a code in the
  clear.
- What can be worked out is not written: no local times, no ages, no counts.

**Rules beyond the schema**, checked with the envelope before an event becomes an entry:

| rule | where |
|---|---|
| `late_reason` is there if `recordedtime` is more than 24 hours after `time` | types of producers |
| `void` stands only in an event with `corrects`: that event did not happen | types of producers |
| `agency` is there if `actorcapacity` is `agency` | types of producers |
| `actorcapacity` `system` is for the ledger itself and for `source.counted` | types of producers |
| `to_min` is later than `from_min` | windows, announced visits |
| a type stands only in streams of its kind | all types |

To correct an event, record another of the same type with the whole payload as it should have
been, and name the first one in `corrects`.
"""

# What codes mean that their names alone do not say.
_FAMILY_NOTES = {
    "call_outcome": (
        "`answered` is for the person who was meant; anybody else who picks up is `answered_other`."
        " `voicemail_reached`: a message could have been left, and none was. `voicemail_full`: none could"
        " be left. `dropped`: the line was cut after the pick-up and before a word. `failed`: the call"
        " never left the network."
    ),
    "said": (
        "About one talk with a third person. `firm_name` alone says that the firm was named unasked;"
        " with `firm_asked` the person wanted to know."
    ),
    "role": "Nobody is called heir or executor here: that is `representative`, and the relation is protected.",
    "hold_kind": "A hold for illness or incapacity is `person`; its reason is protected.",
    "product": "A medical bill is `other`.",
}


def _notes(cls: type[Value]) -> dict[str, str]:
    """What is written under each member in the class's source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    name = ""
    for statement in body.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=attribute)):
                name = attribute
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.split())
    return found


def notes_of(cls: type[Value]) -> dict[str, str]:
    """Every member's note, those of the bases included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Value):
            found |= _notes(base)
    return found


def _type_of(member: Member) -> str:
    if member.object is not None:
        name = f"[{member.object.__name__}](#object-{member.object.__name__.lower()})"
    elif family := family_name_of(member):
        name = f"*[{family}](#codes-{family})*"
    elif member.family is not None:
        name = ", ".join(f"`{code}`" for code in get_args(member.family))
    else:
        assert member.kind is not None
        name = member.kind.name
    return name + ("[]" if member.many else "")


def _row(member: Member, note: str) -> str:
    text, rules = note, ""
    if found := re.fullmatch(r"(.*?)\s*\[([^\]]+)\]", note):
        text, rules = found[1], found[2]
    protected = {"personal": "P", "sensitive": "S"}[member.protection.grade] if member.protection else ""
    required = "必填" if member.required else ""
    chinese = terms.member_name(member.name, "zh")
    return (
        f"| `{member.name}` | {chinese} | {_type_of(member)} | {required} | {protected} | {text} | {rules} |"
    )


def _table(cls: type[Value], only: set[str]) -> Iterator[str]:
    notes = notes_of(cls)
    yield "| member | 中文 | type | 必填 | 保护 | meaning | rules |"
    yield "|---|---|---|---|---|---|---|"
    for member in members(cls):
        if member.attribute in only:
            yield _row(member, notes[member.attribute])
    yield ""


def _own(cls: type[Value]) -> set[str]:
    return set(vars(cls).get("__annotations__", {}))


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _type_section(cls: type[AnyPayload]) -> Iterator[str]:
    number = f"{cls.NUMBER} · " if cls.NUMBER else ""
    yield f"### {number}{cls.TYPE} {terms.type_name(cls.TYPE, 'zh')}"
    yield ""
    yield _paragraph(cls.__doc__)
    yield ""
    digest = released()[f"urn:duecourse:{cls.TYPE}:{cls.VERSION}"]
    prefix = stream_prefix(cls.TYPE)
    stream = f"{prefix}…" if prefix.endswith("/") else prefix
    beside = "the members of every contact and " if issubclass(cls, Contact) else ""
    also = f" Beside its own it has {beside}the common members." if issubclass(cls, Payload) else ""
    if issubclass(cls, Order):
        also = " An order of the registrars, with `at` and `approvals`."
    yield f"Class `{cls.__name__}`, version {cls.VERSION}, stream `{stream}`.{also}"
    yield f"Schema digest `{digest}`."
    yield ""
    if _own(cls):
        yield from _table(cls, _own(cls))


def _object_sections() -> Iterator[str]:
    seen: dict[str, type[Value]] = {}
    for cls in all_types():
        for member in members(cls):
            if member.object is not None:
                seen.setdefault(member.object.__name__, member.object)
    yield "## Objects 对象"
    yield ""
    for name in sorted(seen):
        yield f'<a id="object-{name.lower()}"></a>'
        yield ""
        yield f"### {name}"
        yield ""
        yield _paragraph(seen[name].__doc__)
        yield ""
        yield from _table(seen[name], _own(seen[name]))


def _code_sections() -> Iterator[str]:
    yield "## Codes 代码"
    yield ""
    yield "Closed lists: a new code is a new version of every schema that uses its family."
    yield ""
    for family in FAMILIES:
        yield f'<a id="codes-{family}"></a>'
        yield ""
        yield f"### {family} {terms.family_name(family, 'zh')}"
        yield ""
        if note := _FAMILY_NOTES.get(family):
            yield note
            yield ""
        yield "| code | English | 中文 |"
        yield "|---|---|---|"
        for code, (english, chinese) in terms.codes()[family].items():
            yield f"| `{code}` | {english} | {chinese} |"
        yield ""


def _lines() -> Iterator[str]:
    yield from _INTRO.split("\n")
    yield "## Common members 通用成员"
    yield ""
    yield "Allowed in every type that a producer records."
    yield ""
    yield from _table(Payload, _own(Payload))
    yield "## Members of contacts 联系类通用成员"
    yield ""
    yield "Allowed in every `contact.…` type except `contact.delivery_status`."
    yield ""
    yield from _table(Contact, _own(Contact))
    module = ""
    for cls in all_types():
        home = cls.__module__.rpartition(".")[2]
        if home != module and home != "ledger":
            yield f"## {_FAMILY_TITLES[home]}"
            yield ""
        if home != module and home == "ledger":
            yield "## The ledger's own types 账本自身事件"
            yield ""
            yield "Made by the ledger alone, on registrars' orders or by itself (`docs/formats/` 5)."
            yield ""
            yield from _table(Order, _own(Order))
        module = home
        yield from _type_section(cls)
    yield from _object_sections()
    yield from _code_sections()


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m ledger.events.pages --write")
    PAGE.write_text(page(), encoding="utf-8")
