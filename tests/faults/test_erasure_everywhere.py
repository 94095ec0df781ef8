"""A person who asked to be forgotten is nowhere: every topic, Redis, and every file, looked through byte by byte."""

import itertools
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from schemas.decisions import Digest, RecommendedItem
from schemas.partitioning import PARTITIONER
from streams.topics import PROFILES_CHANGELOG, TOPICS
from tests.cli.command import ROOT, attune, environment
from tests.integration.slate import Slate
from tests.integration.waiting import eventually
from tests.integration.watched import worker_address
from tests.serving.api.site import Site
from tests.serving.console.console_process import ConsoleProcess

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

PERSON = "ada-of-the-erasure-test"
COMPLETE_MS = 15_000
"""In production longer than any retention; here retention is a second and this leaves time for all of it."""
HASTY = {
    "segment.ms": "500",
    "retention.ms": "1000",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0",
    "min.cleanable.dirty.ratio": "0.01",
}


@pytest.fixture
def hasty_site(slate: Slate, tmp_path: Path) -> Iterator[Site]:
    slate.wipe()
    site = Site(slate.bootstrap, tmp_path, erasure_complete_ms=COMPLETE_MS)
    try:
        site.stock(12)
        yield site
    finally:
        site.close()
        slate.wipe()


def forget_at_once(bootstrap: str) -> None:
    """Retention and compaction within seconds, on every topic."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in HASTY.items()]
    names = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries) for name in names]
    for done in admin.incremental_alter_configs(wanted).values():
        done.result(20)


def life_of(user_id: str) -> list[tuple[str, dict[str, Any]]]:
    """One event on every topic that a person has."""

    def event(**more: Any) -> dict[str, Any]:
        return {
            "event_id": f"{user_id}/{uuid.uuid4().hex}",
            "user_id": user_id,
            "ts_ms": time.time_ns() // 10**6,
            **more,
        }

    send = {"send_id": f"digest-of-{user_id}"}
    return [
        (
            "users",
            {
                "user_id": user_id,
                "ts_ms": time.time_ns() // 10**6,
                "tz": "Europe/Rome",
                "email_opt_in": True,
                "attributes": {"name": user_id, "email": f"{user_id}@example.org"},
            },
        ),
        ("views", event(item_id="job-1", query=user_id)),
        ("saves", event(item_id="job-4")),
        ("applies", event(item_id="job-8")),
        ("dismissals", event(item_id="job-2")),
        ("searches", event(query=f"jobs for {user_id}")),
        ("impressions", event(rec_id="r", item_ids=["job-1"])),
        ("sends", event(**send)),
        ("opens", event(**send)),
        ("clicks", event(**send)),
        ("preferences", event(titles=[user_id])),
        ("unsubscribes", event()),
    ]


def places(site: Site, directory: Path) -> set[str]:
    """Where the person is to be found."""
    return in_kafka(site.names["bootstrap"]) | in_redis(site.redis.url) | in_files(directory)


def in_kafka(bootstrap: str) -> set[str]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid.uuid4().hex,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    sought, found = PERSON.encode(), set()
    partitions = {
        (name, partition)
        for name, topic in consumer.list_topics(timeout=10).topics.items()
        if not name.startswith("__")
        for partition in topic.partitions
    }
    consumer.assign([TopicPartition(*place, 0) for place in partitions])
    while partitions:
        message = consumer.poll(10)
        assert message is not None, f"nothing more from {partitions}"
        if message.error() is not None:
            partitions.discard((message.topic(), message.partition()))
            continue
        parts = [message.key(), message.value(), *itertools.chain(*(message.headers() or []))]
        if any(sought in (part.encode() if isinstance(part, str) else part) for part in parts if part is not None):
            found.add(f"kafka {message.topic()}")
    consumer.close()
    return found


def in_redis(url: str) -> set[str]:
    client = redis.Redis.from_url(url)
    sought, found = PERSON.encode(), set()
    read: dict[str, Any] = {
        "hash": client.hgetall,
        "string": client.get,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1),
        "list": lambda key: client.lrange(key, 0, -1),
    }
    for key in client.scan_iter(count=1_000):
        held = read[client.type(key).decode()](key)
        if sought in key or sought.decode() in repr(held):
            found.add(f"redis {key!r}")
    client.close()
    return found


def in_files(directory: Path) -> set[str]:
    return {f"file {path}" for path in directory.rglob("*") if path.is_file() and PERSON.encode() in path.read_bytes()}


@pytest.fixture
def mailer(hasty_site: Site, tmp_path: Path) -> Iterator[None]:
    """`attune mailer`, which keeps a journal of mails and puts them into a directory."""
    names = {**hasty_site.names, "state_dir": str(tmp_path / "mailer")}
    with (tmp_path / "mailer.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "attune.cli.main", "mailer", "--outbox", str(tmp_path / "outbox")],
            env=environment(**names), cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
    yield
    process.terminate()
    assert process.wait(30) == 0


@pytest.fixture
def console(hasty_site: Site, tmp_path: Path) -> Iterator[httpx.Client]:
    """`attune console`, which keeps an audit log; as an operator's program sees it."""
    settings = {**hasty_site.names, "state_dir": str(tmp_path / "console"), "console_operator": "act"}
    process = ConsoleProcess(tmp_path / "console.log", "--worker", worker_address(hasty_site.house), **settings)
    with httpx.Client(base_url=process.url, headers={"Authorization": "Bearer act"}, timeout=20) as client:
        yield client
    process.close()


