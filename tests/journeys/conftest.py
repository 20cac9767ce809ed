"""Ledgers that a new user has founded with the installed command."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.testing.journey import World, found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """For tests that only read it."""
    return found(tmp_path_factory.mktemp("journey") / "ledger")


@pytest.fixture
def own_world(tmp_path: Path) -> World:
    """For tests that change it."""
    return found(tmp_path / "ledger")
