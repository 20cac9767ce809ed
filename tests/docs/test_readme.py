"""What the README tells a newcomer to do works, word for word, and shows what the README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Ids, hashes, times and numbers differ from run to run.
VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?|\b[0-9a-f]{16,}\b|[0-9]+"
)
STEP = "== step"

# Two cases of the real log's kind, enough for the import to have something to do.
FINES = """<log xes.version="1.0">
<trace><string key="concept:name" value="A1"/>
<event><string key="concept:name" value="Create Fine"/><float key="amount" value="35.0"/>
<date key="time:timestamp" value="2006-07-24T00:00:00+02:00"/></event>
<event><string key="concept:name" value="Send Fine"/><float key="expense" value="11.0"/>
<date key="time:timestamp" value="2006-12-05T00:00:00+01:00"/></event></trace>
<trace><string key="concept:name" value="A2"/>
<event><string key="concept:name" value="Create Fine"/><float key="amount" value="21.5"/>
<date key="time:timestamp" value="2006-08-02T00:00:00+02:00"/></event></trace>
</log>
"""


def blocks(text: str) -> list[tuple[str, str]]:
    return BLOCK.findall(text)


def script_of(text: str) -> str:
    """All shell blocks in their order, each after a line that tells where it began; the Python block is written to
    the file that the README names before it."""
    parts = ["set -euo pipefail"]
    for number, (language, body) in enumerate(blocks(text)):
        if language == "python":
            name = re.search(r"(?:Save this as|存为) `([a-z]+\.py)`", text)
            assert name is not None
            parts.append(f"cat > {name[1]} <<'END_OF_FILE'\n{body}END_OF_FILE")
        elif language == "sh":
            parts.append(f"echo '{STEP} {number}'\n{body}")
    return "\n".join(parts)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def walk(text: str, work: Path) -> dict[int, str]:
    """What the blocks of a page printed in an empty directory, by the number of the block."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script_of(text)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    pieces = re.split(rf"^{STEP} ([0-9]+)\n", done.stdout, flags=re.MULTILINE)[1:]
    return {int(number): output for number, output in zip(pieces[::2], pieces[1::2], strict=True)}


@pytest.fixture(scope="module")
def shown(readme: str, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    work = tmp_path_factory.mktemp("first-case")
    with zipfile.ZipFile(work / "road-traffic-fines.xes.zip", "w") as packed:
        packed.writestr("road-traffic-fines.xes", FINES)
    return walk(readme, work)


def test_the_walk_verifies_a_case_and_refuses_a_flipped_byte(shown: dict[int, str]) -> None:
    everything = "".join(shown.values())
    assert "\nVERIFIED\n" in everything
    assert "已验证（VERIFIED）" in everything
    assert "\nREJECTED\n" in f"\n{everything}"
    assert "3 events of 2 cases were read" in everything
    assert "sound" in everything


def test_what_the_readme_shows_is_what_comes(readme: str, shown: dict[int, str]) -> None:
    before = -1
    compared = 0
    for number, (language, body) in enumerate(blocks(readme)):
        if language == "text":
            printed = [VARYING.sub("#", line.rstrip()) for line in shown[before].splitlines()]
            for line in body.splitlines():
                assert VARYING.sub("#", line.rstrip()) in printed, (line, shown[before])
                compared += 1
        elif language == "sh":
            before = number
    assert compared


def test_the_walk_of_the_chinese_page_verifies_a_case(root: Path, tmp_path: Path) -> None:
    printed = walk((root / "docs" / "zh" / "README.md").read_text(encoding="utf-8"), tmp_path)
    assert "已验证（VERIFIED）" in "".join(printed.values())


def test_only_what_needs_a_network_or_the_makefile_is_not_run(readme: str) -> None:
    assert {language for language, _ in blocks(readme)} == {"console", "sh", "python", "text"}
    told = [line for language, body in blocks(readme) if language == "console" for line in body.splitlines()]
    assert told == [
        "make demo",
        "make test",
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install .",
        ". .venv/bin/activate",
        "mkdir ~/first-case && cd ~/first-case",
    ]


def test_every_make_target_that_pages_name_is_there(root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")]
    named = {
        (page.name, target)
        for page in pages
        for target in re.findall(r"(?:`|^ *)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert ("README.md", "test") in named
    assert {target for _, target in named} <= targets
