"""A finding reads as a sentence in both languages, and a pack that shows nothing is complained of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from house_rules import call

from ledger.events.schemas import check_data
from ledger.rules import vectors
from ledger.rules.evaluate import evaluate
from ledger.rules.findings import sentence
from ledger.rules.lint import lint
from ledger.rules.model import shipped, shipped_pack
from ledger.rules.phrases import CODES, DATED
from ledger.rules.shapes import Pack

PACKS = (
    "cn-card",
    "example-fines",
    "in-rbi",
    "privacy",
    "uk-conc",
    "us-bk",
    "us-dc",
    "us-ma",
    "us-ny",
    "us-regf",
)


def beside(root: Path, name: str) -> list[dict[str, object]]:
    path = root / "ledger" / "rules" / "packs" / f"{name}-1.vectors.json"
    return vectors.read_vectors(path.read_bytes())


def test_a_breach_names_rule_citation_reason_parameters_and_entries(pack: Callable[..., Pack]) -> None:
    findings = evaluate([pack()], [call(1, "2026-06-10T14:30:00")], as_of="2026-12-31T00:00:00.000000Z")
    (finding,) = findings

    assert sentence(finding, "en", [4711]) == (
        "H-1@1 (House policy 7; grade T; law): breached. Rule: Not at night. "
        "Parameters: window.forbid = 22:00, 08:00. It rests on entry 4711."
    )
    assert sentence(finding, "zh", [4711]) == (
        "H-1@1（House policy 7，依据等级 T，法律要求）：违反。规则：夜间不得催收。"
        "参数：window.forbid = 22:00, 08:00。所依据的条目：4711。"
    )


@pytest.mark.parametrize("name", PACKS)
def test_every_finding_of_every_vector_has_words_in_both_languages(root: Path, name: str) -> None:
    said = set()
    for vector in beside(root, name):
        for finding in vectors.findings_of(vector):
            assert not re.search(r"[\u4e00-\u9fff]", sentence(finding, "en"))
            assert re.search(r"[\u4e00-\u9fff]", sentence(finding, "zh"))
            said |= set(finding.codes)

    assert {code.partition(":")[0] for code in said} <= set(CODES) | set(DATED)


@pytest.mark.parametrize("name", PACKS)
def test_every_shipped_rule_has_a_vector_that_passes_and_one_that_does_not(root: Path, name: str) -> None:
    assert lint(shipped_pack(name), beside(root, name)) == []


@pytest.mark.parametrize("name", PACKS)
def test_the_events_of_the_vectors_fit_their_schemas(root: Path, name: str) -> None:
    for vector in beside(root, name):
        for event in vector["events"]:  # type: ignore[attr-defined]
            check_data({"dataschema": f"urn:duecourse:{event['type']}:1", "data": event["data"]})


def test_the_vectors_beside_the_packs_are_those_that_the_cases_make() -> None:
    from make_pack_vectors import files

    for path, text in files().items():
        assert path.read_text("utf-8") == text, (
            f"run tests/unit/rules/make_pack_vectors.py --write: {path.name}"
        )


def test_a_rule_without_vectors_is_complained_of_and_a_vector_that_fails_too(
    pack: Callable[..., Pack],
) -> None:
    bad = {
        "id": "V1",
        "kind": "rule",
        "packs": ["house"],
        "setup": {"binding": []},
        "events": [call(1, "2026-06-10T14:30:00")],
        "as_of": "2026-12-31T00:00:00.000000Z",
        "expect": [
            {"rule": "H-1", "event": 0, "outcome": "PASS"},
            {"rule": "H-9", "event": 0, "outcome": "PASS"},
        ],
    }

    assert lint(pack(), []) == ["H-1@1: no vector that passes", "H-1@1: no vector that does not pass"]
    assert lint(pack(), [bad]) == [
        "V1: H-1 at event 0: expected PASS, found BREACH []",
        "V1: H-9 at event 0: expected PASS, found nothing",
        "H-1@1: no vector that does not pass",
        "H-9: vectors, but no such rule",
    ]


def test_a_file_that_is_no_vectors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"format": "something", "vectors": []}))

    with pytest.raises(ValueError, match="not a file of"):
        vectors.run_vectors(path)


def test_every_shipped_pack_says_that_it_is_no_legal_advice_in_both_languages() -> None:
    for name in shipped():
        note = dict(shipped_pack(name).note)
        assert "no legal advice" in note["en"]
        assert "不构成法律意见" in note["zh"]


def test_every_shipped_rule_asks_one_thing_in_each_language() -> None:
    for name in shipped():
        texts = [dict(rule.text) for rule in shipped_pack(name).rules]
        assert all(re.search(r"[\u4e00-\u9fff]", text["zh"]) for text in texts)
        assert not any(re.search(r"[\u4e00-\u9fff]", text["en"]) for text in texts)
