"""The sink: Kafka's decisions into Redis, where a site reads them. A view, which can always be read anew.

Each person's newest record is kept with its offset as the version; an older one is refused, so that a second sink, a
rebalance or a re-read does no harm. How far Redis has come is kept in Redis itself, beside the data: whether it was
flushed, replaced, or restored from an old snapshot, the sink sees that it holds less than it should and goes back.
"""

import threading
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct
from redis.exceptions import NoScriptError, RedisError

from schemas.probes import is_probe
from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT, stop_process
from streams.meter import Meter
from streams.redis_keys import FORGOTTEN_S, POSITIONS, SINK_TOPICS, forgotten_key, view_key
from streams.redis_view import redis_client
from streams.settings import Settings
from streams.sink_scripts import ADVANCE, KEEP
from streams.topics import SINK_GROUP
from streams.watermarks import watermarks

BATCH: Final = 2_000
POLL_S: Final = 0.1
LOOK_EVERY_S: Final = 1.0
"""How often an idle sink asks whether Redis still holds what it should."""
FIRST_RETRY_S: Final = 0.05
LAST_RETRY_S: Final = 2.0
KAFKA_S: Final = 5.0
NOWHERE: Final = -1

METRIC_OF: Final = {
    "records": "attune_redis_records_total",
    "written": "attune_redis_writes_total",
    "refused": "attune_redis_refused_total",
    "forgotten": "attune_redis_forgotten_total",
    "retries": "attune_redis_retries_total",
    "rebuilds": "attune_redis_rebuilds_total",
}

Place = tuple[str, int]
Held = tuple[int, int]
Newest = dict[tuple[str, bytes], Message]


