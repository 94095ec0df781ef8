"""The learner: the one process that teaches the global models, and publishes them as rows of `model`.

A flush writes the rows that changed, waits, writes a marker row that closes them, waits, and commits last.
Tombstones of what was forgotten follow later (streams/tombstones.py).
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import faust
import msgspec

from processors.learner import MARKER_KEY, Learner, OtherHalfLivesError
from schemas.decode import Invalid
from schemas.learning import Lesson
from streams.changelog import Changelog
from streams.clock import boottime_s, wall_ms
from streams.counts import Counts
from streams.dead_letters import TOPIC as DEAD_LETTERS
from streams.dead_letters import decode_failure, original_headers
from streams.failstop import REFUSED_EXIT, stop_process
from streams.faust_app import Membership, make_app, messages, silence_monitor, stopping
from streams.lease import Lease
from streams.meter import Meter
from streams.model_table import ModelTable
from streams.order import Applied, Order
from streams.producing import Batch, make_producer, produce
from streams.settings import Settings
from streams.tombstones import Tombstones
from streams.topics import LEARNER_GROUP

TICK_S: Final = 0.05
STOP_DEADLINE_S: Final = 10.0
MODEL: Final = "model"
LEARNING: Final = "learning"

_decode_lesson = msgspec.msgpack.Decoder(Lesson).decode


class LearnerWorker:
    """Everything that the process of the group `attune.learner` holds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts = Counts()
        self.meter = Meter()
        self.lease = Lease(settings.session_s / 2, enforced="lease" not in settings.sabotage)
        self.app = make_app(settings, LEARNER_GROUP, 1)
        self.table = ModelTable()
        self.tombstones = Tombstones(settings.session_s)
        self.changelog = Changelog(settings, MODEL, LEARNER_GROUP, self.table)
        self.membership = Membership(self.app)
        self.order = Order(self.app, settings, LEARNER_GROUP, frozenset({LEARNING}))
        self.producer = make_producer(
            settings, **{"message.timeout.ms": self.lease.delivery_ms, "socket.timeout.ms": 10_000}
        )
        self.learner: Learner | None = None
        self.offsets: dict[Any, int] = {}
        self.learned = -1
        """Offset of the last record of `learning` taken."""
        self.pending = 0
        self.letters = Batch()
        self.flushed_s = boottime_s()
        self._lock = asyncio.Lock()
        stream = self.app.topic(LEARNING, key_serializer="raw", value_serializer="raw", acks=False)
        self.app.agent(stream, name="learner")(stopping(self.consume))
        self.app.timer(TICK_S)(self.tick)
        self.app.on_partitions_assigned.connect(self.order.granted, weak=False)
        self.app.on_partitions_revoked.connect(self.on_revoked, weak=False)
        self.app.on_rebalance_complete.connect(self.on_assigned, weak=False)
        self.app.on_before_shutdown.connect(self.on_shutdown, weak=False)

    async def consume(self, stream: Any) -> None:
        async for message in messages(self.app, stream):
            self.meter.count("attune_records_total", LEARNING)
            if not await self.order.accepts(message) or self.learner is None:
                continue
            try:
                lesson = _decode_lesson(message.value or b"")
            except msgspec.MsgspecError as error:
                self.bury(message, str(error))
            else:
                taken = self.learner.learn(lesson, message.offset)
                self.counts.applied += taken
                self.counts.duplicates += len(lesson.examples) - taken
            self.learned = message.offset
            self.offsets[message.tp] = message.offset + 1
            self.pending += 1

    def bury(self, message: Any, reason: str) -> None:
        failure = decode_failure(message, Invalid("$", reason), wall_ms())
        self.letters.sent += 1
        headers = [*original_headers(message.headers or ()), *failure.headers()]
        produce(self.producer, DEAD_LETTERS, message.key, message.value, self.letters.delivered, headers=headers)
        self.counts.dead_letters += 1
        self.meter.count("attune_dead_letters_total", "other")

    async def flush(self) -> None:
        async with self._lock:
            self.lease.check()
            started_s = self.flushed_s = boottime_s()
            if not self.pending or self.learner is None or self.membership.lost:
                return
            offsets, self.offsets, self.pending = self.offsets, {}, 0
            rows, marker = self.learner.dirty_rows(), self.learner.marker(self.learned)
            await self.letters.wait(self.producer)
            await self.write(rows)
            await self.write({MARKER_KEY: marker})
            self.table.rows.update(rows)
            self.table.rows[MARKER_KEY] = marker
            await self.membership.commit(offsets)
            await self.clear_forgotten(rows)
            self.counts.rows += len(rows)
            self.counts.flushes += 1
            took_s = boottime_s() - started_s
            self.counts.flush_ms_max = max(self.counts.flush_ms_max, took_s * 1000)
            self.meter.observe("attune_flush_seconds", took_s)
            self.meter.observe("attune_flush_rows", len(rows))

    async def clear_forgotten(self, covered: dict[bytes, bytes]) -> None:
        """Write the tombstones that are due, after a marker covers `covered`."""
        self.tombstones.covered(covered, boottime_s())
        gone = self.tombstones.take(boottime_s())
        await self.write(dict.fromkeys(gone))
        for key in gone:
            self.table.rows.pop(key, None)

    async def settled(self) -> None:
        """Wait for a flush that is going on."""
        async with self._lock:
            pass

    async def write(self, rows: Mapping[bytes, bytes | None]) -> None:
        batch = Batch()
        for key, row in rows.items():
            batch.sent += 1
            produce(self.producer, MODEL, key, row, batch.delivered, partition=0)
        await batch.wait(self.producer)

    async def heal(self) -> None:
        """Write again what an old owner overwrote; the marker last."""
        async with self._lock:
            self.lease.check()
            found = list(self.table.overwritten)
            self.table.overwritten.clear()
            rows = self.table.rows
            await self.write({key: rows[key] for key in found if key in rows and key != MARKER_KEY})
            if MARKER_KEY in rows:
                await self.write({MARKER_KEY: rows[MARKER_KEY]})
            self.counts.healed += len(found)

    def measure(self) -> Meter:
        """Everything measured, up to now."""
        self.counts.measure(self.meter)
        self.meter.set("attune_order_gaps_total", self.order.gaps)
        self.meter.set("attune_recovery_remaining_records", self.changelog.remaining)
        self.meter.set("attune_producer_queue_records", len(self.producer))
        return self.meter

    async def tick(self) -> None:
        self.producer.poll(0)
        self.order.retry()
        if self.order.is_running and self.table.overwritten:
            await self.heal()
        if self.order.is_running and boottime_s() - self.flushed_s > self.settings.model_flush_ms / 1000:
            await self.flush()

    async def on_assigned(self, *_: Any, **__: Any) -> None:
        silence_monitor(self.app)
        await self.order.assigned(self.app.consumer.assignment(), self.changelog, self.recovered)

    def recovered(self, partitions: frozenset[int]) -> Applied:
        """Everything up to the last marker is read: continue from there."""
        self.learner = self.restored() if partitions else None
        self.tombstones.restart(self.table.rows, boottime_s())
        self.offsets, self.pending = {}, 0
        self.counts.rebalances += 1
        return {}

    def restored(self) -> Learner:
        """The learner as its rows say; a process whose settings cannot read them ends here."""
        try:
            return Learner.restore(self.settings.pack, self.table.rows)
        except OtherHalfLivesError as error:
            stop_process(
                f"{error}; put it back, or delete the topic model and the group {LEARNER_GROUP} to learn anew from"
                " what the topic learning still holds",
                REFUSED_EXIT,
            )

    async def on_revoked(self, *_: Any, **__: Any) -> None:
        self.order.released()
        if self.membership.lost:
            self.counts.discarded += 1
            await asyncio.wait_for(self.settled(), STOP_DEADLINE_S)
        else:
            await asyncio.wait_for(self.flush(), STOP_DEADLINE_S)
        self.learner = None
        self.offsets, self.pending = {}, 0

    async def on_shutdown(self, *_: Any, **__: Any) -> None:
        was_assigned = self.order.is_assigned
        self.order.released()
        if was_assigned and not self.membership.lost:
            await asyncio.wait_for(self.flush(), STOP_DEADLINE_S)


def make_learner_app(settings: Settings) -> tuple[faust.App, LearnerWorker]:
    """The learner, ready to be started."""
    worker = LearnerWorker(settings)
    worker.lease.start()
    return worker.app, worker
