"""Writes `docs/packs.md` from the shipped packs: every rule with citation, grade, modality and dates.

`python -m ledger.rules.pages --write` renews the page; a test compares it with what this makes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ledger.rules.model import shipped, shipped_pack
from ledger.rules.phrases import GRADE, MODALITY
from ledger.rules.shapes import Pack, Rule

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "packs.md"

_INTRO = """\
# Rule packs 规则包

<!-- Written by `python -m ledger.rules.pages --write`. Change the packs, not this page. -->

The packs that come with this release, in `ledger/rules/packs/`. They say what was asked of the
process, by which text, and how well that text is known to us. **None of this is legal advice**:
read the texts, ask counsel, and adopt only what you stand behind.

随本版本提供的规则包，说明对流程的要求、依据的文本，以及我们对该文本的确认程度。**本页内容均不构成
法律意见**：请阅读原文、咨询律师，并仅采纳贵机构认可的规则。

**Grade 依据等级** is how the text behind a number is known; it travels into every finding.
"""

_MODALITIES = """
**Modality 性质** says what kind of duty it is. Law binds by itself. Everything else binds only from
the day on which the registry's `pack_adopted` names the rule as binding; before that the worst
that it says is `ADVISORY`. *number: policy* marks a duty of law whose number of days is a house
policy: it, too, must be adopted. Rules marked *off* are judged only when asked for.
"""


def _dates(rule: Rule) -> str:
    end = f" – {rule.ends.isoformat()}" if rule.ends else ""
    return f"{rule.starts.isoformat()}{end}"


def _scope(rule: Rule) -> str:
    parts = [", ".join(rule.scope.places), ", ".join(rule.scope.capacity)]
    parts.append(", ".join(rule.scope.products))
    if rule.scope.charged_off:
        parts.append("charged off")
    return "; ".join(part for part in parts if part) or "everywhere"


def _rule(rule: Rule) -> Iterator[str]:
    marks = [rule.kind, f"grade {rule.grade}", rule.modality]
    if rule.number:
        marks.append(f"number: {rule.number}")
    if rule.outcome != "BREACH":
        marks.append(f"at worst {rule.outcome}")
    if not rule.enabled:
        marks.append("off")
    yield f"### {rule.id}"
    yield ""
    yield f"{rule.in_language('en')}  "
    yield f"{rule.in_language('zh')}"
    yield ""
    yield f"- {' · '.join(marks)}"
    yield f"- {rule.cite}"
    yield f"- in force 施行 {_dates(rule)}; scope 范围 {_scope(rule)}"
    for reading in rule.readings:
        yield f"- other reading, unconfirmed 未确认的另一读法: `{reading.name}`"
    if rule.facts:
        yield f"- {'; '.join(f'`{name}` {value}' for name, value in rule.facts)}"
    yield ""


def _pack(pack: Pack) -> Iterator[str]:
    title, note = dict(pack.title), dict(pack.note)
    yield f"## {pack.name}: {title['en']} {title['zh']}"
    yield ""
    yield note["en"].strip()
    yield ""
    yield note["zh"].strip()
    yield ""
    for rule in pack.rules:
        yield from _rule(rule)


def page() -> str:
    """The whole page."""
    lines = _INTRO.splitlines()
    lines += ["", *(f"- `{grade}` {words['en']} {words['zh']}" for grade, words in GRADE.items())]
    lines += _MODALITIES.splitlines()
    lines += ["", *(f"- `{name}` {words['en']} {words['zh']}" for name, words in MODALITY.items()), ""]
    packs = [shipped_pack(name) for name in shipped()]
    lines += ["| pack | rules | |", "|---|---|---|"]
    for pack in packs:
        title = dict(pack.title)
        lines.append(f"| `{pack.name}` | {len(pack.rules)} | {title['en']} {title['zh']} |")
    lines.append("")
    for pack in packs:
        lines += _pack(pack)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(page(), "utf-8")
