"""Every changed bundle, trust file and state of the golden vectors gets the verdict it deserves (docs/formats/ 9)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError
from ledger.verify.checks import judge, verify_bundle
from ledger.verify.trust import Trust
from ledger.verify.verdict import ERRORS, WARNINGS

BUNDLES = (
    Path(os.environ.get("DUECOURSE_SHARED", Path(__file__).parents[3] / "shared"))
    / "vectors/duecourse/bundle"
)


def _rows() -> list[dict[str, Any]]:
    table = BUNDLES / "mutations.json"
    if not table.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(table.read_text())["rows"]
    return [row for row in rows if "bundle" in row]


ROWS = _rows()


def _patched(patch: dict[str, str]) -> bytes:
    data = (BUNDLES / patch["base"]).read_bytes()
    for offset, removed, put in reversed(json.loads(zlib.decompress(base64.b64decode(patch["patch"])))):
        data = data[:offset] + put.encode("latin-1") + data[offset + removed :]
    assert hashlib.sha256(data).hexdigest() == patch["sha256"]
    return data


def _payload_is_opaque(event: Any) -> None:
    """The vectors' payloads are no part of them; the ledger's own are judged by the registry all the same."""


def test_the_vectors_are_all_here(shared: Path) -> None:
    assert len(ROWS) == 166


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_changed_bundle_gets_the_verdict_it_deserves(row: dict[str, Any]) -> None:
    data = _patched(row["bundle"])
    text = row.get("trust") or (BUNDLES / "trust.toml").read_text()
    state = row["state"].encode() if row.get("state") else None
    if row["expect"] == "exit 3":
        with pytest.raises(ConfigurationError):
            verify_bundle(data, Trust.parse(text.encode()), state=state, check_schema=_payload_is_opaque)
        return
    trust = Trust.parse(text.encode())
    verdict = judge(data, trust, state=state, at=row.get("at"), check_schema=_payload_is_opaque)
    found = {problem.code for problem in verdict.errors}
    assert verdict.verdict == row["expect"], (found, verdict.errors[:3])
    assert not row["codes"] or found & set(row["codes"])
    assert set(row["warnings"]) <= {problem.code for problem in verdict.warnings}
    assert found <= set(ERRORS)
    assert {problem.code for problem in verdict.warnings} <= set(WARNINGS)
    assert (verdict.proved is not None) == (row["expect"] == "VERIFIED")
    assert [check.step for check in verdict.checks] == list(range(1, 16))
