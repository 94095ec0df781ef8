"""Feeding records to Kafka in bulk, as fast as it takes them, and knowing that all of them arrived."""

from collections import Counter
from typing import Any, Final

from confluent_kafka import KafkaException
from msgspec import Struct, field

from streams.admin import BrokerError, partitions_found
from streams.clock import boottime_s
from streams.producing import make_producer
from streams.replay_file import Row
from streams.settings import Settings
from streams.topics import INPUTS

DELIVERY_S: Final = 60.0
"""A record that the broker has not taken by then is lost, and said to be."""


class Fed(Struct):
    """What was fed: `records` delivered, `rejected` never sent because they were no rows or too large."""

    records: int = 0
    seconds: float = 0.0
    per_topic: Counter[str] = field(default_factory=Counter)
    rejected: int = 0


class Feeder:
    """Sends rows of replay files. Raises BrokerError where Kafka is away, lacks a topic, or loses a record."""

    def __init__(self, settings: Settings) -> None:
        found = partitions_found(settings)
        if missing := [topic.name for topic in INPUTS if topic.name not in found]:
            raise BrokerError(f"missing topics: {', '.join(missing)} (make them with: attune topics create)")
        self.fed = Fed()
        self._started_s = boottime_s()
        self._failed: Any = None
        self._lost = 0
        self._producer = make_producer(
            settings, **{"linger.ms": 20, "message.timeout.ms": int(DELIVERY_S * 1000), "log_level": 0}
        )

    def send(self, row: Row) -> str | None:
        """Queue one row; where it can never be sent the reason is returned."""
        producer = self._producer
        while True:
            try:
                producer.produce(row.topic, key=row.key, value=row.value_bytes, on_delivery=self._delivered)
            except BufferError:
                producer.poll(0.05)
                self._check()
            except KafkaException as error:
                return f"{row.topic}: {error.args[0].str()}"
            else:
                self.fed.per_topic[row.topic] += 1
                return None

    def poll(self) -> None:
        """Serve deliveries; now and then, between rows."""
        self._producer.poll(0)
        self._check()

    def finish(self) -> Fed:
        """Wait until every record is acknowledged."""
        while self._producer.flush(0.5):
            self._check()
        self._check()
        self.fed.seconds = boottime_s() - self._started_s
        return self.fed

    def _delivered(self, error: Any, message: Any) -> None:
        if error is None:
            self.fed.records += 1
            return
        self._lost += 1
        self.fed.per_topic[message.topic()] -= 1
        self._failed = self._failed or error

    def _check(self) -> None:
        if self._failed is not None:
            raise BrokerError(
                f"{self._lost} records were not delivered after {self.fed.records} that were: {self._failed.str()}"
            )
