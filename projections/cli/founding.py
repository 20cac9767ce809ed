"""Founding a ledger, and who may write into it: init, registry, key, trust."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ledger.custody.file import FileSigner
from ledger.kernel.note import is_key_name
from ledger.log.port import LogConfig
from ledger.sdk.config import Actor
from ledger.verify.trust import Trust
from projections.cli.directory import LedgerDirectory
from projections.cli.enrolment import enrol, order, registrars, registry_state, settle
from projections.cli.founders import Founding, found, in_new_directory
from projections.cli.output import AS_JSON, LEDGER, say_json, table

_SECURITY = click.option(
    "--kafka-option", "security", multiple=True, metavar="NAME=VALUE",
    help="A security setting for the Kafka client, e.g. security_protocol=SASL_SSL. Secrets by file or variable: "
    "sasl_plain_password_file=…, sasl_plain_password_env=…",
)  # fmt: skip


@click.command("init", epilog="Example: duecourse init ledger --name ledger.example.com/cards")
@LEDGER
@click.option(
    "--name",
    required=True,
    help="The ledger's name for ever, like a URL without scheme: ledger.example.com/cards",
)
@click.option("--log", "kind", type=click.Choice(["sqlite", "kafka"]), default="sqlite", show_default=True)
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="Fixed for ever.")
@click.option(
    "--registrars",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="How many registrars' keys to make here.",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 16),
    default=None,
    help="How many of them must approve. Default: more than half.",
)
@click.option("--bootstrap", default="", help="Kafka: host:port[,host:port…]")
@click.option(
    "--prefix", default="", help="Kafka: what topic names begin with. Default: the name, with dots."
)
@click.option(
    "--replication", type=click.IntRange(1, 32), default=None, help="Kafka: copies of each record. Default 3."
)
@_SECURITY
@AS_JSON
def init_command(
    directory: Path, name: str, kind: str, shards: int, registrars: int, threshold: int | None, bootstrap: str,
    prefix: str, replication: int | None, security: Sequence[str], as_json: bool,
) -> None:  # fmt: skip
    """Found a ledger in a new directory LEDGER.

    Makes the keys of log, registrars and vault, the log itself, and the first sealed entry of each shard.
    Hand out trust.toml to readers, and move the registrars' keys to machines of their own."""
    if kind == "sqlite" and (bootstrap or prefix or replication or security):
        raise click.UsageError("--bootstrap, --prefix, --replication and --kafka-option need --log kafka")
    if kind == "kafka" and not bootstrap:
        raise click.UsageError("--log kafka needs --bootstrap host:port")
    threshold = threshold or registrars // 2 + 1
    if threshold > registrars:
        raise click.UsageError(f"--threshold {threshold} cannot be met by {registrars} registrars")
    _check_name(name)

    def build(root: Path) -> LedgerDirectory:
        log = (
            LogConfig(kind="sqlite", shards=shards, path=root / "log")
            if kind == "sqlite"
            else LogConfig(
                kind="kafka", shards=shards, bootstrap=bootstrap, prefix=prefix or name.replace("/", "."),
                replication=replication or 3, security=_settings(security),
            )
        )  # fmt: skip
        return found(Founding(root=root, name=name, log=log, registrars=registrars, threshold=threshold))

    ledger = in_new_directory(directory, build)
    trust = Trust.load(ledger.trust_file)
    if as_json:
        say_json(
            {
                "directory": str(directory),
                "fingerprint": trust.fingerprint,
                "log_keys": [key.format() for key in ledger.log_keys],
                "name": name,
                "shards": shards,
                "trust": str(ledger.trust_file),
            }
        )
        return
    click.echo(f"founded {name} in {directory}, {shards} shard{'s' * (shards > 1)}")
    click.echo(f"for readers: {ledger.trust_file}  fingerprint {trust.fingerprint}")
    click.echo(f"next: duecourse registry add {directory} PRODUCER    (who may write)")
    if kind == "kafka" and (replication or 3) == 1:
        click.echo(
            "note: with one copy of each record, losing the broker's disk loses the record (limit N8)",
            err=True,
        )


def _check_name(name: str) -> None:
    if not is_key_name(name) or not name.isascii() or len(name) > 150 or name.startswith("duecourse "):
        raise click.UsageError(
            "--name is like a URL without scheme (ledger.example.com/cards): ASCII, no white space, no +, at most 150"
        )


def _settings(pairs: Sequence[str]) -> dict[str, str | bool]:
    settings: dict[str, str | bool] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--kafka-option {pair!r}: write NAME=VALUE")
        settings[name] = {"true": True, "false": False}.get(value, value)
    return settings


# -- registry ------------------------------------------------------------------------------------------------------

_REGISTRAR = click.option(
    "--registrar", "registrar_files", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A registrar's key file; repeat for each approval. Default: those in LEDGER/keys.",
)  # fmt: skip
_PRODUCER = click.argument("producer")


