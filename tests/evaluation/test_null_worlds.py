"""The judge of the null worlds: right about paired clicks per mail, and not blind."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.null_worlds import CASES, Case, difference, judge
from evaluation.policies.policy import POLICIES
from evaluation.world_run import Tally
from processors.pack import Pack


def mailed(clicks: list[int], mails: int = 5) -> dict[str, Tally]:
    return {f"u{n}": Tally(mails, count) for n, count in enumerate(clicks)}


def test_intervals_cover_nothing_where_there_is_nothing_and_find_what_there_is() -> None:
    rng = np.random.default_rng(5)
    covered = found = 0
    for _ in range(200):
        taste = rng.beta(2.0, 8.0, 150)
        one, two, better = (mailed(rng.binomial(5, np.minimum(1.0, taste * more)).tolist()) for more in (1.0, 1.0, 1.5))
        covered += difference(one, two).covers(0.0)
        found += not difference(better, two).covers(0.0)
    assert 180 <= covered <= 199
    assert found >= 190


def test_people_whom_only_one_policy_wrote_to_count() -> None:
    found = difference({"a": Tally(2, 2), "b": Tally(2, 0)}, {"b": Tally(1, 1)})
    assert found.value == pytest.approx(0.5 - 1.0)


def test_18_of_20_are_enough_and_17_are_not() -> None:
    nothing, something = difference(mailed([1, 0]), mailed([1, 0])), difference(mailed([1, 1]), mailed([0, 0]))
    assert Case("x", (nothing,) * 18 + (something,) * 2).holds
    assert not Case("x", (nothing,) * 17 + (something,) * 3).holds


@pytest.mark.slow
def test_a_case_runs_its_policies() -> None:
    assert {name for pair in CASES.values() for name in pair} <= POLICIES.keys()
    assert len(judge("no-rhythm", 40, 3, 1, Pack(name="jobs")).differences) == 1


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("variant", CASES)
def test_null_worlds_with_20_seeds(variant: str) -> None:
    assert judge(variant, 300, 14, 20, Pack(name="jobs")).holds
