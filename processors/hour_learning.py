"""Learning how hours are to be estimated: the exponent of the activity prior, kernels and kappa, by likelihood.

For every settled send each of `GRID`'s shapes says which reward was to be expected, mu = p L(s) theta(s), from what was
known before the send. A shape's score is sum r log mu - R log sum mu: the likelihood of how rewards fell over sends,
given how many there were, so that a wrong level of p favours none. The estimate is the mean of beta and log kappa, and
the likeliest kernels, under the posterior over the grid with a prior that halves with every step of beta from 0. Once
it is `DOUBT` times likelier that activity says nothing than that it says anything, it is set aside: beta is 0 until
mails speak for it again. A mean that is small and never 0 would keep people at the hours that activity singled out.
A segment's scores are added to everybody's, whose weight is bounded: what many segments share is its prior.

Scores decay with half a year, multiplied at each update by the age of the reference (one row, one learner).
"""

from typing import Final

import numpy as np
from msgspec import Struct

from processors.hour_estimate import ACTIVITY_KERNELS, Shape, activity_prior, usual_hours
from processors.week import Doubles, kernel

BETAS: Final = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
KAPPAS: Final = (3.0, 8.0, 20.0, 60.0)
SPANS_H: Final = (1.5, 3.0)
DOUBT: Final = 2.0
"""Odds against activity from which on it is not used."""
PRIOR_REWARDS: Final = 2_000.0
"""Everybody's evidence counts for a segment as if it were of at most so many rewards."""

GRID: Final = tuple(
    Shape(beta, kappa, activity, span_h)
    for activity in range(len(ACTIVITY_KERNELS))
    for span_h in SPANS_H
    for kappa in KAPPAS
    for beta in BETAS
)
_DIMENSIONS: Final = (len(ACTIVITY_KERNELS), len(SPANS_H), len(KAPPAS), len(BETAS))
_BETA_VALUES: Final[Doubles] = np.array(BETAS)
_LOG_KAPPAS: Final[Doubles] = np.log(np.array(KAPPAS))
_LOG_PRIOR: Final = np.broadcast_to(-0.6931 * np.arange(len(BETAS)), _DIMENSIONS)


class Evidence(Struct):
    """Sums over settled sends, the arrays in the shape of the grid."""

    log_score: Doubles
    expected: Doubles
    rewards: float = 0.0

    @classmethod
    def empty(cls, dimensions: tuple[int, ...] = _DIMENSIONS) -> "Evidence":
        return cls(np.zeros(dimensions), np.zeros(dimensions))


def estimates(slot: int, successes: Doubles, exposure: Doubles, activity: Doubles, population: Doubles) -> Doubles:
    """Theta at one slot of the fold under every shape of the grid."""
    betas, kappas = np.array(BETAS), np.array(KAPPAS)
    found = np.empty(_DIMENSIONS)
    near = [(kernel(span_h)[slot] @ successes, kernel(span_h)[slot] @ exposure) for span_h in SPANS_H]
    for a in range(len(ACTIVITY_KERNELS)):
        prior = activity_prior(activity, usual_hours(population, a), a)[slot] ** betas
        for w, (won, exposed) in enumerate(near):
            found[a, w] = (kappas[:, None] * prior[None, :] + won) / (kappas[:, None] + exposed)
    return found


def observe(evidence: Evidence, expected: Doubles, reward: float) -> None:
    """One settled send: `expected` by shape (above 0), the reward that came."""
    evidence.expected += expected
    if reward > 0.0:
        evidence.log_score += reward * np.log(expected)
        evidence.rewards += reward


def fade(evidence: Evidence, factor: float) -> None:
    """Multiply everything by a factor in (0, 1]."""
    evidence.log_score *= factor
    evidence.expected *= factor
    evidence.rewards *= factor


def score(evidence: Evidence) -> Doubles:
    """Log likelihood by shape, up to a constant."""
    if evidence.rewards <= 0.0:
        return np.zeros(evidence.expected.shape)
    value: Doubles = evidence.log_score - evidence.rewards * np.log(evidence.expected)
    return value


def likely(evidence: Evidence, values: Doubles) -> float:
    """The mean of values by shape, weighted by how likely the shapes are."""
    total = score(evidence)
    weights = np.exp(total - total.max())
    return float((weights * values).sum() / weights.sum())


def learned_shape(everybody: Evidence, segment: Evidence | None = None) -> Shape:
    """The shape to estimate with.

    >>> learned_shape(Evidence.empty()).beta < 0.15
    True
    """
    total = score(everybody)
    if segment is not None and everybody.rewards > 0.0:
        total = total * min(1.0, PRIOR_REWARDS / everybody.rewards) + score(segment)
    total = total + _LOG_PRIOR
    weights = np.exp(total - total.max())
    weights /= weights.sum()
    by_kernels = weights.sum(axis=(2, 3))
    a, w = divmod(int(by_kernels.argmax()), len(SPANS_H))
    by_beta = weights.sum(axis=(0, 1, 2))
    says_nothing = by_beta[0] > DOUBT * by_beta[1:].sum()
    beta = 0.0 if says_nothing else float(by_beta @ _BETA_VALUES)
    kappa = float(np.exp(weights.sum(axis=(0, 1, 3)) @ _LOG_KAPPAS))
    return Shape(beta, kappa, a, SPANS_H[w])
