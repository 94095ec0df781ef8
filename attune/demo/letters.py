"""The demo's mails: two jobs are posted, who fits hears of them at once, and who sleeps is told "not now"."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from attune.demo.crowd import Crowd
from attune.demo.stage import Stage
from processors.experiment import HOLDOUT_SALT, unit_of
from streams.clock import wall_ms
from streams.embedded import PARTITIONS
from streams.settings import Settings

NOON, AFTERNOON, NIGHT = 12, 16, 3
WAIT_S: Final = 60.0
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


class Told(Struct, frozen=True):
    """What became of one person: a mail, its subject, why and where it lies; or why not now."""

    person: str
    clock: str
    """The hour of the day where they are."""
    job: str
    mail: str | None
    why: str
    after_s: float
    """From the posting of the job to the decision."""


class Letters:
    """Plays the scene; `tell` returns what everybody was told, mails first."""

    def __init__(self, stage: Stage, settings: Settings, crowd: Crowd) -> None:
        self._stage, self._crowd = stage, crowd
        self._outbox = stage.directory / "mails"
        self._consumer = Consumer(
            {"bootstrap.servers": settings.bootstrap, "group.id": "attune.demo.letters", "log_level": 0}
        )
        topics = ("digests", "send-times")
        self._consumer.assign([TopicPartition(topic, n, 0) for topic in topics for n in range(PARTITIONS)])
        self._decisions: list[tuple[str, dict[str, Any]]] = []

    def tell(self) -> tuple[Told, ...]:
        """Raises CommandError where it takes too long."""
        holdout = 0.05
        names = [f"{name}-{n}" for n in range(20) for name in ("ada", "ben", "cleo", "dora")]
        ada, ben, cleo, dora = (
            next(name for name in names if name.startswith(who) and unit_of(HOLDOUT_SALT, name) >= holdout)
            for who in ("ada", "ben", "cleo", "dora")
        )
        self._stage.start_mailer(self._outbox)
        people = {
            ada: (NOON, "pastry chef"),
            ben: (AFTERNOON, "chef"),
            cleo: (NIGHT, "pastry chef"),
            dora: (NOON, "night nurse"),
        }
        self._crowd.send([_person(name, hour, query) for name, (hour, query) in people.items()])
        self._stage.wait(lambda: self._planned() >= set(people), "a plan for everybody who asked for mail", WAIT_S)
        posted_ms = wall_ms()
        jobs = {"demo-1": "Pastry Chef, Bakery of the Old Mill", "demo-2": "Night Nurse, Children's Clinic"}
        self._crowd.send([_job(item_id, title, posted_ms) for item_id, title in jobs.items()])
        self._stage.wait(lambda: self._answered(jobs) >= set(people), "a decision for everybody the jobs fit", WAIT_S)
        mailed = [v["digest_id"] for topic, v in self._decisions if topic == "digests" and v["user_id"] in people]
        self._stage.wait(lambda: all(self._file(i).exists() for i in mailed), "the mails in the outbox", WAIT_S)
        self._consumer.close()
        return tuple(self._told(people, jobs, posted_ms))

    def _told(self, people: dict[str, tuple[int, str]], jobs: dict[str, str], posted_ms: int) -> list[Told]:
        told = []
        for topic, value in self._decisions:
            if value["user_id"] not in people or (topic == "send-times" and not value.get("suppressed")):
                continue
            hour, query = people[value["user_id"]]
            job = jobs["demo-2" if "nurse" in query else "demo-1"]
            is_mail = topic == "digests"
            why = value["items"][0]["reasons"][0] if is_mail else value["reason"]
            at_ms = value["due_ms"] if is_mail else value["ts_ms"]
            file = str(self._file(value["digest_id"])) if is_mail else None
            clock = f"{hour:02d}:{datetime.fromtimestamp(at_ms / 1000, UTC):%M}"
            told.append(Told(value["user_id"], clock, job, file, why, round((at_ms - posted_ms) / 1000, 2)))
        return sorted(told, key=lambda one: (one.mail is None, one.person))

    def _read(self) -> None:
        for message in self._consumer.consume(500, timeout=0.1):
            value = message.value()
            if message.error() is None and value is not None:
                self._decisions.append((message.topic() or "", msgspec.json.decode(value)))

    def _planned(self) -> set[str]:
        self._read()
        return {v["user_id"] for topic, v in self._decisions if topic == "send-times" and v["send_at_ms"]}

    def _answered(self, jobs: dict[str, str]) -> set[str]:
        self._read()
        return {v["user_id"] for topic, v in self._decisions if topic == "digests" or v.get("suppressed")}

    def _file(self, digest_id: str) -> Path:
        return self._outbox / f"{digest_id}.eml"


def _person(name: str, hour: int, query: str) -> dict[str, Any]:
    """Somebody who wants to hear at once, and for whom it is this hour now."""
    ahead = (hour - datetime.fromtimestamp(wall_ms() / 1000, UTC).hour + 11) % 24 - 11
    value = {
        "user_id": name,
        "ts_ms": wall_ms(),
        "tz": f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT",
        "email_opt_in": True,
        "frequency": "instant",
        "alerts": [{"alert_id": "saved-1", "query": query}],
        "attributes": {"email": f"{name}@example.org"},
    }
    return {"topic": "users", "key": name, "value": value}


def _job(item_id: str, title: str, now_ms: int) -> dict[str, Any]:
    value = {
        "item_id": item_id,
        "kind": "job",
        "title": title,
        "brand": "Foxglove Alliance",
        "location": {"city": "Evanston", "region": "IL", "country": "US"},
        "salary": {"min": 42_000, "max": 51_000, "currency": "USD", "period": "year"},
        "posted_ms": now_ms,
        "expires_ms": now_ms + 30 * DAY_MS,
        "url": f"https://jobs.example/{item_id}",
    }
    return {"topic": "items", "key": item_id, "value": value}
