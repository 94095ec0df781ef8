"""What a reward would have been for an action nobody took: the direct half of a doubly robust estimate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class CellMeans:
    """Mean reward by (context, action), shrunk to the action's mean, itself shrunk to the mean of all.

    `shrinkage` is in pseudo-observations, at least 0 (0: plain means; the mean of all where a cell is empty).

    >>> model = CellMeans(shrinkage=0.0)
    >>> rewards = model.fit(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([1.0, 0.0, 0.5]), (2, 2))
    >>> rewards.tolist()  # action 0 was never seen in context 1: its mean elsewhere
    [[1.0, 0.0], [1.0, 0.5]]
    """

    def __init__(self, shrinkage: float = 20.0) -> None:
        if shrinkage < 0.0:
            raise ValueError(f"shrinkage must be at least 0, not {shrinkage}")
        self.shrinkage = shrinkage

    def fit(self, context: Codes, action: Codes, reward: Floats, shape: tuple[int, int]) -> Floats:
        """Expected rewards, shape (contexts, actions) = `shape`, from observations of shape (n,)."""
        overall = float(reward.mean()) if reward.size else 0.0
        actions = shape[1]
        by_action = self._shrunk(
            np.bincount(action, weights=reward, minlength=actions).astype(np.float64),
            np.bincount(action, minlength=actions).astype(np.float64),
            np.full(actions, overall),
        )
        cell = context * actions + action
        cells = shape[0] * actions
        return self._shrunk(
            np.bincount(cell, weights=reward, minlength=cells).astype(np.float64).reshape(shape),
            np.bincount(cell, minlength=cells).astype(np.float64).reshape(shape),
            np.broadcast_to(by_action, shape),
        )

    def _shrunk(self, total: Floats, count: Floats, prior: Floats) -> Floats:
        weight = count + self.shrinkage
        return np.where(weight > 0.0, (total + self.shrinkage * prior) / np.where(weight > 0.0, weight, 1.0), prior)


def cross_fitted(
    model: CellMeans,
    context: Codes,
    action: Codes,
    reward: Floats,
    cluster: Codes,
    shape: tuple[int, int],
    folds: int = 5,
) -> Floats:
    """Expected reward of every action for every observation, from people other than its own, shape (n, actions).

    Clusters (dense codes from 0, in order of appearance) are dealt to `folds` ≥ 2 parts in turn; each part is predicted
    by the model of the others, so that no reward explains itself (Chernozhukov et al., *Double/debiased machine
    learning*, 2018).

    >>> expected = cross_fitted(
    ...     CellMeans(0.0), np.array([0, 0]), np.array([0, 0]), np.array([1.0, 3.0]), np.array([0, 1]), (1, 1), folds=2
    ... )
    >>> expected.tolist()
    [[3.0], [1.0]]
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, not {folds}")
    expected = np.empty((len(action), shape[1]), dtype=np.float64)
    part = cluster % folds
    for fold in range(folds):
        held = part == fold
        rest = ~held
        expected[held] = model.fit(context[rest], action[rest], reward[rest], shape)[context[held]]
    return expected
