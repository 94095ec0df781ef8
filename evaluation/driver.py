"""The whole system in one process: what the workers, the learner and their topics do, without Kafka.

Every record is admitted, stepped and learned by the functions that the workers call (`processors.pipeline`,
`processors.learner`), and is given the topic, partition and offset that a producer would have given it, because ids and
random numbers follow from these.
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush
from typing import Final

import msgspec
from msgspec import Struct

from evaluation.replay_file import Fact
from processors.effects import Arrival, Effect, Learn, Recommend, TeachLook, TeachMail, Wake
from processors.erasure import user_hash
from processors.learner import MARKER_KEY, Learner
from processors.pack import Pack
from processors.pipeline import Admission, Rules, admit, step, wake
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import Erasure
from schemas.catalogue import Item
from schemas.decisions import Recommendation
from schemas.learning import RETIRED, Example, Lesson
from schemas.partitioning import partition_of

NEVER_MS: Final = 1 << 62
LISTS_ONLY: Final = Rules(mails=False)
"""Steps plan no mail."""


class Outcome(Struct, frozen=True):
    """What became of one record."""

    arrival: Arrival
    admission: Admission
    effects: list[Effect]


class Driver:
    """Profiles by person, the learner and one replica.

    `delay_ms` ≥ 0: what is learned at t is in the replica at t + delay of log time; 0 means after each record. The
    learner itself is what lags here, which comes to the same, for nothing but the replica reads it.
    `publishes`: lists are published as the workers do, within the pack's `min_interval_ms`; without it the steps
    publish none, and whoever judges asks for a list (`processors.recommend`).
    """

    def __init__(
        self,
        pack: Pack,
        delay_ms: int = 0,
        publishes: bool = False,
        rules: Rules = LISTS_ONLY,
        partitions: int = 12,
        slates: bool = False,
    ) -> None:
        if delay_ms < 0:
            raise ValueError(f"delay_ms must be at least 0, not {delay_ms}")
        self.pack = pack if publishes else msgspec.structs.replace(pack, min_interval_ms=NEVER_MS)
        self.delay_ms = delay_ms
        self.rules = rules
        self._silent = msgspec.structs.replace(rules, teaches=False)
        self.replica = Replica(self.pack)
        self.learner = Learner(self.pack)
        self.profiles: dict[bytes, Profile] = {}
        self.published: dict[bytes, Recommendation] = {}
        """The newest list of each person, where lists are published."""
        self.learns = True
        """Whether steps teach the models."""
        self._partitions = partitions
        self._publishes = publishes
        self._slates = slates or publishes
        self._partition: dict[bytes, int] = {}
        self._offsets: Counter[tuple[str, int]] = Counter()
        self._erased: dict[str, int | None] = {}
        self._lessons: deque[tuple[int, Lesson]] = deque()
        self._learned = -1
        self._timers: list[list[tuple[int, bytes]]] = [[] for _ in range(partitions)]
        self._log_ms = [0] * partitions

    def take(self, topic: str, key: bytes, value: Fact, now_ms: int) -> Outcome:
        """One record of a topic keyed by person, `now_ms` being its time."""
        partition = self.partition_of(key)
        source = (topic, partition)
        arrival = Arrival(value, topic, partition, self._offsets[source], now_ms)
        self._offsets[source] += 1
        if self._publishes:
            self.wake_due(partition, now_ms)
        profile = self.profiles.get(key)
        if profile is None:
            profile = self.profiles[key] = self._newcomer(key)
        admission = admit(profile, arrival)
        effects: list[Effect] = []
        if admission == "apply":
            rules = self.rules if self.learns else self._silent
            effects = step(profile, arrival, now_ms, self.replica, Randomness(arrival.source_id), rules)
            self._perform(key, arrival, effects, now_ms)
        return Outcome(arrival, admission, effects)

    def put_item(self, item: Item) -> None:
        """An item is new or changed."""
        self.replica.put_item(item)
        if not self._slates:  # what is judged is no slate, and the pack cannot switch off that reposts are one
            row = self.replica.catalogue.row_of(item.item_id)
            self.replica.catalogue.twin[row] = 0

    def retire_item(self, item_id: str) -> None:
        """An item is gone; the learner hears of it as of the rest, after what was learned before."""
        self.replica.retire_item(item_id)
        partition = self.partition_of(item_id.encode())
        offset = self._offsets["items", partition]
        self._offsets["items", partition] += 1
        retired = Example(partition, offset, 0, RETIRED, item_id, ())
        self._lessons.append((self._lessons[-1][0] if self._lessons else 0, Lesson("items", (retired,))))

    def forget(self, key: bytes) -> None:
        """This person will not come back: make room."""
        self.profiles.pop(key, None)
        self._partition.pop(key, None)

    def catch_up(self, now_ms: int) -> None:
        """Bring to the replica what was learned by `now_ms` less the delay."""
        lessons = self._lessons
        if not lessons or lessons[0][0] + self.delay_ms > now_ms:
            return
        while lessons and lessons[0][0] + self.delay_ms <= now_ms:
            self._learned += 1
            self.learner.learn(lessons.popleft()[1], self._learned)
        self._apply(self.learner.dirty_rows() | {MARKER_KEY: self.learner.marker(self._learned)})

    def _apply(self, rows: dict[bytes, bytes]) -> None:
        """Rows of the models reach the replica."""
        apply_row = self.replica.apply_row
        for key, row in rows.items():
            apply_row(key, row)

    def partition_of(self, key: bytes) -> int:
        """Where a producer would send the key."""
        partition = self._partition.get(key)
        if partition is None:
            partition = self._partition[key] = partition_of(key, self._partitions)
        return partition

    def _newcomer(self, key: bytes) -> Profile:
        erased_ms = self._erased.get(user_hash(self.rules.erasure_key, key.decode())) if self._erased else None
        return Profile(erased_ms=erased_ms, last_recommended_ms=None if self._publishes else 0)

    def _perform(self, key: bytes, arrival: Arrival, effects: list[Effect], now_ms: int) -> None:
        for effect in effects:
            if isinstance(effect, Learn):
                self._lessons.append((now_ms, Lesson(arrival.topic, (effect.example,))))
            elif isinstance(effect, TeachMail):
                self._lessons.append((now_ms, Lesson("wake", (), (effect.label,))))
            elif isinstance(effect, Recommend):
                self.published[key] = effect.recommendation
            elif isinstance(effect, Wake) and effect.kind == "recommend":
                heappush(self._timers[arrival.partition], (effect.due_ms, key))
        if isinstance(arrival.event, Erasure):
            hashed = user_hash(self.rules.erasure_key, arrival.event.user_id)
            self._erased[hashed] = self.profiles[key].erased_ms
            self.published.pop(key, None)

    def mail_due(self, key: bytes, due_ms: int) -> list[Effect]:
        """Look at a person whose mailing is due."""
        user_id = key.decode()
        rng = Randomness(f"{user_id}/{due_ms}")
        effects = wake(self.profiles[key], user_id, Wake(due_ms, "mail"), self.replica, rng, self.rules)
        for effect in effects:
            if isinstance(effect, TeachMail):
                self._lessons.append((due_ms, Lesson("wake", (), (effect.label,))))
            elif isinstance(effect, TeachLook):
                self._lessons.append((due_ms, Lesson("wake", (), (), (effect.look,))))
        return effects

    def wake_due(self, partition: int, now_ms: int) -> None:
        """Wake who is due on a partition, on the clock of its log, as the workers do with `ATTUNE_CLOCK=log`."""
        self._log_ms[partition] = log_ms = max(self._log_ms[partition], now_ms)
        timers = self._timers[partition]
        while timers and timers[0][0] <= log_ms:
            due_ms, key = heappop(timers)
            user_id = key.decode()
            rng = Randomness(f"{user_id}/{due_ms}")
            for effect in wake(self.profiles[key], user_id, Wake(due_ms), self.replica, rng, self.rules):
                if isinstance(effect, Recommend):
                    self.published[key] = effect.recommendation
