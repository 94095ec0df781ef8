"""Which of the allowed hours: a softmax over their values, and one send in twenty anywhere, with the propensity logged.

pi(s) = 0.95 softmax(z / 0.01) + 0.05 / n over the hours that are allowed; what is not allowed is left out before
anything is drawn, so that the propensities of those that are sum to 1.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

import numpy as np

from processors.week import Doubles

TEMPERATURE: Final = 0.01
"""Of log reward: estimates are shrunk, so that hours that differ much in truth differ by a few hundredths here."""
EXPLORED: Final = 0.05
WAIT_COST_PER_H: Final = 0.0005
"""What an hour of waiting costs, in log reward: of two equal hours the earlier."""


def propensities(values: Doubles, explored: float = EXPLORED) -> Doubles:
    """The probability of each allowed hour, in the order of `values` (log reward, at least one).

    >>> float(propensities(np.array([0.0, 0.0])).sum())
    1.0
    """
    weights = np.exp((values - values[values.argmax()]) / TEMPERATURE)
    chances: Doubles = weights * ((1.0 - explored) / float(np.add.reduce(weights))) + explored / len(values)
    return chances


def draw(chances: Doubles, unit: float) -> int:
    """The place that a number in [0, 1) falls on."""
    return min(bisect_right(list(accumulate(chances.tolist())), unit), len(chances) - 1)
