"""The fixture itself: what tests of durability rest on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import ConfigResource, ResourceType

from tests.integration.broker import Broker, BrokerError
from tests.integration.slate import Slate
from tests.integration.waiting import eventually

NewTopic = Callable[..., str]


def send(bootstrap: str, topic: str, rows: list[tuple[str, bytes]]) -> None:
    """Send and wait for every acknowledgement."""
    failed: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.max.bytes": 4_000_000})
    for key, value in rows:
        producer.produce(topic, value, key, on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(30) == 0
    assert failed == []


def read(bootstrap: str, topic: str, timeout_s: float = 20.0) -> list[tuple[str, bytes]]:
    """Everything on partition 0, up to its end."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "read", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    rows: list[tuple[str, bytes]] = []
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])

        def at_end() -> bool:
            message = consumer.poll(0.5)
            if message is None or message.error() is not None:
                return message is not None
            key, value = message.key(), message.value()
            assert isinstance(key, bytes)
            assert value is not None
            rows.append((key.decode(), value))
            return False

        eventually(at_end, timeout_s, 0, f"the end of {topic}")
    finally:
        consumer.close()
    return rows


def test_what_is_produced_is_consumed(bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    rows = [(f"u{n}", json.dumps({"n": n}).encode()) for n in range(100)]
    send(bootstrap, topic, rows)
    assert read(bootstrap, topic) == rows


def test_takes_two_mebibytes_so_that_they_can_become_a_dead_letter(bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, [("u", b"x" * 2 * 1024 * 1024)])
    assert [len(value) for _, value in read(bootstrap, topic)] == [2 * 1024 * 1024]


def test_a_paused_broker_answers_nothing_and_loses_nothing(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    send(broker.bootstrap, topic, [("u", b"before")])
    broker.pause()
    delivered: list[object] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "all"})
    producer.produce(topic, b"during", "u", on_delivery=lambda error, _: delivered.append(error))
    assert producer.flush(0.5) == 1
    assert not broker.running
    broker.resume()
    assert producer.flush(20) == 0
    assert delivered == [None]
    assert read(broker.bootstrap, topic) == [("u", b"before"), ("u", b"during")]


def test_acknowledged_records_survive_kill_and_restart(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    rows = [(f"u{n}", b"x") for n in range(1000)]
    send(broker.bootstrap, topic, rows)
    address, first = broker.bootstrap, broker.pid
    broker.kill()
    assert not broker.running
    broker.restart()
    assert broker.bootstrap == address
    assert broker.pid != first
    assert read(broker.bootstrap, topic) == rows


def test_compaction_happens_while_a_test_waits(bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1, cleanup_policy="compact", segment_ms="100", min_cleanable_dirty_ratio="0.01")
    for n in range(3):
        send(bootstrap, topic, [("u", f"{n}".encode())])

    def compacted() -> bool:
        send(bootstrap, topic, [("roll", b"the active segment is never compacted")])
        return sum(key == "u" for key, _ in read(bootstrap, topic)) == 1

    assert eventually(compacted, 30, 0.3)
    assert dict(read(bootstrap, topic))["u"] == b"2"


def test_the_slate_removes_what_it_made_and_nothing_else(bootstrap: str, new_topic: NewTopic) -> None:
    older = new_topic(1)
    slate = Slate(bootstrap)
    younger = slate.create("views", 2, retention_ms="60000")
    resource = ConfigResource(ResourceType.TOPIC, younger)
    assert slate.admin.describe_configs([resource])[resource].result()["retention.ms"].value == "60000"
    slate.wipe()
    topics = slate.admin.list_topics(timeout=10).topics
    assert older in topics
    assert younger not in topics
    assert slate.create("views", 3) == "views"
    slate.wipe()


def test_a_broker_that_cannot_start_says_why(bootstrap: str) -> None:
    broken = Broker({"process.roles": "no-such-role"})
    with pytest.raises(BrokerError, match="no-such-role"):
        broken.start()
    broken.close()
    assert not broken.directory.exists()


def test_data_dir_holds_replay_files(data_dir: Path) -> None:
    assert any(data_dir.glob("*.jsonl.gz"))
