"""A producer's settings: one TOML file, a closed set of keys, and an error that names the key that is wrong.

Secrets are not in it: it names the files that hold them, which only their owner may be able to read. Paths
are taken from the directory of the file. Whoever can change the file can point the producer at another
ledger."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Self, get_args, get_type_hints

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical
from ledger.kernel.event import CAPACITIES, EPOCH_MAX, SOURCE, is_producerid
from ledger.kernel.note import ED25519, VerifierKey, is_key_name
from ledger.log.port import LogConfig

FORMAT: Final = "duecourse producer 1"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, unless a call says otherwise: `id` and `role` are identifiers, never a person's name."""

    id: str
    role: str
    capacity: str
    agency: str | None = None

    def __post_init__(self) -> None:
        for name in ("id", "role"):
            _identifier(f"actor.{name}", getattr(self, name))
        if self.capacity not in CAPACITIES:
            raise ConfigurationError(f"actor.capacity must be one of {', '.join(CAPACITIES)}")
        if self.agency is not None and not canonical.is_uuid(self.agency):
            raise ConfigurationError("actor.agency must be a UUID in lower case")
        if self.capacity == "agency" and self.agency is None:
            raise ConfigurationError('actor.agency is required where actor.capacity is "agency"')


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How events get from the outbox to the ledger.

    `mode` "background": a thread delivers while the recorder is open; "manual": only `flush()` and
    `deliver_once()` do. `linger_s` is how long a first event waits for company, `flush_events` how many
    share one signature. At most `in_flight` events are sent without a receipt, and after `resend_after_s`
    without one they are sent again. `rejections` "read" follows the ledger for what it refused; "off" needs
    no right to read it."""

    mode: Literal["background", "manual"] = "background"
    flush_events: int = 64
    batch_events: int = 512
    in_flight: int = 20_000
    linger_s: float = 0.01
    poll_s: float = 0.2
    resend_after_s: float = 30.0
    alarm_after_s: float = 60.0
    close_timeout_s: float = 5.0
    rejections: Literal["read", "off"] = "read"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("flush_events", 1, 256),
            ("batch_events", 1, 4096),
            ("in_flight", 1, 10_000_000),
            ("linger_s", 0, 10),
            ("poll_s", 0.01, 60),
            ("resend_after_s", 1, 86_400),
            ("alarm_after_s", 1, 86_400),
            ("close_timeout_s", 0, 3600),
        ):
            if not low <= getattr(self, name) <= high:
                raise ConfigurationError(f"delivery.{name} must be {low} to {high}")


@dataclass(frozen=True, slots=True)
class ProducerConfig:
    """Everything a recorder needs to know.

    `producer` is the producer's id, `ledger` the ledger's name (shard k has the origin `NAME/k`),
    `log_keys` one C2SP verifier key a shard, `vault_key` the vault's public key in hex (without it nothing
    personal can be recorded). `epoch` is 0 until an outbox is lost: then registrars open the next one, and
    it is written here."""

    producer: str
    ledger: str
    tenant: str
    signing_key: Path
    tenant_key: Path
    outbox: Path
    log_keys: tuple[str, ...]
    log: LogConfig
    actor: Actor
    epoch: int = 0
    source: str = ""
    vault_key: str = ""
    outbox_events: int = 1_000_000
    delivery: DeliverySettings = field(default_factory=DeliverySettings)

    def __post_init__(self) -> None:
        if not is_producerid(self.producer) or self.producer == "ledger":
            raise ConfigurationError(
                "producer must be a producer's id: [a-z0-9][a-z0-9.-]{0,62}, not `ledger`"
            )
        if not is_key_name(self.ledger) or self.ledger.startswith("duecourse "):
            raise ConfigurationError("ledger must be a ledger's name: no white space, no +")
        _identifier("tenant", self.tenant)
        if not 0 <= self.epoch <= EPOCH_MAX:
            raise ConfigurationError(f"epoch must be 0 to {EPOCH_MAX}")
        if not self.source:
            object.__setattr__(self, "source", f"//{self.producer}")
        if SOURCE.fullmatch(self.source) is None:
            raise ConfigurationError("source must be // and a host-like name")
        if self.outbox_events < 1:
            raise ConfigurationError("outbox_events must be at least 1")
        if self.vault_key:
            try:
                canonical.unhex(self.vault_key)
            except Refused as error:
                raise ConfigurationError("vault_key must be 64 hex digits in lower case") from error
        if len(self.log_keys) != self.log.shards:
            raise ConfigurationError(
                f"log_keys must hold one key a shard: {self.log.shards}, not {len(self.log_keys)}"
            )
        self.verifier_keys()

    @property
    def shards(self) -> int:
        return self.log.shards

    def origin(self, shard: int) -> str:
        return f"{self.ledger}/{shard}"

    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """The log keys by shard, each for its own origin."""
        found = []
        for shard, text in enumerate(self.log_keys):
            try:
                key = VerifierKey.parse(text)
            except Refused as error:
                raise ConfigurationError(
                    f"log_keys[{shard}] is not a usable verifier key: {error}"
                ) from error
            if key.algorithm != ED25519 or key.name != self.origin(shard):
                raise ConfigurationError(f"log_keys[{shard}] must be the log key of {self.origin(shard)}")
            found.append(key)
        return tuple(found)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a producer's file. Raises `ConfigurationError` that names the file and the key."""
        path = Path(path)
        try:
            with path.open("rb") as file:
                table = tomllib.load(file)
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: not TOML: {error}") from error
        try:
            return cls.from_dict(table, base=path.parent)
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], *, base: Path) -> Self:
        """The settings in a table as the file holds it."""
        values = dict(table)
        if values.pop("format", None) != FORMAT:
            raise ConfigurationError(f'format must be "{FORMAT}"')
        values["actor"] = Actor(**_checked("actor", Actor, _table(values, "actor")))
        delivery = _checked("delivery", DeliverySettings, _table(values, "delivery", optional=True))
        values["delivery"] = DeliverySettings(**delivery)
        values["log"] = LogConfig.from_dict(_table(values, "log"), base=base)
        values = _checked("", cls, values)
        values["log_keys"] = tuple(values["log_keys"])
        for name in ("signing_key", "tenant_key", "outbox"):
            values[name] = base / values[name]
        return cls(**values)

    def to_toml(self) -> str:
        """The file that `load` reads back. Paths stand as they are in this object."""
        lines = [f"format = {toml_value(FORMAT)}"]
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in ("log", "actor", "delivery") and value != one.default:
                lines.append(f"{one.name} = {toml_value(value)}")
        actor = {f.name: getattr(self.actor, f.name) for f in fields(Actor)}
        delivery = {
            f.name: getattr(self.delivery, f.name)
            for f in fields(DeliverySettings)
            if getattr(self.delivery, f.name) != f.default
        }
        for name, table in (("actor", actor), ("log", self.log.to_dict()), ("delivery", delivery)):
            if table:
                lines += ["", f"[{name}]"]
                lines += [f"{key} = {toml_value(value)}" for key, value in table.items() if value is not None]
        return "\n".join(lines) + "\n"


