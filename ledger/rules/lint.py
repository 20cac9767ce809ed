"""Says what a pack lacks before anybody adopts it. The model has refused rules without citation, grade, dates and
texts already; here every rule must have shown, in vectors, one case that passes and one that does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.rules.shapes import Pack, TimeWindow
from ledger.rules.vectors import check_vector


def lint(pack: Pack, vectors: Iterable[Mapping[str, Any]]) -> list[str]:
    """Complaints about a pack, none where it may be adopted. `vectors` may speak of other packs too: those that
    do not name this one are passed over. A rule that was not read can pass nothing, and needs one vector."""
    complaints: list[str] = []
    seen: dict[str, set[bool]] = {}
    for vector in vectors:
        if vector["kind"] != "rule" or pack.id not in vector["packs"]:
            continue
        if vector["packs"] == [pack.id]:
            complaints += [str(difference) for difference in check_vector(vector, lambda _name: (pack,))]
        for expected in vector["expect"]:
            seen.setdefault(expected["rule"], set()).add(expected["outcome"] == "PASS")
    for rule in pack.rules:
        for language, text in rule.text:
            if not text.strip():
                complaints.append(f"{rule.name}: no text in {language}")
        shown = seen.get(rule.id, set())
        unread = isinstance(rule.params, TimeWindow) and rule.params.unread
        if True not in shown and not unread:
            complaints.append(f"{rule.name}: no vector that passes")
        if False not in shown:
            complaints.append(f"{rule.name}: no vector that does not pass")
    known = {rule.id for rule in pack.rules}
    complaints += [
        f"{rule}: vectors, but no such rule" for rule in sorted(set(seen) - known) if _mine(rule, known)
    ]
    return complaints


def _mine(rule: str, known: Iterable[str]) -> bool:
    """Whether a rule's id has a prefix of this pack; vectors of several packs name others' rules too."""
    return rule.partition("-")[0] in {name.partition("-")[0] for name in known}
