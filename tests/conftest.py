"""What every test may lean on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.testing.broker import KafkaBroker, missing
from ledger.testing.shell import Ended
from projections.cli import main

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


@pytest.fixture
def command(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """The console script in this process: as `duecourse` of `ledger.testing.shell`, and faster."""

    def run(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["duecourse", *(str(word) for word in words)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfdbinary.readouterr()
        return Ended(ended.value.code or 0, said.out, said.err)

    return run


@pytest.fixture
def complains(command: Callable[..., Ended]) -> Callable[..., None]:
    """A command ends with a status, says what is wrong in a line or two, shows no traceback, and answers nothing."""

    def run(*words: str | Path, status: int = 3, says: str) -> None:
        ended = command(*words)
        assert ended.status == status, ended
        assert says in ended.complaint, ended.complaint
        assert "Traceback" not in ended.complaint
        assert "fault of the program" not in ended.complaint
        assert len(ended.complaint.splitlines()) <= 5
        assert ended.out == b""

    return run
