"""Following topics in a thread, from their beginning or from their end: for processes that only look on.

Whoever follows gets raw records on that thread; a broker that is away is waited for.
"""

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.settings import Settings
from streams.watermarks import watermarks

BATCH: Final = 2_000
READ_S: Final = 8.0
AGAIN_S: Final = 0.5
WAIT_S: Final = 0.25

Take = Callable[[str, bytes, bytes | None, int], None]
"""Topic, key, value, and when the broker took the record (ms)."""


class Tail:
    """Follows `topics`; `ready` once everything that was there at the start has been handed over."""

    def __init__(self, settings: Settings, topics: Sequence[str], take: Take, *, from_end: bool = False) -> None:
        self.ready = False
        self._settings = settings
        self._topics = topics
        self._take = take
        self._from_end = from_end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tail-{topics[0]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "group.id": f"attune.tail.{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10,
                "queued.max.messages.kbytes": 8_192,
                "fetch.queue.backoff.ms": 10,  # with the default, a second, so short a queue would run dry
                "log_level": 0,
                **self._settings.kafka,
            }
        )
        ends: dict[tuple[str, int], int] | None = None
        while ends is None and not self._stopping.is_set():
            try:
                ends = self._assign(consumer)
            except KafkaException:
                self._stopping.wait(AGAIN_S)
        while not self._stopping.is_set():
            first = consumer.poll(WAIT_S)  # returns with the first record; `consume` would wait for a whole batch
            for message in [] if first is None else (first, *consumer.consume(BATCH - 1, timeout=0)):
                if message.error() is not None:
                    continue  # librdkafka goes on by itself
                self._take(message.topic() or "", message.key() or b"", message.value(), message.timestamp()[1])
            if ends:
                for tp in consumer.position([TopicPartition(*place) for place in ends]):
                    if tp.offset >= ends[tp.topic, tp.partition]:
                        del ends[tp.topic, tp.partition]
            self.ready = not ends
        consumer.close()

    def _assign(self, consumer: Consumer) -> dict[tuple[str, int], int]:
        ends: dict[tuple[str, int], int] = {}
        places: list[TopicPartition] = []
        for topic in self._topics:
            for partition in consumer.list_topics(topic, timeout=READ_S).topics[topic].partitions:
                low, high = watermarks(consumer, topic, partition, READ_S)
                places.append(TopicPartition(topic, partition, high if self._from_end else low))
                if high > low and not self._from_end:
                    ends[topic, partition] = high
        consumer.assign(places)
        return ends
