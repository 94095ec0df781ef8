"""Hours of a local week: 168 of them for what many people share, folded to 48 (24 of weekdays, 24 of weekends) for one.

Slot 0 is Monday's first hour; in the fold, 0-23 are hours of weekdays and 24-47 of weekends.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
HOURS: Final = 24
WEEK: Final = 168
FOLDED: Final = 48
ACROSS: Final = 0.5
"""What an hour of the weekend says about the same hour of weekdays, and the other way round, beside its own kind."""

Doubles = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

FOLD: Final[Indexes] = np.array([hour + (24 if day >= 5 else 0) for day in range(7) for hour in range(24)], np.intp)
"""Slot of the week -> slot of the fold."""
DAYS_OF_SLOT: Final[Doubles] = np.repeat((5.0, 2.0), HOURS)
"""How many days of a week a slot of the fold stands for."""


def slot_of(local_ms: int) -> int:
    """The slot of the week of a local time, in milliseconds since 1970-01-01 00:00 of that place (a Thursday).

    >>> slot_of(0), slot_of(4 * DAY_MS + HOUR_MS)
    (72, 1)
    """
    return (local_ms // HOUR_MS + 72) % WEEK


@lru_cache(maxsize=64)
def moved(hours: int) -> Indexes:
    """For each of the 48 slots of a clock that is `hours` ahead: the slot it is by the clock that is behind.

    >>> moved(2)[[0, 2, 24, 26]].tolist()
    [22, 0, 46, 24]
    """
    return np.roll(np.arange(FOLDED).reshape(2, HOURS), hours, axis=1).ravel()


@lru_cache(maxsize=64)
def kernel(span_h: float) -> Doubles:
    """How much each of the 48 slots says about each: a circular Gaussian over hours, 1 at the slot itself.

    >>> kernel(1.5).shape, float(kernel(1.5)[0, 0]), bool(kernel(1.5)[0, 23] == kernel(1.5)[0, 1])
    ((48, 48), 1.0, True)
    """
    away = np.abs(np.subtract.outer(np.arange(HOURS), np.arange(HOURS)))
    away = np.minimum(away, HOURS - away)
    near = np.exp(-0.5 * (away / span_h) ** 2)
    table = np.kron(np.array([[1.0, ACROSS], [ACROSS, 1.0]]), near)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def week_kernel(span_h: float) -> Doubles:
    """The same for the 168 slots: hours of other days of the same kind count fully, of the other kind `ACROSS`."""
    hours = np.arange(WEEK) % HOURS
    away = np.abs(np.subtract.outer(hours, hours))
    away = np.minimum(away, HOURS - away)
    weekend = np.arange(WEEK) >= 5 * HOURS
    same = np.where(np.equal.outer(weekend, weekend), 1.0, ACROSS)
    table: Doubles = np.exp(-0.5 * (away / span_h) ** 2) * same
    table.flags.writeable = False
    return table
