"""The `[log]` table of `ledger.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError
from ledger.log.config import LogConfig

KAFKA: dict[str, Any] = {"kind": "kafka", "bootstrap": "127.0.0.1:9092", "prefix": "duecourse.test"}


def test_a_relative_path_is_taken_from_the_ledger_directory(tmp_path: Path) -> None:
    table = {"kind": "sqlite", "path": "log"}
    assert LogConfig.from_dict(table, base=tmp_path).path == tmp_path / "log"
    assert LogConfig.from_dict({**table, "path": "/srv/log"}, base=tmp_path).path == Path("/srv/log")


def test_what_is_written_reads_back() -> None:
    for config in (
        LogConfig("sqlite", shards=3, path=Path("/srv/log"), timeout_s=5.0),
        LogConfig(
            **KAFKA,
            shards=16,
            replication=5,
            security={"security_protocol": "SASL_SSL", "ssl_check_hostname": False},
            topic_ids={"ledger": "id"},
        ),
    ):
        assert LogConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({}, "log.kind"),
        ({"kind": "postgres"}, "log.kind"),
        ({"kind": "sqlite"}, "log.path"),
        ({"kind": "sqlite", "path": 7}, "log.path"),
        ({"kind": "sqlite", "path": "log", "shards": 0}, "log.shards"),
        ({"kind": "sqlite", "path": "log", "shards": True}, "log.shards"),
        ({"kind": "sqlite", "path": "log", "timeout_s": 0}, "log.timeout_s"),
        ({"kind": "sqlite", "path": "log", "colour": "red"}, "log.colour"),
        ({**KAFKA, "bootstrap": ""}, "log.bootstrap"),
        ({**KAFKA, "prefix": ""}, "log.prefix"),
        ({**KAFKA, "prefix": "a b"}, "log.prefix"),
        ({**KAFKA, "prefix": "x" * 201}, "log.prefix"),
        ({**KAFKA, "replication": 0}, "log.replication"),
        ({**KAFKA, "security": {"sasl_plain_password": "hunter2"}}, "log.security.sasl_plain_password"),
        ({**KAFKA, "security": {"ssl_cafile": ["x"]}}, "log.security.ssl_cafile"),
        ({**KAFKA, "topic_ids": {"ledger": 7}}, "log.topic_ids.ledger"),
    ],
)
def test_an_unusable_setting_is_named(table: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as refused:
        LogConfig.from_dict(table)
    assert "hunter2" not in str(refused.value)


def test_all_but_one_replica_must_confirm_and_at_least_one() -> None:
    assert [LogConfig(**KAFKA, replication=n).min_insync for n in (1, 2, 3, 5)] == [1, 1, 2, 4]


def test_secrets_come_from_where_the_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("BROKER_KEY", "from the environment")
    config = LogConfig(
        **KAFKA,
        security={
            "sasl_plain_username": "dialler",
            "sasl_plain_password_file": str(tmp_path / "password"),
            "ssl_password_env": "BROKER_KEY",
        },
    )
    assert config.client_security() == {
        "sasl_plain_username": "dialler",
        "sasl_plain_password": "from a file",
        "ssl_password": "from the environment",
    }
    assert "from a file" not in repr(config)
    assert "from a file" not in str(config.to_dict())


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    for security in (
        {"sasl_plain_password_file": str(tmp_path / "missing")},
        {"sasl_plain_password_env": "NO_SUCH_SECRET"},
    ):
        with pytest.raises(ConfigurationError, match=r"log\.security\.sasl_plain_password_"):
            LogConfig(**KAFKA, security=security).client_security()
