"""`duecourse erase`: recorded first, gone for good, and every proof stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def duecourse(*arguments: str | Path, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "projections.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("erase") / "demo"
    duecourse("demo", "--quick", "--keep", work)
    return work


def test_what_is_erased_cannot_be_opened_and_its_proofs_stand(played: Path) -> None:
    ledger, trust = played / "ledger", played / "ledger" / "trust.toml"
    case = json.loads(duecourse("cases", ledger, "--json"))[0]["case"]
    words = "孩子都被吵醒了"
    before = played / "before.duecourse"
    duecourse("export", ledger, case, "-o", before, "--disclose", "words")
    assert words in duecourse("verify", before, "--trust", trust)

    done = json.loads(
        duecourse("erase", ledger, case, "--producer", "crm", "--purpose", "subject_right", "--yes", "--json")
    )
    assert done["destroyed"] > 0
    after = played / "after.duecourse"
    made = json.loads(duecourse("export", ledger, case, "-o", after, "--disclose", "words", "--json"))
    assert made["disclosed"] == 0
    assert [one["pointer"] for one in made["erased"]] == ["/data/words"]
    assert words not in duecourse("verify", after, "--trust", trust)
    assert words in duecourse("verify", before, "--trust", trust)

    last = json.loads(duecourse("case", "timeline", ledger, case, "--json"))[-1]
    assert last["type"] == "data.handled"
    assert last["codes"]["action"] == "erase"
    assert json.loads(duecourse("fsck", ledger, "--json"))["ok"]


def test_nothing_is_erased_without_a_producer_to_record_it(played: Path) -> None:
    ledger = played / "ledger"
    case = json.loads(duecourse("cases", ledger, "--json"))[0]["case"]
    duecourse("erase", ledger, case, "--producer", "nobody", "--purpose", "retention", "--yes", status=3)


def test_nothing_is_erased_unless_it_is_confirmed(played: Path) -> None:
    ledger = played / "ledger"
    case = json.loads(duecourse("cases", ledger, "--json"))[0]["case"]
    before = json.loads(duecourse("case", "show", ledger, case, "--json"))["events"]
    duecourse("erase", ledger, case, "--producer", "crm", "--purpose", "retention", status=2)
    assert json.loads(duecourse("case", "show", ledger, case, "--json"))["events"] == before
