"""How far up the list the right item was: hit rate, reciprocal rank, discounted gain.

Everything here starts from a *rank*: the 1-based place of the target in what was recommended, `inf` when it was not
there. A pipeline's rank is its place in the list; a score baseline ranks every item and ties count half, so that a
model which gives everything the same score is not credited with luck. Metrics are never computed on sampled negatives
(Krichene and Rendle, *On Sampled Metrics for Item Recommendation*, KDD 2020).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable, Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def rank_in_list(ranked: Sequence[Hashable], target: Hashable) -> float:
    """The 1-based place of `target` in `ranked`, `inf` beyond it.

    >>> rank_in_list(["a", "b", "c"], "b"), rank_in_list(["a"], "b")
    (2.0, inf)
    """
    try:
        return float(ranked.index(target) + 1)
    except ValueError:
        return math.inf


def rank_in_scores(scores: npt.ArrayLike, target: int) -> float:
    """The 1-based place of `scores[target]` among all scores (higher is better), ties counting half.

    `scores` has one entry an eligible item, shape (n,); leave ineligible items out or give them `-inf`.
    Raises ValueError when the target's own score is NaN: that is a defect of the model, not a miss.

    >>> rank_in_scores([3.0, 1.0, 2.0], 2)
    2.0
    >>> rank_in_scores([0.0, 0.0, 0.0], 0)  # everything tied: the middle
    2.0
    """
    values = np.asarray(scores, dtype=np.float64)
    mine = values[target]
    if np.isnan(mine):
        raise ValueError(f"the score of target {target} is NaN")
    above = int(np.count_nonzero(values > mine))
    tied = int(np.count_nonzero(values == mine)) - 1
    return 1.0 + above + tied / 2.0


def hit(ranks: npt.ArrayLike, k: int) -> Floats:
    """1 for each rank of at most `k`, else 0, shape (n,). Its mean is HR@k.

    >>> hit([1, 10.5, 3], 10).tolist()
    [1.0, 0.0, 1.0]
    """
    return (_checked(ranks, k) <= k).astype(np.float64)


def reciprocal_rank(ranks: npt.ArrayLike, k: int) -> Floats:
    """1/rank down to place `k`, 0 beyond, shape (n,). Its mean is MRR@k.

    >>> reciprocal_rank([1, 4, 21], 20).tolist()
    [1.0, 0.25, 0.0]
    """
    places = _checked(ranks, k)
    return np.where(places <= k, 1.0 / places, 0.0)


def discounted_gain(ranks: npt.ArrayLike, k: int) -> Floats:
    """1/log2(1 + rank) down to place `k`, 0 beyond, shape (n,). With one target the ideal is 1: its mean is NDCG@k.

    >>> discounted_gain([1, 3, 11], 10).tolist()
    [1.0, 0.5, 0.0]
    """
    places = _checked(ranks, k)
    return np.where(places <= k, 1.0 / np.log2(1.0 + places), 0.0)


def _checked(ranks: npt.ArrayLike, k: int) -> Floats:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    places = np.asarray(ranks, dtype=np.float64)
    if not np.all(places >= 1.0):
        raise ValueError("ranks are 1-based: every rank must be at least 1, and none NaN")
    return places


class RankMetrics(
    msgspec.Struct,
    frozen=True,
    rename={"hr_10": "hr@10", "hr_20": "hr@20", "mrr_20": "mrr@20", "ndcg_10": "ndcg@10"},
):
    """The four figures of protocol P1, each in [0, 1], over `n` scored targets; all null when nothing was scored.

    >>> msgspec.json.encode(summarise([1.0, math.inf]))
    b'{"n":2,"hr@10":0.5,"hr@20":0.5,"mrr@20":0.5,"ndcg@10":0.5}'
    """

    n: int
    hr_10: float | None = None
    hr_20: float | None = None
    mrr_20: float | None = None
    ndcg_10: float | None = None


def summarise(ranks: npt.ArrayLike) -> RankMetrics:
    """HR@10, HR@20, MRR@20 and NDCG@10 of 1-based `ranks`, shape (n,).

    >>> summarise([2.0]).mrr_20, summarise([]).hr_10
    (0.5, None)
    """
    places = np.asarray(ranks, dtype=np.float64)
    if places.size == 0:
        return RankMetrics(n=0)
    return RankMetrics(
        n=int(places.size),
        hr_10=float(hit(places, 10).mean()),
        hr_20=float(hit(places, 20).mean()),
        mrr_20=float(reciprocal_rank(places, 20).mean()),
        ndcg_10=float(discounted_gain(places, 10).mean()),
    )


class RankLog:
    """The ranks of one model in the order they were scored: 8 bytes a target.

    >>> log = RankLog([1.0, 50.0, 2.0])
    >>> log.add(math.inf)
    >>> len(log), [w.hr_10 for w in log.windows(2)]
    (4, [0.5, 0.5])
    """

    def __init__(self, ranks: Iterable[float] = ()) -> None:
        self._ranks = array("d", ranks)

    def __len__(self) -> int:
        return len(self._ranks)

    def add(self, rank: float) -> None:
        """Note one more target's 1-based `rank`, `inf` for a miss."""
        self._ranks.append(rank)

    def ranks(self) -> Floats:
        """A copy of all ranks so far, shape (n,)."""
        return np.array(self._ranks, dtype=np.float64)

    def summary(self) -> RankMetrics:
        """The figures over everything scored so far."""
        return summarise(self.ranks())

    def windows(self, size: int = 5_000) -> list[RankMetrics]:
        """The figures of each run of `size` targets in turn; the last may be shorter."""
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        ranks = self.ranks()
        return [summarise(ranks[start : start + size]) for start in range(0, len(ranks), size)]
