"""What every test may lean on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing.broker import KafkaBroker, missing

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of vectors and data that lies beside the project; skips, with the reason, where it is
    missing."""
    path = Path(os.environ.get("DUECOURSE_SHARED", ROOT.parent / "shared"))
    if not (path / "vectors").is_dir():
        pytest.skip(f"no vectors at {path}: set DUECOURSE_SHARED to the folder that holds vectors/ and data/")
    return path


def need_kafka() -> None:
    """Skips, with the reason, where no broker can be started; under CI that is a failure."""
    reason = missing()
    if reason is not None and os.environ.get("CI") == "true":
        pytest.fail(f"CI must run the Kafka tests: {reason}")
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaBroker]:
    """One broker for all tests that do not break it; they keep apart by topic prefix."""
    need_kafka()
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def kafka_ready() -> None:
    """For tests that start a broker of their own."""
    need_kafka()
