"""Synthetic bandits whose truth is known: the worlds in which the off-policy estimators are judged."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from evaluation.bandit_log import BanditLog

Floats = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, Floats, npt.NDArray[np.int64]], Floats]


class Bandit(msgspec.Struct, frozen=True):
    """`mean`, `logging` and `target` have shape (contexts, actions); `noise` turns means into rewards."""

    mean: Floats
    logging: Floats
    target: Floats
    noise: Noise
    per_person: int = 2

    @property
    def truth(self) -> float:
        return float((self.target * self.mean).sum(axis=1).mean())

    def draw(self, rng: np.random.Generator, n: int) -> BanditLog:
        contexts, actions = self.mean.shape
        context = rng.integers(0, contexts, n)
        action = (self.logging[context].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=actions - 1)
        cluster = np.arange(n) // self.per_person
        return BanditLog(
            context=context,
            action=action,
            reward=self.noise(rng, self.mean[context, action], cluster),
            propensity=self.logging[context, action],
            cluster=cluster,
            contexts=contexts,
            actions=actions,
        )


def softmax(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    normalised: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def greedy(scores: Floats, explore: float) -> Floats:
    probabilities: Floats = np.full(scores.shape, explore / scores.shape[1])
    probabilities[np.arange(len(scores)), scores.argmax(axis=1)] += 1.0 - explore
    return probabilities


def clicks(rng: np.random.Generator, mean: Floats, cluster: npt.NDArray[np.int64]) -> Floats:
    return (rng.random(len(mean)) < mean).astype(np.float64)


def persons(rng: np.random.Generator, mean: Floats, cluster: npt.NDArray[np.int64]) -> Floats:
    """Each person has a temper of their own, shared by all their decisions."""
    temper = rng.normal(0.0, 0.5, int(cluster.max()) + 1)
    felt: Floats = mean + temper[cluster] + rng.normal(0.0, 0.2, len(mean))
    return felt


def orders(rng: np.random.Generator, mean: Floats, cluster: npt.NDArray[np.int64]) -> Floats:
    """Heavy tails: order values, Pareto with index 3 (no third moment) around the mean."""
    values: Floats = mean * rng.pareto(3.0, len(mean)) * 2.0
    return values


def worlds() -> dict[str, Bandit]:
    rng = np.random.default_rng(7)
    rates = rng.beta(2.0, 18.0, (3, 8))
    taste = rng.normal(1.0, 1.0, (5, 6))
    value = rng.gamma(2.0, 1.0, (2, 6))
    skewed = rng.gamma(2.0, 0.5, (2, 10))
    return {
        "clicks, logged uniformly": Bandit(rates, np.full((3, 8), 1 / 8), greedy(rates, 0.2), clicks),
        "people with tempers, logged by softmax": Bandit(taste, softmax(taste / 2), softmax(-taste / 2), persons, 4),
        "heavy-tailed orders": Bandit(value, softmax(value / 2), softmax(value), orders),
        "heavy-tailed weights": Bandit(skewed, greedy(-skewed, 0.55), greedy(skewed, 0.1), persons, 3),
    }
