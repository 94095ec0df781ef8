"""Feeds a process's replica from `items` and `model`, read from the beginning by a plain consumer in a thread.

The thread only collects raw records; the thread that ranks takes them over between events (`drain`), so that the
replica's arrays have one owner.
"""

import threading
import uuid
from collections import deque
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from processors.replica import Replica
from schemas.catalogue import Item
from schemas.decode import Retired, decode
from streams.clock import boottime_s, wall_ms
from streams.failstop import stop_process
from streams.settings import Settings
from streams.watermarks import watermarks

TOPICS: Final = ("items", "model")
READ_S: Final = 20.0
MOST_WAITING: Final = 20_000
"""Records that were read and not taken over yet: more would only fill the memory."""
AGAIN_S: Final = 1.0


class ReplicaReader:
    """Reads for one replica. `ready` once everything that was there at the start has been taken over.

    Where Kafka cannot be read the process ends, for it must not work without; a `patient` reader tries again.
    """

    def __init__(self, settings: Settings, replica: Replica, *, patient: bool = False) -> None:
        self._patient = patient
        self.settings = settings
        self.replica = replica
        self.ready = False
        self.records = 0
        self.invalid = 0
        self.last_read_ms = 0
        """Wall time at which the newest record was taken over."""
        self._records: deque[tuple[str, bytes, bytes | None, int]] = deque()
        self._reached_end = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replica-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5.0)

    def catch_up(self) -> None:
        """Block until ready; for the start of a process, before it takes any event."""
        while not self.ready:
            self.drain(1.0)
            if not self.ready:
                self._reached_end.wait(0.01)

    def drain(self, budget_s: float = 0.02) -> int:
        """Take over what has been read, for at most `budget_s`. Returns the number of records."""
        if not self._records and self.ready:
            return 0
        reached_end = self._reached_end.is_set()
        until_s, taken, records = boottime_s() + budget_s, 0, self._records
        while records:
            topic, key, value, appended_ms = records.popleft()
            if topic == "model":
                self.replica.apply_row(key, value)
            else:
                self._take_item(key, value, appended_ms)
            taken += 1
            if not taken & 63 and boottime_s() > until_s:
                break
        if taken:
            self.records += taken
            self.last_read_ms = wall_ms()
        if reached_end and not records:
            self.ready = True
        return taken

    def _take_item(self, key: bytes, value: bytes | None, appended_ms: int) -> None:
        match decode("items", key, value, appended_ms):
            case Item() as item:
                self.replica.put_item(item)
            case Retired(key=item_id):
                self.replica.retire_item(item_id)
            case _:
                self.invalid += 1  # the owner of its partition writes the dead letter

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except KafkaException as error:
                if not self._patient:
                    stop_process(f"the replica cannot read {' and '.join(TOPICS)}: {error}")
                self._stopping.wait(AGAIN_S)

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap,
                "group.id": f"attune.replica.{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 8_192,
                "fetch.queue.backoff.ms": 10,  # with the default, a second, so short a queue would run dry
                **self.settings.kafka,
            }
        )
        ends: dict[tuple[str, int], int] = {}
        for topic in TOPICS:
            metadata = consumer.list_topics(topic, timeout=READ_S).topics[topic]
            for partition in metadata.partitions:
                low, high = watermarks(consumer, topic, partition, READ_S)
                if high > low:
                    ends[topic, partition] = high
                consumer.incremental_assign([TopicPartition(topic, partition, low)])
        if not ends:
            self._reached_end.set()
        while not self._stopping.is_set():
            for message in consumer.consume(2_000, timeout=0.1):
                if message.error() is not None:
                    continue  # transient: librdkafka goes on by itself
                topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
                self._records.append((topic, message.key() or b"", message.value(), message.timestamp()[1]))
                if ends and offset + 1 >= ends.get((topic, partition), 1 << 62):
                    del ends[topic, partition]
            if ends and not self._reached_end.is_set():
                positions = consumer.position([TopicPartition(*key) for key in ends])
                for tp in positions:  # the last offsets may be transaction markers
                    if tp.offset >= ends[tp.topic, tp.partition]:
                        del ends[tp.topic, tp.partition]
            if not ends:
                self._reached_end.set()
            while len(self._records) > MOST_WAITING and not self._stopping.is_set():
                self._stopping.wait(0.05)
        consumer.close()
