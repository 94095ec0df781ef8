"""The learned blend at work: candidates, their features, the learned weights, and what each group of features adds."""

from collections.abc import Callable
from typing import Final

import numpy as np

from processors import features as spine
from processors import wishes
from processors.blend import NAMES, OWN
from processors.blend_candidates import Shortlist, every_item, narrowed, shortlist
from processors.blend_features import Matrix, People, blend_features, person_of
from processors.context import context_of
from processors.products import product
from processors.profile import Profile
from processors.ranking import Ranking
from processors.replica import Replica
from processors.taste import Taste
from processors.top_list import Rows

_GROUP_OF: Final = {
    spine.POPULARITY: ("level", "hour", "day", "week", "month", "ever"),
    spine.COVISITATION: (
        *("followed", "preceded", "together", "after_last"),
        *("session", "session_after", "session_before", "session_next"),
    ),
    spine.TEXT: ("text", "text_log", "text_last"),
    spine.LOCATION: ("distance", "distance_last", "near", "far"),
    spine.AFFINITY: ("labels",),
    spine.FRESHNESS: ("fresh",),
    spine.STATED: ("stated", "kind", "remote"),
    spine.SEEN: NAMES[OWN:],
}
GROUPS: Final = np.array([[name in _GROUP_OF[group] for group in range(len(_GROUP_OF))] for name in NAMES], np.float64)
"""Features × the reasons that they are told as (processors/features.py)."""


class BlendRanking(Ranking, frozen=True):
    """A ranking whose parts are told relative to the other candidates: why this one rather than they."""

    def parts(self, positions: list[int]) -> Matrix:
        """What speaks for some candidates: places × `features.NAMES`. Of an own item, only that it is."""
        parts: Matrix = self._weighed(positions)[: len(NAMES)].T @ GROUPS
        own = self.matrix[OWN].take(positions) > 0.0
        parts[own] = 0.0
        parts[:, spine.SEEN] = own
        return parts

    def of_attributes(self, position: int) -> float:
        """What the listed attributes of the person add, for `attune explain`; 0 where none are, and of own items."""
        is_own = self.matrix[OWN, position] > 0.0
        return 0.0 if is_own else float(self._weighed([position])[len(NAMES) :].sum())

    def _weighed(self, positions: list[int]) -> Matrix:
        mean = np.einsum("ij->i", self.matrix) / self.matrix.shape[1]
        weighed: Matrix = (self.matrix.take(positions, axis=1) - mean[:, None]) * self.weights[:, None]
        return weighed


def rank_blend(profile: Profile, taste: Taste, now_ms: int, replica: Replica, everything: bool = False) -> BlendRanking:
    """Retrieve, score and sort; `everything` looks at all items instead of candidates."""
    person = person_of(context_of(profile, now_ms, replica), _stated_place(taste), replica)
    found = (every_item if everything else shortlist)(person, taste, now_ms, replica)
    return _ranked(found, person, taste, now_ms, replica)


def blend_of(profile: Profile, taste: Taste, rows: Rows, now_ms: int, replica: Replica) -> BlendRanking:
    """The same scores for the distinct `rows` alone: of what someone looks for, what suits them."""
    person = person_of(context_of(profile, now_ms, replica), _stated_place(taste), replica)
    return _ranked(shortlist(person, taste, now_ms, replica, only=rows), person, taste, now_ms, replica)


def candidates_of(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> Rows:
    """The rows that `rank_blend` would put in order."""
    person = person_of(context_of(profile, now_ms, replica), _stated_place(taste), replica)
    return shortlist(person, taste, now_ms, replica).candidates.rows


def features_beside(
    row: int, profile: Profile, taste: Taste, now_ms: int, replica: Replica, others: Callable[[int], Rows]
) -> Matrix | None:
    """Features of a candidate of `rank_blend`, and of those beside it at the places that `others` draws of so many;
    None where `row` is no candidate.
    """
    person = person_of(context_of(profile, now_ms, replica), _stated_place(taste), replica)
    found = shortlist(person, taste, now_ms, replica)
    places = (found.candidates.rows == row).nonzero()[0]
    if not len(places):
        return None
    drawn = others(len(found.candidates.rows))
    chosen = np.concatenate([places, drawn[drawn != places[0]]])
    return _features(narrowed(found, chosen), person, taste, now_ms, replica)


def _features(found: Shortlist, person: People, taste: Taste, now_ms: int, replica: Replica) -> Matrix:
    candidates = found.candidates
    matrix = blend_features(
        candidates.rows,
        found.followed,
        found.preceded,
        found.after_last,
        found.sessions,
        wishes.features(candidates.rows, spine.stated(candidates, taste, replica), found.kinds, taste, replica),
        person,
        now_ms,
        replica,
    )
    if replica.attributes is not None:
        shared = replica.attributes.shared(candidates.rows, taste.attributes) * (matrix[OWN] == 0.0)
        matrix = np.vstack([matrix, shared])
    return matrix


def _ranked(found: Shortlist, person: People, taste: Taste, now_ms: int, replica: Replica) -> BlendRanking:
    matrix = _features(found, person, taste, now_ms, replica)
    weights = replica.blend_weights
    if replica.challenger is not None:
        scores = replica.challenger.scores(matrix[: len(NAMES)].T)
    else:
        scores = product(matrix.T, weights)
    return BlendRanking(found.candidates, matrix, weights, scores, np.argsort(-scores, kind="stable"))


def _stated_place(taste: Taste) -> tuple[float, float] | None:
    place = taste.place
    return (place.lat, place.lon) if place.is_stated and place.lat is not None and place.lon is not None else None
