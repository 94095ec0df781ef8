"""How much better or worse than usual an hour of the week is for the people of a segment, relative to 1.

The rate of a slot is rewards over expected rewards, pooled over neighbouring hours and the other days, and shrunk:
a segment's towards everybody's, everybody's towards 1, with `PSEUDO_SENDS` sends' worth of expectation.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from processors.week import WEEK, Doubles, week_kernel

PSEUDO_SENDS: Final = 300.0
POOLED_H: Final = 1.5


class Table(Struct):
    """Rewards, expected rewards and sends by slot of the week (168), decayed."""

    successes: Doubles
    exposure: Doubles
    sends: float = 0.0

    @classmethod
    def empty(cls) -> "Table":
        return cls(np.zeros(WEEK), np.zeros(WEEK))


def lift(table: Table, towards: Doubles) -> Doubles:
    """L(s) for 168 slots; `towards` is what is believed without data.

    >>> bool((lift(Table.empty(), np.ones(168)) == 1.0).all())
    True
    """
    total, exposed = float(table.successes.sum()), float(table.exposure.sum())
    if total <= 0.0 or exposed <= 0.0 or table.sends <= 0.0:
        return towards
    near = week_kernel(POOLED_H)
    weight = PSEUDO_SENDS * exposed / table.sends
    rate: Doubles = (near @ table.successes * (exposed / total) + weight * towards) / (near @ table.exposure + weight)
    return rate
