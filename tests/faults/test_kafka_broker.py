"""Faults of a real broker: killed while it works, set up differently, and saying no."""

from __future__ import annotations

import datetime as dt
import gc
import ipaddress
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.errors import ConfigurationError, LogDrifted, LogUnavailable
from ledger.log.port import LogConfig, Role, Submission, create_log, open_log
from ledger.testing.broker import KafkaBroker

pytestmark = pytest.mark.kafka


def fresh(broker: KafkaBroker, **more: Any) -> LogConfig:
    prefix = f"f{uuid.uuid4().hex[:12]}"
    return LogConfig("kafka", bootstrap=broker.bootstrap, prefix=prefix, replication=1, **more)


def test_a_broker_killed_in_the_middle_loses_nothing_acknowledged(kafka_ready: None) -> None:
    """`kill -9` while a sequencer appends, a producer submits and a reader follows. The writers do as the
    sequencer and the SDK do: after an error they begin anew at what they can read back."""
    with KafkaBroker() as broker:
        config = create_log(fresh(broker, timeout_s=4.0))
        acknowledged = [0, 0]
        followed: list[int] = []
        stop = threading.Event()
        errors: list[LogUnavailable] = []

        def append() -> None:
            log = open_log(config, 0, "sequencer")
            n = 0
            while not stop.is_set():
                try:
                    log.append([("entry", b"%d" % (n + k)) for k in range(20)])
                    n += 20
                    acknowledged[0] = n
                except LogUnavailable as error:
                    errors.append(error)
                    n = recovered(log)
            log.close()

        def recovered(log: Any) -> int:
            """Like recovery: a new client, and the tail as it stands decides where to go on."""
            deadline = time.monotonic() + 60
            while True:
                try:
                    log.reopen()
                    tail = 0
                    cursor = max(0, log.end() - 200)
                    while records := log.records(cursor, 200):
                        tail = max(tail, *(int(record.value) + 1 for record in records))
                        cursor = records[-1].cursor + 1
                    return tail
                except LogUnavailable:
                    assert time.monotonic() < deadline, "the broker did not come back"
                    time.sleep(0.2)

        def submit() -> None:
            log = open_log(config, 0, "producer")
            n = 0
            while not stop.is_set():
                try:
                    log.submit([Submission("case/1", b"%d" % (n + k), b"") for k in range(20)])
                    n += 20
                    acknowledged[1] = n
                except LogUnavailable:
                    time.sleep(0.2)
            log.close()

        def follow() -> None:
            log = open_log(config, 0, "reader")
            cursor = 0
            while not (stop.is_set() and len(set(followed)) >= acknowledged[0]):
                try:
                    if log.wait(cursor, "records", 0.2):
                        for record in log.records(cursor, 500):
                            followed.append(int(record.value))
                            cursor = record.cursor + 1
                except LogUnavailable:
                    time.sleep(0.2)
            log.close()

        threads = [threading.Thread(target=work, daemon=True) for work in (append, submit, follow)]
        for thread in threads:
            thread.start()
        wait_until(lambda: min(acknowledged) > 200)
        broker.kill()
        before = list(acknowledged)
        time.sleep(5.0)  # longer than the writers' timeout: they must fail, not hang
        broker.restart()
        wait_until(lambda: acknowledged[0] > before[0] + 200 and acknowledged[1] > before[1] + 200)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert errors

        log = open_log(config, 0, "sequencer")
        records = [int(record.value) for record in log.records(0, 1_000_000)]
        submitted = [int(s.value) for s in log.submissions(0, 1_000_000)]
        log.close()

    # Nothing acknowledged is lost, nothing stands twice after read-back, in order, and readers saw the same.
    assert records == list(range(len(records)))
    assert len(records) >= acknowledged[0]
    assert followed == records[: len(followed)]
    # A producer that sends again may stand twice; the feeds absorb that. None of it is missing.
    assert set(range(acknowledged[1])) <= set(submitted)


def wait_until(true: Any, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_broker_that_is_not_there_is_said_in_time(kafka_broker: KafkaBroker) -> None:
    config = replace(create_log(fresh(kafka_broker)), bootstrap="127.0.0.1:1", timeout_s=1.0)
    began = time.monotonic()
    with pytest.raises(LogUnavailable, match=r"log\.bootstrap"):
        open_log(config, 0, "reader")
    assert time.monotonic() - began < 8


def test_offsets_with_gaps_are_read_without_waiting_for_what_is_not_there(kafka_broker: KafkaBroker) -> None:
    """A foreign writer with transactions leaves control records, also as the last thing in the partition."""
    from kafka import KafkaProducer

    config = create_log(fresh(kafka_broker))
    log = open_log(config, 0, "sequencer")
    log.append([("entry", b"0"), ("entry", b"1")])
    foreign = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap, transactional_id=config.prefix)
    foreign.init_transactions()
    foreign.begin_transaction()
    foreign.send(f"{config.prefix}.ledger", value=b"foreign", partition=0)
    foreign.flush(10)
    foreign.commit_transaction()
    foreign.close(timeout=5)

    wait_until(lambda: log.end() == 4)  # two entries, the foreign record, and a control record
    began = time.monotonic()
    found = log.records(0, 100)
    assert [(r.cursor, r.kind, r.value) for r in found] == [
        (0, "entry", b"0"),
        (1, "entry", b"1"),
        (2, "", b"foreign"),
    ]
    assert log.records(3, 100) == []
    assert log.records(3, 100) == []
    log.append([("entry", b"2")])
    assert [(r.cursor, r.value) for r in log.records(3, 100)] == [(4, b"2")]
    assert log.records(1, 2) == found[1:]
    assert time.monotonic() - began < 5
    log.close()


