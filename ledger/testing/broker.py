"""A real Apache Kafka broker on loopback, for tests, demonstrations and measurements. Not for keeping
records.

It is Apache Kafka's own jars under the Java that is there: fetched once with Maven into `.cache/kafka` of
the project (or of the user, where the project is installed), or found where `DUECOURSE_KAFKA_LIBS` points.
One node, broker and controller in one, listening on 127.0.0.1 on free ports. What it starts it stops, by
process id.

    with KafkaBroker() as broker:
        config = LogConfig("kafka", bootstrap=broker.bootstrap, prefix="demo", replication=1)

`python -m ledger.testing.broker` prints the bootstrap address and runs until it is told to stop."""

from __future__ import annotations

import argparse
import atexit
import base64
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final, Self

from ledger.errors import DuecourseError

KAFKA_VERSION: Final = "4.4.0"
LOG4J_VERSION: Final = "2.25.5"
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0
FETCH_TIMEOUT_S: Final = 600.0

POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>duecourse</groupId><artifactId>kafka-libs</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

LOG4J: Final = """rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c %m%n
logger.authorizer.name=kafka.authorizer.logger
logger.authorizer.level=info
"""


class BrokerUnavailable(DuecourseError):
    """No broker could be started here. The message says what is missing, or shows the end of the broker's
    output."""


def missing() -> str | None:
    """What keeps a broker from starting on this machine, in one line; None if nothing does."""
    if shutil.which("java") is None:
        return "no `java` on the PATH: install a Java runtime, version 17 or newer"
    if not _jars(libraries_directory()) and shutil.which("mvn") is None:
        return (
            "no `mvn` on the PATH: install Maven, which fetches Apache Kafka, or set DUECOURSE_KAFKA_LIBS to"
            f" a folder with the jars of kafka_2.13 {KAFKA_VERSION}"
        )
    try:
        import kafka  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        return 'the Kafka client is not installed: pip install "duecourse[kafka]"'
    return None


def libraries_directory() -> Path:
    """Where the jars are, or will be put."""
    named = os.environ.get("DUECOURSE_KAFKA_LIBS")
    if named:
        return Path(named)
    root = Path(__file__).resolve().parents[2]
    cache = root / ".cache" if (root / "pyproject.toml").is_file() else Path.home() / ".cache" / "duecourse"
    return cache / "kafka" / f"libs-{KAFKA_VERSION}"


def _jars(directory: Path) -> bool:
    return any(directory.glob(f"kafka_2.13-{KAFKA_VERSION}.jar"))