def _identifier(name: str, value: str) -> None:
    if not canonical.is_identifier(value):
        raise ConfigurationError(f"{name} must be 1 to 200 of A-Z a-z 0-9 . _ : / @ + -")


def _table(values: Mapping[str, Any], name: str, *, optional: bool = False) -> Mapping[str, Any]:
    table = values.get(name, {} if optional else None)
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"[{name}] is missing, or is not a table")
    return table


def _checked(prefix: str, cls: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """The table's values, where every key is one of the class's and has its type."""
    hints = get_type_hints(cls)
    declared = {f.name: f for f in fields(cls)}
    dot = f"{prefix}." if prefix else ""
    for name in table:
        if name not in declared:
            raise ConfigurationError(
                f"{dot}{name} is not a setting; there are: {', '.join(sorted(declared))}"
            )
    found = {}
    for name, one in declared.items():
        if name not in table:
            if one.default is MISSING and one.default_factory is MISSING:
                raise ConfigurationError(f"{dot}{name} is missing")
            continue
        found[name] = _typed(f"{dot}{name}", hints[name], table[name])
    return found


def _typed(name: str, hint: Any, value: Any) -> Any:
    if isinstance(hint, UnionType):
        hint = get_args(hint)[0]
    codes = get_args(hint)
    if hint is float and type(value) is int:
        return float(value)
    if codes and all(isinstance(code, str) for code in codes):
        if value not in codes:
            raise ConfigurationError(f"{name} must be one of {', '.join(codes)}")
    elif hint is Path or hint is str:
        if type(value) is not str:
            raise ConfigurationError(f"{name} must be text")
    elif codes:
        if type(value) is not list or any(type(item) is not str for item in value):
            raise ConfigurationError(f"{name} must be a list of texts")
    elif type(value) is not hint and not isinstance(value, (Actor, DeliverySettings, LogConfig)):
        raise ConfigurationError(f"{name} must be of type {hint.__name__}")
    return value


def toml_value(value: Any) -> str:
    """A value as TOML writes it on one line. `TypeError` for what a settings file has no place for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{toml_value(str(key))} = {toml_value(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if not isinstance(value, (str, Path)):
        raise TypeError(f"no TOML for {type(value).__name__}")
    # Basic strings of TOML have the escapes of JSON's, and also want the last control character escaped.
    return canonical.encode_free(str(value)).decode().replace("\x7f", "\\u007f")
