"""Reading a topic once, from the beginning to the ends seen at start: what commands do that look something up."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from streams.admin import BrokerError
from streams.clock import boottime_s
from streams.settings import Settings
from streams.watermarks import watermarks

BATCH: Final = 10_000
READ_S: Final = 8.0
SILENCE_S: Final = 30.0
"""A broker that sends nothing for so long is taken for gone."""


def scan(settings: Settings, topic: str, partitions: Iterable[int]) -> Iterator[Message]:
    """Every record of some partitions, in order within each. Raises BrokerError where the topic cannot be read."""
    consumer = _consumer(settings)
    try:
        ends: dict[int, int] = {}
        for partition in partitions:
            low, high = watermarks(consumer, topic, partition, READ_S)
            if high > low:
                ends[partition] = high
                consumer.incremental_assign([TopicPartition(topic, partition, low)])
        heard_s = boottime_s()
        while ends:
            for message in consumer.consume(BATCH, timeout=0.05):
                heard_s = boottime_s()
                partition, offset = message.partition() or 0, message.offset() or 0
                if message.error() is None and offset < ends.get(partition, 0):
                    yield message
                    offset += 1
                if offset >= ends.get(partition, 1 << 62):
                    del ends[partition]
                    consumer.incremental_unassign([TopicPartition(topic, partition)])
            if boottime_s() - heard_s > SILENCE_S:
                raise BrokerError(f"{topic} cannot be read: {settings.bootstrap} fell silent")
    except KafkaException as error:
        raise BrokerError(f"{topic} cannot be read: {error.args[0].str()}") from None
    finally:
        consumer.close()


def _consumer(settings: Settings) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": f"attune.scan.{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": 131_072,
            "log_level": 0,
            **settings.kafka,
        }
    )