def fetch_libraries() -> Path:
    """The folder with the jars, fetched with Maven if they are not there yet (45 files, 45 MB)."""
    directory = libraries_directory()
    if _jars(directory):
        return directory
    if reason := missing():
        raise BrokerUnavailable(reason)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _jars(directory):  # another process fetched them while this one waited
            return directory
        with tempfile.TemporaryDirectory(dir=directory.parent) as work:
            (Path(work) / "pom.xml").write_text(POM, encoding="utf-8")
            command = ["mvn", "-B", "-q", "dependency:copy-dependencies"]
            command += ["-DincludeScope=runtime", "-DoutputDirectory=libs"]
            try:
                done = subprocess.run(
                    command, cwd=work, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise BrokerUnavailable(f"Maven did not finish in {FETCH_TIMEOUT_S:g} s") from error
            if done.returncode != 0 or not _jars(Path(work) / "libs"):
                raise BrokerUnavailable(
                    f"Maven could not fetch Apache Kafka: {_tail(done.stdout + done.stderr)}"
                )
            if directory.exists():
                shutil.rmtree(directory)
            (Path(work) / "libs").rename(directory)
    return directory


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


class KafkaBroker:
    """One broker of its own. Starts in a `with` block or by `start()`, and answers when that returns.

    `settings` adds to, or replaces, lines of server.properties; `listeners` names further ones with their
    security protocol (`{"CLIENT": "SASL_SSL"}`), whose settings are the caller's to give. Records live in
    `directory`; without one, in a temporary folder that `stop()` removes. `kill()` is `kill -9`;
    `restart()` starts it again on the same address with the same records."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._extra = dict(settings or {})
        self._listeners = dict(listeners or {})
        self._work: Path | None = None
        self._port, self._controller_port, *more = _free_ports(2 + len(self._listeners))
        self._listener_ports = dict(zip(self._listeners, more, strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        self._classpath = ""

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    def address(self, listener: str) -> str:
        """Bootstrap address of one of the further listeners."""
        return f"127.0.0.1:{self._listener_ports[listener]}"

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        if self._process is None:
            raise BrokerUnavailable("the broker is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Formats the storage and starts the broker; returns when it answers, or raises
        `BrokerUnavailable`."""
        if reason := missing():
            raise BrokerUnavailable(reason)
        self._classpath = f"{fetch_libraries()}{os.sep}*"
        if self._directory is None:
            self._work = Path(tempfile.mkdtemp(prefix="duecourse-kafka-"))
        else:
            self._work = self._directory
            self._work.mkdir(parents=True, exist_ok=True)
        atexit.register(self.stop)
        try:
            if not (self._work / "data" / "meta.properties").is_file():
                self._format()
            else:
                self._write_properties()
            self.restart()
        except BaseException:
            self.stop()
            raise

    def _write_properties(self) -> None:
        assert self._work is not None
        controller = f"127.0.0.1:{self._controller_port}"
        further = [(name, protocol, self.address(name)) for name, protocol in self._listeners.items()]
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": ",".join(
                [f"PLAINTEXT://{self.bootstrap}", f"CONTROLLER://{controller}"]
                + [f"{name}://{address}" for name, _, address in further]
            ),
            "advertised.listeners": ",".join(
                [f"PLAINTEXT://{self.bootstrap}"] + [f"{name}://{address}" for name, _, address in further]
            ),
            "listener.security.protocol.map": ",".join(
                ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"]
                + [f"{name}:{protocol}" for name, protocol, _ in further]
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._work / "data"),
            "auto.create.topics.enable": "false",
            "delete.topic.enable": "true",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.cleaner.dedupe.buffer.size": "4194304",
            "log.index.size.max.bytes": "1048576",
            # A broker that was killed may come back after one second, not after nine.
            "broker.session.timeout.ms": "1000",
            "broker.heartbeat.interval.ms": "200",
        } | self._extra
        text = "".join(f"{name}={value}\n" for name, value in properties.items())
        (self._work / "server.properties").write_text(text, encoding="utf-8")
        (self._work / "log4j2.properties").write_text(LOG4J, encoding="utf-8")

    def _java(self, *arguments: str) -> list[str]:
        assert self._work is not None
        java = shutil.which("java")
        if java is None:
            raise BrokerUnavailable(missing() or "no `java` on the PATH")
        options = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        options.append(f"-Dlog4j2.configurationFile={self._work / 'log4j2.properties'}")
        return [java, *options, "-cp", self._classpath, *arguments]

    def _format(self) -> None:
        assert self._work is not None
        self._write_properties()
        # The first character must not be "-", which the tool would take for an option.
        cluster_id = base64.urlsafe_b64encode(b"\x00" + secrets.token_bytes(15)).decode().rstrip("=")
        command = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c")
        command += [str(self._work / "server.properties"), "--ignore-formatted"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BrokerUnavailable(f"formatting the storage took more than {START_TIMEOUT_S:g} s") from error
        if done.returncode != 0:
            raise BrokerUnavailable(f"formatting the storage failed: {_tail(done.stdout + done.stderr)}")

    def restart(self) -> None:
        """Starts the broker again on the same address, with the records it has; returns when it answers."""
        self._end(signal.SIGTERM)
        if self._work is None:
            raise BrokerUnavailable("the broker was stopped for good: its records are gone")
        with (self._work / "server.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._work / "server.properties")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C at the terminal is for the program that uses the broker; it decides when to stop
                # it.
                start_new_session=True,
            )
        self._await_answer()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise BrokerUnavailable(f"the broker ended while starting: {self.output()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                if self._answers():
                    return
            time.sleep(0.1)
        raise BrokerUnavailable(f"the broker did not answer in {START_TIMEOUT_S:g} s: {self.output()}")

    def _answers(self) -> bool:
        """True once the broker is registered and every partition that it has is led."""
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        client = None
        try:
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=3000, request_timeout_ms=3000
            )
            if not client.describe_cluster()["brokers"]:
                return False
            topics = client.describe_topics()
            return all(p["leader_id"] >= 0 for topic in topics for p in topic["partitions"])
        except KafkaError:
            return False
        finally:
            if client is not None:
                client.close()

    def output(self) -> str:
        """The last lines that the broker wrote."""
        if self._work is None or not (self._work / "server.log").is_file():
            return ""
        return _tail((self._work / "server.log").read_text(encoding="utf-8", errors="replace"))

    def kill(self) -> None:
        """`kill -9`; returns when the process is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stops the broker, and removes its temporary folder if it made one."""
        self._end(signal.SIGTERM)
        atexit.unregister(self.stop)
        if self._directory is None and self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)
        self._work = None

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)


def main(arguments: list[str] | None = None) -> int:
    """`python -m ledger.testing.broker`: prints the bootstrap address, runs until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m ledger.testing.broker", description=main.__doc__)
    parser.add_argument("--directory", type=Path, help="keep the records here (default: a temporary folder)")
    chosen = parser.parse_args(arguments)
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)
    try:
        with KafkaBroker(chosen.directory) as broker:
            sys.stdout.write(f"{broker.bootstrap}\n")
            sys.stdout.flush()
            told.wait()
    except BrokerUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
