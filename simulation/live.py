"""A small job market that never ends, in present time: what `attune demo` feeds to Kafka, and the story it tells.

Two people are kept out of the crowd, so that what changes for them is due to what the demo does: the *saver* looks at
two jobs, then saves one from another field of which there are many similar ones open; the *bystander* looks at two
jobs and does nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from simulation.draws import Ints, rng_of
from simulation.jobs import JobsWorld
from simulation.local_time import DAY_MS, START_MS
from simulation.occupations import FAMILY_OF, OCCUPATION_OF, OCCUPATIONS
from simulation.towns import METRO_OF
from simulation.world import Record

_OPEN_FOR_DAYS = 30


class LiveMarket:
    """`users` people and `jobs` openings that stand still in number, drawn by `seed`; `now_ms` is the present, UTC.

    >>> market = LiveMarket(seed=1, now_ms=1_800_000_000_000, users=60, jobs=300)
    >>> feed = market.feed(rate_per_s=0, clock_ms=lambda: 1_800_000_000_500)
    >>> next(feed)["value"]["ts_ms"]
    1800000000500
    """

    def __init__(self, seed: int, now_ms: int, users: int = 200, jobs: int = 1500) -> None:
        self._world = JobsWorld(seed, users, days=1, live_jobs=jobs, still=True)
        self._shift_ms = now_ms - START_MS
        self._seed, self._now_ms = seed, now_ms
        self.saver, self.item_to_save, self.similar_items = self._choose_saver()
        self.bystander = self._choose_bystander()
        self._looks = {p: self._other_jobs(p) for p in (self.saver, self.bystander)}

    def catalogue(self) -> Iterator[Record]:
        """`items`, posted in the weeks before now and open for a month from now; then `users`."""
        for record in self._world.catalogue():
            value = record["value"]
            if record["topic"] == "items":
                value["posted_ms"] = min(value["posted_ms"] + self._shift_ms, self._now_ms)
                value["expires_ms"] = self._now_ms + _OPEN_FOR_DAYS * DAY_MS
            else:
                value["ts_ms"] += self._shift_ms
            yield record

    def backlog(self) -> Iterator[Record]:
        """What the crowd did in the eight weeks before now, in time order: something to learn from."""
        for record in self._world.history():
            if record["key"] not in self._looks:
                yield _at(record, record["value"]["ts_ms"] + self._shift_ms)

    def feed(
        self, rate_per_s: float, clock_ms: Callable[[], int], sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[Record]:
        """Behaviour of the crowd without end, about `rate_per_s` records a second (0: as fast as it is taken).

        Every record bears the time `clock_ms` says when it is yielded, never going back.
        """
        begun, count, last = clock_ms(), 0, 0
        for record in self._world.advance(START_MS + 36_000 * DAY_MS, lambda user_id, ts_ms: None):
            if record["key"] in self._looks:
                continue
            if rate_per_s > 0:
                wait_s = count / rate_per_s - (clock_ms() - begun) / 1000
                if wait_s > 0:
                    sleep(wait_s)
            count += 1
            last = max(last, clock_ms())
            yield _at(record, last)

    def first_looks(self, user_id: str, ts_ms: int) -> list[Record]:
        """Two views by the saver or the bystander, the later one at `ts_ms`: they give them a first list."""
        return [
            self._event(
                "views",
                user_id,
                item,
                ts_ms - 60_000 * (1 - n),
                f"story-{user_id}-view-{n}",
                dwell_ms=42_000,
                session_id=f"story-{user_id}",
            )
            for n, item in enumerate(self._looks[user_id])
        ]

    def save(self, ts_ms: int) -> Record:
        """The saver saves `item_to_save`."""
        return self._event(
            "saves",
            self.saver,
            self.item_to_save,
            ts_ms,
            f"story-{self.saver}-save",
            kind="save",
            session_id=f"story-{self.saver}",
        )

    def title(self, item_id: str) -> str:
        """Title of an item, for printing."""
        return self._world.jobs.titles[self._world.jobs.index[item_id]]

    def _event(self, topic: str, user_id: str, item_id: str, ts_ms: int, event_id: str, **more: Any) -> Record:
        value = {"event_id": event_id, "user_id": user_id, "item_id": item_id, "ts_ms": ts_ms, **more}
        return {"topic": topic, "key": user_id, "value": value}

    def _choose_saver(self) -> tuple[str, str, tuple[str, ...]]:
        """The person and the job with the most open jobs of the same occupation nearby, all of them acceptable."""
        world, jobs = self._world, self._world.jobs
        occupation = OCCUPATION_OF[jobs.kind]
        best: tuple[int, int, Ints] = (0, 0, np.zeros(0, dtype=np.int64))
        for p in rng_of(self._seed, 41).permutation(len(world.people.ids))[:40].tolist():
            near = (METRO_OF[jobs.town] == METRO_OF[world.people.town[p]]) & ~jobs.remote & ~jobs.licence
            near &= jobs.pay_min >= world.seekers.floor[p]
            near &= FAMILY_OF[jobs.kind] != world.seekers.old_occupation[p] // 4
            counts = np.bincount(occupation[near], minlength=len(OCCUPATIONS))
            if counts.max() > best[2].size:
                rows = np.flatnonzero(near & (occupation == int(counts.argmax())))
                home = rows[jobs.town[rows] == world.people.town[p]]
                best = (p, int(home[0] if home.size else rows[0]), rows)
        p, item, rows = best
        return world.people.ids[p], jobs.ids[item], tuple(jobs.ids[int(r)] for r in rows if r != item)

    def _choose_bystander(self) -> str:
        people = self._world.people
        order = rng_of(self._seed, 42).permutation(len(people.ids))
        return next(people.ids[int(p)] for p in order if people.ids[int(p)] != self.saver)

    def _other_jobs(self, user_id: str) -> tuple[str, ...]:
        """Two jobs near home in the person's own field, which is not the one of the item to save."""
        world, jobs = self._world, self._world.jobs
        p = world.people.index[user_id]
        near = np.flatnonzero(METRO_OF[jobs.town] == METRO_OF[world.people.town[p]])
        closeness = (FAMILY_OF[jobs.kind[near]] == world.seekers.old_occupation[p] // 4) * 2.0
        closeness += (OCCUPATION_OF[jobs.kind[near]] == world.seekers.old_occupation[p]) * 1.0
        closeness -= 10.0 * (OCCUPATION_OF[jobs.kind[near]] == OCCUPATION_OF[jobs.kind[jobs.index[self.item_to_save]]])
        return tuple(jobs.ids[int(near[k])] for k in np.argsort(-closeness, kind="stable")[:2])


def _at(record: Record, ts_ms: int) -> Record:
    return {**record, "value": {**record["value"], "ts_ms": ts_ms}}
