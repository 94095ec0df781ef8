"""The comparison tool: silent under no difference however often it is read, and heard when there is one."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from evaluation.comparison import ArmComparison, ArmState, PairedComparison, PairedState
from evaluation.confidence_sequence import Boundary, Moments

pytestmark = pytest.mark.slow

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

RUNS = 200
OUTCOMES: dict[str, Draw] = {
    "clicks at 5%": lambda rng, n: (rng.random(n) < 0.05).astype(np.float64),
    "rare applications at 1%": lambda rng, n: (rng.random(n) < 0.01).astype(np.float64),
    "order values with heavy tails": lambda rng, n: rng.pareto(2.5, n),
    "scores": lambda rng, n: rng.normal(0.0, 1.0, n),
}


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_two_hundred_arms_against_themselves_raise_at_most_ten_alarms(outcome: Draw) -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(RUNS):
        comparison = ArmComparison("a", "b")
        sides = (rng.random(3_000) < 0.5).tolist()
        for in_first, value in zip(sides, outcome(rng, 3_000).tolist(), strict=True):
            comparison.observe("a" if in_first else "b", value)
        alarms += comparison.verdict().winner is not None
    assert alarms <= RUNS * 0.05


def reciprocal_ranks(rng: np.random.Generator, n: int) -> Floats:
    ranks = rng.geometric(0.08, n).astype(np.float64)
    return np.where(ranks <= 20, 1.0 / ranks, 0.0)


@pytest.mark.parametrize("block", [1, 10])
def test_two_hundred_learners_against_themselves_raise_at_most_ten_alarms(block: int) -> None:
    rng = np.random.default_rng(12)
    alarms = 0
    for _ in range(RUNS):
        comparison = PairedComparison("a", "b", block=block)
        pairs = zip(reciprocal_ranks(rng, 3_000).tolist(), reciprocal_ranks(rng, 3_000).tolist(), strict=True)
        for first, second in pairs:
            comparison.observe(first, second)
        alarms += comparison.verdict().winner is not None
    assert alarms <= RUNS * 0.05


def test_blocks_absorb_errors_that_follow_each_other() -> None:
    """Differences with memory (a person's events in a row) fool single events, not blocks longer than the memory."""
    rng = np.random.default_rng(13)

    def alarms(block: int) -> int:
        raised = 0
        for _ in range(60):
            comparison = PairedComparison("a", "b", block=block)
            for shared in rng.normal(0.0, 1.0, 600).tolist():
                for own in rng.normal(0.0, 0.3, 10).tolist():
                    comparison.observe(shared + own, 0.0)
            raised += comparison.verdict().winner is not None
        return raised

    assert alarms(1) > 10  # the trap
    assert alarms(50) <= 3


def test_a_real_difference_is_found_and_named() -> None:
    rng = np.random.default_rng(14)
    comparison = ArmComparison("control", "treatment")
    for _ in range(10_000):
        treated = rng.random() < 0.5
        comparison.observe("treatment" if treated else "control", float(rng.random() < (0.08 if treated else 0.05)))
    found = comparison.verdict()
    assert found.winner == "treatment"
    assert found.difference is not None
    assert found.difference.covers(-0.03)


def test_pairing_sees_what_two_groups_cannot() -> None:
    rng = np.random.default_rng(15)
    paired, grouped = PairedComparison("old", "new"), ArmComparison("old", "new")
    for n in range(2_000):
        event = rng.normal(0.0, 1.0)
        old, new = event, event + 0.02 + rng.normal(0.0, 0.1)
        paired.observe(old, new)
        grouped.observe(("old", "new")[n % 2], (old, new)[n % 2])
    assert paired.verdict().winner == "new"
    assert grouped.verdict().winner is None


def test_moments_equal_numpy() -> None:
    values = np.random.default_rng(0).normal(1e6, 1.0, 1_000)
    moments = Moments()
    for value in values.tolist():
        moments.add(value)
    assert moments.mean == pytest.approx(values.mean())
    assert moments.variance == pytest.approx(values.var(ddof=1))


def test_intervals_equal_the_published_formula() -> None:
    values = np.random.default_rng(1).normal(0.3, 2.0, 500)
    comparison = PairedComparison("a", "b")
    for value in values.tolist():
        comparison.observe(value, 0.0)
    t, rho2 = 500, Boundary().rho_squared
    reach = values.std(ddof=1) * math.sqrt(
        2 * (t * rho2 + 1) / (t**2 * rho2) * math.log(math.sqrt(t * rho2 + 1) / 0.05)
    )
    seen = comparison.verdict().difference
    assert seen is not None
    assert (seen.low, seen.high) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_the_boundary_is_tightest_where_it_was_asked_to_be() -> None:
    reach = {at: Boundary(tightest_at=at).reach(5_000, 1.0) for at in (50, 500, 5_000, 50_000, 500_000)}
    assert min(reach, key=lambda at: reach[at]) == 5_000


def test_a_verdict_once_given_stays() -> None:
    comparison = PairedComparison("a", "b")
    for _ in range(200):
        comparison.observe(1.0, 0.0)
    for _ in range(200):
        comparison.observe(0.0, 1.0)
    assert comparison.verdict().winner == "a"


def test_nothing_is_said_before_the_burn_in() -> None:
    comparison = ArmComparison("a", "b")
    for _ in range(99):
        comparison.observe("a", 1.0)
        comparison.observe("b", 0.0)
    assert comparison.verdict().difference is None
    comparison.observe("a", 1.0)
    comparison.observe("b", 0.0)
    assert comparison.verdict().winner == "a"


def test_state_survives_the_wire() -> None:
    rng = np.random.default_rng(3)
    straight, first = (PairedComparison("a", "b", block=7) for _ in range(2))
    pairs = rng.normal(0.0, 1.0, (2_000, 2)).tolist()
    for one, two in pairs:
        straight.observe(one, two)
    for one, two in pairs[:999]:
        first.observe(one, two)
    state = msgspec.json.decode(msgspec.json.encode(first.state), type=PairedState)
    resumed = PairedComparison("a", "b", block=7, state=state)
    for one, two in pairs[999:]:
        resumed.observe(one, two)
    assert resumed.verdict() == straight.verdict()
    assert msgspec.json.decode(msgspec.json.encode(ArmState()), type=ArmState) == ArmState()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_is_refused_and_leaves_no_trace(bad: float) -> None:
    comparison, arms = PairedComparison("a", "b"), ArmComparison("a", "b")
    with pytest.raises(ValueError, match="finite"):
        comparison.observe(bad, 0.0)
    with pytest.raises(ValueError, match="finite"):
        arms.observe("a", bad)
    assert comparison.state == PairedState()
    assert arms.state == ArmState()


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="alpha"):
        Boundary(alpha=0.0)
    with pytest.raises(ValueError, match="tightest_at"):
        Boundary(tightest_at=0)
    with pytest.raises(ValueError, match="block"):
        PairedComparison("a", "b", block=0)
    with pytest.raises(ValueError, match="burn_in"):
        ArmComparison("a", "b", burn_in=1)
    with pytest.raises(ValueError, match="arm must be"):
        ArmComparison("a", "b").observe("c", 1.0)
