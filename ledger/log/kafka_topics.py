"""What Kafka must be set up to promise, and the check that it is. `deploy/kafka/` holds the data.

A ledger on a topic that forgets, compacts, or was deleted and made anew would go on without a word. So every
start compares, and refuses with the name of the setting (`LogDrifted`)."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from kafka import TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePattern,
    ResourceType,
)

from ledger.errors import ConfigurationError, LogDrifted, LogUnavailable
from ledger.log.config import LogConfig
from ledger.log.kafka_clients import Lane, discard, listening, make_admin, translated
from ledger.log.records import Role

TOPICS: Final = ("ledger", "submissions", "receipts", "rejects")
# The topics that a role touches: those that `acls.toml` lets it see.
ROLE_TOPICS: Final[Mapping[Role, Sequence[str]]] = {
    "producer": ("submissions", "receipts"),
    "sequencer": TOPICS,
    "reader": ("ledger",),
}


def deploy_file(name: str) -> Path:
    """A file of `deploy/kafka/`: the copy inside an installed package, or the checkout's."""
    packaged = Path(__file__).resolve().parent.parent / "_deploy" / "kafka" / name
    if packaged.is_file():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / name
    if checkout.is_file():
        return checkout
    raise ConfigurationError(
        f"deploy/kafka/{name} is missing from this installation: install duecourse again"
    )


@cache
def _read(name: str, expected: str) -> dict[str, Any]:
    table = tomllib.loads(deploy_file(name).read_text(encoding="utf-8"))
    if table.get("format") != expected:
        raise ConfigurationError(f"deploy/kafka/{name} is not of the format {expected!r}")
    return table


def topic_name(config: LogConfig, topic: str) -> str:
    return f"{config.prefix}.{topic}"


def expected_settings(config: LogConfig, topic: str) -> dict[str, str]:
    """Every setting that a topic must have."""
    table = _read("topics.toml", "duecourse topics 1")
    return {
        **table["settings"],
        **table["topics"][topic]["settings"],
        "min.insync.replicas": str(config.min_insync),
    }


def role_rights(role: Role) -> dict[str, list[str]]:
    """The operations that a role is allowed, by topic."""
    rights: dict[str, list[str]] = _read("acls.toml", "duecourse acls 1")["roles"][role]
    return rights


@contextlib.contextmanager
def _admin(config: LogConfig, doing: str) -> Iterator[Any]:
    """An admin client. Errors of the library leave the block as ours."""
    with listening() as seen:
        client = None
        try:
            client = make_admin(config)
            yield client
        except kafka_errors.KafkaError as error:
            raise translated(error, doing, seen=seen) from error
        finally:
            if client is not None:
                discard(client)


def create_topics(config: LogConfig) -> LogConfig:
    """Makes the four topics where they are not there yet, checks them, and returns `config` with their
    ids."""
    lane = Lane("kafka-admin")
    try:
        return lane.run(lambda: _create(config), config.timeout_s)
    finally:
        lane.close()


def _create(config: LogConfig) -> LogConfig:
    with _admin(config, "making the topics") as admin:
        there = set(admin.list_topics())
        wanted = {
            topic_name(config, topic): {
                "num_partitions": config.shards,
                "replication_factor": config.replication,
                "configs": expected_settings(config, topic),
            }
            for topic in TOPICS
            if topic_name(config, topic) not in there
        }
        if wanted:
            try:
                admin.create_topics(wanted, timeout_ms=int(config.timeout_s * 1000))
            except kafka_errors.TopicAlreadyExistsError:
                pass  # somebody made it in this moment; the check below judges what they made
            except (
                kafka_errors.InvalidReplicationFactorError,
                kafka_errors.InvalidConfigurationError,
            ) as error:
                raise ConfigurationError(
                    f"making the topics: {error}; log.replication is {config.replication}: are there so many"
                    " brokers?"
                ) from error
            admin.wait_for_topics(list(wanted), timeout_ms=int(config.timeout_s * 1000))
        return config.with_topic_ids(_check(admin, config, TOPICS))