class SinkCounts(Struct):
    """Since the process started."""

    records: int = 0
    written: int = 0
    refused: int = 0
    """Records older than what Redis holds."""
    forgotten: int = 0
    batches: int = 0
    retries: int = 0
    rebuilds: int = 0
    """Partitions read again because Redis held less than it should."""
    batch_ms_max: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For status lines."""
        counted: dict[str, Any] = msgspec.to_builtins(self)
        return counted


class Sink:
    """One member of the group `attune.sink`. `run` works in the calling thread until `stopping` is set."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts = SinkCounts()
        self.meter = Meter()
        self._redis = redis_client(settings)
        self._keep = self._advance = ""
        self._redis_up = False
        self._joined = False
        self._new: set[Place] = set()
        self._from: dict[Place, int] = {}
        """Partition -> this sink brought Redis up to here; `NOWHERE` where it started at the beginning."""
        self._ends: dict[Place, int] = {}
        """Ends seen at the assignment and not reached yet."""
        self._rewind: dict[Place, int] = {}
        self._stopping = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap,
                "group.id": SINK_GROUP,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "session.timeout.ms": int(settings.session_s * 1000),
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 16_384,
                "fetch.queue.backoff.ms": 10,  # with the default, a second, a rebuild takes seven times as long
                **settings.kafka,
            }
        )

    @property
    def ready(self) -> bool:
        """Whether Redis answers and holds everything that was there when the partitions were assigned."""
        return self._joined and self._redis_up and not (self._new or self._ends or self._rewind)

    def run(self, stopping: threading.Event) -> None:
        """Consume until told to stop. Redis may come and go meanwhile."""
        self._stopping = stopping
        consumer, looked_s = self._consumer, 0.0
        consumer.subscribe(list(SINK_TOPICS), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not stopping.is_set():
                first = consumer.poll(POLL_S)
                messages = [] if first is None else [first, *consumer.consume(BATCH - 1, timeout=0)]
                records = list(self._records(messages))
                if records or boottime_s() - looked_s > LOOK_EVERY_S:
                    looked_s = boottime_s()
                    self._bring(records)
                if self._new:
                    self._settle()
                self._go_back()
        except KafkaException as error:
            stop_process(f"the sink cannot read: {error.args[0].str()}")
        finally:
            self._commit(wait=True)
            consumer.close()
            self._redis.close()

    def measure(self) -> Meter:
        """Everything measured, up to now."""
        for field, name in METRIC_OF.items():
            self.meter.set(name, getattr(self.counts, field))
        self.meter.set("attune_redis_up", float(self._redis_up))
        return self.meter

    # -- Kafka

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._new.update((tp.topic, tp.partition) for tp in partitions)
        self._joined = True

    def _settle(self) -> None:
        """Find out where to begin with newly assigned partitions; until that is known their records are left alone."""
        consumer = self._consumer
        try:
            committed = consumer.committed([TopicPartition(*place) for place in self._new], timeout=KAFKA_S)
            ends = {place: watermarks(consumer, *place, KAFKA_S) for place in self._new}
        except KafkaException:
            return  # a broker that is just starting, or away: again with the next turn
        self._new.clear()
        for tp in committed:
            place = tp.topic, tp.partition
            low, high = ends[place]
            self._from[place] = self._rewind[place] = tp.offset if tp.offset >= 0 else NOWHERE
            if high > max(low, tp.offset):
                self._ends[place] = high

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._new -= {(tp.topic, tp.partition) for tp in partitions}
        for tp in partitions:
            for table in (self._from, self._ends, self._rewind):
                table.pop((tp.topic, tp.partition), None)

    def _records(self, messages: Iterable[Message]) -> Iterable[Message]:
        for message in messages:
            error = message.error()
            place = message.topic() or "", message.partition() or 0
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    self._reached(place, message.offset() or 0)
                elif error.fatal():
                    stop_process(f"the sink's consumer: {error.str()}")
            elif place in self._from and place not in self._rewind:
                yield message

    def _reached(self, place: Place, offset: int) -> None:
        if offset >= self._ends.get(place, 1 << 62):
            del self._ends[place]
        if offset < self._from.get(place, NOWHERE) and place not in self._rewind:
            topic, partition = place
            stop_process(
                f"{topic}-{partition} ends at {offset}, but Redis holds it up to {self._from[place]}: the topic was "
                f"made anew; remove the keys attune:* from Redis and delete the group {SINK_GROUP}",
                REFUSED_EXIT,
            )

    def _commit(self, *, wait: bool) -> None:
        """For those who watch lag: where to go on is read from Redis."""
        offsets = [TopicPartition(*place, offset) for place, offset in self._from.items() if offset != NOWHERE]
        if offsets:
            try:
                if wait:
                    self._consumer.commit(offsets=offsets, asynchronous=False)
                else:
                    self._consumer.commit(offsets=offsets)
            except KafkaException:
                return  # the broker is away or the partitions moved: the next commit, or their new owner's, counts

    def _go_back(self) -> None:
        for place, offset in list(self._rewind.items()):
            try:
                self._consumer.seek(TopicPartition(*place, OFFSET_BEGINNING if offset == NOWHERE else offset))
            except KafkaException:
                continue  # the fetcher is not there yet: again with the next batch
            del self._rewind[place]

    # -- Redis

    def _bring(self, records: list[Message]) -> None:
        """Bring records to Redis, however long that takes; then go on from there."""
        newest: Newest = {}
        reached = dict.fromkeys(self._from, NOWHERE)
        for message in records:
            topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
            if not is_probe(key := message.key() or b""):
                newest[topic, key] = message
            reached[topic, partition] = offset + 1
        started_s = boottime_s()
        answers = self._insist(newest, reached)
        if answers is not None:
            self._account(len(records), *answers, (boottime_s() - started_s) * 1000)

    def _insist(self, newest: Newest, reached: dict[Place, int]) -> tuple[list[int], dict[Place, Held]] | None:
        """Write until Redis takes it; None where this process is to stop first."""
        retry_s, paused = FIRST_RETRY_S, False
        while not self._stopping.is_set():
            try:
                answers = self._write(newest, reached)
            except NoScriptError:
                self._keep = self._advance = ""
            except RedisError:
                self._redis_up = False
                self.counts.retries += 1
                if not paused:
                    self._consumer.pause(self._consumer.assignment())
                    paused = True
                self._stopping.wait(retry_s)
                retry_s = min(retry_s * 2, LAST_RETRY_S)
                self._stay()
            else:
                if paused:
                    self._consumer.resume(self._consumer.assignment())
                self._redis_up = True
                return answers
        return None

    def _stay(self) -> None:
        """Stay a member of the group while Redis is away; nothing is fetched."""
        for message in self._consumer.consume(BATCH, timeout=0):
            if message.error() is None:  # assigned meanwhile, or on its way when the pause came: read it again
                place = message.topic() or "", message.partition() or 0
                self._rewind[place] = min(self._rewind.get(place, 1 << 62), message.offset() or 0)
        self._consumer.pause(self._consumer.assignment())

    def _write(self, newest: Newest, reached: dict[Place, int]) -> tuple[list[int], dict[Place, Held]]:
        if not self._keep:
            self._keep = self._redis.script_load(KEEP.replace("{forgotten_s}", str(FORGOTTEN_S)))
            self._advance = self._redis.script_load(ADVANCE)
        secret = self.settings.erasure_key
        with self._redis.pipeline(transaction=False) as pipeline:
            for (topic, key), message in newest.items():
                value = message.value()
                arguments: list[Any] = [view_key(topic, key), forgotten_key(topic, key, secret), message.offset()]
                pipeline.evalsha(self._keep, 2, *arguments, *([] if value is None else [value]))
            for (topic, partition), offset in reached.items():
                begun = self._from.get((topic, partition), NOWHERE)
                pipeline.evalsha(self._advance, 1, POSITIONS, f"{topic}-{partition}", begun, max(offset, begun))
            answers = pipeline.execute()
        positions = answers[len(newest) :]
        return answers[: len(newest)], {place: tuple(held) for place, held in zip(reached, positions, strict=True)}

    def _account(self, records: int, kept: list[int], held: dict[Place, Held], took_ms: float) -> None:
        counts = self.counts
        counts.records += records
        counts.refused += kept.count(0)
        counts.written += kept.count(1)
        counts.forgotten += kept.count(2)
        counts.batches += 1
        counts.batch_ms_max = max(counts.batch_ms_max, took_ms)
        self.meter.observe("attune_redis_write_seconds", took_ms / 1000)
        moved = False
        for place, (before, now) in held.items():
            if place not in self._from:
                continue  # revoked while Redis was away
            if before < self._from[place]:
                counts.rebuilds += 1
                self._rewind[place] = self._from[place] = before
            elif now != self._from[place]:
                self._from[place] = now
                moved = True
            if now >= self._ends.get(place, 1 << 62):
                del self._ends[place]
        if moved:
            self._commit(wait=False)
