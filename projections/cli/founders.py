"""Making a ledger: keys, log, founding orders, first seal. All of it, or nothing but what the message names."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.custody.file import FileSigner, VaultKey
from ledger.errors import ConfigurationError
from ledger.kernel.keys import Signer
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import LogConfig, create_log, open_log
from ledger.sequencer import orders
from projections.cli.directory import LedgerDirectory, sync_directory, toml, write_whole
from projections.cli.lineup import Line

TRUST_FORMAT: Final = "duecourse trust 1"
SKEW_S: Final = 300


@dataclass(frozen=True, slots=True)
class Founding:
    """What is to be founded, and where it is built."""

    root: Path
    name: str
    log: LogConfig
    registrars: int
    threshold: int


def in_new_directory(target: Path, build: Callable[[Path], LedgerDirectory]) -> LedgerDirectory:
    """Builds beside `target` and moves the finished directory there. A failure leaves no directory behind."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(f"{target} exists and is not empty: choose a new directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.parent / f".{target.name}.founding-{secrets.token_hex(4)}"
    work.mkdir(mode=0o700)
    try:
        built = build(work)
        if target.exists():
            target.rmdir()
        work.rename(target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    sync_directory(target.parent)
    del built
    return LedgerDirectory.open(target)


def found(founding: Founding) -> LedgerDirectory:
    """Makes the ledger in `founding.root`, an empty directory, and runs it to its first checkpoints."""
    root, name = founding.root, founding.name
    keys = root / "keys"
    for directory in (keys, root / "producers", root / "state", root / "tiles"):
        directory.mkdir(mode=0o755 if directory.name == "tiles" else 0o700)
    log_signers = [FileSigner.create(keys / f"log-{shard}.pem") for shard in range(founding.log.shards)]
    registrars = [FileSigner.create(keys / f"registrar-{n + 1}.pem") for n in range(founding.registrars)]
    vault = VaultKey.create(keys / "vault.pem")
    write_whole(keys / "tenant.key", (secrets.token_hex(32) + "\n").encode(), 0o600)

    log = create_log(founding.log)
    ledger = LedgerDirectory(
        root=root,
        name=name,
        shards=log.shards,
        log_keys=tuple(
            VerifierKey.of(f"{name}/{shard}", ED25519, signer.public_key)
            for shard, signer in enumerate(log_signers)
        ),
        vault_key=vault.public_key,
        log=log,
    )
    for shard in range(log.shards):
        _submit_founding(ledger, shard, registrars, founding.threshold, vault.public_key)
    ledger.write()
    write_whole(ledger.trust_file, _trust(ledger, registrars).encode())
    with Line.of(ledger) as line:
        line.drain()
    return ledger


def _submit_founding(
    ledger: LedgerDirectory, shard: int, registrars: list[FileSigner], threshold: int, vault_key: bytes
) -> None:
    order = orders.founding(
        name=ledger.name,
        shard=shard,
        shards=ledger.shards,
        log_key=ledger.log_keys[shard].public_key,
        registrars=[(signer.public_key, f"registrar {n + 1}") for n, signer in enumerate(registrars)],
        threshold=threshold,
        vault_key=vault_key,
    )
    log = open_log(ledger.log, shard, "sequencer")
    try:
        if log.end() or log.submissions_end():
            raise ConfigurationError(
                "the log already holds a ledger: choose another --prefix (Kafka), or another directory"
            )
        log.submit([orders.submission(approve_all(order, ledger.origin(shard), registrars[:threshold]))])
    finally:
        log.close()


def approve_all(order: bytes, origin: str, registrars: list[FileSigner] | list[Signer]) -> bytes:
    """The order with the approval of each of these registrars, for one shard."""
    for signer in registrars:
        order = orders.approve(order, origin, signer)
    return order


def _trust(ledger: LedgerDirectory, registrars: list[FileSigner]) -> str:
    policy = "\n".join([*(f"log {key.format()}" for key in ledger.log_keys), "quorum none"])
    head = (
        f"# Whom a reader of {ledger.name} trusts. Add witness and quorum lines to the policy, and an auditor, when\n"
        "# somebody outside vouches too: as it stands, the verdict rests on the operator's word, and says so.\n"
    )
    table = toml(
        {
            "auditors": [],
            "registrars": sorted(signer.public_key.hex() for signer in registrars),
            "max_age_s": 0,
            "skew_s": SKEW_S,
        }
    )
    return f"{head}format = \"{TRUST_FORMAT}\"\npolicy = '''\n{policy}\n'''\n{table}"
