"""What the broker really holds, asked by a reader that is in no group: the judge of gaps (streams/order.py).

Blocking: called from one thread beside the event loop.
"""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.clock import boottime_s
from streams.settings import Settings
from streams.watermarks import watermarks

Partition = tuple[str, int]

READ_S: Final = 20.0
PROBE_S: Final = 2.0
AHEAD: Final = 1_000
"""Records looked at beyond the first, where they came with it: a compacted topic has many gaps."""


class LogReader:
    """Reads of the input topics. Each question has a consumer of its own."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group

    def committed(self, wanted: list[Partition]) -> dict[Partition, int]:
        """Partition -> the group's committed offset; negative: none."""
        if not wanted:
            return {}
        reader = self._make(self._group)
        try:
            found = reader.committed([TopicPartition(*key) for key in wanted], timeout=READ_S)
            for tp in found:
                if tp.error is not None:
                    raise KafkaException(tp.error)
            return {(tp.topic, tp.partition): tp.offset for tp in found}
        finally:
            reader.close()

    def ends(self, wanted: list[Partition]) -> dict[Partition, tuple[int, int]]:
        """Partition -> the log's start, and its end."""
        if not wanted:
            return {}
        reader = self._make(f"{self._group}-check")
        try:
            return {key: watermarks(reader, *key, READ_S) for key in wanted}
        finally:
            reader.close()

    def offsets_from(self, places: Mapping[Partition, int], wait_s: float) -> dict[Partition, list[int]]:
        """The offsets that records really have at or after each place, ascending; at most about a thousand of each.

        Partitions that show nothing within `wait_s` are left out: there is none yet, or the broker is away. Each
        question has a consumer of its own: one that read elsewhere before could answer with what it fetched there.
        """
        found = dict[Partition, list[int]]()
        until_s = boottime_s() + wait_s
        reader = self._make(f"{self._group}-check")
        try:
            reader.assign([TopicPartition(*key, offset) for key, offset in places.items()])
            while len(found) < len(places) and (left_s := until_s - boottime_s()) > 0.0:
                for message in [*reader.consume(1, left_s), *reader.consume(AHEAD, 0.0)]:
                    topic, partition, offset = message.topic(), message.partition(), message.offset()
                    if message.error() is None and topic is not None and partition is not None and offset is not None:
                        found.setdefault((topic, partition), []).append(offset)
        except KafkaException:
            return {}  # the broker is away: asked again
        finally:
            reader.close()
        return found

    def _make(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "queued.min.messages": AHEAD,
                **self._settings.kafka,
            }
        )
