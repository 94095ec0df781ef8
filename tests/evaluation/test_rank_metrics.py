"""The metrics against definitions written as loops."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from evaluation.metrics import (
    RankLog,
    discounted_gain,
    hit,
    rank_in_list,
    rank_in_scores,
    reciprocal_rank,
    summarise,
)


def slow_rank(scores: list[float], target: int) -> float:
    """The mean place of the target over all orders that respect the scores."""
    above = sum(score > scores[target] for score in scores)
    tied = sum(score == scores[target] for score in scores)
    return sum(range(above + 1, above + tied + 1)) / tied


def test_rank_in_scores_is_the_mean_place_among_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        scores = rng.integers(0, 4, rng.integers(1, 12)).astype(float).tolist()
        target = int(rng.integers(0, len(scores)))
        assert rank_in_scores(scores, target) == slow_rank(scores, target)


def test_one_score_for_all_earns_only_chance() -> None:
    assert rank_in_scores(np.zeros(101), 17) == 51.0
    assert hit([rank_in_scores(np.zeros(101), 17)], 20).tolist() == [0.0]


def test_left_out_items_do_not_count() -> None:
    assert rank_in_scores([-math.inf, 0.0, -math.inf], 1) == 1.0


def test_a_nan_score_of_the_target_is_a_defect() -> None:
    with pytest.raises(ValueError, match="NaN"):
        rank_in_scores([0.0, math.nan], 1)


def test_figures_equal_their_definitions() -> None:
    rng = np.random.default_rng(1)
    ranks = [float(r) if r < 40 else math.inf for r in rng.integers(1, 60, 500)]
    for k in (1, 10, 20):
        assert hit(ranks, k).mean() == pytest.approx(sum(r <= k for r in ranks) / 500)
        assert reciprocal_rank(ranks, k).mean() == pytest.approx(sum(1 / r for r in ranks if r <= k) / 500)
        gain = sum(1 / math.log2(1 + r) for r in ranks if r <= k)
        assert discounted_gain(ranks, k).mean() == pytest.approx(gain / 500)


def test_ndcg_equals_the_general_definition() -> None:
    """DCG over the whole list of relevances, divided by the DCG of the best list."""
    for place in range(1, 15):
        relevance = [1.0 if n == place else 0.0 for n in range(1, 11)]
        dcg = sum(rel / math.log2(1 + n) for n, rel in enumerate(relevance, start=1))
        assert discounted_gain([float(place)], 10)[0] == pytest.approx(dcg / 1.0)


@pytest.mark.parametrize("bad", [[0.0], [0.5], [math.nan], [-1.0]])
def test_ranks_start_at_one(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="1-based"):
        hit(bad, 10)


def test_summary_uses_the_names_of_the_contract() -> None:
    told = msgspec.to_builtins(summarise([1.0, 15.0, math.inf]))
    assert told == {
        "n": 3,
        "hr@10": pytest.approx(1 / 3),
        "hr@20": pytest.approx(2 / 3),
        "mrr@20": pytest.approx((1 + 1 / 15) / 3),
        "ndcg@10": pytest.approx(1 / 3),
    }


def test_nothing_scored_is_null_not_zero() -> None:
    assert set(msgspec.to_builtins(summarise([])).values()) == {0, None}


def test_windows_cut_the_log_in_order() -> None:
    log = RankLog()
    for n in range(23):
        log.add(1.0 if n < 10 else math.inf)
    windows = log.windows(5)
    assert [w.n for w in windows] == [5, 5, 5, 5, 3]
    assert [w.hr_10 for w in windows] == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert log.summary().hr_10 == pytest.approx(10 / 23)


def test_rank_in_list() -> None:
    assert rank_in_list(["a", "b"], "b") == 2.0
    assert math.isinf(rank_in_list([], "b"))
