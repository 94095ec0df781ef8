"""Protocol P3 in worlds whose truth is known, and against arithmetic done by hand.

How the seed was chosen, before and now. P3 read for each of 24 cells (4 worlds x 3 estimators, bias and coverage) as
"2 standard errors, 90 to 98 of 100 runs" fails a perfect estimator in one cell of some twenty: a first version of this
test kept seed 0, the only one of three tried that passed all cells (seeds 1 and 2026 each missed coverage in one cell,
and 300 runs of seed 1 missed bias in two). That was picking a seed. Long runs say that it was multiplicity: coverage is
.928 to .952 over 600 runs of every cell, and importance sampling has |z| <= 1.6 over 2 x 3,000 runs.

So each cell now has 300 runs and bounds adjusted for the number of cells (Bonferroni, 1% for all 24 together): a bias
of more than 3.5 standard errors, a fifth of the spread of one run, or a count of covering intervals that neither .90
nor .98 explains. Because those are wide, all cells together must cover between .92 and .97. Seeds 0, 1, 7 and 2026, all
that were tried with these bounds, pass; two unsound estimators, kept as controls, do not.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import msgspec
import numpy as np
import pytest
from scipy.stats import binom

from evaluation.bandit_log import BanditLog
from evaluation.intervals import Estimate
from evaluation.off_policy import CLIP, OffPolicy, OffPolicyReport, effective_sample_size, verdict
from evaluation.reward_model import CellMeans, cross_fitted
from tests.evaluation.bandits import Bandit, Floats, worlds

pytestmark = pytest.mark.slow

RUNS = 300
SEED = 0
DECISIONS = 3_000
CELLS = 24
FALSE_ALARM = 0.01
"""Of all cells together, for estimators that are as good as P3 asks."""
BIAS_Z = NormalDist().inv_cdf(1.0 - FALSE_ALARM / CELLS / 2.0)
LEAST_COVERED = int(binom.ppf(FALSE_ALARM / CELLS, RUNS, 0.90))
MOST_COVERED = int(binom.ppf(1.0 - FALSE_ALARM / CELLS, RUNS, 0.98))

Judged = tuple[Bandit, list[OffPolicyReport]]


def log_of(**changes: object) -> BanditLog:
    values: dict[str, object] = {
        "context": np.array([0, 0, 1, 1]),
        "action": np.array([0, 1, 0, 1]),
        "reward": np.array([1.0, 0.0, 2.0, 1.0]),
        "propensity": np.array([0.5, 0.5, 0.25, 0.01]),
        "cluster": np.array([0, 1, 1, 2]),
        "contexts": 2,
        "actions": 2,
    }
    return BanditLog(**{**values, **changes})  # type: ignore[arg-type]


@cache
def judged(name: str) -> Judged:
    world = worlds()[name]
    rng = np.random.default_rng(SEED)
    estimators = OffPolicy(replicates=300)
    return world, [estimators.evaluate(world.draw(rng, DECISIONS), world.target, rng) for _ in range(RUNS)]


def column(reports: list[OffPolicyReport], name: str) -> list[Estimate]:
    return [getattr(report.estimates, name) for report in reports]


def bias_z(estimates: list[Estimate], truth: float) -> float:
    """The mean error in its own standard errors."""
    values = np.array([estimate.value for estimate in estimates])
    return float((values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values))))


def covered(estimates: list[Estimate], truth: float) -> int:
    return sum(estimate.covers(truth) for estimate in estimates)


@pytest.mark.slow
@pytest.mark.parametrize("world", list(worlds()))
@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_estimates_are_unbiased_and_their_intervals_cover(world: str, name: str) -> None:
    bandit, reports = judged(world)
    estimates = column(reports, name)
    assert abs(bias_z(estimates, bandit.truth)) <= BIAS_Z
    assert LEAST_COVERED <= covered(estimates, bandit.truth) <= MOST_COVERED


@pytest.mark.slow
def test_all_intervals_together_cover_as_they_say() -> None:
    counts = [
        covered(column(reports, name), bandit.truth)
        for bandit, reports in map(judged, worlds())
        for name in ("ips", "snips", "dr")
    ]
    assert 0.92 <= sum(counts) / (RUNS * len(counts)) <= 0.97


@pytest.mark.slow
def test_the_mean_of_the_log_is_caught_as_biased_and_short_intervals_as_short() -> None:
    """The controls: bounds that would let these pass would be worth nothing."""
    bandit, reports = judged("heavy-tailed orders")
    rng = np.random.default_rng(SEED)
    means = [float(bandit.draw(rng, DECISIONS).reward.mean()) for _ in range(RUNS)]
    assert abs(bias_z([Estimate(mean, mean, mean) for mean in means], bandit.truth)) > BIAS_Z
    shortened = [
        Estimate(one.value, one.value + 0.6 * (one.low - one.value), one.value + 0.6 * (one.high - one.value))
        for one in column(reports, "snips")
    ]
    assert covered(shortened, bandit.truth) < LEAST_COVERED


@pytest.mark.slow
@pytest.mark.parametrize("world", list(worlds()))
def test_doubly_robust_is_no_worse_than_importance_sampling(world: str) -> None:
    bandit, reports = judged(world)

    def mse(name: str) -> float:
        return float(np.mean([(estimate.value - bandit.truth) ** 2 for estimate in column(reports, name)]))

    assert mse("dr") <= mse("ips")


def test_estimates_equal_the_formulas_written_as_loops() -> None:
    rng = np.random.default_rng(1)
    world = worlds()["clicks, logged uniformly"]
    log = world.draw(rng, 300)
    report = OffPolicy().evaluate(log, world.target, rng)
    expected = cross_fitted(CellMeans(), log.context, log.action, log.reward, log.cluster, (3, 8))
    top, weights, robust = 0.0, 0.0, 0.0
    for i in range(len(log)):
        x, a = log.context[i], log.action[i]
        w = min(world.target[x, a] / log.propensity[i], CLIP)
        top += w * log.reward[i]
        weights += w
        robust += sum(world.target[x, b] * expected[i, b] for b in range(8)) + w * (log.reward[i] - expected[i, a])
    assert report.estimates.ips.value == pytest.approx(top / 300)
    assert report.estimates.snips.value == pytest.approx(top / weights)
    assert report.estimates.dr.value == pytest.approx(robust / 300)
    assert report.difference.value == pytest.approx(robust / 300 - log.reward.mean())


def test_weights_are_clipped_at_twenty() -> None:
    weights = OffPolicy().weights(log_of(), np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert weights.tolist() == [1.0, 1.0, 2.0, 20.0]


def test_no_reward_explains_itself() -> None:
    log = log_of(cluster=np.array([0, 1, 2, 3]))
    shape = (log.contexts, log.actions)

    def expected(reward: Floats) -> list[float]:
        fitted = cross_fitted(CellMeans(), log.context, log.action, reward, log.cluster, shape, folds=4)
        return [float(value) for value in fitted[2]]

    changed = log.reward.copy()
    changed[2] = 1_000.0
    assert expected(log.reward) == expected(changed)


def test_nothing_is_concluded_below_an_effective_sample_of_a_thousand() -> None:
    clear = Estimate(1.0, 0.9, 1.1)
    assert verdict(clear, 999.9) is None
    assert verdict(clear, float("nan")) is None
    assert verdict(clear, 1_000.0) == "higher"
    assert verdict(Estimate(-1.0, -1.1, -0.9), 1_000.0) == "lower"
    assert verdict(Estimate(0.0, -0.1, 0.1), 1_000.0) == "no difference"


def test_a_thin_log_gets_figures_but_no_verdict() -> None:
    rng = np.random.default_rng(0)
    world = worlds()["people with tempers, logged by softmax"]
    report = OffPolicy().evaluate(world.draw(rng, 1_000), world.target, rng)
    assert report.ess < 1_000.0
    assert report.verdict is None


def test_effective_sample_size() -> None:
    assert effective_sample_size(np.ones(7)) == pytest.approx(7.0)
    assert effective_sample_size(np.zeros(3)) == 0.0


def test_people_not_decisions_are_resampled() -> None:
    """The same decisions told four times over must not narrow the interval."""
    world = worlds()["clicks, logged uniformly"]
    once = world.draw(np.random.default_rng(3), 1_000)
    told = BanditLog(
        **{
            name: np.repeat(getattr(once, name), 4) for name in ("context", "action", "reward", "propensity", "cluster")
        },
        contexts=once.contexts,
        actions=once.actions,
    )

    def width(log: BanditLog) -> float:
        interval = OffPolicy().evaluate(log, world.target, np.random.default_rng(0)).estimates.snips
        return interval.high - interval.low

    assert width(told) == pytest.approx(width(once), rel=1e-6)


def test_report_has_the_shape_of_the_contract() -> None:
    rng = np.random.default_rng(0)
    world = worlds()["clicks, logged uniformly"]
    told = msgspec.to_builtins(OffPolicy(replicates=100).evaluate(world.draw(rng, 200), world.target, rng))
    assert {"protocol", "estimates", "difference", "ess", "n", "verdict"} <= set(told)
    assert told["protocol"] == "off-policy"
    assert set(told["estimates"]) == {"ips", "snips", "dr"}
    assert all(set(told["estimates"][name]) == {"value", "low", "high"} for name in told["estimates"])


def test_same_seed_same_report() -> None:
    world = worlds()["heavy-tailed orders"]
    log = world.draw(np.random.default_rng(0), 500)
    first, second = (OffPolicy().evaluate(log, world.target, np.random.default_rng(5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("target", [np.ones((2, 2)), np.array([[0.5, 0.5]]), np.array([[1.5, -0.5], [0.5, 0.5]])])
def test_a_target_that_is_no_policy_is_refused(target: Floats) -> None:
    with pytest.raises(ValueError, match="target must"):
        OffPolicy().evaluate(log_of(), target, np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"clip": 0.0}, {"replicates": 10}, {"level": 1.0}])
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OffPolicy(**wrong)  # type: ignore[arg-type]
