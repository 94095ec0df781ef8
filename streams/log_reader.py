"""What the broker really holds, asked by a reader that is in no group: the judge of gaps (streams/order.py).

Blocking: called from one thread beside the event loop.
"""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.clock import boottime_s
from streams.settings import Settings

Partition = tuple[str, int]

READ_S: Final = 20.0
PROBE_S: Final = 2.0
AHEAD: Final = 1_000
"""Records looked at beyond the first, where they came with it: a compacted topic has many gaps."""


class LogReader:
    """Reads of the input topics. One consumer for all of them, assigned only while it reads."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._consumer: Consumer | None = None

    def starts(self, wanted: list[Partition]) -> dict[Partition, tuple[int, int, int]]:
        """Partition -> the group's committed offset (negative: none), the log's start, and its end."""
        if not wanted:
            return {}
        reader = self._make(self._group)
        try:
            found: dict[Partition, tuple[int, int, int]] = {}
            for tp in reader.committed([TopicPartition(*key) for key in wanted], timeout=READ_S):
                low, high = reader.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), timeout=READ_S)
                found[tp.topic, tp.partition] = (tp.offset, low, high)
            return found
        finally:
            reader.close()

    def offsets_from(self, places: Mapping[Partition, int], wait_s: float) -> dict[Partition, list[int]]:
        """The offsets that records really have at or after each place, ascending; at most about a thousand of each.

        Partitions that show nothing within `wait_s` are left out: there is none yet, or the broker is away.
        """
        if self._consumer is None:
            self._consumer = self._make(f"{self._group}-check")
        reader, found = self._consumer, dict[Partition, list[int]]()
        until_s = boottime_s() + wait_s
        try:
            reader.assign([TopicPartition(*key, offset) for key, offset in places.items()])
            while len(found) < len(places) and (left_s := until_s - boottime_s()) > 0.0:
                for message in [*reader.consume(1, left_s), *reader.consume(AHEAD, 0.0)]:
                    topic, partition, offset = message.topic(), message.partition(), message.offset()
                    if message.error() is None and topic is not None and partition is not None and offset is not None:
                        found.setdefault((topic, partition), []).append(offset)
            reader.unassign()
        except KafkaException:
            self.close()  # the broker is away: asked again, by a new consumer
        return found

    def close(self) -> None:
        """Leave the broker; the next read comes back by itself."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _make(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "queued.min.messages": AHEAD,
                "fetch.wait.max.ms": 10,  # the next read waits for the fetch of the last one
                **self._settings.kafka,
            }
        )
