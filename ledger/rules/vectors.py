"""Runs rule vectors: cases with the answers that are expected of them. The form is that of `docs/writing-packs.md`;
any file of that form runs, and what differs is listed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ledger.rules.evaluate import Binding, evaluate
from ledger.rules.findings import Finding, Findings
from ledger.rules.model import shipped_pack
from ledger.rules.shapes import Pack
from ledger.rules.toml import PackRefused

FORMAT = "duecourse rule vectors 1"
Finder = Callable[[str], Sequence[Pack]]


class Difference(NamedTuple):
    """One expectation that was not met."""

    vector: str
    rule: str
    event: int
    reason: str

    def __str__(self) -> str:
        return f"{self.vector}: {self.rule} at event {self.event}: {self.reason}"


def shipped_packs(name: str) -> Sequence[Pack]:
    """The newest shipped pack of an id; PackRefused where there is none."""
    try:
        return (shipped_pack(name),)
    except KeyError:
        raise PackRefused(name, 0, "no such pack is shipped") from None


def read_vectors(data: bytes | str) -> list[dict[str, Any]]:
    """The vectors of a file. ValueError where it is not one."""
    value = json.loads(data)
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value["vectors"], list):
        raise ValueError(f"not a file of {FORMAT!r}")
    return list(value["vectors"])


def findings_of(vector: Mapping[str, Any], packs_of: Finder = shipped_packs) -> Findings:
    """What the packs of a vector find in its case."""
    packs = [pack for name in vector["packs"] for pack in packs_of(name)]
    bindings = [Binding.from_value(value) for value in vector["setup"].get("binding", ())]
    return evaluate(packs, vector["events"], as_of=vector["as_of"], bindings=bindings, extras=True)


def _check(expected: Mapping[str, Any], found: Finding | None, ids: Sequence[str]) -> str:
    if found is None:
        return f"expected {expected['outcome']}, found nothing"
    if found.outcome != expected["outcome"]:
        return f"expected {expected['outcome']}, found {found.outcome} {sorted(found.codes)}"
    rests = {ids[place] for place in found.rests}

    def holds(mention: str | int) -> bool:
        return mention in found.codes if isinstance(mention, str) else ids[mention] in rests

    for mention in expected.get("must_mention", ()):
        if not holds(mention):
            return f"does not mention {mention!r}: {sorted(found.codes)}, rests on {list(found.rests)}"
    for mention in expected.get("must_not_mention", ()):
        if holds(mention):
            return f"mentions {mention!r}"
    return ""


def check_vector(vector: Mapping[str, Any], packs_of: Finder = shipped_packs) -> list[Difference]:
    """Differences of one vector of kind `rule`; none of other kinds."""
    if vector["kind"] != "rule":
        return []
    findings = findings_of(vector, packs_of)
    differences = []
    for expected in vector["expect"]:
        event = vector["events"][expected["event"]]["id"]
        found = findings.of(expected["rule"], event, expected.get("reading", "corrected"))
        reason = _check(expected, found, findings.ids)
        if reason:
            differences.append(Difference(vector["id"], expected["rule"], expected["event"], reason))
    return differences


def run_vectors(path: str | Path, packs_of: Finder = shipped_packs) -> list[Difference]:
    """Every difference between a file of vectors and what the packs find, in the order of the file."""
    vectors = read_vectors(Path(path).read_bytes())
    return [difference for vector in vectors for difference in check_vector(vector, packs_of)]
