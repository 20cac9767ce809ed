"""`docs/sdk.md`: its snippets run, and its tables name what there is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from ledger import errors
from ledger.custody.file import FileSigner
from ledger.log.port import create_log
from ledger.sdk.config import Actor, DeliverySettings, ProducerConfig
from ledger.sdk.ids import create_tenant_key
from ledger.testing.producer import settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sdk.md"


def blocks(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    config = settings(tmp_path, delivery=DeliverySettings(poll_s=0.05, close_timeout_s=1))
    create_log(config.log)
    FileSigner.create(config.signing_key)
    create_tenant_key(config.tenant_key)
    (tmp_path / "dialler.toml").write_text(config.to_toml())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_every_snippet_runs(number: int, installation: Path) -> None:
    source = blocks("python")[number]
    exec(compile(source, f"{PAGE.name} block {number}", "exec"), {"__name__": "__main__"})


def test_the_settings_that_are_listed_are_the_settings_that_there_are() -> None:
    (text,) = blocks("toml")
    table = tomllib.loads(text)
    assert set(table) == {f.name for f in fields(ProducerConfig)} | {"format"}
    assert set(table["delivery"]) == {f.name for f in fields(DeliverySettings)}
    assert set(table["actor"]) | {"agency"} == {f.name for f in fields(Actor)}
    defaults = {f.name: f.default for f in fields(DeliverySettings)}
    assert table["delivery"] == defaults


def test_every_error_of_recording_is_explained() -> None:
    found = {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
    not_recorded = {n for n in found if issubclass(getattr(errors, n), errors.NotRecorded)} - {"NotRecorded"}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == not_recorded