def challenger_and_experiments_look(site: Site, directory: Path) -> None:
    """What reads the log to learn or to judge, and keeps something: neither may keep the person."""
    started = attune("experiment", "start", "fresher", "--json", **site.names)
    assert started.code == 0, started.err
    shown = attune("experiment", "status", "fresher", "--json", **site.names)
    assert shown.code in {0, 1}, shown.err
    (directory / "status.json").write_text(shown.out)
    for command in ("fit", "status"):
        told = attune("challenger", command, "--json", **site.names)
        (directory / f"challenger-{command}.json").write_text(told.out + told.err)


def digest_of(person: str) -> bytes:
    """A mail that is due now, as a worker decides it."""
    places = (RecommendedItem("job-4", 1, 1.0, "text", (f"because {person} saved it",)),)
    due = Digest(f"mail-to-{person}", person, "digest", time.time_ns() // 10**6, f"Jobs for {person}", places)
    return msgspec.json.encode(due)


def test_after_complete_the_person_is_nowhere(
    hasty_site: Site, mailer: None, console: httpx.Client, tmp_path: Path
) -> None:
    site = hasty_site
    *most, unsubscribed = life_of(PERSON)
    assert site.tell(*most).json() == {"accepted": 11}
    producer = Producer({"bootstrap.servers": site.names["bootstrap"], "partitioner": PARTITIONER, "log_level": 0})
    producer.produce("views", key=PERSON, value=b'{"user_id":"' + PERSON.encode() + b'"}')
    producer.flush(10)
    seen = f"redis {f'attune:recommendations:{PERSON}'.encode()!r}"
    eventually(lambda: seen in in_redis(site.redis.url), 30, 0.3, what="a list")
    producer.produce("digests", key=PERSON, value=digest_of(PERSON))
    producer.flush(10)
    mail = tmp_path / "outbox" / f"mail-to-{PERSON}.eml"
    eventually(mail.exists, 30, 0.3, what="a mail")
    assert site.tell(unsubscribed).json() == {"accepted": 1}
    inputs = {f"kafka {topic}" for topic, _ in life_of(PERSON)}
    expected = inputs | {f"kafka {topic}" for topic in (PROFILES_CHANGELOG, "recommendations", "dead-letters")}
    expected.add(seen)
    expected |= {"kafka digests", f"file {tmp_path / 'mailer' / 'mailer.sqlite-wal'}"}
    expected.add(f"file {mail}")

    def everywhere() -> bool:
        missing = expected - places(site, tmp_path)
        assert missing == set()
        return True

    eventually(everywhere, 60, 0.5)  # the control
    assert PERSON in console.get("/person", params={"user": PERSON}).text
    challenger_and_experiments_look(site, tmp_path)

    forget_at_once(site.names["bootstrap"])
    by_console = console.post("/person/erase", data={"user": PERSON, "again": PERSON})
    assert by_console.status_code in {200, 201}, by_console.text
    assert (tmp_path / "console" / "console-audit.jsonl").stat().st_size > 0
    asked = site.client.delete(f"/v1/users/{PERSON}").json()
    assert asked["stage"] == "requested"
    assert PERSON not in asked["href"]
    crowd = itertools.count()

    def life_goes_on() -> str:
        """Others do everything, and ask to be forgotten: logs roll and are compacted only where something follows."""
        for number in range(6):
            other = f"other-{next(crowd)}-{number}"
            assert site.tell(*life_of(other)).status_code == 202
            producer.produce("views", key=other, value=b"{}")
            assert site.client.delete(f"/v1/users/{other}").status_code == 202
        site.client.put("/v1/items/job-1", json={"title": "another"})
        producer.flush(10)
        answer = site.client.get(asked["href"])
        return str(answer.json().get("stage", ""))

    eventually(lambda: life_goes_on() == "accepted", 90, 0.3)
    eventually(lambda: site.client.get(f"/v1/users/{PERSON}").status_code == 404, 30, 0.3, what="a forgotten profile")
    assert site.list_of(PERSON)["origin"] == "popular"
    eventually(lambda: life_goes_on() == "complete", 120, 0.5)
    left: set[str] = set()

    def nowhere() -> bool:
        nonlocal left
        life_goes_on()
        left = places(site, tmp_path)
        return not left

    try:
        eventually(nowhere, 120, 1.0)
    except TimeoutError:
        assert left == set()
    assert set(TOPICS) <= set(
        AdminClient({"bootstrap.servers": site.names["bootstrap"]}).list_topics(timeout=10).topics
    )