def check_topics(config: LogConfig, role: Role) -> None:
    """Compares the topics that `role` touches with what the ledger expects. Raises `LogDrifted` naming the
    first setting that differs, `ConfigurationError` where this principal may not look."""
    with _admin(config, "checking the topics") as admin:
        _check(admin, config, ROLE_TOPICS[role])


def _check(admin: Any, config: LogConfig, topics: Sequence[str]) -> dict[str, str]:
    names = [topic_name(config, topic) for topic in topics]
    described = {one["name"]: one for one in admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    settings = admin.describe_configs(resources, config_filter="all").get("topic", {})
    ids = {}
    for topic, name in zip(topics, names, strict=True):
        ids[topic] = _check_layout(config, topic, name, described.get(name))
        found = settings.get(name, {})
        for setting, value in expected_settings(config, topic).items():
            if setting not in found:
                raise ConfigurationError(
                    f"{name}: the settings cannot be seen; give this principal DESCRIBE_CONFIGS"
                    " (deploy/kafka/acls.toml)"
                )
            if found[setting]["value"] != value:
                raise LogDrifted(f"{name}: {setting} is {found[setting]['value']}, and must be {value}")
    if "ledger" in topics:
        _check_earliest(admin, config)
    return ids


def _check_layout(config: LogConfig, topic: str, name: str, found: Mapping[str, Any] | None) -> str:
    code = 3 if found is None else int(found["error_code"])
    if code in (3, 29):  # unknown, or not allowed to know
        raise ConfigurationError(
            f"{name}: there is no such topic, or this principal may not DESCRIBE it; make the log with"
            " `duecourse init`, or see deploy/kafka/acls.toml"
        )
    if found is None or code:
        raise LogUnavailable(f"{name}: the broker answered {kafka_errors.for_code(code).__name__}")
    topic_id = str(found["topic_id"])
    expected_id = config.topic_ids.get(topic)
    if expected_id is not None and topic_id != expected_id:
        raise LogDrifted(
            f"{name}: topic id is {topic_id}, and must be {expected_id}: the topic was deleted and made anew"
        )
    partitions = found["partitions"]
    if len(partitions) != config.shards:
        raise LogDrifted(f"{name}: partition count is {len(partitions)}, and must be {config.shards}")
    for partition in partitions:
        replicas = len(partition["replica_nodes"])
        if replicas < config.replication:
            raise LogDrifted(
                f"{name}: replication.factor of partition {partition['partition_index']} is {replicas},"
                f" and must be {config.replication}"
            )
    return topic_id


def _check_earliest(admin: Any, config: LogConfig) -> None:
    name = topic_name(config, "ledger")
    wanted = {TopicPartition(name, shard): OffsetSpec.EARLIEST for shard in range(config.shards)}
    timeout_ms = int(config.timeout_s * 1000)
    for partition, found in admin.list_partition_offsets(wanted, timeout_ms=timeout_ms).items():
        if found.offset != 0:
            raise LogDrifted(
                f"{name}: earliest offset of partition {partition.partition} is {found.offset}, and must be"
                " 0: records were deleted; restore from the second copy"
            )


def create_acls(config: LogConfig, principals: Mapping[Role, Sequence[str]]) -> None:
    """Gives each principal ("User:name") the rights of its role and no more. Raises `ConfigurationError` if
    the broker did not take one: it denies without an exception."""
    wanted = [
        ACL(
            principal=principal,
            host="*",
            operation=ACLOperation[operation],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(ResourceType.TOPIC, topic_name(config, topic)),
        )
        for role, names in principals.items()
        for principal in names
        for topic, operations in role_rights(role).items()
        for operation in operations
    ]
    if not wanted:
        return
    lane = Lane("kafka-admin")
    try:
        lane.run(lambda: _create_acls(config, wanted), config.timeout_s)
    finally:
        lane.close()


def _create_acls(config: LogConfig, wanted: Sequence[Any]) -> None:
    with _admin(config, "making the access rules") as admin:
        failed = admin.create_acls(wanted)["failed"]
        if failed:
            names = ", ".join(sorted({error.__name__ for error in failed}))
            raise ConfigurationError(
                f"the broker refused {len(failed)} of {len(wanted)} access rules ({names}): does this"
                " principal have ALTER on the cluster, and does the broker have an authorizer?"
            )
