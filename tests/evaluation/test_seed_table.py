"""Means, lifts and intervals over seeds, against figures worked out by hand and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from evaluation.seed_table import Run, Table, t_quantile, table_of


def table(**policies: list[float]) -> Table:
    runs = [
        Run(name, seed, {"clicks": value}, 2.0)
        for name, values in policies.items()
        for seed, value in enumerate(values)
    ]
    return table_of(runs, "jobs", 10, 3, "base")


def test_a_mean_its_interval_and_a_paired_lift_by_hand() -> None:
    found = table(base=[10.0, 20.0], new=[12.0, 22.0])
    assert found.cpu_s == 8.0
    base, new = found.policies["base"]["clicks"], found.policies["new"]["clicks"]
    assert (base.mean, base.lift, base.lift_low) == (15.0, None, None)
    assert base.high == pytest.approx(15.0 + 12.7062 * 5.0)
    assert new.lift == pytest.approx(17 / 15 - 1)
    # residuals 12 - 10 R and 22 - 20 R with R = 17/15 are 2/3 and -2/3: their standard error is 2/3
    assert new.lift_high == pytest.approx(17 / 15 - 1 + 12.7062 * (2 / 3) / 15)


def test_seeds_that_differ_alike_do_not_widen_the_lift() -> None:
    found = table(base=[10.0, 100.0, 1000.0], new=[11.0, 110.0, 1100.0]).policies["new"]["clicks"]
    assert found.lift == pytest.approx(0.1)
    assert found.lift_low == pytest.approx(0.1)
    assert found.low is not None
    assert found.low < 0


def test_one_seed_has_no_interval_and_nothing_has_no_lift() -> None:
    one = table(base=[4.0], new=[5.0]).policies["new"]["clicks"]
    assert (one.low, one.lift, one.lift_low) == (None, 0.25, None)
    assert table(base=[0.0, 0.0], new=[5.0, 6.0]).policies["new"]["clicks"].lift is None


def test_quantiles_are_students() -> None:
    for df in range(1, 60):
        assert t_quantile(df) == pytest.approx(student.ppf(0.975, df), abs=2e-3)


def test_intervals_of_five_seeds_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1_000):
        base = rng.normal(1_000.0, 100.0, 5)
        new = 1.1 * base + rng.normal(0.0, 30.0, 5)
        figure = table(base=base.tolist(), new=new.tolist()).policies["new"]["clicks"]
        assert figure.lift_low is not None
        assert figure.lift_high is not None
        covered += figure.lift_low <= 0.1 <= figure.lift_high
    assert 930 <= covered <= 970
