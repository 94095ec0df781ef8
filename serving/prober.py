"""The prober: a probe event for each partition, over and over, and how long its decision took to come out again.

A dead pipeline emits no bad samples, so silence would look like a quiet night. A probe that is not answered within the
deadline is counted as lost, by partition; the objective counts it as late.

Only `recommendations` is read, from just before a round's events until their answers are there.
"""

import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from schemas.behaviour import View
from schemas.metric_table import METRICS
from schemas.partitioning import PARTITIONER
from schemas.probes import is_probe, probe_users

INTERVAL_S: Final = 10.0
DEADLINE_S: Final = 20.0
ASK_S: Final = 5.0
TOPIC_IN: Final = "views"
TOPIC_OUT: Final = "recommendations"
ITEM: Final = "attune-probe"
"""No item has this id: what a probe looked at is of no consequence."""


class _Trigger(msgspec.Struct):
    event_id: str


class _Answer(msgspec.Struct):
    trigger: _Trigger


class Prober:
    """Sends and counts. `run` works in the calling thread until `stop` is set; a broker that is away loses probes."""

    def __init__(
        self,
        bootstrap: str,
        client_config: Mapping[str, str] | None = None,
        interval_s: float = INTERVAL_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        if interval_s <= 0 or deadline_s <= 0:
            raise ValueError(f"interval_s and deadline_s must be positive, got {interval_s} and {deadline_s}")
        self._interval_s = interval_s
        self._deadline_s = deadline_s
        shared: dict[str, Any] = {
            "log_level": 0,
            "socket.timeout.ms": 10_000,
            "reconnect.backoff.max.ms": 2_000,
            **(client_config or {}),
            "bootstrap.servers": bootstrap,
        }
        self._producer = Producer(
            {
                **shared,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": PARTITIONER,
                "message.timeout.ms": int(deadline_s * 1000),
            }
        )
        self._consumer = Consumer(
            {
                **shared,
                "group.id": f"attune.prober.{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
            }
        )
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the table knows no `_created`
        self._registry = CollectorRegistry()
        self._sent = self._counter("attune_probes_total")
        self._lost = self._counter("attune_probes_lost_total")
        self._answered = Gauge(
            "attune_probe_last_answer_timestamp_seconds",
            METRICS["attune_probe_last_answer_timestamp_seconds"].help,
            ["partition"],
            registry=self._registry,
        )
        table = METRICS["attune_probe_seconds"]
        self._took = Histogram(table.name, table.help, buckets=table.buckets, registry=self._registry)
        self._users: tuple[str, ...] = ()

    def exposition(self) -> bytes:
        """The text of its metrics."""
        return generate_latest(self._registry)

    def run(self, stop: threading.Event) -> None:
        """Round after round."""
        try:
            while not stop.is_set():
                began_s = time.monotonic()
                self.round(stop)
                stop.wait(max(0.0, self._interval_s - (time.monotonic() - began_s)))
        finally:
            self._consumer.close()

    def round(self, stop: threading.Event) -> None:
        """One probe a partition; waits for the answers, at most until the deadline."""
        try:
            self._look()
        except KafkaException:
            self._count_lost(range(len(self._users)))  # none before the cluster was ever seen
            return
        until_s = time.monotonic() + self._deadline_s
        waiting = self._send()
        while waiting and time.monotonic() < until_s and not stop.is_set():
            self._producer.poll(0)
            for message in self._consumer.consume(500, timeout=0.1):
                if message.error() is None and is_probe(message.key() or b""):
                    self._answer(message.value(), waiting)
        self._consumer.unassign()
        if not stop.is_set():
            self._count_lost(partition for partition, _ in waiting.values())

    def _look(self) -> None:
        """Find the partitions, and stand before what will come."""
        topics = self._consumer.list_topics(timeout=ASK_S).topics
        if TOPIC_IN not in topics or TOPIC_OUT not in topics:
            return
        if len(topics[TOPIC_IN].partitions) != len(self._users):
            self._users = probe_users(len(topics[TOPIC_IN].partitions))
            for partition in range(len(self._users)):
                self._lost.labels(str(partition)).inc(0)
        places = [TopicPartition(TOPIC_OUT, partition) for partition in topics[TOPIC_OUT].partitions]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=ASK_S)[1]
        self._consumer.assign(places)

    def _send(self) -> dict[str, tuple[int, float]]:
        waiting = {}
        for partition, user in enumerate(self._users):
            event = View(
                event_id=f"probe-{uuid.uuid4().hex}", user_id=user, item_id=ITEM, ts_ms=time.time_ns() // 1_000_000
            )
            waiting[event.event_id] = partition, time.monotonic()
            try:
                self._producer.produce(TOPIC_IN, key=user.encode(), value=msgspec.json.encode(event))
            except (BufferError, KafkaException):
                continue  # it stays unanswered, and is counted so
            self._sent.labels(str(partition)).inc()
        return waiting

    def _answer(self, value: bytes | None, waiting: dict[str, tuple[int, float]]) -> None:
        try:
            answer = msgspec.json.decode(value or b"", type=_Answer)
        except msgspec.MsgspecError:
            return  # a tombstone, or nothing of ours
        found = waiting.pop(answer.trigger.event_id, None)
        if found is not None:
            partition, sent_s = found
            self._took.observe(time.monotonic() - sent_s)
            self._answered.labels(str(partition)).set_to_current_time()

    def _count_lost(self, partitions: Any) -> None:
        for partition in partitions:
            self._lost.labels(str(partition)).inc()

    def _counter(self, name: str) -> Counter:
        return Counter(name, METRICS[name].help, ["partition"], registry=self._registry)
