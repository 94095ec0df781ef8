"""Where there is nothing to win, nothing must be found: policies against their ablations in null worlds.

    python -m evaluation.null_worlds --users 300 --days 14 --seeds 20

`no-taste`: attune against random items at the same mails and hours. `no-rhythm`: attune against the same lists at ten.
Judged is the difference in clicks per mail, person by person: within a seed people are the sample, each of them in both
worlds, so that the standard error is that of the paired differences of two linearised ratios. Of 20 intervals of 95% at
least 18 must cover 0; a sound judge falls short of that in 8 of 100 attempts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from evaluation.intervals import Estimate, normal_mean
from evaluation.policies.audience import Audience
from evaluation.policies.policy import POLICIES
from evaluation.world_run import Tally, WorldRun
from processors.pack import Pack
from simulation.world import make_world

CASES: Final = {"no-taste": ("attune", "random-items"), "no-rhythm": ("attune", "fixed-time")}
"""Variant -> the policies between which there is no difference in it."""
REQUIRED: Final = 0.9
"""Of the intervals that must cover 0."""


class Case(Struct, frozen=True):
    """One null world: the difference in clicks per mail under each seed."""

    variant: str
    differences: tuple[Estimate, ...]

    @property
    def covered(self) -> int:
        return sum(difference.covers(0.0) for difference in self.differences)

    @property
    def holds(self) -> bool:
        return self.covered >= REQUIRED * len(self.differences)


def difference(one: Mapping[str, Tally], two: Mapping[str, Tally]) -> Estimate:
    """Clicks per mail of the first less the second, with its 95% interval over people; they are paired by id.

    >>> same = {"a": Tally(2, 1), "b": Tally(2, 0), "c": Tally(1, 1)}
    >>> difference(same, same)
    Estimate(value=0.0, low=0.0, high=0.0)
    """
    people = sorted(one.keys() | two.keys())
    nobody = Tally()
    value, parts = 0.0, np.zeros(len(people))
    for sign, tallies in ((1.0, one), (-1.0, two)):
        clicks = np.array([tallies.get(user, nobody).clicks for user in people], dtype=np.float64)
        mails = np.array([tallies.get(user, nobody).mails for user in people], dtype=np.float64)
        ratio = clicks.sum() / mails.sum()
        value += sign * ratio
        parts += sign * (clicks - ratio * mails) / mails.mean()
    spread = normal_mean(parts)
    return Estimate(float(value), float(value + spread.low - spread.value), float(value + spread.high - spread.value))


def judge(variant: str, users: int, days: int, seeds: int, pack: Pack, world: str = "jobs") -> Case:
    """Both policies under `seeds` seeds from 1 on."""
    found = []
    for seed in range(1, seeds + 1):
        tallies = [_lived(f"{world}:{variant}", name, seed, users, days, pack) for name in CASES[variant]]
        found.append(difference(*tallies))
        print(f"{variant} seed {seed}: {_said(found[-1])}", file=sys.stderr, flush=True)
    return Case(variant, tuple(found))


def _lived(world_name: str, policy: str, seed: int, users: int, days: int, pack: Pack) -> dict[str, Tally]:
    world, audience = make_world(world_name, seed, users, days), Audience()
    run = WorldRun(world, POLICIES[policy](world, pack, audience), audience, days)
    run.finish()
    return run.tallies


def _said(found: Estimate) -> str:
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def main() -> int:
    """Judge both null worlds; exit code 1 where too few intervals cover 0."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.null_worlds")
    for name, default in (("--users", 300), ("--days", 14), ("--seeds", 20)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    cases = [judge(variant, asked.users, asked.days, asked.seeds, Pack(name="jobs")) for variant in CASES]
    for case in cases:
        covered = f"{case.covered} of {len(case.differences)} intervals cover 0"
        print(f"{case.variant}: {covered}: {'as it must' if case.holds else 'TOO FEW'}")
    return 0 if all(case.holds for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
