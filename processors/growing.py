"""Columns that grow by doubling, so that appending costs amortised constant time."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


def grown(column: npt.NDArray[Scalar], rows: int, fill: Any) -> npt.NDArray[Scalar]:
    """`column` with room for at least `rows` rows: itself where it has, else a copy of at least twice its length.

    >>> grown(np.zeros(2, np.int32), 3, -1).tolist()
    [0, 0, -1, -1]
    """
    length = len(column)
    if rows <= length:
        return column
    longer = np.full((max(rows, 2 * length), *column.shape[1:]), fill, column.dtype)
    longer[:length] = column
    return longer
