"""A Kafka that wants credentials: every role works with its own principal and the rights of `deploy/kafka/acls.sh`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.acls import ROLES, acls
from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.settings import read_settings
from tests.cli.command import ROOT, attune, environment
from tests.integration.broker import Broker, free_ports
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(240)]

OPERATIONS = {
    "Read": AclOperation.READ, "Write": AclOperation.WRITE, "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS, "Create": AclOperation.CREATE, "Alter": AclOperation.ALTER,
    "AlterConfigs": AclOperation.ALTER_CONFIGS,
}  # fmt: skip
RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
PARTITIONS = "4"


def password(role: str) -> str:
    return f"secret-of-{role}"


def credentials(role: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": f"attune-{role}",
        "sasl.password": password(role),
    }


class Secured:
    """A broker with an authorizer, and processes that log in to it. `plain` is the administrator's door."""

    def __init__(self, directory: Path) -> None:
        (port,) = free_ports(1)
        users = " ".join(f'user_attune-{role.name}="{password(role.name)}"' for role in ROLES)
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        doors = f"PLAINTEXT://127.0.0.1:$port,SECURED://127.0.0.1:{port}"
        self.broker = Broker(
            {
                "listeners": f"{doors},CONTROLLER://127.0.0.1:$controller_port",
                "advertised.listeners": doors,
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_PLAINTEXT",
                "listener.name.secured.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.secured.plain.sasl.jaas.config": f"{plain} required {users};",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            }
        ).start()
        self.plain = self.broker.bootstrap
        self.bootstrap = f"127.0.0.1:{port}"
        self.directory = directory
        self.store = EmbeddedRedis().start()
        self.running: list[subprocess.Popen[bytes]] = []

    def grant(self) -> None:
        bindings = [
            AclBinding(RESOURCES[acl.resource], acl.name,
                       ResourcePatternType.PREFIXED if acl.is_prefix else ResourcePatternType.LITERAL,
                       acl.principal, "*", OPERATIONS[acl.operation], AclPermissionType.ALLOW)
            for acl in acls()
        ]  # fmt: skip
        admin = AdminClient({"bootstrap.servers": self.plain})
        for future in admin.create_acls(bindings).values():
            future.result(20)
        every = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
        )
        eventually(lambda: len(admin.describe_acls(every).result(20)) == len(bindings), 30, 0.2, "rights in force")

    def settings(self, role: str) -> dict[str, str]:
        config = self.directory / f"{role}.toml"
        lines = "".join(f'"{name}" = "{value}"\n' for name, value in credentials(role).items())
        config.write_text(f"[kafka]\n{lines}")
        state_dir = self.directory / role
        return {
            "bootstrap": self.bootstrap, "config": str(config), "partitions": PARTITIONS, "redis": self.store.url,
            "clock": "log", "session_s": "6", "state_dir": str(state_dir),
        }  # fmt: skip

    def start(self, role: str, *command: str) -> Path:
        log = self.directory / f"{role}.log"
        with log.open("wb") as out:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "attune.cli.main", *command],
                    env=environment(**self.settings(role)), cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                )
            )  # fmt: skip
        return log

    def denied(self) -> list[str]:
        return [line for line in self.broker.log_path.read_text().splitlines() if " is Denied" in line]

    def close(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.store.close()
        self.broker.close()


@pytest.fixture
def secured(kafka_source: Any, tmp_path: Path) -> Iterator[Secured]:
    if kafka_source.broker is None:
        pytest.fail("this test starts a broker of its own: Java and Maven are needed")
    made = Secured(tmp_path)
    yield made
    made.close()


def rejected(bootstrap: str, role: str, topic: str) -> bool:
    """Whether a record of this role is refused."""
    errors: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0, "message.timeout.ms": 15_000,
                         **credentials(role)})  # fmt: skip
    producer.produce(topic, b"{}", b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    return errors[0] is not None and errors[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def row(n: int) -> Mapping[str, Any]:
    return {"topic": "items", "key": f"j{n}", "value": {"item_id": f"j{n}", "title": f"Nurse {n}"}}


def test_each_role_with_its_own_principal_and_nothing_more(secured: Secured) -> None:
    create_topics(read_settings({"ATTUNE_BOOTSTRAP": secured.plain, "ATTUNE_PARTITIONS": PARTITIONS}))
    secured.grant()
    logs = {role: secured.start(role, "worker", "--role", role) for role in ("behaviour", "learner", "sink")}
    logs["api"] = secured.start("api", "serve", "--port", "0")
    logs["lag"] = secured.start("lag", "lag", "serve", "--port", "0", "--interval", "1", "--probe", "1")
    logs["mailer"] = secured.start("mailer", "mailer", "--outbox", str(secured.directory / "mails"))
    user = {"topic": "users", "key": "u1", "value": {"user_id": "u1", "tz": "Europe/London", "email_opt_in": True}}
    views = [
        {"topic": "views", "key": "u1", "value": {"event_id": f"e{n}", "user_id": "u1", "item_id": f"j{n}",
                                                  "ts_ms": 1_700_000_000_000 + n * 5_000}}
        for n in range(5)
    ]  # fmt: skip
    file = secured.directory / "log.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [*map(row, range(40)), user, *views]))
    fed = attune("produce", str(file), "--json", **secured.settings("producer"))
    assert fed.code == 0, fed.err

    def shown() -> bool:
        asked = attune("recommend", "u1", "--json", **secured.settings("sink"))
        assert asked.code == 0, f"{asked.err}{secured.denied()}"
        return True

    eventually(shown, 90, 0.5, "a list in Redis")

    def calm() -> bool:
        rows = attune("lag", "--json", **secured.settings("lag")).json
        return {row["group"] for row in rows} >= {"attune.behaviour", "attune.learner"} and not any(
            row["lag"] for row in rows
        )

    eventually(calm, 60, 0.5, "lag 0")
    for role in ("api", "mailer"):
        eventually(lambda role=role: "http://" in logs[role].read_text(), 30, 0.2, f"{role} that listens")  # type: ignore[misc]
    assert secured.denied() == []

    assert rejected(secured.bootstrap, "behaviour", "model")
    assert rejected(secured.bootstrap, "api", "recommendations")
    assert rejected(secured.bootstrap, "producer", "attune.behaviour-profiles-changelog")
    assert secured.denied()  # and the broker's log would have told
    assert attune("topics", "check", **secured.settings("operator")).code == 0
    for log in logs.values():
        assert "secret-of" not in log.read_text()


def test_a_wrong_password_is_said_in_one_line(secured: Secured) -> None:
    settings = secured.settings("learner")
    config = Path(settings["config"])
    config.write_text(config.read_text().replace(password("learner"), "wrong"))
    done = attune("worker", "--role", "learner", **settings)
    assert done.code == 1
    assert done.seconds < 20
    assert "Traceback" not in done.err
    assert "wrong" not in done.err
