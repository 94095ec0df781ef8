"""A diverse list against a greedy one that tries every item of the window afresh, by the definition."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from processors.actions import SAVE, VIEW
from processors.ranking import Ranking
from processors.recommend import ranked
from processors.replica import Replica
from processors.slate import WINDOW, Slate
from processors.taste import taste_of
from tests.processors.market import NOW_MS, PACK, person, replica


class Noted(Slate):
    """A slate that is told, not asked, what has a place."""

    def note(self, row: int) -> None:
        catalogue = self._replica.catalogue
        self._note(row, int(catalogue.brand[row]), int(catalogue.twin[row]))


def greedy(slate: Noted, rankings: Sequence[tuple[Ranking, int]], made: Replica) -> list[int]:
    """Rows by maximal marginal relevance from each ranking's window up to a length of the list; of equals the better
    ranked, and none that a rule refuses.
    """
    share, chosen = made.pack.diversity, list[int]()
    for ranking, limit in rankings:
        positions = ranking.order[:WINDOW].tolist()
        rows = [int(ranking.candidates.rows[position]) for position in positions]
        scores = [float(ranking.scores[position]) for position in positions]
        relevance = [(score - scores[-1]) / ((scores[0] - scores[-1]) or 1.0) for score in scores]
        likeness = made.text.alike_within(np.array(rows))
        left = [k for k, row in enumerate(rows) if row not in chosen]
        while left and len(chosen) < limit:
            placed = [k for k, row in enumerate(rows) if row in chosen]
            costs = {k: max((likeness[k, c] for c in placed), default=0.0) for k in left}
            best = max(left, key=lambda k: ((1.0 - share) * relevance[k] - share * costs[k], -k))
            left.remove(best)
            if slate.refusal(rows[best]) is None:
                chosen.append(rows[best])
                slate.note(rows[best])
    return chosen


@pytest.mark.parametrize("max_per_brand", [1, 2, 9])
@pytest.mark.parametrize("max_seen", [0, 1, 9])
@pytest.mark.parametrize("limits", [(10, 10), (4, 10)])
def test_a_diverse_list_is_the_greedy_one(max_per_brand: int, max_seen: int, limits: tuple[int, int]) -> None:
    caps = {"max_per_brand": max_per_brand, "max_seen": max_seen}
    made = replica(240, msgspec.structs.replace(PACK, diversity=0.7, **caps))
    one, other = person((0, VIEW), (7, VIEW), (14, SAVE), (3, VIEW)), person((4, VIEW), (0, SAVE))
    tastes = [taste_of(profile, NOW_MS, made) for profile in (one, other)]
    rankings = [ranked(profile, taste, NOW_MS, made) for profile, taste in zip((one, other), tastes, strict=True)]
    filled = [(rankings[0], limits[0]), (rankings[0], limits[1]), (rankings[1], limits[1] + 3)]
    wanted = greedy(Noted(made.pack, made, 0, tastes[0].own_rows), filled, made)
    slate = Slate(made.pack, made, 0, tastes[0].own_rows)
    for ranking, slate.limit in filled:
        slate.fill(ranking)
    assert len(wanted) == filled[-1][1]
    assert [place.row for place in slate.places] == wanted
