"""Lets the tests of this folder share `house_rules.py`, and reads packs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.rules.model import parse_pack
from ledger.rules.shapes import Pack

sys.path.insert(0, str(Path(__file__).resolve().parent))

from house_rules import HEAD, RULE


@pytest.fixture
def pack() -> Callable[..., Pack]:
    """Reads `HEAD` and one rule, after replacements."""

    def make(*replaced: tuple[str, str], rule: str = RULE) -> Pack:
        text = HEAD + rule
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        return parse_pack(text.encode(), "house.toml")

    return make
