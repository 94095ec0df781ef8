"""Tells Kafka what happened to mails: `sends`, and what people did with them."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import KafkaError, Producer

from schemas.behaviour import Event
from schemas.partitioning import PARTITIONER

ANSWER_S: Final = 10.0
"""A page waits so long for Kafka to take what someone chose, then says that it did not."""


class Announcer:
    """An idempotent producer and the thread that hears its deliveries."""

    def __init__(self, bootstrap: str, kafka: Mapping[str, str]) -> None:
        self._log = structlog.get_logger("attune.mailer")
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "linger.ms": 5,
                "log_level": 0,
                **kafka,
            }
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="mailer-announcer", daemon=True)
        self._thread.start()

    def tell(self, topic: str, event: Event, then: Callable[[], None] | None = None) -> None:
        """Publish an event; `then` is called when Kafka has it, from another thread."""

        def delivered(error: KafkaError | None, _: Any) -> None:
            if error is not None:
                self._log.error("an event could not be published", topic=topic, error=error.str())
            elif then is not None:
                then()

        self._producer.produce(
            topic, key=event.user_id.encode(), value=msgspec.json.encode(event), on_delivery=delivered
        )

    async def told(self, topic: str, event: Event) -> bool:
        """Publish an event and wait until Kafka has it; False where it does not take it in time."""
        loop = asyncio.get_running_loop()
        done: asyncio.Event = asyncio.Event()

        def taken() -> None:
            loop.call_soon_threadsafe(done.set)

        self.tell(topic, event, taken)
        try:
            await asyncio.wait_for(done.wait(), ANSWER_S)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Wait for what is on its way."""
        self._stop.set()
        self._thread.join()
        self._producer.flush(ANSWER_S)

    def _listen(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(0.1)


def fresh_id(kind: str) -> str:
    """The id of an event that happens here: every request is its own."""
    return f"{kind}-{uuid.uuid4().hex}"
