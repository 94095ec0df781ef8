"""A mailer as a user runs it, on a real Kafka, before a real mail server; killed and started anew as tests like."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from schemas.catalogue import Item, User
from schemas.decisions import Digest
from streams.admin import create_topics
from streams.producing import make_producer
from streams.settings import Settings, read_settings
from tests.cli.command import ROOT, attune, environment
from tests.integration.waiting import eventually
from tests.serving.mailer.mail_server import MailHost
from tests.serving.mailer.samples import JOBS, digest, person


class PostOffice:
    """Topics, a mail server and a mailer process; `close` leaves nothing."""

    def __init__(self, bootstrap: str, directory: Path, host: MailHost, **more: str) -> None:
        self.host, self.log, self.state_dir = host, directory / "mailer.log", directory / "state"
        self.names = {
            "bootstrap": bootstrap,
            "partitions": "4",
            "clock": "log",
            "state_dir": str(self.state_dir),
            "smtp": host.url,
            "mails_per_s": "500",
            "mail_from": "Riverside Jobs <jobs@example.org>",
            **more,
        }
        self.settings: Settings = read_settings(environment(**self.names))
        create_topics(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> "PostOffice":
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "mailer", *options],
                env=environment(**self.names),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=out,
                start_new_session=True,
            )
        return self

    def url(self) -> str:
        """Where its pages are, once they are."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line.startswith("pages on "), self.log.read_text()
        return line.split()[2].rstrip("/")

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self._let_go()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(30)
        self._let_go()
        return code

    def _let_go(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def publish(self, *records: Item | User | Digest) -> None:
        producer = make_producer(self.settings)
        for record in records:
            topic, key = _place(record)
            producer.produce(topic, key=key.encode(), value=msgspec.json.encode(record))
        assert producer.flush(20) == 0

    def people_and_digests(self, people: int, each: int = 1, start: int = 0) -> list[str]:
        """Publish so many people with so many digests each; returns the digests' ids."""
        made = [
            digest(["j1", "j2"], f"u{n}", f"d{start + m}-{n}", subject=f"For {n}")
            for m in range(each)
            for n in range(people)
        ]
        self.publish(*JOBS, *(person(f"u{n}") for n in range(people)), *made)
        return [each.digest_id for each in made]

    def counts(self) -> dict[str, int]:
        done = attune("mailer", "status", "--json", **self.names)
        assert done.code == 0, done.err
        return dict(done.json)

    def ambiguous(self) -> set[str]:
        done = attune("mailer", "ambiguous", "--json", **self.names)
        assert done.code == 0, done.err
        return {entry["digest_id"] for entry in done.json}

    def read(self, topic: str, at_least: int) -> list[dict[str, Any]]:
        """What a topic holds, once it holds that much."""
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap, "group.id": "test-reader", "log_level": 0})
        consumer.assign([TopicPartition(topic, p, 0) for p in range(4)])
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found.extend(
                msgspec.json.decode(m.value() or b"{}") for m in consumer.consume(1_000, 0.2) if m.error() is None
            )
            return len(found) >= at_least

        try:
            eventually(enough, 30, what=f"{at_least} records on {topic}")
        finally:
            consumer.close()
        return found

    def close(self) -> None:
        self.kill()
        self.host.stop()


def _place(record: Item | User | Digest) -> tuple[str, str]:
    match record:
        case Item():
            return "items", record.item_id
        case User():
            return "users", record.user_id
        case Digest():
            return "digests", record.user_id


def verdict(office: PostOffice, expected: set[str]) -> str | None:
    """None when every digest was taken exactly once, or is listed as ambiguous and was taken at most once."""
    taken, unclear = office.host.ids, office.ambiguous()
    doubled = {name for name, count in taken.items() if count > 1}
    lost = expected - set(taken) - unclear
    if doubled or lost or not set(taken) <= expected:
        return f"doubled {sorted(doubled)}, lost {sorted(lost)}, strange {sorted(set(taken) - expected)}"
    return None
