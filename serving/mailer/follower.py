"""Reads items, people and what they asked for, from the beginning and for ever, into what is known."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.behaviour import Erasure
from schemas.decode import Invalid, decode
from serving.mailer.errors import MailerError
from serving.mailer.known import TOPICS, Known

BATCH: Final = 2_000
START_S: Final = 15.0
LEADERLESS: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class Follower:
    """A thread. `caught_up` is set when all that was there at the start has been read."""

    def __init__(
        self, bootstrap: str, kafka: Mapping[str, str], known: Known, on_erased: Callable[[str, int], None]
    ) -> None:
        self._known = known
        self._on_erased = on_erased
        self._log = structlog.get_logger("attune.mailer")
        self._consumer = _consumer(bootstrap, kafka)
        self._asking = _consumer(bootstrap, kafka)
        """For questions: on the connection of the other they would queue behind its long fetches."""
        self._reached: dict[tuple[str, int], int] = {}
        self._moved = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mailer-follower", daemon=True)
        self.failure: str | None = None

    def start(self) -> None:
        """Begin to read. Raises MailerError where a topic is missing."""
        try:
            cluster = self._asking.list_topics(timeout=START_S).topics
        except KafkaException as error:
            raise MailerError(f"Kafka: {error.args[0].str()}") from None
        missing = [topic for topic in (*TOPICS, "digests") if topic not in cluster or cluster[topic].error]
        if missing:
            raise MailerError(f"topics are missing: {', '.join(missing)} (attune topics create)")
        places = [TopicPartition(topic, partition, 0) for topic in TOPICS for partition in cluster[topic].partitions]
        for place in places:
            place.offset = self._reached[place.topic, place.partition] = self._bounds(place)[0]
        self._read_erasures([place for place in places if place.topic == "erasures"])
        for place in places:
            place.offset = self._reached[place.topic, place.partition]
        self._consumer.assign(places)
        self._thread.start()

    def _read_erasures(self, places: list[TopicPartition]) -> None:
        """Who was erased comes first: nothing from before is taken up, and nothing from after is dropped."""
        ends = {(place.topic, place.partition): self._end(place) for place in places}
        self._consumer.assign(places)
        while any(self._reached[place] < end for place, end in ends.items()):
            self._read()

    def _end(self, place: TopicPartition) -> int:
        return self._bounds(place)[1]

    def _bounds(self, place: TopicPartition) -> tuple[int, int]:
        """Where a partition starts and ends. One that was made a moment ago may have no leader yet: asked again."""
        deadline_s = time.monotonic() + START_S
        while True:
            try:
                low, high = self._asking.get_watermark_offsets(place, timeout=START_S)
            except KafkaException as error:
                if error.args[0].code() not in LEADERLESS or time.monotonic() > deadline_s:
                    raise
                self._stop.wait(0.2)
            else:
                return int(low), int(high)

    def catch_up(self, *topics: str, timeout_s: float = 120.0) -> None:
        """Wait until everything is read that these topics (all by default) hold now. Raises MailerError."""
        wanted = {
            (topic, partition): self._end(TopicPartition(topic, partition))
            for topic, partition in self._reached
            if not topics or topic in topics
        }
        deadline_s = time.monotonic() + timeout_s
        with self._moved:
            while any(self._reached[place] < end for place, end in wanted.items()):
                if self.failure or time.monotonic() >= deadline_s:
                    raise MailerError(self.failure or "Kafka fell silent while the mailer read what is there")
                self._moved.wait(1.0)

    def close(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._consumer.close()
        self._asking.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._read()
        except Exception as error:  # noqa: BLE001 - the mailer stops for it, and says why
            self.failure = f"the mailer cannot follow Kafka: {error}"
            self._log.exception("follower ended")

    def _read(self) -> None:
        for message in self._consumer.consume(BATCH, timeout=0.1):
            if message.error() is None:
                self._take(message)
        with self._moved:
            for place in self._consumer.position(self._consumer.assignment()):
                if place.offset >= 0:
                    self._reached[place.topic, place.partition] = place.offset
            self._moved.notify_all()

    def _take(self, message: Message) -> None:
        topic = message.topic() or ""
        appended_ms = message.timestamp()[1]
        record = decode(topic, message.key(), message.value())
        if isinstance(record, Invalid):
            return  # the worker makes it a dead letter
        self._known.apply(record, topic, appended_ms)
        if isinstance(record, Erasure):
            self._on_erased(record.user_id, record.ts_ms)


def _consumer(bootstrap: str, kafka: Mapping[str, str]) -> Consumer:
    """A reader that belongs to no group."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"attune.mailer.follower.{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
            **kafka,
        }
    )
