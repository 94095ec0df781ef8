"""What a person was shown in vain and said no to, taken from a ranking, whichever model made it."""

import msgspec
import numpy as np
import numpy.typing as npt

from processors.dislikes import disliked, dislikes_of
from processors.exposure import discounts, times_shown
from processors.profile import Profile
from processors.ranking import Ranking
from processors.replica import Replica
from processors.taste import Taste


def adjusted(
    ranking: Ranking, profile: Profile, taste: Taste, now_ms: int, replica: Replica, everything: bool = False
) -> Ranking:
    """The ranking with lower scores for what was shown in vain, and without what shares a disliked place, pay or brand;
    with `everything` that comes last instead, so that a list can still be filled.
    """
    if not len(ranking.scores) or not (profile.times_shown or profile.dismissed):
        return ranking
    cost = costs(ranking, profile, taste, now_ms, replica)
    scores = ranking.scores - cost
    dislikes = dislikes_of(profile, now_ms, replica.catalogue)
    out = disliked(ranking.candidates.rows, dislikes, replica.catalogue) != 0
    order = np.lexsort((-scores, out))
    if not everything:
        order = order[: len(order) - int(out.sum())]
    return msgspec.structs.replace(ranking, scores=scores, order=order)


def costs(ranking: Ranking, profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> npt.NDArray[np.float64]:
    """By candidate, what the times it was shown in vain take from its score: `pack.shown_cost` standard deviations of
    the candidates' scores for each doubling.
    """
    shown_cost = replica.pack.shown_cost
    if not profile.times_shown or not shown_cost:
        return np.zeros(len(ranking.scores))
    found = discounts(ranking.candidates.rows, times_shown(profile, now_ms), taste, replica.catalogue)
    return shown_cost * float(ranking.scores.std()) * found
