"""How near the learned hours come to the best, with many people: `python -m evaluation.send_scenes`.

The estimates are those of `processors/`, everybody's at once, over the scenes of evaluation/send_world.py: one mail a
person and day. Beside the share of the oracle's lift over ten o'clock stands that of `ideal`, who knows the form of all
curves, how often activity tells, and everybody's chance to answer, and weighs every peak by Bayes' rule: what there is
to be known. Expected clicks, paired by seed; Student's intervals over seeds. Figures are simulated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from msgspec.structs import replace

from evaluation.seed_table import t_quantile
from evaluation.send_machines import Credit, Mailboxes, credited, taken_at_their_word
from evaluation.send_world import Scene, Truth, bump, draw_truth
from processors.hour_estimate import ACTIVITY_KERNELS, activity_prior, hour_estimate, usual_hours
from processors.hour_learning import BETAS, KAPPAS, SPANS_H, Evidence, learned_shape, likely, score
from processors.segment_lift import STRENGTHS, Table, learned_shrinkage, lift, lifts_at
from processors.send_policy import propensities
from processors.sending import ACTIVITY_HALF_LIFE_D, SUCCESS_HALF_LIFE_D
from processors.week import FOLDED, WEEK, Doubles, Indexes, kernel

SENDS: Final = (24, 78)
FIRST, LAST, TEN = 7, 23, 10
LATE: Final = 10
PSEUDO_SENDS: Final = 8.0
SCENES: Final = {
    "personal": Scene(),
    "segments": Scene(personal=0.0),
    "activity-tells-of-some": Scene(told=0.4),
    "activity-says-nothing": Scene(told=0.0),
    "no-rhythm": Scene(height=0.0),
    "few-answers": Scene(base=0.05, visits_a_day=0.06),
    "opens": Scene(opens=1.0),
    "machines": Scene(opens=1.0, machines=0.5),
}
LEARNERS: Final = {
    "personal": ("attune", "no-activity", "ideal"),
    "segments": ("attune", "no-activity"),
    "activity-tells-of-some": ("attune", "no-activity", "ideal"),
    "activity-says-nothing": ("attune", "no-activity", "ideal"),
    "no-rhythm": ("attune", "no-activity"),
    "few-answers": ("attune", "no-activity", "ideal"),
    "opens": ("attune",),
    "machines": ("attune", "no-filter"),
}
AGAINST: Final = {
    ("activity-tells-of-some", "attune"): ("activity-tells-of-some", "no-activity"),
    ("activity-says-nothing", "attune"): ("activity-says-nothing", "no-activity"),
    ("machines", "attune"): ("opens", "attune"),
    ("machines", "no-filter"): ("opens", "attune"),
}
"""What a row is compared with, in points of clicks: paired, the same people and the same luck."""


class Learner(Protocol):
    """Who values hours: log reward by (person, 48 slots), and learns of mails at `slots` with `rewards` on `day`."""

    def values(self, activity: Doubles) -> Doubles: ...

    def learn(self, day: int, slots: Indexes, rewards: Doubles, activity: Doubles) -> None: ...


class Learned:
    """The estimates of the pipeline; `activity` False: its exponent stays 0."""

    def __init__(self, truth: Truth, uses_activity: bool = True) -> None:
        self._n, self._segment, self._uses = len(truth.segment), truth.segment, uses_activity
        self._won, self._due, self._sends = np.zeros((self._n, 48)), np.zeros((self._n, 48)), np.zeros(self._n)
        self._all, self._own = Table.empty(), [Table.empty() for _ in range(int(truth.segment.max()) + 1)]
        self._shapes, self._strengths = Evidence.empty(), Evidence.empty((len(STRENGTHS), len(STRENGTHS)))
        self._population = np.zeros(FOLDED)

    def values(self, activity: Doubles) -> Doubles:
        shape, strength = learned_shape(self._shapes), learned_shrinkage(self._strengths)
        shape = shape if self._uses else replace(shape, beta=0.0)
        towards = lift(self._all, np.ones(WEEK), strength.everybody)
        week = np.stack([lift(table, towards, strength.segment) for table in self._own])
        weekend = np.arange(48) >= 24
        lifts = np.where(weekend, week[:, np.arange(48) % 24 + 120], week[:, np.arange(48) % 24])
        omega = activity_prior(activity, usual_hours(self._population, shape.activity), shape.activity)
        theta = hour_estimate(self._won, self._due, omega, shape)
        found: Doubles = np.log(lifts[self._segment] * theta)
        return found

    def learn(self, day: int, slots: Indexes, rewards: Doubles, activity: Doubles) -> None:
        everyone = np.arange(self._n)
        base = (self._all.successes.sum() + 1.0) / (self._all.sends + 10.0)
        expected = (self._won.sum(axis=1) + PSEUDO_SENDS * base) / (self._sends + PSEUDO_SENDS)
        week_slots = slots % 24 + day % 7 * 24
        theta = self._estimates(everyone, slots, activity)
        pairs = {
            (s, g): lifts_at(s, self._all, self._own[g])
            for s, g in set(zip(week_slots.tolist(), self._segment.tolist(), strict=True))
        }
        lifts = np.stack([pairs[s, g] for s, g in zip(week_slots.tolist(), self._segment.tolist(), strict=True)])
        by_lift = np.array([likely(self._strengths, pairs[key]) for key in pairs])
        usual = dict(zip(pairs, by_lift.tolist(), strict=True))
        level = np.array([usual[s, g] for s, g in zip(week_slots.tolist(), self._segment.tolist(), strict=True)])
        shapes = score(self._shapes)
        weights = np.exp(shapes - shapes.max())
        height = np.tensordot(theta, weights / weights.sum(), axes=weights.ndim)  # `likely` of each
        _take(self._shapes, theta * (expected * level)[:, None, None, None, None], rewards)
        _take(self._strengths, lifts * (expected * height)[:, None, None], rewards)
        for g, table in enumerate([*self._own, self._all]):
            those = self._segment == g if g < len(self._own) else np.ones(self._n, bool)
            np.add.at(table.successes, week_slots[those], rewards[those])
            np.add.at(table.exposure, week_slots[those], expected[those])
            table.sends += int(those.sum())
        fade = 2.0 ** (-1.0 / SUCCESS_HALF_LIFE_D)
        self._won, self._due, self._sends = self._won * fade, self._due * fade, self._sends * fade
        self._won[everyone, slots] += rewards
        self._due[everyone, slots] += expected
        self._sends += 1.0
        self._population += activity.sum(axis=0)

    def _estimates(self, everyone: Indexes, slots: Indexes, activity: Doubles) -> Doubles:
        """As `processors.hour_learning.estimates`, for everybody."""
        kappas, near = np.array(KAPPAS)[:, None], [kernel(span_h) for span_h in SPANS_H]
        spans = [((self._won @ k)[everyone, slots], (self._due @ k)[everyone, slots]) for k in near]
        found = np.empty((self._n, len(ACTIVITY_KERNELS), len(SPANS_H), len(KAPPAS), len(BETAS)))
        for a in range(len(ACTIVITY_KERNELS)):
            usual = usual_hours(self._population, a)
            prior = activity_prior(activity, usual, a)[everyone, slots][:, None] ** np.array(BETAS)
            for w, (won, due) in enumerate(spans):
                found[:, a, w] = (kappas * prior[:, None, :] + won[:, None, None]) / (kappas + due[:, None, None])
        return found


class Ideal:
    """Who knows how scenes are made, but not whose peak is where."""

    def __init__(self, scene: Scene, truth: Truth) -> None:
        peaks = np.arange(7.0, 22.5, 0.5)
        curve = np.exp(scene.height * np.stack([bump(peaks, scene.width_h), bump(peaks + 0.5, scene.width_h)], 1))
        curve /= curve[:, :, FIRST:LAST].mean(axis=2, keepdims=True)
        self._curves = curve.reshape(len(peaks), 48)
        day = 1.0 + 2.0 * np.exp(-0.5 * ((np.arange(24) - 14) / 5.0) ** 2)
        visits = day * np.exp(1.6 * np.stack([bump(peaks, 2.5), bump(peaks + 0.5, 2.5)], 1))
        self._log_visits = np.log(visits / visits.sum(axis=2, keepdims=True)).reshape(len(peaks), 48)
        self._level = truth.click.reshape(-1, 2, 24)[:, :, FIRST:LAST].mean(axis=(1, 2))
        self._told = scene.told
        self._log_odds = np.zeros((len(self._level), len(peaks)))

    def values(self, activity: Doubles) -> Doubles:
        seen = activity @ self._log_visits.T
        told = np.exp(seen - seen.max(axis=1, keepdims=True))
        told /= told.mean(axis=1, keepdims=True)
        weights = np.exp(self._log_odds - self._log_odds.max(axis=1, keepdims=True))
        weights *= self._told * told + 1.0 - self._told
        weights /= weights.sum(axis=1, keepdims=True)
        found: Doubles = np.log(weights @ self._curves)
        return found

    def learn(self, day: int, slots: Indexes, rewards: Doubles, activity: Doubles) -> None:
        chance = np.minimum(0.9, self._level[:, None] * self._curves[:, slots].T)
        self._log_odds += np.where(rewards[:, None] > 0.0, np.log(chance), np.log(1.0 - chance))


def _take(evidence: Evidence, expected: Doubles, rewards: Doubles) -> None:
    """As `processors.hour_learning.observe`, one after the other."""
    evidence.expected += expected.sum(axis=0)
    answered = rewards > 0.0
    evidence.log_score += np.tensordot(rewards[answered], np.log(expected[answered]), axes=1)
    evidence.rewards += float(rewards.sum())


def lived(scene: Scene, truth: Truth, learner: Learner, seed: int, credit: Credit = credited) -> Doubles:
    """What mails were worth, by (day; learned, ten o'clock, best): means over people and over the draw of hours."""
    mailboxes = Mailboxes(scene, seed, credit)
    rng, everyone = np.random.default_rng(seed + 10_000), np.arange(len(truth.segment))
    activity, found = np.zeros_like(truth.visits), np.zeros((max(SENDS), 3))
    for day in range(-scene.before_d, max(SENDS)):
        allowed = np.arange(FIRST, LAST) + (24 if day % 7 >= 5 else 0)
        activity *= 2.0 ** (-1.0 / ACTIVITY_HALF_LIFE_D)
        if day >= 0:
            values = learner.values(activity)[:, allowed]
            chances = np.array([propensities(row) for row in values])
            places = (rng.random(len(everyone))[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
            slots = allowed[np.minimum(places, len(allowed) - 1)]
            chance = truth.click[everyone, slots]
            clicked = rng.random(len(everyone)) < chance
            learner.learn(day, slots, mailboxes.rewards(day, slots, chance, clicked), activity)
            worth = truth.click[:, allowed]
            expected = (chances * worth).sum(axis=1).mean()
            found[day] = expected, worth[:, TEN - FIRST].mean(), worth.max(axis=1).mean()
        share = truth.visits[:, allowed[0] - FIRST : allowed[0] - FIRST + 24]
        share = share / share.sum(axis=1, keepdims=True)
        count = rng.poisson(truth.rate)
        people = np.repeat(everyone, count)
        hours = (rng.random(len(people))[:, None] > np.cumsum(share[people], axis=1)).sum(axis=1)
        activity[people, np.minimum(hours, 23) + allowed[0] - FIRST] += 1.0
    return found


def shares(runs: Sequence[Doubles], first: int, last: int) -> tuple[float | None, float | None]:
    """Share of the oracle's lift over the days [first, last), and the half-width of its interval over seeds."""
    over = np.array([run[first:last, 0].mean() - run[first:last, 1].mean() for run in runs])
    under = np.array([run[first:last, 2].mean() - run[first:last, 1].mean() for run in runs])
    if under.mean() < 1e-9:
        return None, None
    share = float(over.sum() / under.sum())
    reach = t_quantile(len(runs) - 1) * float((over - share * under).std(ddof=1)) / len(runs) ** 0.5 / under.mean()
    return round(share, 3), round(float(reach), 3)


def points(runs: Sequence[Doubles], others: Sequence[Doubles], sends: int) -> tuple[float, float]:
    """How many points of clicks (hundredths of ten o'clock's) `runs` are above `others`, and the interval's half."""
    over = np.array(
        [
            100.0 * (one[:sends, 0].sum() - other[:sends, 0].sum()) / one[:sends, 1].sum()
            for one, other in zip(runs, others, strict=True)
        ]
    )
    reach = t_quantile(len(over) - 1) * over.std(ddof=1) / len(over) ** 0.5
    return round(float(over.mean()), 2), round(float(reach), 2)


def runs_of(scene: Scene, who: str, seeds: int) -> list[Doubles]:
    """One of `LEARNERS` in a scene, by seed."""
    found = []
    for seed in range(1, seeds + 1):
        truth = draw_truth(scene, seed)
        learner = Ideal(scene, truth) if who == "ideal" else Learned(truth, who != "no-activity")
        credit = taken_at_their_word if who == "no-filter" else credited
        found.append(lived(scene, truth, learner, seed, credit))
    return found


def main() -> None:
    """Print a line of JSON for every scene, learner and number of sends."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.send_scenes", description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5, help="at least 2")
    parser.add_argument("--only", choices=SCENES, nargs="+", default=list(SCENES))
    given = parser.parse_args()

    @lru_cache
    def lives(name: str, who: str) -> list[Doubles]:
        return runs_of(replace(SCENES[name], people=given.people), who, given.seeds)

    for name in given.only:
        for who in LEARNERS[name]:
            runs, other = lives(name, who), AGAINST.get((name, who))
            for sends in SENDS:
                share, late = shares(runs, 0, sends), shares(runs, sends - LATE, sends)
                lift_of = float(np.mean([run[:sends, 0].sum() / run[:sends, 1].sum() - 1.0 for run in runs]))
                best = float(np.mean([run[:sends, 2].sum() / run[:sends, 1].sum() - 1.0 for run in runs]))
                row = {"scene": name, "learner": who, "sends": sends, "share": share, "late": late}
                row |= {"lift": round(lift_of, 4), "oracle_lift": round(best, 4)}
                if other is not None:
                    row |= {"against": "/".join(other), "points": points(runs, lives(*other), sends)}
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
