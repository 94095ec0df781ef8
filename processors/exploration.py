"""Places of a list whose item is drawn by chance, so that what was never shown can be learned of, with propensities
that are exact.

Which places they are is fixed, and the others are filled first. What may then stand at them are the best `TOP` of the
ranking that the caps allow, drawn by a softmax over their scores (in units of their standard deviation, so that it
means the same under any scale of scores); a share `explore_new` of the draws goes evenly to items that are new or that
hardly anyone has dealt with, which also come from beyond the `TOP`: the floor under their exposure.

The propensity of a place is that of the *final* list: at a second explored place it is the sum over all that could
have been drawn at the first.
"""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.popularity import DAY_MS
from processors.randomness import Randomness
from processors.ranking import Ranking
from processors.replica import Replica
from processors.slate import Place, Positions, Slate

TOP: Final = 50
LITTLE_KNOWN: Final = 25
"""Items that only the floor can bring."""
NEW_D: Final = 3.0
FEW: Final = 2.0
"""Actions, decayed over the longest half-life, below which hardly anyone has dealt with an item."""
LEAST_PLACES: Final = 4
"""A list of fewer has no place for chance, and no more than one in so many is drawn."""

Floats = npt.NDArray[np.float64]


class Draws(Protocol):
    """Where random numbers come from."""

    def random(self) -> float:
        """The next, uniform in [0, 1)."""


class Lottery(Struct, frozen=True):
    """What may be drawn for the explored places: positions in a ranking, and how probably.

    `first` are the probabilities at the first place; `later` at the second by what was drawn first (by row), empty
    where one place is explored.
    """

    ranking: Ranking
    positions: Positions
    first: Floats
    later: Floats

    @property
    def propensities(self) -> list[Floats]:
        """By explored place, the probability of each position to stand there."""
        return [self.first, self.first @ self.later] if len(self.later) else [self.first]

    def draw(self, rng: Draws) -> list[int]:
        """One index into `positions` for each explored place."""
        drawn = [_draw(self.first, rng)]
        if len(self.later):
            drawn.append(_draw(self.later[drawn[0]], rng))
        return drawn


def explored_places(size: int, explore: int) -> tuple[int, ...]:
    """Which places of a list, from 0, are drawn: the last, and one in the middle where there are two.

    >>> explored_places(10, 1), explored_places(10, 2), explored_places(3, 2)
    ((9,), (4, 9), ())
    """
    count = min(explore, 2, size // LEAST_PLACES)
    return tuple((k + 1) * size // count - 1 for k in range(count))


def explore(slate: Slate, ranking: Ranking, size: int, now_ms: int, replica: Replica, rng: Randomness) -> None:
    """Complete a slate filled below the places kept for chance, to at most `size`.

    Where too little is left to draw from, those places are filled like the others.
    """
    while slate.limit < size:
        lottery = lottery_of(slate, ranking, size - slate.limit, now_ms, replica)
        if lottery is not None:
            _place(slate, lottery, explored_places(size, size - slate.limit), rng)
            slate.limit = size
            return
        slate.limit += 1
        slate.fill(ranking)


def lottery_of(slate: Slate, ranking: Ranking, places: int, now_ms: int, replica: Replica) -> Lottery | None:
    """What may be drawn for 1 or 2 places beside a slate's; None where there would be no choice."""
    order = ranking.order
    rows = ranking.candidates.rows.take(order)
    open_to = slate.open_to(rows).nonzero()[0]
    best = open_to[:TOP]
    if len(best) < 2:
        return None
    unknown = np.zeros(len(open_to), np.bool_)
    if replica.pack.explore_new:
        unknown = is_little_known(rows.take(open_to), now_ms, replica)
    beyond = unknown[len(best) :].nonzero()[0][:LITTLE_KNOWN] + len(best)
    places_in_order = np.concatenate([best, open_to.take(beyond)])
    positions = order.take(places_in_order)
    scores = ranking.scores.take(positions[: len(best)])
    odds = np.zeros(len(positions))
    odds[: len(best)] = np.exp((scores - scores.max()) / (float(scores.std()) or 1.0))
    odds /= odds.sum()
    floor = np.concatenate([unknown[: len(best)], np.ones(len(beyond), np.bool_)])
    if floor.any():
        odds = (1.0 - replica.pack.explore_new) * odds + replica.pack.explore_new * floor / floor.sum()
    if places == 1:
        return Lottery(ranking, positions, odds, np.zeros((0, 0)))
    later = np.where(slate.excludes(rows.take(places_in_order)), 0.0, odds)
    sums = later.sum(axis=1)
    return Lottery(ranking, positions, odds, later / sums[:, None]) if (sums > 0.0).all() else None


def is_little_known(rows: Positions, now_ms: int, replica: Replica) -> npt.NDArray[np.bool_]:
    """Which items are new, or hardly anyone has dealt with."""
    posted_ms = replica.catalogue.posted_ms[rows]
    half_lives_d = replica.pack.popularity_half_lives_d
    levels = replica.popularity.levels[replica.shelves.numbers[rows], len(half_lives_d) - 1]
    actions = np.exp2(np.minimum(levels - now_ms / (half_lives_d[-1] * DAY_MS), 60.0))
    unknown: npt.NDArray[np.bool_] = (posted_ms > now_ms - NEW_D * DAY_MS) | (actions < FEW)
    return unknown


def _place(slate: Slate, lottery: Lottery, places: tuple[int, ...], rng: Randomness) -> None:
    for place, index, chances in zip(places, lottery.draw(rng), lottery.propensities, strict=True):
        position = int(lottery.positions[index])
        row = int(lottery.ranking.candidates.rows[position])
        slate.add(Place(lottery.ranking, position, row, min(float(chances[index]), 1.0)))
        slate.places.insert(place, slate.places.pop())


def _draw(chances: Floats, rng: Draws) -> int:
    return min(int(chances.cumsum().searchsorted(rng.random() * chances.sum(), side="right")), len(chances) - 1)
