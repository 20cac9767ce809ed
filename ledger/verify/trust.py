"""The trust file: whom a reader decides to believe, and nothing else decides it (formats 7).

After `Trust.parse` the file is one that this verifier can use whole: every key in it is of an algorithm
that is implemented, the quorum can be met, auditors are nobody else in the policy. Whoever can change a
reader's trust file can make that reader believe anything, hence `fingerprint`, to compare by telephone."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import keys
from ledger.kernel.checkpoint import Policy, parse_policy
from ledger.kernel.note import VerifierKey

FORMAT = "duecourse trust 1"
# A trust file names a few dozen keys; past this it is not one.
TRUST_BYTES_MAX = 1 << 20
_KEYS = {"auditors", "format", "max_age_s", "policy", "registrars", "skew_s"}
_INTEGER_MAX = (1 << 53) - 1
_LOG, _COSIGNER = 0x01, 0x04
_HEX_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader trusts. `max_age_s` 0 means no limit; `skew_s` is how far two honest clocks may differ."""

    policy: Policy
    auditors: tuple[VerifierKey, ...]
    registrars: tuple[bytes, ...]
    max_age_s: int
    skew_s: int
    fingerprint: str

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """The trust file with these bytes. Raises ConfigurationError for anything that cannot be used whole."""
        table = _table(data)
        policy_text, vkeys = _text(table, "policy"), _texts(table, "auditors")
        try:
            policy = parse_policy(policy_text)
            auditors = tuple(VerifierKey.parse(key) for key in vkeys)
        except (ConfigurationError, Refused) as error:
            raise ConfigurationError(f"trust file: {error}") from error
        _check_policy(policy)
        _check_auditors(policy, auditors)
        return cls(
            policy=policy,
            auditors=auditors,
            registrars=_registrars(_texts(table, "registrars")),
            max_age_s=_seconds(table, "max_age_s"),
            skew_s=_seconds(table, "skew_s"),
            fingerprint=hashlib.sha256(data).hexdigest(),
        )

    @classmethod
    def load(cls, path: Path) -> Trust:
        """The trust file at `path`. Raises ConfigurationError."""
        try:
            with path.open("rb") as file:
                data = file.read(TRUST_BYTES_MAX + 1)
        except OSError as error:
            raise ConfigurationError(f"trust file: cannot be read: {error.strerror}") from error
        return cls.parse(data)

    def log(self, origin: str) -> VerifierKey | None:
        """The key that speaks for this log, or None when the reader does not trust it."""
        return next((key for key in self.policy.logs if key.name == origin), None)

    @property
    def spoken(self) -> str:
        """The fingerprint in groups of four, for reading aloud."""
        return " ".join(re.findall("....", self.fingerprint))


def _table(data: bytes) -> dict[str, object]:
    if len(data) > TRUST_BYTES_MAX:
        raise ConfigurationError(f"trust file: larger than {TRUST_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8", "strict"))
    except UnicodeDecodeError as error:
        raise ConfigurationError("trust file: not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("trust file: not TOML") from error
    if table.get("format") != FORMAT:
        raise ConfigurationError(f'trust file: `format` must be "{FORMAT}"')
    if table.keys() != _KEYS:
        wrong = ", ".join(sorted(_KEYS ^ table.keys()))
        raise ConfigurationError(
            f"trust file: needs exactly the six keys of its format; missing or unknown: {wrong[:200]}"
        )
    return table


def _text(table: dict[str, object], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise ConfigurationError(f"trust file: `{name}` must be a string")
    return value


def _texts(table: dict[str, object], name: str) -> list[str]:
    value = table[name]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"trust file: `{name}` must be a list of strings")
    return value


def _seconds(table: dict[str, object], name: str) -> int:
    value = table[name]
    if type(value) is not int or not 0 <= value <= _INTEGER_MAX:
        raise ConfigurationError(f"trust file: `{name}` must be a whole number of seconds, 0 or more")
    return value


def _check_policy(policy: Policy) -> None:
    """Only algorithms that this verifier implements: a key it cannot check would be trust in nothing."""
    if not policy.logs:
        raise ConfigurationError("trust file: the policy names no log")
    names = [key.name for key in policy.logs]
    if len(set(names)) != len(names):
        raise ConfigurationError("trust file: two log keys for one origin")
    for key in policy.logs:
        if key.algorithm != _LOG:
            raise ConfigurationError(
                f"trust file: log key of algorithm {key.algorithm:#04x}, which is not implemented here"
            )
    for key in policy.witnesses.values():
        if key.algorithm != _COSIGNER:
            raise ConfigurationError(
                f"trust file: witness key of algorithm {key.algorithm:#04x}, which is not implemented here"
            )
    for key in (*policy.logs, *policy.witnesses.values()):
        _check_key(key.public_key)


def _check_auditors(policy: Policy, auditors: tuple[VerifierKey, ...]) -> None:
    taken = {key.public_key for key in (*policy.logs, *policy.witnesses.values())}
    for key in auditors:
        if key.algorithm != _COSIGNER:
            raise ConfigurationError(
                f"trust file: auditor key of algorithm {key.algorithm:#04x}, which is not implemented here"
            )
        _check_key(key.public_key)
        if key.public_key in taken:
            raise ConfigurationError(
                "trust file: an auditor's key is already somebody's in the policy, or named twice"
            )
        taken.add(key.public_key)


def _registrars(texts: list[str]) -> tuple[bytes, ...]:
    for text in texts:
        if _HEX_KEY.fullmatch(text) is None:
            raise ConfigurationError("trust file: a registrar is 64 lower-case hex digits")
        _check_key(bytes.fromhex(text))
    if len(set(texts)) != len(texts):
        raise ConfigurationError("trust file: a registrar is named twice")
    return tuple(sorted(bytes.fromhex(text) for text in texts))


def _check_key(raw: bytes) -> None:
    try:
        keys.check_public_key(raw)
    except Refused as error:
        raise ConfigurationError(f"trust file: {error}") from error
