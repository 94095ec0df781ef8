"""One person's list: retrieve, score, filter, diversify, explain.

Pure: the list is a function of the profile, of `now_ms`, and of the changes that the replica has taken over so far.
What is cached on the way (neighbour lists of texts, sorted short lists) is used only while it equals what would be
computed anew.
"""

from typing import Final

from processors.blend_ranking import rank_blend
from processors.profile import Profile
from processors.randomness import Randomness
from processors.ranking import Ranking, rank
from processors.reasons import Explanation, explain
from processors.replica import Replica
from processors.retrieval import everything, retrieve
from processors.slate import Slate
from processors.taste import Taste, taste_of
from schemas.decisions import RecommendedItem

UNEXPLAINED: Final = Explanation("unexplained", ())


def recommend(
    profile: Profile,
    now_ms: int,
    replica: Replica,
    rng: Randomness | None = None,
    limit: int | None = None,
    explained: bool = True,
) -> tuple[RecommendedItem, ...]:
    """The list for one person at `now_ms`: at most `limit` items, by default the pack's `list_size`.

    Empty only where no item may be shown. The profile is only read. Nothing is explored yet: `rng` is not drawn from,
    and every propensity is 1. Without `explained` the same items come without source and reasons, which costs less: for
    simulations, where nobody reads them.
    """
    size = replica.pack.list_size if limit is None else limit
    taste = taste_of(profile, now_ms, replica)
    slate = Slate(replica.pack, replica.catalogue, size)
    slate.fill(_ranked(profile, taste, now_ms, replica), taste.own_rows)
    if not slate.is_full:
        slate.fill(_ranked_all(profile, taste, now_ms, replica), taste.own_rows)
    explanations = explain(slate.places, taste, now_ms, replica) if explained else [UNEXPLAINED] * len(slate.places)
    return tuple(
        [
            RecommendedItem(
                item_id=replica.catalogue.item_id(place.row),
                rank=place_rank,
                score=float(place.ranking.scores[place.position]),
                source=explanation.source,
                reasons=explanation.reasons,
            )
            for place_rank, (place, explanation) in enumerate(zip(slate.places, explanations, strict=True), 1)
        ]
    )


def _ranked(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    if replica.pack.models == "blend":
        return rank_blend(profile, taste, now_ms, replica)
    return rank(retrieve(taste, now_ms, replica), taste, now_ms, replica)


def _ranked_all(profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> Ranking:
    if replica.pack.models == "blend":
        return rank_blend(profile, taste, now_ms, replica, everything=True)
    return rank(everything(taste, now_ms, replica), taste, now_ms, replica)
