"""Lists and hours by a world's own truth: how much there is to win. Never a policy that could be run.

The best hour is that of `World.truth` for typical content; the best items are those of the world's
`best_items(user_id, ts_ms, n)` where it has one, else those of the highest `truth` among all live items.
"""

from __future__ import annotations

import math
from typing import Protocol, cast

import numpy as np

from evaluation.policies.audience import Audience, Person
from evaluation.policies.lists import SIZE, Items, Shelved, as_items
from evaluation.policies.send_rule import FIRST_HOUR, LAST_HOUR, HourRule
from processors.hour_tables import HoursView
from processors.send_decision import Candidates, HourModel, Known
from processors.week import Doubles
from simulation.world import World


class NoTruthError(ValueError):
    """The world does not tell its truth, so that it has no oracle."""


class _TellsBest(Protocol):
    def best_items(self, user_id: str, ts_ms: int, n: int = 10) -> list[str]: ...


class OracleLists(Shelved):
    """What is truly best for a person at that moment."""

    source = "oracle"

    def __init__(self, audience: Audience, world: World) -> None:
        super().__init__(audience)
        self._world = told(world)

    def mail(self, user_id: str, now_ms: int) -> Items:
        if hasattr(self._world, "best_items"):
            return as_items(cast("_TellsBest", self._world).best_items(user_id, now_ms, SIZE), self.source)
        live = [i for i in self.shelf.items if self.shelf.is_live(i, now_ms)]
        live.sort(key=lambda i: (-self._world.truth(user_id, i, now_ms), i))
        return as_items(live[:SIZE], self.source)


def best_hour(world: World) -> HourRule:
    """Each person's true best hour of those in which mail may go, found anew for weekdays and weekends of each week."""
    told(world)
    known: dict[tuple[str, int, bool], int] = {}

    def rule(user_id: str, person: Person, day_ms: int) -> int:
        day = person.local(day_ms)
        key = (user_id, day.isocalendar().week, day.weekday() >= 5)
        if key not in known:
            hours = range(FIRST_HOUR, LAST_HOUR + 1)
            known[key] = max(hours, key=lambda hour: world.truth(user_id, None, person.at_hour(day, hour)))
        return known[key]

    return rule


def true_hours(world: World) -> HourModel:
    """Each moment's true worth: the hour of the most, always."""
    told(world)

    def values(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
        return (
            np.array([_log(float(world.truth(known.user_id, None, hour.at_ms))) for hour in candidates.hours]) * 100.0
        )

    return HourModel(values, 0.0)


def _log(chance: float) -> float:
    return math.log(max(chance, 1e-9))


def told(world: World) -> World:
    """The world, if it tells its truth. Raises `NoTruthError`."""
    if not hasattr(world, "truth"):
        raise NoTruthError(f"{type(world).__name__} has no truth(): the oracles need one")
    return world
