"""Decayed co-occurrence of items by number, as the co-visitation baseline needs it: exact until a list is cut.

Each item keeps an array of (other item, weight); what is new is appended, and summed up when it outgrows what is there.
Weights are forward-decayed from a landmark that moves with the log, so that they never overflow.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import exp2
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

KEPT: Final = 500
"""Others that outlive a compaction, the heaviest: an item's list never holds more than three times as many entries."""
_REBASE_AFTER: Final = 500.0
"""Half-lives after which the landmark moves: doubles hold 2^1023."""


class CoOccurrence:
    """Weights between items that are dealt with one after the other. `half_life_ms` and `shrinkage` are above 0.

    >>> pairs = CoOccurrence(half_life_ms=1000.0, shrinkage=1.0)
    >>> pairs.learn(0, [], 0)
    >>> pairs.learn(1, [0], 0)
    >>> pairs.scores([0], [1.0], 3, 0).tolist()  # one pair, both seen once: 1 / (1 + 1)
    [0.0, 0.5, 0.0]
    """

    def __init__(self, half_life_ms: float, shrinkage: float) -> None:
        if not half_life_ms > 0.0:
            raise ValueError(f"half_life_ms must be above 0, not {half_life_ms}")
        if not shrinkage > 0.0:
            raise ValueError(f"shrinkage must be above 0, not {shrinkage}")
        self._half_life_ms = half_life_ms
        self._shrinkage = shrinkage
        self._others: list[array[int]] = []
        self._weights: list[array[float]] = []
        self._compacted: list[int] = []
        self._degree: Floats = np.zeros(64)
        self._landmark_ms: int | None = None

    def learn(self, item: int, context: Sequence[int], ts_ms: int) -> None:
        """One action on `item` by someone whose latest other items are `context`."""
        gained = self._scale(ts_ms)
        self._reserve(max(item, *context) if context else item)
        self._degree[item] += gained
        for other in context:
            self._append(item, other, gained)
            self._append(other, item, gained)

    def scores(self, context: Sequence[int], says: Sequence[float], items: int, now_ms: int) -> Floats:
        """Σ says_k · n(k, c) / (√(n(k) n(c)) + shrinkage) over the `context` k, for the first `items` items c."""
        listed = len(self._others)
        heard = [(item, say) for item, say in zip(context, says, strict=True) if item < listed and self._others[item]]
        if not heard:
            return np.zeros(items)
        known = [item for item, _ in heard]
        one = self._scale(now_ms)
        self._reserve(items - 1)
        others = np.concatenate([np.frombuffer(self._others[item], np.intc) for item in known])
        weights = np.concatenate([np.frombuffer(self._weights[item], np.float64) for item in known])
        lengths = [len(self._others[item]) for item in known]
        degrees = np.repeat(self._degree[known], lengths) * self._degree[others]
        weights = weights * np.repeat([say for _, say in heard], lengths) / (np.sqrt(degrees) + self._shrinkage * one)
        return np.bincount(others, weights, minlength=items).astype(np.float64, copy=False)

    def _append(self, item: int, other: int, gained: float) -> None:
        others = self._others[item]
        others.append(other)
        self._weights[item].append(gained)
        if len(others) > 2 * self._compacted[item] + 64:
            self._compact(item)

    def _compact(self, item: int) -> None:
        distinct, places = np.unique(np.frombuffer(self._others[item], np.intc), return_inverse=True)
        weights = np.bincount(places, np.frombuffer(self._weights[item], np.float64))
        if len(distinct) > KEPT:
            heaviest = np.sort(np.argpartition(-weights, KEPT)[:KEPT])
            distinct, weights = distinct[heaviest], weights[heaviest]
        self._others[item] = array("i", distinct.tolist())
        self._weights[item] = array("d", weights.tolist())
        self._compacted[item] = len(distinct)

    def _reserve(self, item: int) -> None:
        missing = item + 1 - len(self._others)
        if missing > 0:
            self._others += [array("i") for _ in range(missing)]
            self._weights += [array("d") for _ in range(missing)]
            self._compacted += [0] * missing
        if item >= len(self._degree):
            self._degree = np.concatenate([self._degree, np.zeros(item + 1)])

    def _scale(self, ts_ms: int) -> float:
        """What an action at `ts_ms` weighs beside one at the landmark."""
        if self._landmark_ms is None:
            self._landmark_ms = ts_ms
        power = (ts_ms - self._landmark_ms) / self._half_life_ms
        if power > _REBASE_AFTER:
            shrunk = exp2(-min(power, 1_000.0))
            self._degree *= shrunk
            for item, weights in enumerate(self._weights):
                self._weights[item] = array("d", [weight * shrunk for weight in weights])
            self._landmark_ms, power = ts_ms, 0.0
        return exp2(power)
