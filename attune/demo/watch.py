"""Watching what comes out: counts of lists and dead letters, and how long each list took from its event."""

import threading
import uuid
from collections import deque
from typing import Final

import msgspec
from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from streams.clock import wall_ms
from streams.embedded import PARTITIONS
from streams.settings import Settings

KEPT: Final = 5_000
"""Latencies kept: the newest."""


class _Trigger(Struct):
    topic: str
    ts_ms: int


class _List(Struct):
    trigger: _Trigger


_decode = msgspec.json.Decoder(_List).decode


class Watch:
    """Reads `recommendations` and `dead-letters` from the beginning, in a thread.

    A latency is the time from the event's own `ts_ms` to the moment at which this consumer holds the list; only events
    from `live_ms` on count, for earlier ones happened before the demo began.
    """

    def __init__(self, settings: Settings) -> None:
        self.recommendations = 0
        self.dead_letters = 0
        self.live_ms = 1 << 62
        self._latencies_ms: deque[int] = deque(maxlen=KEPT)
        self._stopping = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap,
                "group.id": f"attune.demo.{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )
        topics = ("recommendations", "dead-letters")
        self._consumer.assign([TopicPartition(topic, n, 0) for topic in topics for n in range(PARTITIONS)])
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def latency_ms(self) -> dict[str, float | int | None]:
        """p50, p99 and how many were measured."""
        found = sorted(self._latencies_ms.copy())
        if not found:
            return {"p50": None, "p99": None, "count": 0}
        return {
            "p50": found[len(found) // 2],
            "p99": found[min(len(found) * 99 // 100, len(found) - 1)],
            "count": len(found),
        }

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            first = self._consumer.poll(0.1)
            if first is None:
                continue
            for message in (first, *self._consumer.consume(500, timeout=0)):
                if message.error() is not None:
                    continue
                if message.topic() == "dead-letters":
                    self.dead_letters += 1
                    continue
                self.recommendations += 1
                value = message.value()
                if value is not None:
                    trigger = _decode(value).trigger
                    if trigger.topic != "wake" and trigger.ts_ms >= self.live_ms:
                        self._latencies_ms.append(wall_ms() - trigger.ts_ms)
        self._consumer.close()
