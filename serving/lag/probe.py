"""Reads single records for their timestamps: exact seconds of lag for the rows that matter most."""

import time
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, Message, TopicPartition

from serving.lag.client import CLIENT_ID, Quiet, settings
from serving.lag.reading import Partition
from serving.lag.stamps import Stamp, Target

_PER_PARTITION_BYTES = 65_536


class Probe:
    """A consumer without a group's duties: it is assigned offsets, reads one record each and commits nothing.

    It reads committed records only, so that transaction markers and aborted records are never taken for lag.
    """

    def __init__(self, bootstrap: str, client_config: Mapping[str, str] | None = None, budget_s: float = 2.0) -> None:
        if budget_s <= 0:
            raise ValueError(f"budget_s must be positive, got {budget_s}")
        self._budget_s = budget_s
        self._consumer = Consumer(
            {
                **settings(bootstrap, client_config or {}, Quiet()),
                "group.id": f"{CLIENT_ID}-probe",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.message.max.bytes": _PER_PARTITION_BYTES,
                "queued.min.messages": 1,
                "queued.max.messages.kbytes": 1_024,
                "fetch.wait.max.ms": 20,
                "fetch.error.backoff.ms": 20,
                "fetch.queue.backoff.ms": 5,  # a queue of one message is always full: 1 s a round otherwise
            }
        )

    def ask(self, targets: Sequence[Target]) -> Iterator[tuple[Target, Stamp]]:
        """Answer as many targets as the budget allows; one partition takes one offset a round."""
        deadline = time.monotonic() + self._budget_s
        try:
            for batch in rounds(targets):
                if time.monotonic() >= deadline:
                    break
                yield from self._round(batch, deadline)
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """Leave the cluster."""
        self._consumer.close()

    def _round(self, batch: dict[Partition, Target], deadline: float) -> Iterator[tuple[Target, Stamp]]:
        pending = dict(batch)
        self._consumer.assign([TopicPartition(*at, target.offset) for at, target in batch.items()])
        while pending and time.monotonic() < deadline:
            for message in self._consumer.consume(num_messages=500, timeout=0.05):
                at = Partition(str(message.topic()), int(message.partition() or 0))
                target = pending.get(at)
                stamp = None if target is None else stamp_of(message, target)
                if target is None or (stamp is None and not _at_end(message)):
                    continue
                del pending[at]
                if stamp is not None:
                    yield target, stamp


def rounds(targets: Sequence[Target]) -> list[dict[Partition, Target]]:
    """Split targets so that no round asks twice of one partition.

    >>> t = Partition("t", 0)
    >>> [len(one) for one in rounds([Target(t, 1, 9), Target(t, 5, 9), Target(Partition("t", 1), 1, 9)])]
    [2, 1]
    """
    out: list[dict[Partition, Target]] = []
    taken: dict[Partition, int] = {}
    for target in targets:
        number = taken.get(target.at, 0)
        taken[target.at] = number + 1
        if number == len(out):
            out.append({})
        out[number][target.at] = target
    return out


def stamp_of(message: Message, target: Target) -> Stamp | None:
    """What a message, or the end of the partition, says about a target; None for an error that may pass.

    The end may be reported below the target's: an open transaction is in the way, and nothing can be said.
    A record at or beyond the target's end was written after the question: up to the end nothing was left to read.
    """
    error = message.error()
    offset = message.offset()
    if error is not None:
        return Stamp(None, nothing_left=True) if _at_end(message) and (offset or 0) >= target.end else None
    if offset is None or offset < target.offset:
        return None
    if offset >= target.end:
        return Stamp(None, nothing_left=True)
    kind, ts_ms = message.timestamp()
    return Stamp(None if kind == TIMESTAMP_NOT_AVAILABLE else ts_ms)


def _at_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
