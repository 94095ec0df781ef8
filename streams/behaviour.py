"""The behaviour agent: every input topic, one profile per person, decisions out (docs/decisions/0003-write-path.md).

This file wires Kafka to `processors.pipeline`; what an event means is decided there.
"""

import asyncio
import os
from collections import deque
from typing import Any, Final

import faust
import msgspec

from processors.effects import Arrival, Effect, Forget, Learn, Receipt, Recommend, Untaught, Wake
from processors.erasure import marker_key, user_hash
from processors.live_quality import LiveQuality
from processors.pipeline import Rules, admit, drop_timer, step, wake
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import Erasure, Event, ItemEvent
from schemas.catalogue import Item, User
from schemas.decode import Invalid, Retired, decode
from schemas.learning import RETIRED, Example
from schemas.metric_table import REASONS, reason_of
from schemas.probes import is_probe
from streams.alerts import Alerts
from streams.changelog import Changelog
from streams.clock import boottime_s, wall_ms
from streams.counts import Counts
from streams.dead_letters import TOPIC as DEAD_LETTERS
from streams.dead_letters import Failure, SabotagedStepError, decode_failure, original_headers, step_failure
from streams.experiment_file import ExperimentWatch
from streams.failstop import stop_process
from streams.faust_app import Membership, make_app, messages, silence_monitor, stopping
from streams.lease import Lease
from streams.mail_effects import carry_out_mail
from streams.meter import Meter
from streams.moment import moment_of
from streams.order import Applied, Order
from streams.permitted import permitted
from streams.profile_table import ProfileTable, recovered
from streams.replica_reader import ReplicaReader
from streams.send_rate import SendRate
from streams.settings import Settings
from streams.timers import Kind, Timers
from streams.topics import BEHAVIOUR_GROUP, INPUTS, PROFILES_CHANGELOG
from streams.writer import Writer

TICK_S: Final = 0.05
NEVER_MS: Final = 1 << 62
CHUNK_S: Final = 0.02
"""The longest that timers and the replica may hold up the stream."""
MAX_STEP_FAILURES_PER_MINUTE: Final = 10
STOP_DEADLINE_S: Final = 10.0
JUDGE_EVERY_S: Final = 0.25
"""At most so often an action is judged against the list before it: well under 1 % of the time."""

_encode = msgspec.json.Encoder().encode


