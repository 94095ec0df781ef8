"""The person's own order of what was found: relevance, and the recommendations' score by their features and weights.

    score = relevance · r + taste · blend,   r = BM25 relative to the best found

Nobody who is unknown has a taste: for them the order is relevance alone.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.blend_ranking import blend_of, candidates_of
from processors.features import LOCATION, SEEN
from processors.profile import Profile
from processors.ranking import rank
from processors.replica import Replica
from processors.retrieval import NO_EVIDENCE, Candidates, retrieve
from processors.taste import Taste
from processors.top_list import Rows
from serving.search.index import Hit

Scores = npt.NDArray[np.float64]

UNKNOWN: Final = ("location", "titles", "places")
"""What someone may have said who did nothing yet."""


class PersonalWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """What counts in the person's own order, and how many of the most relevant are looked at, beside all that would be
    recommended to them anyway. What stands behind keeps its place.
    """

    relevance: float = 2.0
    taste: float = 1.0
    location: float = 4.0
    """In place of the pack's weight in the transparent blend, where that is not 0."""
    seen: float = 2.0
    """In place of the pack's: who searches often wants back what they saw. The learned blend knows that."""
    reranked: int = 300


def is_known(profile: Profile) -> bool:
    """Whether there is anything to go by."""
    return bool(profile.actions) or any(profile.said(field) for field in UNKNOWN)


def recommendable(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> list[str]:
    """The items that a list for this person would be chosen from."""
    if replica.pack.models == "blend":
        rows = candidates_of(profile, taste, now_ms, replica)
    else:
        rows = retrieve(taste, now_ms, replica).rows
    return [replica.catalogue.item_id(row) for row in rows.tolist()]


def reordered(
    hits: list[Hit], profile: Profile, taste: Taste, now_ms: int, replica: Replica, weights: PersonalWeights
) -> list[Hit]:
    """The hits in the person's order, their scores the new ones. Items that the replica does not have yet go by their
    relevance and the least taste of the others.
    """
    rows = replica.catalogue.rows_of([hit.item_id for hit in hits])
    known = np.array([place for place, row in enumerate(rows) if row], np.intp)
    if len(known) < 2:
        return hits
    own = _taste_scores(profile, taste, np.array(rows, np.intp)[known], now_ms, replica, weights)
    liked = np.full(len(hits), own.min())
    liked[known] = own
    relevant = np.array([hit.score for hit in hits])
    best = float(relevant.max())
    scores = weights.relevance * (relevant / best if best > 0.0 else relevant) + weights.taste * liked
    return [Hit(hits[place].item_id, float(scores[place])) for place in np.argsort(-scores, kind="stable").tolist()]


def _taste_scores(
    profile: Profile, taste: Taste, rows: Rows, now_ms: int, replica: Replica, weights: PersonalWeights
) -> Scores:
    """The recommendations' scores of the distinct `rows`, with the weights of a search where they are fixed ones."""
    if replica.pack.models == "blend":
        return blend_of(profile, taste, rows, now_ms, replica).scores
    nothing = np.zeros(len(rows))
    candidates = Candidates(rows, nothing, nothing, nothing, NO_EVIDENCE, NO_EVIDENCE)
    ranking = rank(candidates, taste, now_ms, replica)
    weighing = ranking.weights.copy()
    weighing[SEEN] = weights.seen
    if weighing[LOCATION]:
        weighing[LOCATION] = weights.location
    scores: Scores = weighing @ ranking.matrix
    return scores