@click.group("registry")
def registry_command() -> None:
    """Who may write into the ledger, what, and with which keys.

    Every change is an order that registrars approve, and stands in the ledger itself."""


@registry_command.command("show")
@LEDGER
@click.option("--shard", type=click.IntRange(0), default=0, show_default=True)
@AS_JSON
def registry_show(directory: Path, shard: int, as_json: bool) -> None:
    """Show registrars, producers and keys as the ledger has them."""
    ledger = LedgerDirectory.open(directory)
    ledger.only(shard)
    settle(ledger)
    state = registry_state(ledger, shard)
    answer: dict[str, Any] = {
        "name": ledger.name,
        "origin": ledger.origin(shard),
        "registrars": [{"key": key.hex(), "name": name} for key, name in sorted(state.registrars.items())],
        "threshold": state.threshold,
        "producers": [
            {
                "producer": producerid,
                "capacities": sorted(producer.capacities),
                "epochs": sorted(producer.epochs),
                "keys": [
                    {
                        "key": key.hex(),
                        "revoked_at": record.ended,
                        "since": record.since,
                        "until": record.until,
                    }
                    for key, record in state.keys.items()
                    if record.owner == f"producer/{producerid}"
                ],
                "quarantined": producer.quarantined,
                "tenants": sorted(producer.tenants),
                "types": list(producer.types),
            }
            for producerid, producer in sorted(state.producers.items())
        ],
        "packs": state.packs,
    }
    if as_json:
        say_json(answer)
        return
    click.echo(f"{answer['origin']}: {state.threshold} of {len(state.registrars)} registrars must approve")
    for registrar in answer["registrars"]:
        click.echo(f"  {registrar['key'][:16]}…  {registrar['name']}")
    rows = [
        (
            one["producer"],
            ",".join(one["types"]),
            ",".join(one["capacities"]),
            ",".join(one["tenants"]),
            "quarantined"
            if one["quarantined"]
            else f"{sum(k['revoked_at'] is None for k in one['keys'])} keys",
        )
        for one in answer["producers"]
    ]
    click.echo(
        table(rows, ("producer", "may say", "for", "tenants", "state")) if rows else "no producers yet"
    )


@registry_command.command(
    "add", epilog="Example: duecourse registry add ledger dialler --types contact,disclosure"
)
@LEDGER
@_PRODUCER
@click.option(
    "--types",
    default="case,debt,party,consent,identity,contact,disclosure,hardship,document,plan,payment,"
    "dispute,cease,complaint,hold,legal,credit,conduct,incident,data,agency,staff,source",
    show_default=True,
    help="Prefixes of event types that it may write, separated by commas.",
)
@click.option(
    "--capacity",
    "capacities",
    multiple=True,
    default=("first_party",),
    show_default=True,
    type=click.Choice(["first_party", "agency", "debt_buyer", "law_firm", "system"]),
)
@click.option("--tenant", default="bank", show_default=True, help="For whom it acts.")
@click.option(
    "--actor",
    default="system",
    show_default=True,
    help="Who acts, unless a call says otherwise: an identifier, never a name.",
)
@click.option("--role", default="collector", show_default=True)
@click.option("--agency", default=None, help="UUID of the agency, with --capacity agency.")
@_REGISTRAR
@AS_JSON
def registry_add(
    directory: Path, producer: str, types: str, capacities: Sequence[str], tenant: str, actor: str, role: str,
    agency: str | None, registrar_files: Sequence[Path], as_json: bool,
) -> None:  # fmt: skip
    """Enrol PRODUCER: make its key and its producer.toml, and have it registered in every shard."""
    ledger = LedgerDirectory.open(directory)
    file = enrol(
        ledger,
        producer,
        types=[one.strip() for one in types.split(",") if one.strip()],
        capacities=capacities,
        tenant=tenant,
        actor=Actor(id=actor, role=role, capacity=capacities[0], agency=agency),
        signers=registrars(ledger, registrar_files),
    )
    if as_json:
        say_json({"producer": producer, "settings": str(file)})
    else:
        click.echo(f"{producer} is registered. Its settings: {file}")
        click.echo(f'next, in Python: Recorder.open("{file}")')


def _ordered(
    directory: Path, short: str, subject: str, data: dict[str, Any], files: Sequence[Path], as_json: bool
) -> None:
    ledger = LedgerDirectory.open(directory)
    ats = order(ledger, short, subject, data, registrars(ledger, files))
    if as_json:
        say_json({"at": ats, "order": short, "subject": subject})
    else:
        click.echo(f"{short} stands in {subject}, in every shard")


_KEY = click.argument("key", metavar="HEXKEY")


@registry_command.command("add-key")
@LEDGER
@_PRODUCER
@_KEY
@_REGISTRAR
@AS_JSON
def registry_add_key(
    directory: Path, producer: str, key: str, registrar_files: Sequence[Path], as_json: bool
) -> None:
    """Give PRODUCER one more signing key (its public half, 64 hex digits)."""
    _ordered(directory, "producer_key_added", f"producer/{producer}", {"key": key}, registrar_files, as_json)


