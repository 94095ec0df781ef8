"""The transparent blend: a candidate's score is the sum of the pack's weight × feature, and the parts stay visible."""

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.features import Matrix, features
from processors.replica import Replica
from processors.retrieval import Candidates
from processors.taste import Taste


class Ranking(Struct, frozen=True):
    """Candidates in order: `order` holds positions in `candidates.rows`, the best first."""

    candidates: Candidates
    matrix: Matrix
    """Features × candidates."""
    weights: npt.NDArray[np.float64]
    """By feature, in the order of `features.NAMES`."""
    scores: npt.NDArray[np.float64]
    order: npt.NDArray[np.intp]

    def parts(self, positions: list[int]) -> Matrix:
        """What each feature of `features.NAMES` adds to the scores of some candidates: places × features."""
        parts: Matrix = self.matrix.take(positions, axis=1).T * self.weights
        return parts

    def of_attributes(self, position: int) -> float:
        """What listed attributes of the person add: here nothing."""
        return 0.0


def rank(candidates: Candidates, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    """Score and sort candidates; equal scores keep the order of retrieval."""
    weights = np.array(msgspec.structs.astuple(replica.pack.scores), np.float64)
    matrix = features(candidates, taste, now_ms, replica)
    scores = weights @ matrix
    return Ranking(candidates, matrix, weights, scores, (-scores).argsort(kind="stable"))
