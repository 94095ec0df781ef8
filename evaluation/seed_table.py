"""Many runs, one table: means over seeds, and lifts against a baseline with which they are paired by seed.

Worlds of one seed are the same world under every policy, so that most of what differs between seeds cancels in the lift
R - 1, R = Σx / Σb. Its interval is the linearised one of a paired ratio: the residuals x - R b over seeds, with
Student's t, for there are few of them (Cochran, *Sampling Techniques*, ch. 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Final

from msgspec import Struct

Outcomes = Mapping[str, float]


class Figure(Struct, frozen=True):
    """A metric's mean over seeds with the ends of its 95% interval, and the relative lift over the baseline.

    Ends are None with one seed; a lift is None where the baseline is 0, and for the baseline itself.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None


class Run(Struct, frozen=True):
    """What came of one policy under one seed."""

    policy: str
    seed: int
    outcomes: dict[str, float]
    cpu_s: float


class Table(Struct, frozen=True):
    """What `attune simulate --json` prints; cohorts are metrics ``cohort.NAME.METRIC``."""

    world: str
    users: int
    days: int
    seeds: tuple[int, ...]
    baseline: str
    policies: dict[str, dict[str, Figure]]
    cpu_s: float


def table_of(runs: Sequence[Run], world: str, users: int, days: int, baseline: str) -> Table:
    """The table of runs of every policy under every seed.

    >>> runs = [Run("old", 1, {"clicks": 10.0}, 1.0), Run("new", 1, {"clicks": 12.0}, 1.0)]
    >>> round(table_of(runs, "jobs", 5, 1, "old").policies["new"]["clicks"].lift, 3)
    0.2
    """
    by_policy: dict[str, dict[int, Outcomes]] = {}
    for run in runs:
        by_policy.setdefault(run.policy, {})[run.seed] = run.outcomes
    seeds = tuple(sorted({run.seed for run in runs}))
    base = by_policy[baseline]
    figures = {
        name: {
            metric: _figure(
                [found[seed].get(metric, 0.0) for seed in seeds],
                None if name == baseline else [base[seed].get(metric, 0.0) for seed in seeds],
            )
            for metric in dict.fromkeys(metric for outcomes in found.values() for metric in outcomes)
        }
        for name, found in by_policy.items()
    }
    return Table(world, users, days, seeds, baseline, figures, round(sum(run.cpu_s for run in runs), 3))


def _figure(values: Sequence[float], base: Sequence[float] | None) -> Figure:
    mean, reach = mean_of(values)
    low, high = (None, None) if reach is None else (mean - reach, mean + reach)
    if base is None or not sum(base):
        return Figure(mean, low, high)
    ratio = sum(values) / sum(base)
    _, residual = mean_of([x - ratio * b for x, b in zip(values, base, strict=True)])
    if residual is None:
        return Figure(mean, low, high, ratio - 1.0)
    off = residual / abs(sum(base) / len(base))
    return Figure(mean, low, high, ratio - 1.0, ratio - 1.0 - off, ratio - 1.0 + off)


def mean_of(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean and half the width of its 95% interval."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return mean, t_quantile(n - 1) * math.sqrt(variance / n)


_EXACT: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622)
"""The 97.5% quantile for 1 to 9 degrees of freedom."""


def t_quantile(df: int) -> float:
    """Student's 97.5% quantile with `df` ≥ 1; from ten on by Cornish and Fisher's expansion, right to 0.001.

    >>> round(t_quantile(4), 3), round(t_quantile(19), 3)
    (2.776, 2.093)
    """
    if df <= len(_EXACT):
        return _EXACT[df - 1]
    z: float = NormalDist().inv_cdf(0.975)
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + math.fsum(term / df**power for power, term in enumerate(terms, 1))
