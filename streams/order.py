"""Every input partition is accepted without a gap, from the committed offset on.

Around rebalances and recovery Faust loses messages: it skips what it dequeues while its flow control is off, and does
not rewind a kept partition that has no commit yet. So each offset must follow the one before; where one is missing we
seek back, again and again, because a batch that is being handed over moves Faust's read offset past a seek.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT, stop_process
from streams.settings import Settings

Partition = tuple[str, int]

SEEK_AGAIN_S: Final = 0.7
READ_S: Final = 20.0


class Order:
    """Tells which messages of a Faust app follow on what was accepted before. All methods run in the event loop."""

    def __init__(self, app: Any, settings: Settings, group: str, topics: frozenset[str]) -> None:
        self.app = app
        self.settings = settings
        self.group = group
        self.topics = topics
        self.enforced = "order" not in settings.sabotage
        self.next: dict[Partition, int] = {}
        self.missing: dict[Any, float] = {}
        """Faust's TP -> when it was last sought back, in boot time."""
        self.gaps = 0
        self._known: tuple[Partition, int, list[int]] = (("", -1), 0, [0])

    async def assigned(self, partitions: Iterable[Any], applied: Mapping[Partition, int] | None = None) -> None:
        """Start over from the committed offsets of the assignment.

        `applied` names the highest offset that recovered state covers of each partition: one beyond the partition's end
        means that the topic is not the one it was, and then every new event would look applied. That stops the process.
        """
        wanted = [(tp.topic, tp.partition) for tp in partitions if tp.topic in self.topics]
        self.missing = {}
        loop = asyncio.get_running_loop()
        self.next = await loop.run_in_executor(None, self._committed, wanted, applied or {})

    async def accepts(self, message: Any) -> bool:
        """Whether the message is the next of its partition. A bool at once in all but the rare case of a gap."""
        key, offset = (message.topic, message.partition), message.offset
        expected = self.next.get(key)
        if expected is None or offset < expected:
            return not self.enforced
        if offset > expected and self.enforced:
            if message.tp in self.missing:
                return False
            following = await asyncio.get_running_loop().run_in_executor(None, self._following, key, expected)
            if self.next.get(key) != expected:
                return False  # assigned anew meanwhile
            if following < offset:
                self.gaps += 1
                self.missing[message.tp] = 0.0
                return False
        self.next[key] = offset + 1
        if self.missing:
            self.missing.pop(message.tp, None)
        return True

    async def retry(self) -> None:
        """Seek back to what is missing, if the broker still has it: compaction may have taken it meanwhile."""
        for tp, since_s in list(self.missing.items()):
            due = boottime_s() - since_s > SEEK_AGAIN_S
            if due and not self.app.rebalancing and tp in self.app.consumer.assignment():
                self.missing[tp] = boottime_s()
                key, expected = (tp.topic, tp.partition), self.next[tp.topic, tp.partition]
                following = await asyncio.get_running_loop().run_in_executor(None, self._read, key, expected)
                if self.next.get(key) == expected and tp in self.missing:
                    self.next[key] = following
                    await self.app.consumer.seek(tp, following)

    def _reader(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                **self.settings.kafka,
            }
        )

    def _committed(self, wanted: list[Partition], applied: Mapping[Partition, int]) -> dict[Partition, int]:
        if not wanted:
            return {}
        reader = self._reader(self.group)
        try:
            found: dict[Partition, int] = {}
            for tp in reader.committed([TopicPartition(*key) for key in wanted], timeout=READ_S):
                key = (tp.topic, tp.partition)
                low, high = reader.get_watermark_offsets(TopicPartition(*key), timeout=READ_S)
                covered = max(tp.offset, applied.get(key, -1) + 1)
                if covered > high:
                    stop_process(
                        f"{tp.topic}-{tp.partition} ends at {high}, but {covered} of it was applied: was the topic"
                        " re-created? Events in it would look applied (docs/runbook: a new state epoch)",
                        REFUSED_EXIT,
                    )
                found[key] = max(tp.offset, low)
            return found
        finally:
            reader.close()

    def _following(self, key: Partition, expected: int) -> int:
        """The offset that the broker really gives at or after `expected`: compaction and transactions leave gaps.

        A compacted topic has many of them, so one read answers for the next thousand records.
        """
        known_key, known_from, offsets = self._known
        if key == known_key and known_from <= expected and offsets[-1] >= expected:
            return offsets[bisect_left(offsets, expected)]
        return self._read(key, expected)

    def _read(self, key: Partition, expected: int) -> int:
        reader = self._reader(f"{self.group}-check")
        try:
            reader.assign([TopicPartition(*key, expected)])
            messages = reader.consume(1_000, timeout=1.0) or reader.consume(1, timeout=READ_S)
        finally:
            reader.close()
        offsets = []
        for message in messages:
            if (error := message.error()) is not None:
                stop_process(f"cannot read {key[0]}-{key[1]} at {expected}: {error}")
            if (offset := message.offset()) is not None:
                offsets.append(offset)
        if not offsets:
            stop_process(f"cannot read {key[0]}-{key[1]} at {expected}: nothing came in {READ_S:.0f} s")
        self._known = (key, expected, offsets)
        return offsets[0]