# -- drift -------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(kafka_broker: KafkaBroker) -> Iterator[Any]:
    from kafka import KafkaAdminClient

    client = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    yield client
    client.close()


@pytest.mark.parametrize(
    ("topic", "setting", "value", "role"),
    [
        ("ledger", "cleanup.policy", "compact", "reader"),
        ("ledger", "retention.ms", "604800000", "sequencer"),
        ("ledger", "message.timestamp.type", "CreateTime", "reader"),
        ("ledger", "unclean.leader.election.enable", "true", "sequencer"),
        ("submissions", "retention.ms", "-1", "producer"),
        ("receipts", "cleanup.policy", "delete", "producer"),
        ("rejects", "max.message.bytes", "1000", "sequencer"),
    ],
)
def test_a_setting_that_drifted_is_refused_by_name(
    kafka_broker: KafkaBroker, admin: Any, topic: str, setting: str, value: str, role: Role
) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    config = create_log(fresh(kafka_broker))
    open_log(config, 0, role).close()
    resource = ConfigResource(ConfigResourceType.TOPIC, f"{config.prefix}.{topic}", {setting: value})
    admin.alter_configs([resource])

    def told() -> str:
        try:
            open_log(config, 0, role).close()
        except LogDrifted as drifted:
            return str(drifted)
        return ""

    wait_until(told, 10)
    assert told().startswith(f"{config.prefix}.{topic}: {setting} is {value}, and must be")
    with pytest.raises(LogDrifted, match=setting):
        create_log(config)


def test_more_partitions_than_shards_are_refused(kafka_broker: KafkaBroker, admin: Any) -> None:
    config = create_log(fresh(kafka_broker))
    log = open_log(config, 0, "sequencer")
    admin.create_partitions({f"{config.prefix}.submissions": 2})
    wait_until(lambda: len(admin.describe_topics([f"{config.prefix}.submissions"])[0]["partitions"]) == 2)
    assert any("partition count is 2, and must be 1" in complaint for complaint in log.check())
    with pytest.raises(LogDrifted, match="partition count is 2, and must be 1"):
        log.reopen()
    log.close()


def test_fewer_replicas_than_configured_are_refused(kafka_broker: KafkaBroker) -> None:
    config = create_log(fresh(kafka_broker))
    with pytest.raises(LogDrifted, match=r"replication\.factor of partition 0 is 1, and must be 2"):
        open_log(replace(config, replication=2), 0, "reader")
    with pytest.raises(ConfigurationError, match=r"log\.replication is 3"):
        create_log(replace(fresh(kafka_broker), replication=3))


def test_a_topic_that_was_made_anew_is_refused_by_its_id(kafka_broker: KafkaBroker, admin: Any) -> None:
    config = create_log(fresh(kafka_broker))
    name = f"{config.prefix}.ledger"
    admin.delete_topics([name])
    wait_until(lambda: name not in admin.list_topics())
    with pytest.raises(ConfigurationError, match="no such topic"):
        open_log(config, 0, "reader")
    with pytest.raises(LogDrifted, match="topic id"):
        create_log(config)
    with pytest.raises(LogDrifted, match="topic id"):
        open_log(config, 0, "sequencer")


def test_a_record_that_lost_its_beginning_is_refused(kafka_broker: KafkaBroker, admin: Any) -> None:
    from kafka import TopicPartition

    config = create_log(fresh(kafka_broker))
    log = open_log(config, 0, "sequencer")
    log.append([("entry", b"%d" % n) for n in range(10)])
    log.submit([Submission("case/1", b"%d" % n, b"") for n in range(10)])
    admin.delete_records({TopicPartition(f"{config.prefix}.ledger", 0): 4})
    admin.delete_records({TopicPartition(f"{config.prefix}.submissions", 0): 4})
    # Submissions may be pruned: reading begins at the oldest that is left.
    assert [s.cursor for s in log.submissions(0, 3)] == [4, 5, 6]
    with pytest.raises(LogDrifted, match="earliest offset is 4"):
        log.records(0, 10)
    with pytest.raises(LogDrifted, match="earliest offset of partition 0 is 4, and must be 0"):
        log.reopen()
    log.close()


