"""How likely a person is to act on what a list shows them: two heads over the features of a place.

The heads are logistic regressions, p(click) and p(apply | click), learned from lists that were shown
(processors/response_heads.py) by what is known of a place (processors/response_features.py); the replica holds them
folded into one row of weights each. The place in the list and the person's own readiness to act are features: they say
nothing of which item is better, and never rank.
"""

from math import log
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.model_rows import row_key

Matrix = npt.NDArray[np.float64]

KIND: Final = "response"
CLICK: Final = row_key(KIND, "click")
APPLY: Final = row_key(KIND, "apply")
FEATURES: Final = (
    "score", "above_mean", "log_place", "first", "fresh", "popular", "own", "shown", "drawn", "views_7d", "by_mail",
)  # fmt: skip
SHOWN, ACTED, APPLIED = range(3)
"""Outcomes of `schemas.learning.Feedback`."""
PRIOR: Final = {CLICK: log(0.05 / 0.95), APPLY: log(0.1 / 0.9)}
"""Log-odds before anything was learned."""
MOST: Final = 60_000.0
"""Within the range of half precision."""


class HeadRow(Struct, array_like=True, frozen=True):
    """The value of the rows `response/click` and `response/apply`: the whole state of a head, by feature name."""

    offset: int
    examples: int
    counts: dict[str, int]
    means: dict[str, float]
    variances: dict[str, float]
    weights: dict[str, float]
    squares: dict[str, float]
    intercept: float
    steps: int


_decoder: Final = msgspec.msgpack.Decoder(HeadRow)


def decode_head_row(value: bytes) -> HeadRow:
    """Raises msgspec.ValidationError where the bytes are no such row."""
    return _decoder.decode(value)


class Responses:
    """The replica's half: each head as weights by feature and an intercept, before scaling."""

    def __init__(self) -> None:
        self._weights = np.zeros((len(FEATURES), len(PRIOR)))
        self._intercepts = np.array(list(PRIOR.values()))

    def put(self, key: bytes, row: HeadRow) -> None:
        """Take over a head: the scaler is folded into the weights."""
        head = list(PRIOR).index(key)
        weights, intercept = self._weights[:, head], row.intercept
        weights[:] = 0.0
        for place, name in enumerate(FEATURES):
            variance = row.variances.get(name, 0.0)
            if variance > 0.0:
                weights[place] = row.weights.get(name, 0.0) / variance**0.5
                intercept -= weights[place] * row.means.get(name, 0.0)
        self._intercepts[head] = intercept

    def probabilities(self, features: Matrix) -> tuple[Matrix, Matrix]:
        """By place, the probability of a click and of a click that ends in an application."""
        scores = features @ self._weights + self._intercepts
        click, then_apply = 1.0 / (1.0 + np.exp(np.minimum(np.maximum(-scores, -30.0), 30.0))).T
        return click, click * then_apply


def packed(features: Matrix) -> bytes:
    """A matrix as it travels.

    >>> unpacked(packed(np.ones((2, len(FEATURES))))).shape == (2, len(FEATURES))
    True
    """
    return features.astype("<f2").tobytes()


def unpacked(value: bytes) -> Matrix:
    """The matrix of `packed`; no rows where the bytes are none of it, or hold what is no number."""
    width = 2 * len(FEATURES)
    if len(value) % width:
        return np.zeros((0, len(FEATURES)))
    table = np.frombuffer(value, "<f2").reshape(-1, len(FEATURES)).astype(np.float64)
    return table if np.isfinite(table).all() else table[:0]
