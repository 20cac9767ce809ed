"""Every rule vector is a case, and so is every vector that lies beside a shipped pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.rules.model import shipped
from ledger.rules.vectors import read_vectors, run_vectors


def test_every_shared_rule_vector_gives_the_finding_that_it_expects(shared: Path) -> None:
    path = shared / "vectors" / "rules" / "open.json"

    assert [str(difference) for difference in run_vectors(path)] == []
    assert sum(vector["kind"] == "rule" for vector in read_vectors(path.read_bytes())) >= 85


@pytest.mark.parametrize("name", shipped())
def test_every_vector_beside_a_shipped_pack_gives_the_finding_that_it_expects(root: Path, name: str) -> None:
    path = root / "ledger" / "rules" / "packs" / f"{name.replace('@', '-')}.vectors.json"
    if not path.exists():
        pytest.skip(f"{name} has no vectors beside it")

    assert [str(difference) for difference in run_vectors(path)] == []
