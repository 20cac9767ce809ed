"""A shard in a directory for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing.rig import Rig, rig


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as made:
        yield made
