"""A new job on a real Kafka: it reaches the two people it fits, and one is told "not now: quiet hours"."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from processors.experiment import HOLDOUT_SALT, unit_of
from streams.producing import make_producer
from tests.integration.house import House
from tests.integration.waiting import eventually

HOUR_MS = 3_600_000


@pytest.fixture
def house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    made = House(clean_kafka, tmp_path / "worker.log", "--role", "behaviour", clock="wall", state_dir=str(tmp_path))
    yield made
    made.close()


def zone_where_it_is(hour: int) -> str:
    """A zone in which the hour of the day is this now; Etc/GMT-3 is three hours ahead of UTC."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def publish(house: House, topic: str, key: str, value: dict[str, Any]) -> None:
    producer = make_producer(house.settings)
    producer.produce(topic, key=key.encode(), value=json.dumps(value).encode())
    assert producer.flush(20) == 0


def read(house: House, topic: str) -> list[dict[str, Any]]:
    consumer = Consumer({"bootstrap.servers": house.settings.bootstrap, "group.id": "reader", "log_level": 0})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(4)])
    try:
        return [json.loads(m.value() or b"null") for m in consumer.consume(1_000, 3.0) if m.error() is None]
    finally:
        consumer.close()


def test_a_new_job_reaches_whom_it_fits(house: House) -> None:
    ids = iter(user for n in range(1_000) if unit_of(HOLDOUT_SALT, user := f"u{n}") >= 0.05)
    fits, fits_too, asleep, other = (next(ids) for _ in range(4))
    now_ms = int(time.time() * 1000)
    for user, hour, query in (
        (fits, 12, "pastry cook"),
        (fits_too, 15, "cook"),
        (asleep, 3, "pastry cook"),
        (other, 12, "welder"),
    ):
        publish(house, "users", user, {
            "user_id": user, "ts_ms": now_ms, "tz": zone_where_it_is(hour), "email_opt_in": True,
            "frequency": "instant", "alerts": [{"alert_id": "a", "query": query}],
        })  # fmt: skip
    planned = {fits, fits_too, asleep, other}
    eventually(lambda: {row["user_id"] for row in read(house, "send-times") if row["send_at_ms"]} == planned, 60)
    posted_ms = int(time.time() * 1000) - 1_000
    publish(house, "items", "j1", {
        "item_id": "j1", "title": "Pastry Cook, Bistro", "posted_ms": posted_ms,
        "expires_ms": posted_ms + 900 * HOUR_MS,
    })  # fmt: skip
    eventually(lambda: {row["user_id"] for row in read(house, "digests")} == {fits, fits_too}, 60)
    for digest in read(house, "digests"):
        assert (digest["campaign"], digest["items"][0]["item_id"]) == ("alert", "j1")
        assert digest["due_ms"] - posted_ms < 60_000
    not_now = [row for row in read(house, "send-times") if row.get("suppressed")]
    assert [(row["user_id"], row["suppressed"]) for row in not_now] == [(asleep, "quiet_hours")]
    assert not_now[0]["reason"].startswith("not now: quiet hours")
