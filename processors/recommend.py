"""One person's list: retrieve, score, filter, diversify, explore, explain.

Pure: the list is a function of the profile, of `now_ms`, and of the changes that the replica has taken over so far.
What is cached on the way (neighbour lists of texts, sorted short lists) is used only while it equals what would be
computed anew.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.adjusted import adjusted
from processors.answers import answer, saved_deed
from processors.blend_ranking import rank_blend
from processors.exploration import explore, explored_places
from processors.profile import Profile
from processors.randomness import Randomness
from processors.ranking import Ranking, rank
from processors.reasons import Explanation, explain
from processors.replica import Replica
from processors.response import Matrix
from processors.response_features import features_of
from processors.retrieval import everything, retrieve
from processors.slate import Place, Slate
from processors.taste import Taste, taste_of
from processors.top_list import Rows
from schemas.decisions import RecommendedItem

Withheld = Callable[[Rows], npt.NDArray[np.bool_]]
"""Tells which rows are left out of a list, beside those that may not be shown at all."""
UNEXPLAINED: Final = Explanation("unexplained", ())


class Decided(Struct, frozen=True):
    """A list, and the features of its places that `p_click` and `p_apply` were read from (processors/response.py)."""

    items: tuple[RecommendedItem, ...]
    features: Matrix


def recommend(
    profile: Profile,
    now_ms: int,
    replica: Replica,
    rng: Randomness | None = None,
    limit: int | None = None,
    explained: bool = True,
) -> tuple[RecommendedItem, ...]:
    """The list for one person at `now_ms`: at most `limit` items, by default the pack's `list_size`.

    Empty only where no item may be shown. The profile is only read. Without `rng` nothing is drawn by chance, and every
    propensity is 1. Without `explained` the same items come without source and reasons, which costs less: for
    simulations, where nobody reads them.
    """
    return decide(profile, now_ms, replica, rng, limit, explained).items


def decide(
    profile: Profile,
    now_ms: int,
    replica: Replica,
    rng: Randomness | None = None,
    limit: int | None = None,
    explained: bool = True,
    by_mail: bool = False,
    withheld: Withheld | None = None,
) -> Decided:
    """`recommend`, with the features of its places, for whoever will hear what became of them."""
    size = replica.pack.list_size if limit is None else limit
    taste = taste_of(profile, now_ms, replica)
    slate = listed(profile, taste, now_ms, replica, size, rng, withheld=withheld)
    features = features_of(slate.places, profile, taste, now_ms, replica, by_mail)
    return Decided(told(slate.places, features, taste, now_ms, replica, explained), features)


def told(
    places: Sequence[Place], features: Matrix, taste: Taste, now_ms: int, replica: Replica, explained: bool = True
) -> tuple[RecommendedItem, ...]:
    """Places of rankings as a list that travels, in the order given; `features` are those of the places."""
    explanations = explain(places, taste, now_ms, replica) if explained else [UNEXPLAINED] * len(places)
    clicks, applies = (values.tolist() for values in replica.responses.probabilities(features))
    return tuple(
        [
            RecommendedItem(
                item_id=replica.catalogue.item_id(place.row),
                rank=place_rank,
                score=place.ranking.scores.item(place.position),
                source=explanation.source,
                reasons=explanation.reasons,
                propensity=place.propensity,
                p_click=round(p_click, 6),
                p_apply=round(p_apply, 6),
            )
            for place_rank, (place, explanation, p_click, p_apply) in enumerate(
                zip(places, explanations, clicks, applies, strict=True), 1
            )
        ]
    )


def listed(
    profile: Profile,
    taste: Taste,
    now_ms: int,
    replica: Replica,
    size: int,
    rng: Randomness | None = None,
    withheld: Withheld | None = None,
) -> Slate:
    """The list as places, before it is told. Rows that are `withheld` get no place: the next best do."""
    kept = len(explored_places(size, replica.pack.explore)) if rng is not None else 0
    deed = saved_deed(taste)
    asked = 0 if deed is None else min(replica.pack.answers, size // 2)
    slate = Slate(replica.pack, replica, size - kept - asked, taste.own_rows)
    ranking = _but(ranked(profile, taste, now_ms, replica), withheld)
    slate.fill(ranking)
    if deed is not None and asked:
        answer(slate, ranking, taste, deed, asked)
        slate.limit = size - kept
        slate.fill(ranking)
    if rng is not None and slate.is_full:
        explore(slate, ranking, size, now_ms, replica, rng)
    slate.limit = size
    if not slate.is_full:
        slate.fill(ranking)
    if not slate.is_full:
        slate.fill(_but(ranked_all(profile, taste, now_ms, replica), withheld))
    return slate


def _but(ranking: Ranking, withheld: Withheld | None) -> Ranking:
    """A ranking without some rows."""
    if withheld is None:
        return ranking
    kept = ~withheld(ranking.candidates.rows[ranking.order])
    return msgspec.structs.replace(ranking, order=ranking.order[kept])


def ranked(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    """The candidates of one person, the best first."""
    if replica.pack.models == "blend":
        found: Ranking = rank_blend(profile, taste, now_ms, replica)
    else:
        found = rank(retrieve(taste, now_ms, replica), taste, now_ms, replica)
    return adjusted(found, profile, taste, now_ms, replica)


def ranked_all(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    """All items that may be shown, the best first; costs a look at every row."""
    if replica.pack.models == "blend":
        found: Ranking = rank_blend(profile, taste, now_ms, replica, everything=True)
    else:
        found = rank(everything(taste, now_ms, replica), taste, now_ms, replica)
    return adjusted(found, profile, taste, now_ms, replica, everything=True)