class BehaviourWorker:
    """Everything that one process of the group `attune.behaviour` holds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.experiments = ExperimentWatch(settings)
        erasure = settings.erasure_key, settings.erasure_complete_ms
        self.rules = Rules(settings.surface, *erasure, arms=self.experiments.arms, mails=settings.mails)
        self.replica = Replica(settings.pack)
        self.reader = ReplicaReader(settings, self.replica)
        self.counts = Counts()
        self.meter = Meter()
        for reason in REASONS:
            self.meter.count("attune_dead_letters_total", reason, by=0)  # a rate needs a zero to grow from
        for what in ("step", "wake"):
            self.meter.count("attune_failures_total", what, by=0)
        self.quality = LiveQuality()
        self.judged_s = boottime_s()
        self.assigned_s = boottime_s()
        self.lease = Lease(settings.session_s / 2, enforced="lease" not in settings.sabotage)
        self.timers: dict[Kind, Timers] = {"recommend": Timers(), "erase": Timers(), "mail": Timers()}
        self.send_rate = SendRate(settings.pack.mail.of("digest").max_per_minute, settings.partitions)
        self.log_ms: dict[int, int] = {}
        """Partition -> the largest ts_ms applied, the clock of replays."""
        self.heard_s: dict[int, float] = {}
        self.alerts = Alerts(self.replica, settings.partitions)
        self.step_failures: deque[float] = deque(maxlen=MAX_STEP_FAILURES_PER_MINUTE + 1)
        names = tuple(topic.name for topic in INPUTS)
        self.app = make_app(settings, BEHAVIOUR_GROUP, settings.partitions)
        self.table = ProfileTable(dominance="dominance" not in settings.sabotage)
        self.changelog = Changelog(settings, PROFILES_CHANGELOG, BEHAVIOUR_GROUP, self.table)
        self.membership = Membership(self.app)
        self.order = Order(self.app, settings, BEHAVIOUR_GROUP, frozenset(names))
        self.writer = Writer(settings, self.table, self.changelog, self.membership, self.lease, self.counts, self.meter)
        stream = self.app.topic(*names, key_serializer="raw", value_serializer="raw", acks=False)
        self.app.agent(stream, name="behaviour")(stopping(self.consume))
        self.app.timer(TICK_S)(self.tick)
        self.app.on_partitions_assigned.connect(self.order.granted, weak=False)
        self.app.on_partitions_revoked.connect(self.on_revoked, weak=False)
        self.app.on_rebalance_complete.connect(self.on_assigned, weak=False)
        self.app.on_before_shutdown.connect(self.on_shutdown, weak=False)

    # -- the stream

    async def consume(self, stream: Any) -> None:
        settings, order, writer = self.settings, self.order, self.writer
        async for message in messages(self.app, stream):
            if not await order.accepts(message):
                continue
            self.take(message)
            writer.offsets[message.tp] = message.offset + 1
            writer.took()
            if writer.pending >= settings.flush_events:
                await writer.flush()

    def take(self, message: Any) -> None:
        """One record: a step, a checked row of the catalogue, or a dead letter."""
        appended_ms = round(message.timestamp * 1000)
        self.meter.count("attune_records_total", message.topic)
        match decode(message.topic, message.key, message.value, appended_ms):
            case Invalid() as invalid:
                self.bury(
                    message, decode_failure(message, invalid, wall_ms()), reason_of(invalid.field, invalid.reason)
                )
            case Event() | User() as event:
                self.apply(message, Arrival(event, message.topic, message.partition, message.offset, appended_ms))
            case Retired() as retired if message.topic == "users":
                self.apply(message, Arrival(retired, message.topic, message.partition, message.offset, appended_ms))
            case Item() | Retired() as row:
                self.counts.rows += 1
                if isinstance(row, Retired):
                    self.writer.teach("items", Example(message.partition, message.offset, 0, RETIRED, row.key, ()))

    def apply(self, message: Any, arrival: Arrival) -> None:
        key, partition, writer = message.key, arrival.partition, self.writer
        now_ms = moment_of(arrival, self.settings.clock, self.log_ms)
        if self.settings.clock == "log":
            reached_ms = self.log_ms[partition] = max(now_ms, self.log_ms.get(partition, 0))
            self.heard_s[partition] = boottime_s()
            self.fire("recommend", partition, reached_ms, None)
            self.fire("mail", partition, reached_ms, None)
        profile = writer.profile(key)
        if profile is None:
            profile = self.newcomer(key)
        admission = admit(profile, arrival)
        if "dedupe" in self.settings.sabotage:
            admission = "apply"
        if admission == "applied":
            self.counts.already_applied += 1
            return
        writer.dirty[key] = partition
        if admission == "apply":
            try:
                self.judge(key, profile, arrival, now_ms)
                effects = self.step(profile, arrival, now_ms)
            except Exception as error:  # noqa: BLE001 - whatever a step raises, the stream goes on (rule: poison)
                self.step_failed(message, arrival, now_ms, error)
                return
            self.perform(key, arrival, effects)
            self.alerts.heard(key, arrival.event, profile)
            self.counts.applied += 1
        elif admission == "duplicate":
            self.counts.duplicates += 1
        else:
            self.counts.erased += 1
        writer.history.setdefault(key, []).append(arrival)

    def step(self, profile: Profile, arrival: Arrival, now_ms: int) -> list[Effect]:
        if self.settings.sabotage and "raise" in self.settings.sabotage:
            event = arrival.event
            if isinstance(event, Event) and event.event_id.startswith("raise-"):
                raise SabotagedStepError(event.event_id)
        return step(profile, arrival, now_ms, self.replica, Randomness(arrival.source_id), self.rules)

    def judge(self, key: bytes, profile: Profile, arrival: Arrival, now_ms: int) -> None:
        """Of some actions: would the list of the moment before have had the item?"""
        if is_probe(key):
            profile.last_recommended_ms = None  # a probe is always answered, whatever the interval
        elif isinstance(arrival.event, ItemEvent) and boottime_s() - self.judged_s > JUDGE_EVERY_S:
            self.judged_s = boottime_s()
            self.quality.judge(profile, arrival.event.item_id, now_ms, self.replica)

    def newcomer(self, key: bytes) -> Profile:
        """A new profile; where the person was erased, it knows what to drop."""
        marker = self.writer.profile(marker_key(user_hash(self.settings.erasure_key, key.decode())))
        profile = Profile(erased_ms=marker.erased_ms if marker is not None else None)
        self.writer.adopt(key, profile)
        return profile

    def wake(self, profile: Profile, user_id: str, due: Wake, clock_ms: int) -> list[Effect]:
        if "raise" in self.settings.sabotage and user_id.startswith("raise-"):
            raise SabotagedStepError(user_id)
        luck, is_wall = Randomness(f"{user_id}/{due.due_ms}"), self.settings.clock == "wall"
        return wake(profile, user_id, due, self.replica, luck, self.rules, clock_ms, is_wall)

    # -- what a step wants done

    def perform(self, key: bytes, arrival: Arrival, effects: list[Effect]) -> None:
        for effect in permitted(key, effects):
            if isinstance(effect, Learn):
                self.writer.teach(arrival.topic, effect.example)
            elif isinstance(effect, Recommend):
                self.recommend(key, effect, arrival.appended_ms)
            else:
                self.carry_out(key, arrival.partition, effect)
        if isinstance(arrival.event, Erasure):
            hashed = marker_key(user_hash(self.settings.erasure_key, arrival.event.user_id))
            self.writer.adopt(
                hashed, Profile(applied={arrival.topic: arrival.offset}, erased_ms=self.writer.live[key].erased_ms)
            )
            self.writer.dirty[hashed] = arrival.partition

    def recommend(self, key: bytes, effect: Recommend, appended_ms: int | None) -> None:
        latency_ms = None if appended_ms is None else wall_ms() - appended_ms
        recommendation = msgspec.structs.replace(effect.recommendation, latency_ms=latency_ms)
        self.writer.emit("recommendations", key, _encode(recommendation), appended_ms=appended_ms)
        self.counts.recommendations += 1
        led_by = recommendation.trigger.topic
        self.meter.count("attune_decisions_total", "recommendations", recommendation.surface, led_by)

    def carry_out(self, key: bytes, partition: int, effect: Effect) -> None:
        match effect:
            case Wake(due_ms=due_ms, kind=kind):
                self.timers[kind].add(partition, due_ms, key, kind)
            case Untaught():
                self.counts.untaught += 1
            case Forget():
                self.writer.emit("recommendations", key, None)
                self.writer.emit("send-times", key, None)
            case Receipt(receipt=receipt):
                self.writer.emit("erasure-receipts", receipt.user_hash.encode(), _encode(receipt))
            case _:
                carry_out_mail(key, effect, self.writer, self.counts, self.meter)

    # -- failures

    def bury(self, message: Any, failure: Failure, reason: str) -> None:
        headers = [*original_headers(message.headers or ()), *failure.headers()]
        self.writer.emit(DEAD_LETTERS, message.key, message.value, headers)
        self.counts.dead_letters += 1
        self.meter.count("attune_dead_letters_total", reason)

    def step_failed(self, message: Any, arrival: Arrival, now_ms: int, error: Exception) -> None:
        """Discard what the step left half-done, reapply what was pending, try once more, then bury the event."""
        profile = self.rebuild(message.key)
        admit(profile, arrival)
        try:
            effects = self.step(profile, arrival, now_ms)
        except Exception as again:  # noqa: BLE001
            profile = self.rebuild(message.key)
            profile.applied[arrival.topic] = arrival.offset
            self.bury(message, step_failure(message, again, wall_ms()), "step")
            self.failed("step", again)
        else:
            self.perform(message.key, arrival, effects)
            self.counts.applied += 1
            self.writer.history.setdefault(message.key, []).append(arrival)

    def wake_failed(self, key: bytes, partition: int, due: Wake, error: Exception) -> None:
        """Discard what the wake left half-done, and let this timer be: the person's next event sets another."""
        if due.kind == "erase":
            raise error  # nobody's erasure is ever dropped
        profile = self.rebuild(key)
        drop_timer(profile, due)
        self.writer.dirty[key] = partition
        hashed = user_hash(self.settings.erasure_key, key.decode())
        os.write(2, f"attune: dropped a {due.kind} timer of person {hashed[:12]}: {error!r}\n".encode())
        self.failed("wake", error)

    def failed(self, what: str, error: Exception) -> None:
        """Count a failure; one that is not the data's fault strikes again and again."""
        self.meter.count("attune_failures_total", what)
        failures = self.step_failures
        failures.append(boottime_s())
        if len(failures) > MAX_STEP_FAILURES_PER_MINUTE and failures[-1] - failures[0] < 60.0:
            stop_process(f"more than {MAX_STEP_FAILURES_PER_MINUTE} failures a minute, the last: {what}, {error!r}")

    def rebuild(self, key: bytes) -> Profile:
        profile = self.writer.discard(key) or self.newcomer(key)
        for arrival in self.writer.history.get(key, ()):
            if admit(profile, arrival) == "apply":
                now_ms = moment_of(arrival, self.settings.clock, self.log_ms)
                step(profile, arrival, now_ms, self.replica, Randomness(arrival.source_id), self.rules)
        return profile

    # -- timers

    def fire(self, kind: Kind, partition: int, now_ms: int, until_s: float | None) -> None:
        """Wake who is due on a partition; `until_s` bounds the time it takes."""
        timers = self.timers[kind]
        is_wall = self.settings.clock == "wall"
        for due_ms, key, _ in timers.due(partition, now_ms):
            profile = self.writer.profile(key)
            if profile is None:
                continue
            if kind == "mail" and is_wall and not self.send_rate.take(len(self.heard_s)):
                timers.add(partition, due_ms, key, kind)  # the others wait their turn
                return
            due = Wake(due_ms, kind)
            user_id = key.decode()
            clock_ms = due_ms if now_ms == NEVER_MS else now_ms
            try:
                effects = self.wake(profile, user_id, due, clock_ms)
            except Exception as error:  # noqa: BLE001 - whatever a wake raises, the stream goes on
                self.wake_failed(key, partition, due, error)
                continue
            if effects:
                self.writer.dirty[key] = partition
                self.counts.wakes += 1
            for effect in permitted(key, effects):
                if isinstance(effect, Recommend):
                    self.recommend(key, effect, None)
                else:
                    self.carry_out(key, partition, effect)
            if until_s is not None and boottime_s() > until_s:
                return

    def fire_all(self) -> None:
        now_s, now_ms = boottime_s(), wall_ms()
        until_s = now_s + CHUNK_S
        idle_s = self.settings.log_idle_s
        for partition in self.timers["recommend"].partitions():
            if self.settings.clock == "wall":
                self.fire("recommend", partition, now_ms, until_s)
            elif idle_s > 0.0 and now_s - self.heard_s.get(partition, 0.0) > idle_s:
                self.fire("recommend", partition, NEVER_MS, until_s)
        for partition in self.timers["mail"].partitions() if self.settings.clock == "wall" else ():
            self.fire("mail", partition, now_ms, until_s)
        if self.settings.clock == "wall":
            self.alerts.run(self.writer, now_ms, self.rules.ways, until_s, self.carry_out)
        for partition in self.timers["erase"].partitions():
            self.fire("erase", partition, now_ms, until_s)

    # -- the life of a process

    async def tick(self) -> None:
        writer = self.writer
        writer.producer.poll(0)
        self.order.retry()
        self.reader.drain(CHUNK_S)
        if self.experiments.has_changed():
            self.rules = msgspec.structs.replace(self.rules, arms=self.experiments.arms)
        if self.order.is_running and self.table.overwritten:
            await writer.heal()
        if not self.order.is_running:
            return
        self.fire_all()
        writer.emit_lessons()
        if boottime_s() - writer.flushed_s > self.settings.flush_ms / 1000:
            await writer.flush()

    async def on_assigned(self, *_: Any, **__: Any) -> None:
        silence_monitor(self.app)
        await self.order.assigned(self.app.consumer.assignment(), self.changelog, self.recovered)

    def recovered(self, partitions: frozenset[int]) -> Applied:
        """The profiles are read: set their timers."""
        self.clear_timers()
        applied, dues = recovered(self.table)
        self.alerts.recovered(self.table.rows)
        for key, partition, due in dues:
            self.timers[due.kind].add(partition, due.due_ms, key, due.kind)
        self.heard_s = dict.fromkeys(partitions, boottime_s())
        self.counts.rebalances += 1
        self.meter.set("attune_recovery_seconds", boottime_s() - self.assigned_s)
        return applied

    async def on_revoked(self, *_: Any, **__: Any) -> None:
        self.assigned_s = boottime_s()
        self.order.released()
        if self.membership.lost:
            self.counts.discarded += 1
            await asyncio.wait_for(self.writer.settled(), STOP_DEADLINE_S)
        else:
            await asyncio.wait_for(self.writer.flush(), STOP_DEADLINE_S)
        self.writer.forget()
        self.clear_timers()

    async def on_shutdown(self, *_: Any, **__: Any) -> None:
        was_assigned = self.order.is_assigned
        self.order.released()
        if was_assigned and not self.membership.lost:
            await asyncio.wait_for(self.writer.flush(), STOP_DEADLINE_S)

    def clear_timers(self) -> None:
        for timers in self.timers.values():
            timers.clear()
        self.log_ms.clear()


def make_behaviour_app(settings: Settings) -> tuple[faust.App, BehaviourWorker]:
    """The worker, its replica caught up: ready to take events."""
    worker = BehaviourWorker(settings)
    worker.lease.start()
    worker.reader.start()
    worker.reader.catch_up()
    return worker.app, worker
