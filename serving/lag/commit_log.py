"""Reads `__consumer_offsets`: when groups really committed, which the admin client does not tell.

Without it a group that commits the same offset again and again (STALL) looks like one that is gone (STOP), and nothing
is known of the time before the collector started. Where the log may not be read (ACLs, the mock broker) the collector
goes on without it.
"""

import time
from collections.abc import Collection, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from serving.lag.broker import Broker
from serving.lag.client import CLIENT_ID, Quiet, settings
from serving.lag.commit_record import TOPIC, decode_commit, partition_of_group
from serving.lag.reading import LoggedCommit, Partition

LOOK_BACK_MS = 600_000
"""How far back a large log is read at the start."""
WHOLE_RECORDS = 200_000
"""A partition of the log with no more offsets than this is read from its beginning."""


class CommitLog:
    """Follows the partitions of the commit log that keep the wanted groups (all partitions when `groups` is None)."""

    def __init__(
        self,
        bootstrap: str,
        client_config: Mapping[str, str] | None = None,
        groups: Collection[str] | None = None,
        budget_s: float = 3.0,
    ) -> None:
        if budget_s <= 0:
            raise ValueError(f"budget_s must be positive, got {budget_s}")
        self._groups = None if groups is None else frozenset(groups)
        self._budget_s = budget_s
        self._read_from_ms: int | None = None
        self._ends: dict[int, int] = {}
        self._consumer = Consumer(
            {
                **settings(bootstrap, client_config or {}, Quiet()),
                "group.id": f"{CLIENT_ID}-commits",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 8_192,
                "fetch.wait.max.ms": 50,
            }
        )

    def open(self, broker: Broker, partitions: int, now_ms: int) -> None:
        """Choose where to start: the beginning of a small log, else `LOOK_BACK_MS` ago."""
        if self._groups is None:
            numbers = set(range(partitions))
        else:
            numbers = {partition_of_group(group, partitions) for group in self._groups} if partitions else set()
        wanted = [Partition(TOPIC, number) for number in sorted(numbers)]
        if not wanted:
            return
        bounds = broker.bounds(wanted)
        large = [at for at, bound in bounds.items() if bound.end - bound.start > WHOLE_RECORDS]
        since = broker.offsets_at(large, now_ms - LOOK_BACK_MS) if large else {}
        self._read_from_ms = now_ms - LOOK_BACK_MS if large else 1
        self._consumer.assign(
            [
                TopicPartition(*at, OFFSET_BEGINNING if at not in since else _or_end(since[at], bounds[at].end))
                for at in bounds
            ]
        )
        self._ends = {at.partition: bound.stable for at, bound in bounds.items()}

    def read(self, broker: Broker) -> tuple[list[LoggedCommit], int | None]:
        """Commits up to the end of the log as it stands now, and since when the log is known without a gap.

        What the budget does not allow is read next time; until the end is reached the second part is None.
        """
        if self._read_from_ms is None:
            return [], None
        ends = {at.partition: b.stable for at, b in broker.bounds(Partition(TOPIC, n) for n in self._ends).items()}
        deadline = time.monotonic() + self._budget_s
        commits: list[LoggedCommit] = []
        while not (done := self._reached(ends)) and time.monotonic() < deadline:
            for message in self._consumer.consume(num_messages=10_000, timeout=0.05):
                if message.error() is not None:
                    continue
                commit = decode_commit(_bytes(message.key()), _bytes(message.value()))
                if commit is not None and (self._groups is None or commit.group in self._groups):
                    commits.append(commit)
        return commits, self._read_from_ms if done else None

    def close(self) -> None:
        """Leave the cluster."""
        self._consumer.close()

    def _reached(self, ends: Mapping[int, int]) -> bool:
        assigned = self._consumer.assignment()
        try:
            positions = {tp.partition: tp.offset for tp in self._consumer.position(assigned)}
        except KafkaException:
            return False
        return all(positions.get(number, -1) >= end or end == 0 for number, end in ends.items())


def _or_end(offset: int, end: int) -> int:
    return end if offset < 0 else offset


def _bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
