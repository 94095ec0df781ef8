"""What people of every world have: a town, episodes of interest, rhythms, patience, tolerance of mail, trips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulation.draws import Floats, Ints, rng_of
from simulation.local_time import DAY_MS, day_of, offset_ms
from simulation.rhythm import Rhythms, draw_rhythms
from simulation.towns import TOWNS
from simulation.variants import Variant

Bools = npt.NDArray[np.bool_]
HISTORY_DAYS = 56
REGULAR, NEWCOMER, DORMANT, SPARSE, MISLED = range(5)
"""Cohorts by their past. SPARSE: back with needs their few events do not show. MISLED: the history points elsewhere."""
_COHORT_SHARE = np.array([0.52, 0.12, 0.16, 0.1, 0.1])
_EPISODES = 8
_FAR_DAY = 10_000.0
_IDLE = 0.06


@dataclass(frozen=True)
class People:
    """Columns over people. Days are days since the start of the world; rates are per day; probabilities in [0, 1]."""

    ids: tuple[str, ...]
    index: dict[str, int]
    town: Ints
    cohort: Ints
    rhythms: Rhythms
    visit_rate: Floats
    episode_from: Floats
    episode_to: Floats
    join_day: Floats
    switch_day: Floats
    """When tastes change for good (SPARSE and MISLED); far away for the others."""
    trip_from: Floats
    trip_to: Floats
    trip_town: Ints
    open_rate: Floats
    patience: Floats
    """Probability to look at the next item of a list."""
    tolerance: Floats
    """Mails (decayed, half-life 3 days) that a person bears."""
    unsubscribe_rate: Floats
    machine: Bools
    scanner: Bools
    opt_in: Bools
    tz_known: Bools

    @property
    def traveller(self) -> Bools:
        """Who crosses time zones during the run."""
        out: Bools = self.trip_from < _FAR_DAY
        return out

    def tz(self, p: int, day: int) -> str:
        """The zone person `p` lives by on `day`."""
        town = self.trip_town[p] if self.trip_from[p] <= day < self.trip_to[p] else self.town[p]
        return TOWNS[int(town)].tz

    def searching(self, day: float) -> Bools:
        """Who is inside an episode on `day`."""
        inside = np.less_equal(self.episode_from, day) & np.greater(self.episode_to, day)
        out: Bools = np.asarray(inside.any(axis=1), dtype=np.bool_)
        return out

    def rates(self, day: int) -> Floats:
        """Expected visits of everybody on `day`, whatever the policy does."""
        weekday = (1.12, 1.1, 1.05, 1.05, 0.95, 0.8, 0.85)[day % 7]
        rate: Floats = self.visit_rate * np.where(self.searching(day), 1.0, _IDLE) * weekday
        rate = rate * np.where((self.cohort == DORMANT) & ~self.searching(day), 0.3, 1.0)
        out: Floats = np.where(day < self.join_day, 0.0, rate)
        return out

    def slot(self, p: int, ts_ms: int) -> tuple[int, int]:
        """(0 weekday or 1 weekend, local hour) of person `p`."""
        day = day_of(ts_ms)
        local = ts_ms + offset_ms(self.tz(p, day), day)
        return int((local // DAY_MS + 3) % 7 >= 5), int(local // 3_600_000 % 24)


def draw_people(seed: int, users: int, days: int, metros: int, variant: Variant, still: bool = False) -> People:
    """`still`: nobody's interest ends and nobody travels (for a live feed without end)."""
    rng = rng_of(seed, 21)
    cohort = np.full(users, REGULAR) if still else _cohorts(rng, users)
    metro = rng.choice(metros, users, p=rng.dirichlet(np.full(metros, 20.0)))
    town = metro * 5 + rng.choice(5, users, p=(0.36, 0.18, 0.16, 0.16, 0.14))
    join = np.where(cohort == NEWCOMER, rng.uniform(0, max(1.0, 0.75 * days), users), -_FAR_DAY)
    switch = np.full(users, _FAR_DAY)
    switch[cohort == SPARSE] = rng.uniform(-4, max(1.0, 0.5 * days), users)[cohort == SPARSE]
    switch[cohort == MISLED] = rng.uniform(-8, 4, users)[cohort == MISLED]
    start, end = _episodes(rng, users, cohort, np.maximum(join, -_FAR_DAY), switch, still)
    travels = (rng.random(users) < 0.06) & (not still)
    trip_from = np.where(travels, rng.uniform(2, max(3.0, 0.7 * days), users), _FAR_DAY)
    rate = rng.gamma(1.6, 0.085, users) + 0.02
    return People(
        ids=tuple(f"u{p:05d}" for p in range(users)),
        index={f"u{p:05d}": p for p in range(users)},
        town=town.astype(np.int64),
        cohort=cohort.astype(np.int64),
        rhythms=draw_rhythms(rng_of(seed, 22), users, variant),
        visit_rate=rate,
        episode_from=start,
        episode_to=end,
        join_day=join,
        switch_day=switch,
        trip_from=trip_from,
        trip_to=trip_from + rng.uniform(4, 14, users),
        trip_town=rng.integers(0, len(TOWNS), users),
        open_rate=rng.beta(4.0, 8.0, users) * np.where(cohort == DORMANT, 0.5, 1.0),
        patience=rng.uniform(0.6, 0.92, users),
        tolerance=rng.gamma(4.0, 0.9, users) + 0.4,
        unsubscribe_rate=rng.gamma(1.2, 0.0009, users),
        machine=rng.random(users) < variant.machine_share,
        scanner=rng.random(users) < 0.01,
        opt_in=rng.random(users) < 0.96,
        tz_known=rng.random(users) < 0.9,
    )


def _cohorts(rng: np.random.Generator, users: int) -> Ints:
    """Shares differ a little from seed to seed; every cohort is there from 10 people on."""
    share = rng.dirichlet(_COHORT_SHARE * 300)
    cohort = np.repeat(np.arange(5), np.maximum(1, np.round(share * users)).astype(np.int64))
    cohort = np.concatenate([np.arange(5), np.resize(cohort, max(users, 5) - 5)])[:users]
    out: Ints = rng.permutation(cohort).astype(np.int64)
    return out


def _episodes(
    rng: np.random.Generator, users: int, cohort: Ints, join: Floats, switch: Floats, still: bool
) -> tuple[Floats, Floats]:
    """Searches begin, last weeks, and end; a year of them from the beginning of the history on."""
    gaps = rng.exponential(32.0, (users, _EPISODES)) + 3.0
    lasts = rng.exponential(24.0, (users, _EPISODES)) + 6.0
    ends = np.cumsum(gaps + lasts, axis=1) - HISTORY_DAYS - rng.uniform(0, 50, (users, 1))
    starts = ends - lasts
    dormant, sparse = cohort == DORMANT, cohort == SPARSE
    starts[dormant], ends[dormant] = _FAR_DAY, _FAR_DAY
    starts[dormant, 0] = -HISTORY_DAYS
    ends[dormant, 0] = rng.uniform(-50, -32, users)[dormant]
    starts[sparse], ends[sparse] = _FAR_DAY, _FAR_DAY
    starts[sparse, 0], ends[sparse, 0] = -HISTORY_DAYS, -HISTORY_DAYS + 6
    for group, day in ((sparse, switch), (cohort == MISLED, switch), (cohort == NEWCOMER, join)):
        starts[group, 1] = day[group]
        ends[group, 1] = (day + lasts[:, 1] + 14)[group]
    if still:
        starts[:], ends[:] = -_FAR_DAY, _FAR_DAY
    return starts, ends
