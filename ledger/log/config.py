"""Where a ledger's log is, and how to reach it: the `[log]` table of `ledger.toml`.

Passwords do not stand in it: it names the file or the environment variable that holds one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

from ledger.errors import ConfigurationError

# Passed to every Kafka client as they are. Closed, so that a mistyped name is refused here and not by a
# broker.
SECURITY_KEYS: Final = frozenset(
    {
        "security_protocol",
        "ssl_cafile",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_check_hostname",
        "ssl_crlfile",
        "ssl_ciphers",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_kerberos_name",
        "sasl_kerberos_service_name",
        "sasl_kerberos_domain_name",
    }
)
# Each names where a secret is: (setting, what the client calls the secret).
SECRET_KEYS: Final = {
    "sasl_plain_password_file": "sasl_plain_password",
    "sasl_plain_password_env": "sasl_plain_password",
    "ssl_password_file": "ssl_password",
    "ssl_password_env": "ssl_password",
}
SHARDS_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class LogConfig:
    """One log: `sqlite` needs `path` (a directory), `kafka` needs `bootstrap` and `prefix`.

    `topic_ids` are those of the topics as they were made (`create_log` returns them): a topic that was
    deleted and made again has another one, and is refused. `timeout_s` bounds every blocking call."""

    kind: Literal["sqlite", "kafka"]
    shards: int = 1
    path: Path | None = None
    bootstrap: str = ""
    prefix: str = ""
    replication: int = 3
    security: Mapping[str, str | bool] = field(default_factory=dict)
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= SHARDS_MAX:
            raise ConfigurationError(f"log.shards must be 1 to {SHARDS_MAX}, not {self.shards}")
        if self.timeout_s <= 0:
            raise ConfigurationError("log.timeout_s must be above 0")
        if self.kind == "sqlite":
            if self.path is None:
                raise ConfigurationError('log.path is missing: a log of kind "sqlite" is a directory')
        elif self.kind == "kafka":
            self._check_kafka()
        else:
            raise ConfigurationError(f'log.kind must be "sqlite" or "kafka", not {self.kind!r}')

    def _check_kafka(self) -> None:
        if not self.bootstrap:
            raise ConfigurationError(
                'log.bootstrap is missing: write it as "host:port" or "host:port,host:port"'
            )
        if not self.prefix or not all(c.isascii() and (c.isalnum() or c in "._-") for c in self.prefix):
            raise ConfigurationError(
                "log.prefix must be letters, digits, '.', '_' or '-': topics are named after it"
            )
        if len(self.prefix) > 200:
            raise ConfigurationError("log.prefix is longer than 200 characters")
        if not 1 <= self.replication <= 32:
            raise ConfigurationError("log.replication must be 1 to 32")
        for name in self.security:
            if name not in SECURITY_KEYS and name not in SECRET_KEYS:
                known = ", ".join(sorted(SECURITY_KEYS | SECRET_KEYS.keys()))
                raise ConfigurationError(f"log.security.{name} is not a setting; there are: {known}")

    @property
    def min_insync(self) -> int:
        """How many replicas must hold a record before it is acknowledged: all but one, and at least one."""
        return max(1, self.replication - 1)

    def with_topic_ids(self, topic_ids: Mapping[str, str]) -> LogConfig:
        return replace(self, topic_ids=dict(topic_ids))

    def client_security(self) -> dict[str, str | bool]:
        """Settings for a Kafka client, secrets read from where the configuration says they are.
        Raises `ConfigurationError` when one is not there; the message never holds it."""
        settings: dict[str, str | bool] = {}
        for name, value in self.security.items():
            if name not in SECRET_KEYS:
                settings[name] = value
            elif name.endswith("_file"):
                try:
                    settings[SECRET_KEYS[name]] = Path(str(value)).read_text(encoding="utf-8").rstrip("\n")
                except (OSError, UnicodeDecodeError) as error:
                    raise ConfigurationError(f"log.security.{name}: cannot read {value}") from error
            else:
                secret = os.environ.get(str(value))
                if secret is None:
                    raise ConfigurationError(
                        f"log.security.{name}: the environment variable {value} is not set"
                    )
                settings[SECRET_KEYS[name]] = secret
        return settings

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `ledger.toml`; `from_dict` reads it back."""
        if self.kind == "sqlite":
            table: dict[str, Any] = {"kind": self.kind, "shards": self.shards, "path": str(self.path)}
        else:
            table = {
                "kind": self.kind,
                "shards": self.shards,
                "bootstrap": self.bootstrap,
                "prefix": self.prefix,
                "replication": self.replication,
            }
            if self.security:
                table["security"] = dict(self.security)
            if self.topic_ids:
                table["topic_ids"] = dict(self.topic_ids)
        table["timeout_s"] = self.timeout_s
        return table

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], *, base: Path | None = None) -> Self:
        """Reads the `[log]` table. A relative `path` is taken from `base`, the ledger's directory.
        Raises `ConfigurationError` that names the setting."""
        types: dict[str, type | tuple[type, ...]] = {
            "kind": str,
            "shards": int,
            "path": str,
            "bootstrap": str,
            "prefix": str,
            "replication": int,
            "security": Mapping,
            "topic_ids": Mapping,
            "timeout_s": (int, float),
        }
        values = dict(table)
        for name, value in values.items():
            if name not in types:
                raise ConfigurationError(f"log.{name} is not a setting; there are: {', '.join(types)}")
            if not isinstance(value, types[name]) or isinstance(value, bool):
                raise ConfigurationError(f"log.{name} has the wrong type: {type(value).__name__}")
        if "kind" not in values:
            raise ConfigurationError('log.kind is missing: "sqlite" or "kafka"')
        for name in ("security", "topic_ids"):
            for key, value in values.get(name, {}).items():
                if not isinstance(value, (str, bool)) or (name == "topic_ids" and not isinstance(value, str)):
                    raise ConfigurationError(f"log.{name}.{key} has the wrong type: {type(value).__name__}")
        if "path" in values:
            path = Path(values["path"])
            values["path"] = path if base is None or path.is_absolute() else base / path
        if "timeout_s" in values:
            values["timeout_s"] = float(values["timeout_s"])
        return cls(**values)
