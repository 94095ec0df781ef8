"""The arrays of everybody estimate what the pipeline estimates for one, and the ideal is above all who learn."""

import numpy as np
import pytest

from evaluation.send_scenes import Ideal, Learned, lived, shares
from evaluation.send_world import Scene, draw_truth
from processors.hour_learning import Evidence, estimates, observe

SCENE = Scene(people=40, before_d=14, base=0.3)


def test_everybody_at_once_is_estimated_as_one_by_one() -> None:
    truth, rng = draw_truth(SCENE, 1), np.random.default_rng(3)
    learned = Learned(truth)
    activity = rng.poisson(0.3, (40, 48)).astype(float)
    for day in range(3):
        slots = rng.integers(7, 23, 40)
        learned.learn(day, slots, (rng.random(40) < 0.3).astype(float), activity)
    together = learned._estimates(np.arange(40), slots, activity)
    for person in range(40):
        alone = estimates(
            int(slots[person]), learned._won[person], learned._due[person], activity[person], learned._population
        )
        assert np.allclose(together[person], alone)


def test_who_knows_the_scene_does_better_than_an_even_spread() -> None:
    truth = draw_truth(SCENE, 1)
    runs = [lived(SCENE, truth, Ideal(SCENE, truth), seed) for seed in (1, 2)]
    share, reach = shares(runs, 0, 78)
    assert share is not None
    assert reach is not None
    assert 0.1 < share < 1.0


def test_without_rhythm_there_is_no_share() -> None:
    scene = Scene(people=5, before_d=1, height=0.0)
    truth = draw_truth(scene, 1)
    assert truth.click[:, 7:23].std(axis=1).max() == pytest.approx(0.0)
    assert shares([np.full((78, 3), 0.1)] * 2, 0, 24) == (None, None)


def test_evidence_of_many_is_that_of_one_after_the_other() -> None:
    rng = np.random.default_rng(1)
    learned, one_by_one = Learned(draw_truth(SCENE, 1)), Evidence.empty()
    slots, rewards = rng.integers(7, 23, 40), (rng.random(40) < 0.4).astype(float)
    learned.learn(0, slots, rewards, np.zeros((40, 48)))
    for reward in rewards.tolist():  # the first mails: everybody is expected to answer alike
        observe(one_by_one, np.full_like(one_by_one.expected, 0.1), reward)
    assert np.allclose(learned._shapes.expected, one_by_one.expected)
    assert np.allclose(learned._shapes.log_score, one_by_one.log_score)
