"""The example notebook answers its questions, and is what its twin is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projections.exchange.out.formats import extract


@pytest.fixture
def notebook(root: Path) -> Path:
    return root / "examples" / "notebook"


def test_the_notebook_says_what_its_twin_says(notebook: Path) -> None:
    text = (notebook / "three_questions.py").read_text(encoding="utf-8")
    parts = re.split(r"^# %%( \[markdown\])?\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    cells = json.loads((notebook / "three_questions.ipynb").read_text(encoding="utf-8"))["cells"]
    wanted = list(zip(parts[1::2], parts[2::2], strict=True))
    assert len(cells) == len(wanted) == 8
    for cell, (markdown, body) in zip(cells, wanted, strict=True):
        source = body.strip("\n")
        if markdown:
            source = "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.split("\n"))
        assert cell["cell_type"] == ("markdown" if markdown else "code")
        assert "".join(cell["source"]) == source


def test_the_three_questions_are_answered(story: Any, notebook: Path, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    extract(story.source(), "parquet", tmp_path / "ledger.parquet")
    done = subprocess.run(
        [sys.executable, str(notebook / "three_questions.py")],
        cwd=tmp_path, env={**os.environ, "PYTHONWARNINGS": "error"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in done.stdout.splitlines()
        if line.startswith("│")
    ]
    assert ["case.registered", "2", "2", "100.0"] in rows
    # Called on the 4th second, paid on the 12th of one day: no whole day between.
    assert ["2", "0", "1", "1", "0.0", "0"] in rows
    # 1000 - 5 + 0 itemised, 10 paid; the promise was voided.
    assert ["overdue", "CNY", "1", "1", "985"] in rows
