"""Reads a table back from its changelog: each partition from where the table has come to, up to the end there is now.

Faust can do that for tables of its own, and lost rows at it: docs/decisions/0007-own-recovery.md.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.failstop import stop_process
from streams.settings import Settings
from streams.watermarks import watermarks

Row = tuple[bytes, bytes | None, int]
"""Key, value, and the partition it was read from."""

BATCH: Final = 5_000
POLL_S: Final = 0.1
ASK_S: Final = 20.0
AGAIN_S: Final = 1.0
HOPELESS: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }
)
"""Errors that waiting does not mend; the others mean that the broker is away."""


class Rows(Protocol):
    """A table that a changelog is read into."""

    def apply(self, records: Iterable[Row]) -> None:
        """Take records, in the order of the log."""

    def keep(self, partitions: frozenset[int]) -> None:
        """Forget the rows of all other partitions."""


class Changelog:
    """The changelog of one table. Rows and the offsets they were read to are kept and forgotten together."""

    def __init__(self, settings: Settings, topic: str, group: str, table: Rows) -> None:
        self._settings = settings
        self._topic = topic
        self._group = group
        self._table = table
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="changelog")
        self.reached: dict[int, int] = {}
        """Partition -> the offset up to which its records are in the table."""
        self.remaining = 0
        """Records still to be read by the recovery that is going on."""
        self.records = 0
        """Records read since the process started."""

    async def recover(self, partitions: frozenset[int], holds: Callable[[], bool]) -> bool:
        """Have the table hold these partitions, whole, and no others. False where `holds` ceased to before the end.

        It is read in a thread, whose only user the table is until this returns.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._recover, partitions, holds)

    def advance(self, partition: int, first: int, last: int) -> None:
        """The records from `first` to `last` are in the table already: whoever wrote them put them there. Where another
        wrote in between, the partition is read again from there at the next recovery.
        """
        if self.reached.get(partition) == first:
            self.reached[partition] = last + 1

    def _recover(self, partitions: frozenset[int], holds: Callable[[], bool]) -> bool:
        self._table.keep(partitions)
        self.reached = {partition: at for partition, at in self.reached.items() if partition in partitions}
        while holds():
            try:
                if not partitions or self._read(partitions, holds):
                    return True
            except KafkaException as error:
                if error.args[0].code() in HOPELESS:
                    stop_process(f"{self._topic} cannot be read: {error.args[0].str()}")
                time.sleep(AGAIN_S)
            finally:
                self.remaining = 0
        return False

    def _read(self, partitions: frozenset[int], holds: Callable[[], bool]) -> bool:
        consumer = self._consumer()
        try:
            ends = self._start(consumer, partitions)
            while ends and holds():
                rows, reached = list[Row](), dict[int, int]()
                for message in consumer.consume(BATCH, POLL_S):
                    partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
                    if error is None:
                        rows.append((message.key() or b"", message.value(), partition))
                        reached[partition] = offset + 1
                    elif error.code() == KafkaError._PARTITION_EOF:
                        reached[partition] = offset
                    elif error.code() in HOPELESS:
                        raise KafkaException(error)
                self._table.apply(rows)
                self.reached |= reached
                self.records += len(rows)
                ends = {partition: end for partition, end in ends.items() if self.reached[partition] < end}
                self.remaining = sum(end - self.reached[partition] for partition, end in ends.items())
            return not ends
        finally:
            consumer.close()

    def _start(self, consumer: Consumer, partitions: frozenset[int]) -> dict[int, int]:
        """Assign what is to be read. Returns where each partition ends now, of those that are not read to it."""
        ends: dict[int, int] = {}
        for partition in sorted(partitions):
            low, high = watermarks(consumer, self._topic, partition, ASK_S)
            at = self.reached[partition] = max(self.reached.get(partition, low), low)
            if at > high:
                stop_process(f"{self._topic}-{partition} ends at {high}, but was read up to {at}")
            if at < high:
                ends[partition] = high
                consumer.incremental_assign([TopicPartition(self._topic, partition, at)])
        return ends

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "group.id": f"{self._group}-check",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": 65_536,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
                **self._settings.kafka,
            }
        )
