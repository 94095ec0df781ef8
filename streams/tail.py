"""Following topics in a thread, from their beginning or from their end: for processes that only look on.

Whoever follows gets raw records on that thread; a broker that is away is waited for.
"""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
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
        self._next: dict[tuple[str, int], int] = {}
        """Partition -> everything below this offset has been handed over."""
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"tail-{topics[0]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    @property
    def places(self) -> list[tuple[str, int]]:
        """Topics and partitions, once they are known."""
        return list(self._next)

    def has(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether everything below these offsets has been handed over."""
        return all(self._next[place] >= end for place, end in ends.items())

    def wait_for(self, ends: Mapping[tuple[str, int], int], timeout_s: float) -> None:
        """Wait until everything below these offsets has been handed over. Blocks. Raises TimeoutError."""
        with self._moved:
            if not self._moved.wait_for(lambda: self.has(ends), timeout_s):
                raise TimeoutError(f"{self._topics} have not been read so far")

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
                topic, offset = message.topic() or "", message.offset() or 0
                self._take(topic, message.key() or b"", message.value(), message.timestamp()[1])
                self._next[topic, message.partition() or 0] = offset + 1
            if first is not None:
                with self._moved:
                    self._moved.notify_all()
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
        self._next = {(tp.topic, tp.partition): tp.offset for tp in places}
        return ends
