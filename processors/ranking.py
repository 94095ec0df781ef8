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
    contributions: Matrix
    """Candidates × features (`features.NAMES`): weight × feature."""
    scores: npt.NDArray[np.float64]
    order: npt.NDArray[np.intp]


def rank(candidates: Candidates, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    """Score and sort candidates; equal scores are ordered by a hash of the item's id."""
    weights = np.array(msgspec.structs.astuple(replica.pack.scores), np.float64)
    contributions = features(candidates, taste, now_ms, replica) * weights
    scores = contributions.sum(axis=1)
    order = np.lexsort((replica.catalogue.id_hash[candidates.rows], -scores))
    return Ranking(candidates, contributions, scores, order)
