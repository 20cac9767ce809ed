"""What a page names exists: links, files, tests, commands, codes, forged bundles."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from ledger.testing.forgeries import forgeries
from ledger.verify.verdict import ERRORS, UNDECIDED, WARNINGS
from projections.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(
    r"`((?:ledger|projections|tests|docs|schemas|deploy|examples)/[A-Za-z0-9_./*-]*[A-Za-z0-9_*/])`"
)
# A command as a page shows it; the first lines of formats (`duecourse term v1`) are none.
SPOKEN = re.compile(r"(?:^ *|`|\$\()duecourse (?![a-z]+ v?[0-9])([a-z][^\n`]*)", re.MULTILINE)
ROW = re.compile(r"\b([BSMWZTX][0-9]{2})\b")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page: written ones, and those that its headings get."""
    text = page.read_text(encoding="utf-8")
    made = {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), link
        assert there.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(there), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for path in PATH.findall(page.read_text(encoding="utf-8")):
        assert any(ROOT.glob(path.rstrip("/"))), path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|work|root|Users)/", text)


def test_the_tour_names_many_files_and_each_stop_has_one() -> None:
    stops = re.findall(r"^\| ([0-9]+) \| (.+?) \|", read("docs/tour.md"), re.MULTILINE)
    assert [int(number) for number, _ in stops] == list(range(1, len(stops) + 1))
    assert len(stops) >= 15
    for _, files in stops:
        assert PATH.findall(files), files


def test_every_adversary_has_a_test_that_exists() -> None:
    table = read("docs/threat-model.md").partition("## Adversaries")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)][2:]
    assert len(rows) >= 10
    for adversary, _, tests, *_ in rows:
        named = re.findall(r"`(tests/[^`]+\.py)`", tests)
        assert named, adversary
        assert all((ROOT / path).is_file() for path in named), named


def test_every_promise_that_holds_names_its_test() -> None:
    rows = re.findall(r"^\| (P[0-9]+) \| (.+) \|$", read("docs/promises.md"), re.MULTILINE)
    assert [number for number, _ in rows] == [f"P{n}" for n in range(1, 34)]
    for number, row in rows:
        state = row.split(" | ")[1]
        assert state.startswith(("Today", "Partly", "Later")), number
        assert state.startswith("Later") or re.search(r"`tests/[^`]+\.py`|T rows|S[0-9]{2}", row), number


def test_every_rule_has_its_row() -> None:
    rows = re.findall(r"^\| (R[0-9]+) \|", read("docs/verifier-rules.md"), re.MULTILINE)
    assert rows == [f"R{n}" for n in range(1, 27)]


def test_rules_and_promises_that_code_cites_are_on_their_pages() -> None:
    pages = {
        "R": read("docs/verifier-rules.md"),
        "P": read("docs/promises.md"),
        "N": read("docs/threat-model.md"),
    }
    for source in (*ROOT.glob("ledger/**/*.py"), *ROOT.glob("projections/**/*.py")):
        for cited in re.findall(
            r"\b(?:rules?|limit|promise) ([RPN][0-9]+)\b", source.read_text(encoding="utf-8")
        ):
            assert f"| {cited} |" in pages[cited[0]], (source, cited)


@pytest.mark.parametrize("page", ["docs/verifier-rules.md", "docs/threat-model.md", "docs/promises.md"])
def test_every_forged_bundle_that_a_page_names_is_made(page: str) -> None:
    made = {forgery.row for forgery in forgeries()}
    named = set(ROW.findall(read(page)))
    assert named
    assert named <= made


def test_the_contract_and_the_page_have_the_same_codes() -> None:
    text = read("docs/formats/9-verification.md")
    table = text.partition("## Codes")[2]
    listed = [
        code for row in re.findall(r"^\| [a-z ]+ \| `(.+)` \|$", table, re.MULTILINE) for code in row.split()
    ]
    assert listed == [*ERRORS, *WARNINGS]
    assert set(re.findall(r"\b[EW]_[A-Z_]+\b", text)) <= {*ERRORS, *WARNINGS}
    undecided = next(line for line in text.splitlines() if line.startswith("| UNVERIFIABLE"))
    assert set(re.findall(r"\bE_[A-Z_]+\b", undecided)) == UNDECIDED


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_code_on_a_page_is_one_of_the_contract(page: Path) -> None:
    assert set(re.findall(r"\b[EW]_[A-Z_]+\b", page.read_text(encoding="utf-8"))) <= {*ERRORS, *WARNINGS}


def commands(group: click.Group, before: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    found: dict[tuple[str, ...], click.Command] = {}
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        found[*before, word] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*before, word))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_a_page_is_one_of_the_program(page: Path) -> None:
    there = commands(cli)
    options = {flag for command in there.values() for option in command.params for flag in option.opts}
    text = page.read_text(encoding="utf-8")
    for line in SPOKEN.findall(text):
        for spoken in line.split(" | "):
            words = spoken.split()
            if words[0] == "python":
                continue
            known = max((n for n in (1, 2) if tuple(words[:n]) in there), default=0)
            assert known, line
            command = there[tuple(words[:known])]
            mine = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
            for flag in re.findall(r"(?<=\s)--[a-z-]+", spoken):
                # The verifier reads its own arguments; docs/verifying.md is compared with them elsewhere.
                assert flag in (mine if words[0] != "verify" else options | verifier_options()), (line, flag)


def verifier_options() -> set[str]:
    from ledger.verify.__main__ import _parser

    return {text for action in _parser()._actions for text in action.option_strings}


def test_operating_names_every_command() -> None:
    text = read("docs/operating/README.md")
    for words in commands(cli):
        assert words[-1] in text, words
