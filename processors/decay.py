"""Exponentially decayed counts as one number, whatever the order of events.

A count of weights w at times t with half-life h, read at time n, is Σ w 2^((t - n) / h). We keep its *level*
log2 Σ w 2^(t / h), from which the reading follows for every n; adding is exact for late events too, because each
contribution is decayed by itself and never the total. This is forward decay (Cormode, Shkapenyuk, Srivastava, Xu:
Forward Decay, ICDE 2009, page 4) with the landmark at the epoch, in the log domain so that it cannot overflow.
Two levels of one half-life compare as their counts do, at any time.

    >>> day = 86_400_000
    >>> level = add(add(EMPTY, 0, 1.0, day), day, 1.0, day)
    >>> read(level, day, day)
    1.5
    >>> add(add(EMPTY, day, 1.0, day), 0, 1.0, day) == level
    True
"""

from math import exp2, inf, log2
from typing import Final

EMPTY: Final = -inf
"""The level of nothing."""


def add(level: float, ts_ms: int, weight: float, half_life_ms: float) -> float:
    """The level after a contribution of `weight` > 0 at `ts_ms`."""
    gained = ts_ms / half_life_ms + (0.0 if weight == 1.0 else log2(weight))
    if level == EMPTY:
        return gained
    if gained > level:
        level, gained = gained, level
    gap = gained - level
    return level if gap < -60.0 else level + log2(1.0 + exp2(gap))


def read(level: float, now_ms: int, half_life_ms: float) -> float:
    """The decayed count at `now_ms`; contributions after `now_ms` count more than once they are due."""
    power = level - now_ms / half_life_ms
    return exp2(power) if power < 1000.0 else inf
