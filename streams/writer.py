"""Live profiles and outputs, made durable in the right order: outputs, then state, then offsets.

A durable profile implies durable outputs, so a replayed event that was applied before emits nothing; one that was not
is computed afresh, under the same deterministic ids (docs/decisions/0003-write-path.md).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import msgspec
from confluent_kafka import Producer

from processors.effects import Arrival
from processors.erasure import is_blank, is_marker
from processors.profile import Profile, decode, encode
from schemas.learning import Example, Lesson
from schemas.mail_labels import MailLabel, Weighed
from streams.changelog import Changelog
from streams.clock import boottime_s, wall_ms
from streams.counts import Counts
from streams.faust_app import Membership
from streams.lease import Lease
from streams.meter import Meter
from streams.producing import Batch, Headers, make_producer, produce
from streams.profile_table import ProfileTable
from streams.settings import Settings
from streams.topics import PROFILES_CHANGELOG

LESSON_EXAMPLES: Final = 256
"""Examples that travel in one record: the learner's cost is mostly per record."""

WAKES: Final = "wake"
"""The source of lessons that timers cause; no input topic is named so."""

_encode_lesson = msgspec.msgpack.Encoder().encode


class Writer:
    """Owns the live profiles of this worker's partitions. All methods run in the event loop."""

    def __init__(
        self,
        settings: Settings,
        table: ProfileTable,
        changelog: Changelog,
        membership: Membership,
        lease: Lease,
        counts: Counts,
        meter: Meter,
    ) -> None:
        self.settings = settings
        self.table = table
        self.changelog = changelog
        self.membership = membership
        self.lease = lease
        self.counts = counts
        self.meter = meter
        self.unflushed_s: float | None = None
        """When the oldest event that is not durable was taken; None where all are."""
        self.producer: Producer = make_producer(
            settings, **{"message.timeout.ms": lease.delivery_ms, "socket.timeout.ms": 10_000}
        )
        self.lock = asyncio.Lock()
        self.flushed_s = boottime_s()
        self.forget()

    # -- live state

    def forget(self) -> None:
        """Drop every live profile and all that is not durable: after a revoke, or when membership was lost."""
        self.live: OrderedDict[bytes, Profile] = OrderedDict()
        self.in_flight: dict[bytes, bytes] = {}
        self.unflushed_s = None
        self._begin()

    def _begin(self) -> None:
        self.dirty: dict[bytes, int] = {}
        """Key -> partition."""
        self.history: dict[bytes, list[Arrival]] = {}
        """What was applied to a dirty profile since the last flush: reapplied where a step fails half-way."""
        self.offsets: dict[Any, int] = {}
        self.lessons: dict[str, list[Example]] = {}
        self.labels: list[MailLabel] = []
        self.looks: list[Weighed] = []
        self.outputs = Batch()
        self.pending = 0

    def profile(self, key: bytes) -> Profile | None:
        """The live profile of a key, decoded at its first use; None for a person never seen."""
        live = self.live.get(key)
        if live is not None:
            self.live.move_to_end(key)
            return live
        return self._decoded(key)

    def adopt(self, key: bytes, profile: Profile) -> None:
        """Make a new profile live."""
        self.live[key] = profile

    def discard(self, key: bytes) -> Profile | None:
        """Forget what was done to a live profile since the last flush; the durable one takes its place."""
        self.live.pop(key, None)
        return self._decoded(key)

    def _decoded(self, key: bytes) -> Profile | None:
        stored = self.in_flight.get(key) or self.table.rows.get(key)
        if stored is None:
            return None
        profile = self.live[key] = decode(stored)
        return profile

    # -- outputs

    def emit(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int = -1,
        appended_ms: int | None = None,
    ) -> None:
        """Produce an output at once; the flush waits for its delivery before any state is written. With `appended_ms`,
        the Kafka time of the event behind it, its freshness is measured when it is delivered.
        """
        batch = self.outputs
        batch.sent += 1
        delivered = batch.delivered if appended_ms is None else self._measured(batch, appended_ms)
        produce(self.producer, topic, key, value, delivered, partition=partition, headers=headers)

    def _measured(self, batch: Batch, appended_ms: int) -> Callable[[Any, Any], None]:
        def delivered(error: Any, message: Any) -> None:
            batch.delivered(error, message)
            self.meter.observe("attune_event_freshness_seconds", max(wall_ms() - appended_ms, 0) / 1000)

        return delivered

    def took(self) -> None:
        """One more record is taken and not durable yet."""
        self.pending += 1
        if self.unflushed_s is None:
            self.unflushed_s = boottime_s()

    def teach(self, topic: str, example: Example) -> None:
        """Collect an example; it travels with others of its topic, at the latest with the next tick or flush."""
        examples = self.lessons.setdefault(topic, [])
        examples.append(example)
        self.counts.examples += 1
        if len(examples) >= LESSON_EXAMPLES:
            self.emit_lessons()

    def teach_mail(self, label: MailLabel) -> None:
        """Collect what came of a mail."""
        self.labels.append(label)
        self.counts.examples += 1
        if len(self.labels) >= LESSON_EXAMPLES:
            self.emit_lessons()

    def teach_look(self, look: Weighed) -> None:
        """Collect that somebody might have been written to."""
        self.looks.append(look)
        if len(self.looks) >= LESSON_EXAMPLES:
            self.emit_lessons()

    def emit_lessons(self) -> None:
        labels, self.labels = self.labels, []
        looks, self.looks = self.looks, []
        if labels or looks:
            lesson = Lesson(WAKES, (), tuple(labels), tuple(looks))
            self.emit("learning", None, _encode_lesson(lesson), partition=0)
        lessons, self.lessons = self.lessons, {}
        for topic, examples in lessons.items():
            self.emit("learning", None, _encode_lesson(Lesson(topic, tuple(examples))), partition=0)

    # -- durability

    async def flush(self) -> None:
        """Make everything since the last flush durable, and commit it."""
        async with self.lock:
            self.lease.check()
            started_s = self.flushed_s = boottime_s()
            if self.membership.lost or not (self.pending or self.dirty):
                return
            self.emit_lessons()
            outputs, offsets = self.outputs, self.offsets
            generation = self.membership.generation
            rows: list[tuple[bytes, int, bytes | None]] = []
            for key, partition in self.dirty.items():
                profile = self.live[key]
                profile.generation = generation
                gone = is_blank(profile) and not is_marker(key)
                rows.append((key, partition, None if gone else encode(profile)))
            self.in_flight = {key: value for key, _, value in rows if value is not None}
            oldest_s, began_s = self.unflushed_s, boottime_s()
            self._begin()
            await outputs.wait(self.producer)
            await self.write(rows)
            for key, partition, value in rows:
                self._store(key, partition, value)
            self.in_flight = {}
            await self.membership.commit(offsets)
            self._evict()
            self.counts.flushes += 1
            if self.unflushed_s == oldest_s:
                self.unflushed_s = began_s if self.pending else None
            took_s = boottime_s() - started_s
            self.counts.flush_ms_max = max(self.counts.flush_ms_max, took_s * 1000)
            self.meter.observe("attune_flush_seconds", took_s)
            self.meter.observe("attune_flush_rows", len(rows))

    async def settled(self) -> None:
        """Wait for a flush that is going on."""
        async with self.lock:
            pass

    async def write(self, rows: list[tuple[bytes, int, bytes | None]]) -> None:
        """Produce rows to the changelog, each on the partition of its events, and wait for them."""
        batch = Batch()
        ends: dict[int, tuple[int, int]] = {}

        def delivered(error: Any, message: Any) -> None:
            batch.delivered(error, message)
            partition, offset = message.partition(), message.offset()
            first, _ = ends.get(partition, (offset, offset))
            ends[partition] = (first, offset)

        counted: dict[int, int] = {}
        for key, partition, value in rows:
            batch.sent += 1
            counted[partition] = counted.get(partition, 0) + 1
            produce(self.producer, PROFILES_CHANGELOG, key, value, delivered, partition=partition)
        await batch.wait(self.producer)
        self.meter.count("attune_changelog_records_total", by=len(rows))
        for partition, (first, last) in ends.items():
            if last - first + 1 == counted[partition]:  # nobody else wrote in between
                self.changelog.advance(partition, first, last)

    def _store(self, key: bytes, partition: int, value: bytes | None) -> None:
        if value is None:
            self.table.rows.pop(key, None)
            self.table.partition_of.pop(key, None)
            if key not in self.dirty:
                self.live.pop(key, None)
        else:
            self.table.rows[key] = value
            self.table.partition_of[key] = partition

    def _evict(self) -> None:
        """Keep the live profiles bounded; a dirty one stays."""
        excess = len(self.live) - self.settings.live_profiles
        if excess > 0:
            for key in [key for key in self.live if key not in self.dirty][:excess]:
                del self.live[key]

    async def heal(self) -> None:
        """Write again what an old owner overwrote."""
        async with self.lock:
            self.lease.check()
            keys = [key for key in self.table.overwritten if key in self.table.rows and key not in self.dirty]
            self.table.overwritten.clear()
            rows: list[tuple[bytes, int, bytes | None]] = [
                (key, self.table.partition_of[key], self.table.rows[key]) for key in keys
            ]
            await self.write(rows)
            self.counts.healed += len(keys)
