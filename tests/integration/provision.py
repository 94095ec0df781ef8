"""Where the tests' real Kafka comes from, in this order: a given address, Maven jars, a container.

Without any of the three the reason is one line; whether that is a skip or a failure is decided in tests/conftest.py.
"""

import importlib.util
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.integration.broker import Broker, coordinator_answers, free_ports
from tests.integration.jars import POM, NoJars, kafka_jars
from tests.integration.waiting import eventually


@dataclass(frozen=True)
class Source:
    """A running Kafka: its address, how to end it, and the process itself where it is ours to kill."""

    bootstrap: str
    close: Callable[[], None]
    broker: Broker | None = None


class NoKafka(RuntimeError):
    """No real Kafka can be had here; the message is one line that names what is missing."""


class UnusableKafka(RuntimeError):
    """A Kafka was asked for by name and does not answer: a mistake, never a reason to skip."""


def provide(is_measured: bool = False) -> Source:
    """Start (or find) the one Kafka of this test run, or of a benchmark: that one `is_measured`.

    Raises:
        NoKafka: none of the three ways is open.
        UnusableKafka: ATTUNE_TEST_BOOTSTRAP is set and nothing answers there.
    """
    given = os.environ.get("ATTUNE_TEST_BOOTSTRAP", "")
    if given:
        try:
            eventually(lambda: coordinator_answers(given), 15.0, 0.2, "an answer")
        except TimeoutError as error:
            raise UnusableKafka(f"ATTUNE_TEST_BOOTSTRAP={given}: no Kafka answers there") from error
        return Source(given, lambda: None)
    try:
        kafka_jars()
    except NoJars as missing:
        reasons = [str(missing)]
    else:
        broker = Broker(is_measured=is_measured).start()
        return Source(broker.bootstrap, broker.close, broker)
    return _container(reasons)


def kafka_version() -> str:
    """The version of Kafka that tests run, as the pom has it.

    >>> kafka_version().count(".")
    2
    """
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\d.]+)</version>", POM.read_text())
    if found is None:
        raise ValueError(f"{POM}: no version of Kafka")
    return found[1]


def _container(reasons: list[str]) -> Source:
    """The same broker in a container; needs the optional package `testcontainers` and a Docker engine."""
    if importlib.util.find_spec("testcontainers") is None:
        engine = "docker found, but not the package testcontainers" if shutil.which("docker") else "no docker"
        raise NoKafka(_line([*reasons, engine]))
    import docker
    from testcontainers.core.container import DockerContainer

    try:
        docker.from_env().ping()
    except docker.errors.DockerException:
        raise NoKafka(_line([*reasons, "no Docker engine answers"])) from None
    (port,) = free_ports(1)
    bootstrap = f"127.0.0.1:{port}"
    container = DockerContainer(f"apache/kafka:{kafka_version()}").with_bind_ports(port, port)
    for name, value in _container_properties(port).items():
        container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    container.start()
    eventually(lambda: coordinator_answers(bootstrap), 90.0, 0.5, "an answering container")
    return Source(bootstrap, container.stop)


def _container_properties(port: int) -> dict[str, str]:
    template = Path(POM.parent, "server.properties").read_text()
    lines = (line for line in template.splitlines() if "=" in line and not line.startswith("#"))
    properties = dict(line.split("=", 1) for line in lines)
    properties |= {
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": "/tmp/kafka-data",
    }
    return properties


def _line(reasons: list[str]) -> str:
    return f"no real Kafka: {'; '.join(reasons)} (set ATTUNE_TEST_BOOTSTRAP, or install Java and Maven, or run Docker)"
