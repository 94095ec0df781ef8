"""A matrix times a vector, in the one thread that asks.

Of more than some 9,000 numbers OpenBLAS gives a share to a second thread, and where the processor has other work that
one is waited for longer than the whole product takes: a few microseconds for all that a list needs.
"""

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.floating[Any])

AT_ONCE: Final = 9_000
LANES: Final = 16
"""Pieces are multiples of what the processor takes in one step, so that sums come out the same as in one piece."""


def product(table: npt.NDArray[Scalar], weights: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Rows × columns times columns.

    >>> product(np.ones((3, 2)), np.array([1.0, 2.0])).tolist()
    [3.0, 3.0, 3.0]
    """
    rows, columns = table.shape
    if rows * columns <= AT_ONCE:
        return table @ weights
    count = max(AT_ONCE // columns // LANES, 1) * LANES
    return np.concatenate([table[start : start + count] @ weights for start in range(0, rows, count)])
