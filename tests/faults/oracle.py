"""What must be true after any fault: an independent fold over the log, sharing no code with `processors/`."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

BEHAVIOUR = ("views", "saves", "applies", "dismissals", "preferences", "searches", "opens", "impressions")
LIST_CHANGING = frozenset({"views", "saves", "applies", "dismissals", "preferences", "searches"})
LAST = 50


@dataclass
class Person:
    """What a profile must say."""

    totals: Counter[str] = field(default_factory=Counter)
    actions: list[tuple[int, str, int, str]] = field(default_factory=list)
    """(ts_ms, topic, offset, item_id)"""
    applied: dict[str, int] = field(default_factory=dict)
    dwell_ms: int = 0

    def last_actions(self) -> list[tuple[int, str, int, str]]:
        return sorted(self.actions)[-LAST:]


@dataclass
class Expected:
    people: dict[str, Person]
    rec_ids: set[str]
    """One for each valid event of a list-changing topic that is no duplicate."""
    records: int


def read(bootstrap: str, topic: str) -> Iterator[Message]:
    """Every record of a topic that is there at the start, in order within each partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "oracle",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )
    unread: set[int] = set()
    for partition in consumer.list_topics(topic, timeout=20).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
        if high > low:
            unread.add(partition)
            consumer.incremental_assign([TopicPartition(topic, partition, low)])
    while unread:
        for message in consumer.consume(5_000, timeout=0.05):
            if (error := message.error()) is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition() or 0)
            else:
                raise RuntimeError(str(error))
    consumer.close()


def expected(bootstrap: str) -> Expected:
    """Fold the input topics. Repeated event ids (within 64 events of a person) count once."""
    people: dict[str, Person] = defaultdict(Person)
    seen: set[tuple[str, str, str]] = set()
    rec_ids: set[str] = set()
    records = 0
    for topic in BEHAVIOUR:
        for message in read(bootstrap, topic):
            value = json.loads(message.value() or b"")
            records += 1
            user, offset = value["user_id"], message.offset() or 0
            person = people[user]
            person.applied[topic] = max(person.applied.get(topic, -1), offset)
            identity = (topic, user, value["event_id"])
            if identity in seen:
                continue
            seen.add(identity)
            person.totals[topic] += 1
            if "item_id" in value and topic in ("views", "saves", "applies"):
                person.actions.append((value["ts_ms"], topic, offset, value["item_id"]))
                person.dwell_ms += value.get("dwell_ms", 0)
            if topic in LIST_CHANGING:
                rec_ids.add(f"{topic}-{message.partition()}-{offset}")
    return Expected(dict(people), rec_ids, records)
