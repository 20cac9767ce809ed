"""The ledger directory: where everything of one ledger lies on one machine, and nothing that is evidence.

    ledger.toml            name, shards, log, the public keys; no secret
    trust.toml             the reader's side: hand it out, and compare its fingerprint over another channel
    keys/                  0700: log-<shard>.pem, registrar-<n>.pem, vault.pem, tenant.key; each 0600
    log/<shard>/           the embedded log (absent on Kafka)
    tiles/<shard>/         the published tree
    state/<shard>/         the sequencer's snapshot; may be deleted
    views.db               the readings; may be deleted
    vault.db               wrapped protecting keys of personal data
    packs/                 the rule packs that were adopted, as they were adopted
    producers/<id>/        producer.toml, its signing key and its outbox

Whoever holds keys/ can sign as the ledger: on a real installation registrars keep theirs on machines of their own."""

from __future__ import annotations

import fcntl
import os
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError, Refused
from ledger.kernel.note import VerifierKey
from ledger.log.port import LogConfig, Role, ShardLog, open_log
from ledger.sdk.config import toml_value

FORMAT: Final = "duecourse ledger directory 1"
_KEYS: Final = {"format", "name", "shards", "log_keys", "vault_key", "log"}


@dataclass(frozen=True, slots=True)
class LedgerDirectory:
    """One opened ledger directory. Opening reads `ledger.toml` and nothing else."""

    root: Path
    name: str
    shards: int
    log_keys: tuple[VerifierKey, ...]
    vault_key: bytes
    log: LogConfig

    @classmethod
    def open(cls, root: Path) -> LedgerDirectory:
        """Raises `ConfigurationError` that says what to do where this is no ledger directory."""
        file = root / "ledger.toml"
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigurationError(
                f"{root} is no ledger directory: it has no ledger.toml. Make one with: duecourse init {root} --name NAME"
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from error
        if table.get("format") != FORMAT:
            raise ConfigurationError(f'{file}: format must be "{FORMAT}", not {table.get("format")!r}')
        if set(table) != _KEYS:
            odd = ", ".join(sorted(set(table) ^ _KEYS))
            raise ConfigurationError(f"{file}: these settings are missing or unknown: {odd}")
        try:
            log_keys = tuple(VerifierKey.parse(key) for key in table["log_keys"])
            vault_key = bytes.fromhex(table["vault_key"])
        except (TypeError, ValueError, Refused) as error:
            raise ConfigurationError(f"{file}: log_keys or vault_key is not a key: {error}") from error
        if len(log_keys) != table["shards"]:
            raise ConfigurationError(
                f"{file}: {table['shards']} shards need as many log_keys, not {len(log_keys)}"
            )
        return cls(
            root=root,
            name=table["name"],
            shards=table["shards"],
            log_keys=log_keys,
            vault_key=vault_key,
            log=LogConfig.from_dict(table["log"], base=root),
        )

    def write(self) -> None:
        """Writes `ledger.toml` anew: whole or not at all."""
        log = self.log.to_dict()
        if self.log.path is not None and self.log.path.is_relative_to(self.root):
            log["path"] = str(self.log.path.relative_to(self.root))
        text = toml(
            {
                "format": FORMAT,
                "name": self.name,
                "shards": self.shards,
                "log_keys": [key.format() for key in self.log_keys],
                "vault_key": self.vault_key.hex(),
                "log": log,
            }
        )
        write_whole(self.root / "ledger.toml", text.encode())

    def only(self, shard: int | None) -> range:
        """The shards that a command is about: all, or the one that was asked for."""
        if shard is None:
            return range(self.shards)
        if shard >= self.shards:
            raise ConfigurationError(f"there is no shard {shard}: {self.name} has {self.shards}, from 0")
        return range(shard, shard + 1)

    def origin(self, shard: int) -> str:
        return f"{self.name}/{shard}"

    def open_log(self, shard: int, role: Role) -> ShardLog:
        return open_log(self.log, shard, role)

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def trust_file(self) -> Path:
        return self.root / "trust.toml"

    @property
    def views(self) -> Path:
        return self.root / "views.db"

    @property
    def vault(self) -> Path:
        return self.root / "vault.db"

    @property
    def packs(self) -> Path:
        return self.root / "packs"

    def tiles(self, shard: int) -> Path:
        return self.root / "tiles" / str(shard)

    def state(self, shard: int) -> Path:
        return self.root / "state" / str(shard)

    def producer(self, producerid: str) -> Path:
        return self.root / "producers" / producerid

    @contextmanager
    def running(self, patience_s: float = 0.0) -> Iterator[bool]:
        """Marks this process as the one that sequences and projects for this directory. Yields False if another one
        does already, and still does after `patience_s`: two do no harm to the record, but the views have one writer."""
        (self.root / "state").mkdir(mode=0o700, exist_ok=True)
        deadline = time.monotonic() + patience_s
        with (self.root / "state" / "run.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        yield False
                        return
                time.sleep(0.02)
            yield True


def toml(table: Mapping[str, Any]) -> str:
    """A table of strings, integers, booleans, lists and tables as TOML."""
    lines: list[str] = []
    _write_table(lines, "", table)
    return "\n".join(lines) + "\n"


def _write_table(lines: list[str], name: str, table: Mapping[str, Any]) -> None:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if name:
        lines += ["", f"[{name}]"]
    lines += [f"{_key(key)} = {toml_value(value)}" for key, value in table.items() if key not in inner]
    for key, value in inner.items():
        _write_table(lines, f"{name}.{_key(key)}" if name else _key(key), value)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else toml_value(key)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """The file has either its old content or all of the new one, and the new one survives a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