@registry_command.command("retire-key")
@LEDGER
@_PRODUCER
@_KEY
@click.option(
    "--until", required=True, help="YYYY-MM-DDThh:mm:ss.ffffffZ: what is sequenced later is refused."
)
@_REGISTRAR
@AS_JSON
def registry_retire_key(
    directory: Path, producer: str, key: str, until: str, registrar_files: Sequence[Path], as_json: bool
) -> None:
    """Let a key end at a time, so that an offline tool can still deliver what it signed."""
    data = {"key": key, "until": until}
    _ordered(directory, "producer_key_retired", f"producer/{producer}", data, registrar_files, as_json)


@registry_command.command("revoke-key")
@LEDGER
@_PRODUCER
@_KEY
@click.option("--reason", required=True, help="A short label: it stands in the clear for ever.")
@_REGISTRAR
@AS_JSON
def registry_revoke_key(
    directory: Path, producer: str, key: str, reason: str, registrar_files: Sequence[Path], as_json: bool
) -> None:
    """End a key now: nothing sequenced from here on may carry it, whatever time it claims."""
    data = {"key": key, "reason": reason}
    _ordered(directory, "producer_key_revoked", f"producer/{producer}", data, registrar_files, as_json)


@registry_command.command("open-epoch")
@LEDGER
@_PRODUCER
@click.argument("epoch", type=click.IntRange(1, 2**31 - 1))
@click.option(
    "--last-seq", type=click.IntRange(0), default=None, help="The last sequence number known of the old one."
)
@_REGISTRAR
@AS_JSON
def registry_open_epoch(
    directory: Path,
    producer: str,
    epoch: int,
    last_seq: int | None,
    registrar_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Open a new epoch for PRODUCER, whose outbox is lost."""
    data: dict[str, Any] = {"epoch": epoch}
    if last_seq is not None:
        data["last_seq"] = f"{last_seq:020d}"
    _ordered(directory, "producer_epoch_opened", f"producer/{producer}", data, registrar_files, as_json)


@registry_command.command("lift-quarantine")
@LEDGER
@_PRODUCER
@click.option("--reason", required=True, help="A short label: it stands in the clear for ever.")
@_REGISTRAR
@AS_JSON
def registry_lift(
    directory: Path, producer: str, reason: str, registrar_files: Sequence[Path], as_json: bool
) -> None:
    """Let a producer that sent two events under one number go on."""
    _ordered(
        directory, "quarantine_lifted", f"producer/{producer}", {"reason": reason}, registrar_files, as_json
    )


# -- keys and trust ------------------------------------------------------------------------------------------------


@click.group("key")
def key_command() -> None:
    """Signing keys in files: PKCS8 in PEM, mode 0600."""


@key_command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def key_new(file: Path, as_json: bool) -> None:
    """Make a new Ed25519 signing key in FILE, which must not exist."""
    _show_key(FileSigner.create(file), file, as_json)


@key_command.command("show")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@AS_JSON
def key_show(file: Path, as_json: bool) -> None:
    """Show the public half of the key in FILE."""
    _show_key(FileSigner.load(file), file, as_json)


def _show_key(signer: FileSigner, file: Path, as_json: bool) -> None:
    if as_json:
        say_json({"file": str(file), "public_key": signer.public_key.hex()})
    else:
        click.echo(signer.public_key.hex())


@click.command("trust")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@AS_JSON
def trust_command(file: Path, as_json: bool) -> None:
    """Show whom the trust file FILE trusts, and its fingerprint.

    Compare the fingerprint over another channel, by telephone say, before you rely on the file."""
    trust = Trust.load(file)
    answer: dict[str, Any] = {
        "fingerprint": trust.fingerprint,
        "logs": [key.format() for key in trust.policy.logs],
        "witnesses": {name: key.format() for name, key in sorted(trust.policy.witnesses.items())},
        "quorum": trust.policy.quorum,
        "auditors": [key.format() for key in trust.auditors],
        "registrars": [key.hex() for key in trust.registrars],
        "max_age_s": trust.max_age_s,
        "skew_s": trust.skew_s,
    }
    if as_json:
        say_json(answer)
        return
    click.echo(f"fingerprint  {_grouped(trust.fingerprint)}")
    for key in trust.policy.logs:
        click.echo(f"log          {key.name}")
    for name in answer["witnesses"]:
        click.echo(f"witness      {name}")
    click.echo(f"quorum       {trust.policy.quorum or 'none: the operator alone vouches (W_UNWITNESSED)'}")
    for auditor in trust.auditors:
        click.echo(f"auditor      {auditor.name}")
    if not trust.auditors:
        click.echo("auditor      none: completeness rests on the operator's word (W_UNAUDITED)")
    click.echo(f"registrars   {len(trust.registrars) or 'any: as the log says'}")


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 8] for i in range(0, len(fingerprint), 8))
