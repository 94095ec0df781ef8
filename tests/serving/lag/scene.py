"""What the tests on a real Kafka do to it: produce, commit, read."""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from serving.lag.row import LagRow


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def send(bootstrap: str, topic: str, count: int, partition: int = 0, ts_ms: Sequence[int] = ()) -> None:
    """Produce `count` records to one partition, with timestamps of their own where given."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for number in range(count):
        stamp = ts_ms[number] if ts_ms else 0
        producer.produce(topic, value=str(number).encode(), partition=partition, timestamp=stamp)
    assert producer.flush(20) == 0


def commit(bootstrap: str, group: str, topic: str, offsets: Mapping[int, int]) -> int:
    """Commit by hand for a group without members, as `kafka-consumer-groups --reset-offsets` does; when, in ms."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, p, offset) for p, offset in offsets.items()])
    for future in admin.alter_consumer_group_offsets([wanted]).values():
        future.result(20)
    return now_ms()


def delete_before(bootstrap: str, topic: str, partition: int, offset: int) -> None:
    """Move the log's start, as retention does."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_records([TopicPartition(topic, partition, offset)]).values():
        future.result(20)


def timestamps(bootstrap: str, topic: str, partition: int, count: int) -> dict[int, int]:
    """Timestamps of the first `count` readable records, by offset: the oracle for seconds of lag."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "oracle", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: dict[int, int] = {}
    while len(found) < count:
        for message in consumer.consume(count, 5):
            assert message.error() is None
            found[int(message.offset() or 0)] = message.timestamp()[1]
    consumer.close()
    return found


def only(rows: Sequence[LagRow], partition: int = 0) -> LagRow:
    """The one row of a partition."""
    (row,) = [row for row in rows if row.partition == partition]
    return row
