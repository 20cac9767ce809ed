"""The page about reconciling says what the commands do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from projections.cli.outside import IMPORTS, KINDS, reconcile_command
from projections.exchange.outside.clock import FORMATS
from projections.exchange.outside.commitments import ROOT_MEDIA_TYPE
from projections.exchange.outside.layout import parse_layout, shipped


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "reconciling.md").read_text(encoding="utf-8")


def test_the_example_on_the_page_is_a_layout(page: str) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    layout = parse_layout(example.encode())
    assert (layout.prefix, layout.zone, layout.only) == (
        "pbx/",
        "Asia/Shanghai",
        {"direction": frozenset({"out"})},
    )
    assert layout.number("0086139") == "+86139"
    assert layout.number("0139") == "+86139"


def test_every_layout_kind_and_time_format_is_on_the_page(page: str) -> None:
    for name in (*shipped(), ROOT_MEDIA_TYPE, *(f"import {command.name}" for command in IMPORTS)):
        assert f"`{name}`" in page, name
    for name in FORMATS:
        assert re.search(rf"\b{name}\b", page), name
    assert {command.name for command in IMPORTS} == set(KINDS)


def test_every_option_on_the_page_is_one(page: str) -> None:
    known = {
        option for command in (*IMPORTS, reconcile_command) for one in command.params for option in one.opts
    }
    known |= {"--record", "--root", "--ledger"}
    for option in set(re.findall(r"--[a-z][a-z-]*", page)):
        assert option in known, option
