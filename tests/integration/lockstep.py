"""A policy's lists through a real Kafka, one record at a time: the next goes out when the last has come to its end.

The end of a record: its list is on `recommendations`, its rows are on `model` under a marker, and the replica had the
time to read them. Its reader cannot be asked, so that a pause stands in for the last step; a replica that was slower is
noticed by `model_version` of the next list.
"""

from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from evaluation.policies.lists import Items
from evaluation.replay_file import Record
from processors.actions import UNSAVE, action_of
from processors.model_rows import MARKER_KEY, marker_offset
from processors.pipeline import LIST_CHANGING
from schemas.behaviour import ItemEvent
from schemas.decisions import Recommendation
from streams.producing import make_producer
from streams.settings import Settings
from tests.integration.waiting import eventually, let_pass

READS_S = 0.2
TIMEOUT_S = 60.0
UNTAUGHT_S = 3.0
"""A lesson goes out with the next tick, a twentieth of a second after its event."""
_decode = msgspec.json.Decoder(Recommendation).decode


class KafkaLists:
    """What the workers published last for everybody; `log` has all of it, in the order of time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log: list[Recommendation] = []
        self.is_open = False
        """Whether workers run; before, records are only put on their topics."""
        self._newest: dict[str, Recommendation] = {}
        self._producer = make_producer(settings, **{"linger.ms": 0})
        self._learned, self._due = -1, -1
        self._consumer = Consumer(
            {"bootstrap.servers": settings.bootstrap, "group.id": "lockstep", "fetch.wait.max.ms": 20}
        )

    def open(self) -> None:
        """Workers run from now on."""
        self.is_open = True
        places = [TopicPartition("recommendations", p, 0) for p in range(self.settings.partitions)]
        self._consumer.assign([*places, TopicPartition("model", 0, 0)])

    def close(self) -> None:
        self._consumer.close()

    def take(self, record: Record) -> None:
        self._producer.produce(record.topic, msgspec.json.encode(record.value), record.key)
        assert self._producer.flush(TIMEOUT_S) == 0
        if not self.is_open:
            return
        value = record.value
        before = len(self.log)
        wanted = before + isinstance(value, LIST_CHANGING)
        action = action_of(value) if isinstance(value, ItemEvent) else None
        learns = action is not None and action != UNSAVE
        self._due += learns
        if record.topic in {"impressions", "sends"}:
            let_pass(
                READS_S, "whether a list was shown for the first time, and so teaches, cannot be told from outside"
            )
            self._due = self._end_of_learning()
        try:
            eventually(lambda: self._arrived(wanted), UNTAUGHT_S, 0.005)
        except TimeoutError:  # who did the same often enough today teaches nothing any more
            self._due = self._end_of_learning()
            eventually(lambda: self._arrived(wanted), TIMEOUT_S, 0.005, f"what follows from {record}")
        if learns or record.topic in {"items", "impressions", "sends"}:
            let_pass(READS_S, "the replica's reader does not say how far it is")

    def _end_of_learning(self) -> int:
        return int(self._consumer.get_watermark_offsets(TopicPartition("learning", 0), TIMEOUT_S)[1]) - 1

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        newest = self._newest.get(user_id)
        return (newest.rec_id, newest.items) if newest is not None else ("", ())

    def mail(self, user_id: str, now_ms: int) -> Items:
        return self.site(user_id, now_ms)[1]

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        return items

    def _arrived(self, wanted: int) -> bool:
        message: Any
        for message in self._consumer.consume(500, 0.02):
            assert message.error() is None, message.error()
            if message.topic() == "recommendations":
                found = _decode(message.value())
                self.log.append(found)
                self._newest[found.user_id] = found
            elif message.key() == MARKER_KEY:
                self._learned = marker_offset(message.value())
        return len(self.log) >= wanted and self._learned >= self._due
