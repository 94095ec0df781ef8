"""Which values of an array are among a few: what np.isin says, without what it costs to find out how."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FEW: Final = 8


def among(values: npt.NDArray[Any], wanted: Collection[int]) -> npt.NDArray[np.bool_]:
    """By value, whether it is one of the integers `wanted`.

    >>> among(np.array([3, 5, 3, 7]), {3, 7}).tolist()
    [True, False, True, True]
    """
    if len(wanted) > FEW:
        known = np.sort(np.array(list(wanted)))
        places = known.searchsorted(values)
        places[places == len(known)] = 0
        sought: npt.NDArray[np.bool_] = known[places] == values
        return sought
    found = np.zeros(len(values), np.bool_)
    for one in wanted:
        found |= values == one
    return found
