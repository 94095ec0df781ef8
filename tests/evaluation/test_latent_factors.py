"""Latent factors from a stream: they find structure where there is some, and stay sound on nonsense."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.latent_factors import Factors, compare
from evaluation.replay_file import read_log
from tests.evaluation.small_logs import random_log, written


def test_items_of_one_circle_come_to_be_near() -> None:
    rng = np.random.default_rng(0)
    model = Factors(40, 8, 0.1, seed=1)
    for _ in range(3_000):
        circle = int(rng.integers(2))
        *past, target = (circle + 2 * rng.permutation(20)[:5]).tolist()
        model.learn_one(past, set(past), target, 40)
    scores = model.scores([0, 2, 4], 40)
    assert set(np.argsort(-scores)[:10] % 2) == {0}


def test_it_is_deterministic_and_finite() -> None:
    made = [Factors(5, 4, 1.0, seed=3) for _ in range(2)]
    for model in made:
        for _ in range(200):
            model.learn_one([0, 0, 1], {0, 1}, 2, 5)
    assert np.isfinite(made[0].outputs).all()
    assert np.array_equal(made[0].outputs, made[1].outputs)


def test_ranges_are_checked() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Factors(5, 0, 0.1, seed=1)


def test_the_comparison_judges_new_targets_only(tmp_path: Path) -> None:
    log = read_log(written(tmp_path / "log.jsonl", random_log(5, 200)), None, None)
    told = compare(log, 4, 0.1, seed=1)
    assert told["n"] > 10
    assert 0.0 <= told["factors"] <= 1.0
    assert told == compare(log, 4, 0.1, seed=1)
