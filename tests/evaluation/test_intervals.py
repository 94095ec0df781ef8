"""Intervals: what they cover, and that clusters are their unit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.intervals import Estimate, Ratio, cluster_sums, difference, normal_mean


def test_normal_interval_equals_the_textbook() -> None:
    values = [1.0, 2.0, 4.0, 9.0]
    interval = normal_mean(values)
    reach = 1.959964 * float(np.std(values, ddof=1)) / 2.0
    assert interval.value == 4.0
    assert (interval.low, interval.high) == pytest.approx((4.0 - reach, 4.0 + reach))


def test_one_observation_knows_nothing_of_its_error() -> None:
    assert math.isinf(normal_mean([3.0]).high)
    assert math.isinf(Ratio(np.array([3.0]), np.array([1.0])).interval(np.random.default_rng(0)).high)


def test_standard_error_of_equal_clusters_is_that_of_their_mean() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert Ratio(values, np.ones(50)).standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(50))


@pytest.mark.parametrize("skewed", [False, True])
def test_the_bootstrap_covers_a_ratio_of_clustered_sums(skewed: bool) -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        size = rng.integers(1, 6, 300)
        person = np.repeat(np.arange(300), size)
        effect = rng.lognormal(0.0, 1.0, 300) if skewed else rng.normal(1.0, 1.0, 300)
        truth = math.exp(0.5) if skewed else 1.0
        ratio = Ratio(cluster_sums(effect[person], person), cluster_sums(np.ones(len(person)), person))
        covered += ratio.interval(rng, replicates=300).covers(truth)
    assert 0.90 <= covered / 200 <= 0.99


def test_replicates_equal_the_ratio_of_resampled_clusters() -> None:
    """The matrix arithmetic against resampling done one cluster at a time."""
    rng = np.random.default_rng(2)
    top, bottom = rng.normal(2.0, 1.0, 40), rng.uniform(1.0, 3.0, 40)
    ratio = Ratio(top, bottom)
    drawn = np.random.default_rng(9).integers(0, 40, size=(200, 40))
    pivots = []
    for row in drawn:
        again = Ratio(top[row], bottom[row])
        pivots.append((again.value - ratio.value) / again.standard_error)
    lower, upper = np.quantile(pivots, [0.025, 0.975])
    interval = ratio.interval(np.random.default_rng(9), replicates=200)
    assert interval.low == pytest.approx(ratio.value - upper * ratio.standard_error)
    assert interval.high == pytest.approx(ratio.value - lower * ratio.standard_error)


def test_no_spread_gives_a_point() -> None:
    interval = Ratio(np.zeros(10), np.ones(10)).interval(np.random.default_rng(0))
    assert interval == Estimate(0.0, 0.0, 0.0)


def test_a_handful_of_outcomes_still_gives_an_interval() -> None:
    top = np.zeros(1_000)
    top[:2] = 1.0
    interval = Ratio(top, np.ones(1_000)).interval(np.random.default_rng(0))
    assert interval.low < 0.002 < interval.high


def test_difference_of_independent_estimates() -> None:
    gap = difference(Estimate(5.0, 2.0, 9.0), Estimate(1.0, -2.0, 4.0))
    assert gap.value == 4.0
    assert gap.low == pytest.approx(4.0 - math.hypot(3.0, 3.0))
    assert gap.high == pytest.approx(4.0 + math.hypot(4.0, 3.0))


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0])
def test_level_out_of_range(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        normal_mean([1.0, 2.0], level)
