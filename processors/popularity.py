"""How much is done with each item now, lately and for long: decayed counts at the pack's half-lives.

An action counts its weight (a save twice a view, and so on). Counts are levels (processors/decay.py), so they do not
depend on the order of events, an item without new actions keeps its bits, and the levels of one half-life rank items
the same way at any time: a list of the most popular stays right until a level changes.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.decay import EMPTY, add
from processors.growing import grown
from processors.pack import Pack

DAY_MS: Final = 86_400_000.0
DOUBLINGS: Final = 10.0
"""The popularity feature tells counts apart down to 2^-10 of the most popular item's."""


EVER_D: Final = 365_000.0
"""A half-life so long that nothing decays."""


def half_lives_d(pack: Pack) -> tuple[float, ...]:
    """The pack's popularity half-lives in days; the learned blend also counts for ever."""
    own = pack.popularity_half_lives_d
    return (*own, EVER_D) if pack.models == "blend" else own


def half_lives_ms(pack: Pack) -> tuple[float, ...]:
    """`half_lives_d` in milliseconds."""
    return tuple(days * DAY_MS for days in half_lives_d(pack))


def fitted(levels: list[float], width: int) -> list[float]:
    """Levels of a row that was written with more or fewer half-lives: what is missing is empty."""
    return levels if len(levels) == width else (levels + [EMPTY] * width)[:width]


class Popularity:
    """The learner's half: levels by item number (numbers start at 1) and half-life."""

    def __init__(self, pack: Pack) -> None:
        self._half_lives_ms = half_lives_ms(pack)
        self.levels: list[list[float]] = []

    def append(self, levels: list[float] | None = None) -> None:
        """Make room for the next item number, with `levels` where they are known."""
        self.levels.append(fitted(levels or [], len(self._half_lives_ms)))

    def forget(self, number: int) -> None:
        """Make a number free."""
        self.levels[number] = fitted([], len(self._half_lives_ms))

    def learn_one(self, number: int, ts_ms: int, weight: float) -> None:
        """Count `weight` > 0 at `ts_ms` for one item."""
        levels = self.levels[number]
        for i, half_life_ms in enumerate(self._half_lives_ms):
            levels[i] = add(levels[i], ts_ms, weight, half_life_ms)


class PopularityView:
    """The replica's half: levels as a column by item number; number 0 is nobody, at level -inf."""

    def __init__(self, pack: Pack) -> None:
        half_lives = len(half_lives_d(pack))
        self.levels: npt.NDArray[np.float64] = np.full((64, half_lives), EMPTY)
        self._mean = np.full(half_lives, 1.0 / (DOUBLINGS * half_lives))

    def put(self, number: int, levels: list[float]) -> bool:
        """Take over the levels of one item. Returns whether they differ from what was known."""
        self.levels = grown(self.levels, number + 1, EMPTY)
        fitting = fitted(levels, self.levels.shape[1])
        if self.levels[number].tolist() == fitting:
            return False
        self.levels[number] = fitting
        return True

    def forget(self, number: int) -> None:
        """Nothing is known of a number any more."""
        if number < len(self.levels):
            self.levels[number] = EMPTY

    def parts(
        self, numbers: npt.NDArray[np.int32], now_ms: int, totals: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Half-lives × items: each item's share of all that was done, in [0, 1]; 0 before anything was."""
        levels = self.levels.take(numbers, axis=0)
        levels -= np.where(totals > EMPTY, totals, 0.0)
        return np.exp2(np.minimum(levels, 0.0, out=levels), out=levels).T

    def part(
        self, half_life: int, numbers: npt.NDArray[np.int32], now_ms: int, totals: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """One row of `parts`."""
        levels: npt.NDArray[np.float64] = self.levels[numbers, half_life]
        total = float(totals[half_life])
        levels -= total if total > EMPTY else 0.0
        return np.exp2(np.minimum(levels, 0.0, out=levels), out=levels)

    def shares(self, numbers: npt.NDArray[np.int32], tops: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How popular items are beside the levels `tops` of the most popular, one a half-life: in [0, 1], on a scale of
        logarithms, so that half the top's count is 0.9 and a 1024th is 0; the mean over the half-lives. The same at any
        time: levels of one half-life keep their distance.
        """
        shares = self.levels.take(numbers, axis=0)
        shares -= tops - DOUBLINGS
        np.minimum(np.maximum(shares, 0.0, out=shares), DOUBLINGS, out=shares)
        mean: npt.NDArray[np.float64] = shares @ self._mean
        return mean