# -- who may do what, over TLS -----------------------------------------------------------------------------

USERS = {"sequencer": "s-password", "dialler": "d-password", "auditor": "a-password", "stranger": "x"}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority: (certificate, certificate and key in one file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(public)
    (folder / "broker.pem").write_bytes(private + public)
    return folder / "ca.pem", folder / "broker.pem"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, kafka_broker: KafkaBroker) -> Iterator[tuple[Any, ...]]:
    """(broker, configuration for the administrator, CA file, folder of passwords). The plain listener is the
    administrator's; CLIENT is SASL_SSL, and everything that no rule allows is denied."""
    folder = tmp_path_factory.mktemp("secured")
    ca, keystore = certificate(folder)
    for user, password in USERS.items():
        (folder / user).write_text(password + "\n", encoding="utf-8")
    users = " ".join(f'user_{user}="{password}"' for user, password in USERS.items())
    client = "listener.name.client."
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
        "sasl.enabled.mechanisms": "PLAIN",
        client + "sasl.enabled.mechanisms": "PLAIN",
        client + "plain.sasl.jaas.config": (
            f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
        ),
        client + "ssl.keystore.type": "PEM",
        client + "ssl.keystore.location": str(keystore),
    }
    with KafkaBroker(settings=settings, listeners={"CLIENT": "SASL_SSL"}) as broker:
        yield broker, create_log(fresh(broker)), ca, folder


def as_user(secured: tuple[Any, ...], user: str, **changed: str) -> LogConfig:
    broker, config, ca, folder = secured
    security = {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(ca),
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": user,
        "sasl_plain_password_file": str(folder / user),
        **changed,
    }
    return replace(config, bootstrap=broker.address("CLIENT"), security=security, timeout_s=2.0)


def test_each_role_can_do_its_work_and_no_other_over_tls(secured: tuple[Any, ...]) -> None:
    from ledger.log.kafka_topics import create_acls

    roles: dict[Role, list[str]] = {
        "sequencer": ["User:sequencer"],
        "producer": ["User:dialler"],
        "reader": ["User:auditor"],
    }
    create_acls(secured[1], roles)
    sequencer = open_log(as_user(secured, "sequencer"), 0, "sequencer")
    producer = open_log(as_user(secured, "dialler"), 0, "producer")
    reader = open_log(as_user(secured, "auditor"), 0, "reader")
    producer.submit([Submission("case/1", b"{}", b"")])
    assert len(sequencer.submissions(0, 5)) == 1
    sequencer.append([("entry", b"{}")])
    sequencer.put_receipts({"dialler/1": b"receipt"})
    assert producer.receipt("dialler/1") == b"receipt"
    assert [r.value for r in reader.records(0, 5)] == [b"{}"]

    # A tool that says it is the sequencer is stopped by the broker, at start-up already.
    with pytest.raises(ConfigurationError, match=r"acls\.toml"):
        open_log(as_user(secured, "dialler"), 0, "sequencer")
    with pytest.raises(ConfigurationError, match=r"acls\.toml"):
        open_log(as_user(secured, "stranger"), 0, "reader")
    # And later: a principal whose rights do not reach that far.
    with pytest.raises(ConfigurationError, match=r"acls\.toml"):
        sequencer.submit([Submission("case/1", b"{}", b"")])
    with pytest.raises((ConfigurationError, LogUnavailable)):
        producer.end()
    for log in (sequencer, producer, reader):
        log.close()


@pytest.fixture
def dropped_sockets() -> Iterator[None]:
    """kafka-python 3.0.12 leaves a socket whose TLS handshake failed to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.usefixtures("dropped_sockets")
@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"sasl_plain_username": "dialler"}, "Invalid username or password"),
        ({"sasl_plain_username": "nobody"}, "Invalid username or password"),
        ({"ssl_cafile": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"security_protocol": "PLAINTEXT"}, "disconnected"),
    ],
    ids=["wrong-password", "unknown-user", "wrong-ca", "wrong-protocol"],
)
def test_what_keeps_a_client_out_is_hinted_at(
    secured: tuple[Any, ...], tmp_path: Path, changed: dict[str, str], cause: str
) -> None:
    if "ssl_cafile" in changed:
        changed = {"ssl_cafile": str(certificate(tmp_path)[0])}
    config = as_user(secured, "auditor", **changed)
    threads = threading.active_count()
    began = time.monotonic()
    with pytest.raises(LogUnavailable, match="A wrong password") as refused:
        open_log(config, 0, "reader")
    assert cause in str(refused.value)
    assert "a-password" not in str(refused.value)
    assert time.monotonic() - began < 15
    assert threading.active_count() == threads


def test_access_rules_that_the_broker_does_not_take_are_an_error(kafka_broker: KafkaBroker) -> None:
    from ledger.log.kafka_topics import create_acls

    with pytest.raises(ConfigurationError, match="access rules"):
        create_acls(fresh(kafka_broker), {"reader": ["User:auditor"]})
