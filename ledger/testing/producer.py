"""Settings and logs for tests of the producer's side: a recorder needs no files but its outbox, and any log."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.errors import LogUnavailable
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import LogConfig, ShardLog
from ledger.sdk.config import Actor, DeliverySettings, ProducerConfig
from ledger.sdk.recorder import Recorder
from ledger.testing.history import NAME, TENANT, signer

PRODUCER = "dialler-1"
TENANT_KEY = sha256(b"tenant").digest()
# A public key that belongs to nobody: what is wrapped to it stays wrapped.
NOBODYS_VAULT = sha256(b"vault").hexdigest()


def settings(
    directory: Path, *, shards: int = 1, delivery: DeliverySettings | None = None, **changes: Any
) -> ProducerConfig:
    """Settings of the producer `dialler-1`, whose outbox is in `directory` and whose log keys are `LOG`'s."""
    values: dict[str, Any] = {
        "producer": PRODUCER,
        "ledger": NAME,
        "tenant": TENANT,
        "signing_key": directory / "signing.pem",
        "tenant_key": directory / "tenant.key",
        "outbox": directory / "outbox.db",
        "log_keys": tuple(
            VerifierKey.of(f"{NAME}/{shard}", ED25519, signer("LOG").public_key).format()
            for shard in range(shards)
        ),
        "log": LogConfig(kind="sqlite", path=directory / "log", shards=shards),
        "actor": Actor("desk-1", "collector", "first_party"),
        "vault_key": NOBODYS_VAULT,
        "delivery": delivery or DeliverySettings(mode="manual", close_timeout_s=0, linger_s=0),
    }
    return ProducerConfig(**{**values, **changes})


def no_log(_shard: int, _role: str) -> ShardLog:
    """A log that never answers."""
    raise LogUnavailable("no log in this test")


def recorder(
    config: ProducerConfig, open_shard: Callable[[int, str], ShardLog] | None = no_log, **options: Any
) -> Recorder:
    """A recorder of `dialler-1`, under keys that everybody knows. `open_shard` None takes the log of the settings."""
    return Recorder(config, signer=signer(PRODUCER), tenant_key=TENANT_KEY, open_shard=open_shard, **options)
