"""Records into Kafka, and knowing that they are there: a future is done when Kafka has acknowledged all of them."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaException, Producer
from msgspec import Struct

from serving.api.limits import AwayError, Breaker

POLL_S: Final = 0.1


class Record(Struct, frozen=True):
    """What goes to Kafka; a value of None retires the key of a compacted topic."""

    topic: str
    key: bytes
    value: bytes | None


class Delivery(Struct, frozen=True):
    """Where a record came to lie; `error` says why it did not."""

    partition: int = -1
    offset: int = -1
    error: str | None = None


class _Flight:
    """Records under way together."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self.deliveries = [Delivery(error="not acknowledged in time")] * count
        self._left = count
        self._loop = loop

    def landed(self, place: int, error: Any, message: Any) -> None:
        if error is None:
            self.deliveries[place] = Delivery(message.partition(), message.offset())
        else:
            self.deliveries[place] = Delivery(error=error.str())
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Publisher:
    """One producer and the thread that serves its deliveries; `breaker` keeps requests off a dead Kafka."""

    def __init__(self, producer: Producer, breaker: Breaker) -> None:
        self.breaker = breaker
        self._producer = producer
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="publisher", daemon=True)
        self._thread.start()

    async def publish(self, records: Sequence[Record]) -> list[Delivery]:
        """Send records and wait for all of them. Raises AwayError where none arrived."""
        if not records:
            return []
        deliveries = await self.breaker.call(lambda: self._send(records))
        if all(delivery.error is not None for delivery in deliveries):
            self.breaker.fail()
            raise AwayError(f"kafka: {deliveries[0].error}")
        return deliveries

    def close(self) -> None:
        """Wait a moment for what is under way, and end the thread."""
        self._producer.flush(2.0)
        self._stopping.set()
        self._thread.join(2.0)

    async def _send(self, records: Sequence[Record]) -> list[Delivery]:
        flight = _Flight(len(records), asyncio.get_running_loop())
        produce: Callable[..., None] = self._producer.produce
        for place, record in enumerate(records):
            try:
                produce(record.topic, key=record.key, value=record.value, on_delivery=partial(flight.landed, place))
            except (BufferError, KafkaException) as error:
                flight.landed(place, _Refusal(error), None)
        await flight.done
        return flight.deliveries

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(POLL_S)


class _Refusal:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def str(self) -> str:
        return "the queue to Kafka is full" if isinstance(self._error, BufferError) else str(self._error)
