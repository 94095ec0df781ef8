"""How sure a figure is: 95% intervals of means and ratios whose observations come in clusters.

One person's events resemble each other, so the unit that is resampled is the person. The interval is the studentised
bootstrap (Efron and Tibshirani, *An Introduction to the Bootstrap*, ch. 12): each replicate is measured in its own
standard errors, which keeps the coverage near nominal for the skewed sums that importance weights make, where the plain
percentile interval is too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_CHUNK_CELLS = 250_000
"""Cells of the (replicates, clusters) count matrix held at once: 2 MB, so that it stays in the cache."""


class Estimate(msgspec.Struct, frozen=True):
    """A value with the two ends of its interval, in the value's own unit."""

    value: float
    low: float
    high: float

    def covers(self, truth: float) -> bool:
        """Whether `truth` lies inside, ends included.

        >>> Estimate(1.0, 0.5, 1.5).covers(1.5)
        True
        """
        return self.low <= truth <= self.high


def normal_mean(values: npt.ArrayLike, level: float = 0.95) -> Estimate:
    """The mean of independent `values`, shape (n,), with its normal interval at `level` in (0, 1).

    >>> normal_mean([1.0, 1.0, 1.0])
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("values must not be empty")
    mean = float(sample.mean())
    error = float(sample.std(ddof=1) / np.sqrt(sample.size)) if sample.size > 1 else float("inf")
    reach = _z(level) * error
    return Estimate(mean, mean - reach, mean + reach)


def cluster_sums(values: npt.ArrayLike, cluster: npt.ArrayLike) -> Floats:
    """Sums of `values`, shape (n,), by `cluster`, dense codes from 0, shape (n,). Returns shape (clusters,).

    >>> cluster_sums([1.0, 2.0, 4.0], [0, 1, 0]).tolist()
    [5.0, 2.0]
    """
    sums = np.bincount(np.asarray(cluster), weights=np.asarray(values, dtype=np.float64))
    return sums.astype(np.float64)


class Ratio(msgspec.Struct, frozen=True):
    """Sum of `top` over sum of `bottom`, both shape (clusters,): a mean when `bottom` counts the observations."""

    top: Floats
    bottom: Floats

    @property
    def value(self) -> float:
        """The ratio itself; NaN when the bottom is 0."""
        return float(self.top.sum() / self.bottom.sum()) if self.bottom.sum() else float("nan")

    @property
    def standard_error(self) -> float:
        """The linearised standard error over clusters (delta method); infinite with fewer than two clusters."""
        clusters = len(self.top)
        if clusters < 2:
            return float("inf")
        residual = self.top - self.value * self.bottom
        return float(np.sqrt((residual**2).sum() * clusters / (clusters - 1)) / abs(self.bottom.sum()))

    def interval(self, rng: np.random.Generator, replicates: int = 1_000, level: float = 0.95) -> Estimate:
        """The studentised cluster bootstrap at `level`; deterministic under `rng`.

        >>> ratio = Ratio(np.array([1.0, 2.0, 3.0, 2.0]), np.ones(4))
        >>> ratio.interval(np.random.default_rng(0)).covers(2.0)
        True
        """
        return bootstrap([self], rng, replicates, level)[0]

    def _pivots(self, counts: Floats) -> Floats:
        """(replicate − value) / the replicate's own standard error for each row of `counts`, NaN where that is 0."""
        clusters = len(self.top)
        columns = np.column_stack([self.top, self.bottom, self.top**2, self.top * self.bottom, self.bottom**2])
        top, bottom, top2, cross, bottom2 = (counts @ columns).T
        with np.errstate(divide="ignore", invalid="ignore"):
            value = top / bottom
            spread = np.maximum(top2 - 2.0 * value * cross + value**2 * bottom2, 0.0)
            error = np.sqrt(spread * clusters / (clusters - 1)) / np.abs(bottom)
            pivots: Floats = (value - self.value) / error
        return np.where(np.isfinite(pivots), pivots, np.nan)

    def _from_pivots(self, pivots: Floats, level: float) -> Estimate:
        value, error = self.value, self.standard_error
        if not np.isfinite(error) or error == 0.0:
            return Estimate(value, value - error, value + error)
        usable = pivots[np.isfinite(pivots)]
        if len(usable) < len(pivots) / 2:  # nearly every replicate is degenerate: too few outcomes to studentise
            reach = _z(level) * error
            return Estimate(value, value - reach, value + reach)
        tail = (1.0 - level) / 2.0
        lower, upper = np.quantile(usable, [tail, 1.0 - tail])
        return Estimate(value, float(value - upper * error), float(value - lower * error))


def bootstrap(
    ratios: Sequence[Ratio], rng: np.random.Generator, replicates: int = 1_000, level: float = 0.95
) -> list[Estimate]:
    """The studentised intervals of several ratios over the same clusters, from the same resampled clusters.

    `replicates` ≥ 1 draws, `level` in (0, 1). Raises ValueError when the ratios differ in their clusters.

    >>> people = Ratio(np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4))
    >>> [estimate.value for estimate in bootstrap([people, people], np.random.default_rng(0))]
    [0.75, 0.75]
    """
    clusters = len(ratios[0].top)
    if any(len(ratio.top) != clusters for ratio in ratios):
        raise ValueError("ratios must have the same clusters")
    if clusters < 2:
        return [ratio._from_pivots(np.empty(0), level) for ratio in ratios]
    at_once = max(1, _CHUNK_CELLS // clusters)
    parts: list[list[Floats]] = [[] for _ in ratios]
    for start in range(0, replicates, at_once):
        rows = min(at_once, replicates - start)
        drawn = rng.integers(0, clusters, size=(rows, clusters))
        drawn += np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(np.float64)
        for part, ratio in zip(parts, ratios, strict=True):
            part.append(ratio._pivots(counts))
    return [ratio._from_pivots(np.concatenate(part), level) for part, ratio in zip(parts, ratios, strict=True)]


def difference(left: Estimate, right: Estimate) -> Estimate:
    """`left` − `right` when the two come from independent samples, asymmetric ends combined in quadrature.

    The method is MOVER (Zou and Donner, *Statistics in Medicine* 27, 2008).

    >>> difference(Estimate(3.0, 2.0, 4.0), Estimate(1.0, 1.0, 1.0))
    Estimate(value=2.0, low=1.0, high=3.0)
    """
    value = left.value - right.value
    down = float(np.hypot(left.value - left.low, right.high - right.value))
    up = float(np.hypot(left.high - left.value, right.value - right.low))
    return Estimate(value, value - down, value + up)


def _z(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be in (0, 1), not {level}")
    return NormalDist().inv_cdf(0.5 + level / 2.0)
