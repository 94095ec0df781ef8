"""Producing with librdkafka, and counting deliveries.

Nothing that matters goes through Faust's producer: it sends one message at a time and only logs what it lost.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from schemas.partitioning import PARTITIONER
from streams.clock import boottime_s
from streams.failstop import stop_process
from streams.settings import Settings
from streams.topics import DEAD_LETTER_BYTES

Headers = Sequence[tuple[str, bytes | None]]
DELIVERY_DEADLINE_S: Final = 30.0


def make_producer(settings: Settings, **more: Any) -> Producer:
    """An idempotent producer with the partitioner that all clients of keyed topics must share."""
    return Producer(
        {
            "bootstrap.servers": settings.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": PARTITIONER,
            "linger.ms": settings.linger_ms,
            "message.max.bytes": DEAD_LETTER_BYTES,
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 262_144,
            **settings.kafka,
            **more,
        }
    )


class Batch:
    """Counts the deliveries of one flush: waiting for an empty producer may never end under steady output."""

    def __init__(self) -> None:
        self.sent = self.done = 0

    def delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            stop_process(f"delivery to {message.topic()} failed: {error}")
        self.done += 1

    async def wait(self, producer: Producer) -> None:
        """Until all of this batch is delivered; a deadline ends the process."""
        deadline = boottime_s() + DELIVERY_DEADLINE_S
        while self.done < self.sent:
            producer.poll(0)
            if self.done >= self.sent:
                return
            if boottime_s() > deadline:
                stop_process(f"{self.sent - self.done} deliveries took more than {DELIVERY_DEADLINE_S:.0f} s")
            await asyncio.sleep(0.002)


def produce(
    producer: Producer,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    on_delivery: Callable[[Any, Any], None],
    partition: int = -1,
    headers: Headers = (),
) -> None:
    """Hand a record to the producer; where its queue is full, serve deliveries until there is room."""
    while True:
        try:
            producer.produce(
                topic, key=key, value=value, partition=partition, headers=list(headers), on_delivery=on_delivery
            )
        except BufferError:
            producer.poll(0.05)
        except KafkaException as error:
            stop_process(f"cannot produce to {topic}: {error}")
        else:
            return
