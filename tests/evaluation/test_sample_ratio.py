"""The alarm over a split that is not what it was meant to be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluation.sample_ratio import SampleRatio


def dirichlet_multinomial(split: SampleRatio) -> float:
    """The log evidence in closed form: log B(κθ + counts) − log B(κθ) − Σ counts log θ."""

    def log_beta(shapes: list[float]) -> float:
        return sum(math.lgamma(shape) for shape in shapes) - math.lgamma(sum(shapes))

    prior = [split.concentration * share for share in split.shares.values()]
    counts = list(split.counts.values())
    after = [shape + count for shape, count in zip(prior, counts, strict=True)]
    plan = sum(count * math.log(share) for count, share in zip(counts, split.shares.values(), strict=True))
    return log_beta(after) - log_beta(prior) - plan


def test_running_evidence_equals_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    split = SampleRatio({"a": 0.2, "b": 0.3, "c": 0.5}, concentration=50.0)
    for arm in rng.choice(["a", "b", "c"], 500).tolist():
        split.observe(arm)
    assert split.log_evidence == pytest.approx(dirichlet_multinomial(split))


def test_healthy_splits_raise_no_more_alarms_than_allowed() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        split = SampleRatio({"a": 0.1, "b": 0.9}, alpha=0.05)
        for first in (rng.random(3_000) < 0.1).tolist():
            split.observe("a" if first else "b")
        alarms += split.alarm
    assert alarms <= 10


def test_a_split_that_loses_people_is_caught() -> None:
    rng = np.random.default_rng(2)
    split = SampleRatio({"a": 0.5, "b": 0.5})
    seen = 0
    while not split.alarm and seen < 20_000:
        split.observe("a" if rng.random() < 0.5 / 0.95 else "b")  # a tenth of b never arrives
        seen += 1
    assert split.alarm


def test_the_alarm_stays() -> None:
    split = SampleRatio({"a": 0.5, "b": 0.5})
    for _ in range(200):
        split.observe("a")
    assert split.alarm
    for _ in range(200):
        split.observe("b")
    assert split.alarm


@pytest.mark.parametrize("shares", [{"a": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 1.0, "b": 0.0}])
def test_impossible_plans_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        SampleRatio(shares)


def test_an_arm_nobody_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="arm must be one of"):
        SampleRatio({"a": 0.5, "b": 0.5}).observe("c")
