"""How good each hour of a person's week is for a mail, relative to 1: their hours on the site, corrected by what mails
at those hours earned.

theta(s) = (kappa omega(s)^beta + sum K S) / (kappa + sum K E), K a circular Gaussian of `span_h`; omega(s) is the
smoothed share of the person's activity from s on over the population's. beta, kappa and the kernels are learned
(processors/hour_learning.py); beta starts at 0, so that activity says nothing until it was seen to.
Both functions of a person take one (48 slots) or many (… x 48).
"""

from functools import lru_cache
from typing import Final

import numpy as np
from msgspec import Struct

from processors.week import FOLDED, HOURS, Doubles, kernel

LEAST_SHARE: Final = 0.2
"""An even spread's part in the population's shares, so that no hour is judged by next to nobody."""
ACTIVITY_KERNELS: Final = ((0.0, 1.5, 2.0), (0.0, 3.0, 2.0), (1.5, 2.0, 2.0), (0.0, 1.5, 6.0), (0.0, 3.0, 6.0))
"""(centre, width) in hours after the send: what of a person's activity speaks for an hour; and how many hours of the
population's activity every person is credited with."""


class Shape(Struct, frozen=True, array_like=True):
    """What is learned of how hours are to be estimated."""

    beta: float = 0.0
    """Exponent of the activity prior."""
    kappa: float = 30.0
    """Strength of the prior, in expected rewards."""
    activity: int = 0
    """Place in `ACTIVITY_KERNELS`."""
    span_h: float = 2.0
    """Of the kernel over successes and exposure."""


@lru_cache(maxsize=16)
def _activity_kernel(number: int) -> Doubles:
    centre_h, span_h, _ = ACTIVITY_KERNELS[number]
    away = (np.arange(HOURS)[None, :] - np.arange(HOURS)[:, None] - centre_h + HOURS / 2) % HOURS - HOURS / 2
    near = np.exp(-0.5 * (away / span_h) ** 2)
    near /= near.sum(axis=1, keepdims=True)
    table: Doubles = np.kron(np.array([[0.75, 0.25], [0.25, 0.75]]), near)
    return table


def usual_hours(population: Doubles, number: int) -> Doubles:
    """The smoothed share of everybody's activity by slot; even where nobody was seen yet."""
    total = float(population.sum())
    shares = population / total if total > 0.0 else np.full(FOLDED, 1.0 / FOLDED)
    smooth: Doubles = _activity_kernel(number) @ ((1.0 - LEAST_SHARE) * shares + LEAST_SHARE / FOLDED)
    return smooth


def activity_prior(activity: Doubles, usual: Doubles, number: int) -> Doubles:
    """omega(s): 1 everywhere for somebody of whom nothing is known.

    `activity` are a person's hours by slot, `usual` the `usual_hours` under the same kernel.
    """
    near, pseudo = _activity_kernel(number), ACTIVITY_KERNELS[number][2]
    amount = np.add.reduce(activity, axis=-1)
    share: Doubles = ((activity.dot(near.T) / usual + pseudo).T / (amount + pseudo)).T
    return share


def hour_estimate(successes: Doubles, exposure: Doubles, omega: Doubles, shape: Shape) -> Doubles:
    """theta(s), 48 slots, above 0; `omega` is the `activity_prior` under the shape's kernel."""
    prior = omega**shape.beta if shape.beta else 1.0
    near = kernel(shape.span_h)
    estimate: Doubles = (successes.dot(near) + shape.kappa * prior) / (exposure.dot(near) + shape.kappa)
    return estimate
