"""Which items are near by: catalogue rows in cells of half a degree, the newest of each."""

from collections.abc import Iterable
from itertools import islice
from math import floor, isfinite
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.top_list import Rows

CELLS_PER_DEGREE: Final = 2
NEWEST: Final = 128
"""Rows read of one cell."""

Cell = tuple[int, int]


class Nearby:
    """Rows by cell, in the order in which they came."""

    def __init__(self) -> None:
        self._cells: dict[Cell, dict[int, None]] = {}
        self._cell_of: dict[int, Cell] = {}
        self._names: dict[Cell, Cell] = {}
        """One object for each cell, not one for each row: ten megabytes of 100,000 rows."""
        self._read: dict[Cell, Rows] = {}

    def put(self, row: int, lat: float, lon: float) -> None:
        """An item is at a place, NaN where nowhere."""
        self.remove(row)
        if isfinite(lat) and isfinite(lon):
            cell = _cell(lat, lon)
            cell = self._names.setdefault(cell, cell)
            self._cell_of[row] = cell
            self._cells.setdefault(cell, {})[row] = None
            self._read.pop(cell, None)

    def remove(self, row: int) -> None:
        """Forget a row's item."""
        cell = self._cell_of.pop(row, None)
        if cell is not None:
            del self._cells[cell][row]
            self._read.pop(cell, None)

    def around(self, places: Iterable[tuple[float, float]]) -> Rows:
        """Rows in the cells of some places and the eight around each; a row once."""
        cells: dict[Cell, None] = {}
        for lat, lon in places:
            y, x = _cell(lat, lon)
            columns = x, _wrapped(x - 1), _wrapped(x + 1)
            cells |= dict.fromkeys([(row, column) for row in (y, y - 1, y + 1) for column in columns])
        found = [self._rows(cell) for cell in cells if cell in self._cells]
        return np.concatenate(found) if found else np.zeros(0, np.intp)

    def _rows(self, cell: Cell) -> npt.NDArray[np.intp]:
        rows = self._read.get(cell)
        if rows is None:
            rows = self._read[cell] = np.fromiter(islice(reversed(self._cells[cell]), NEWEST), np.intp)
        return rows


def _cell(lat: float, lon: float) -> Cell:
    return floor(lat * CELLS_PER_DEGREE), _wrapped(floor(lon * CELLS_PER_DEGREE))


def _wrapped(x: int) -> int:
    return (x + 180 * CELLS_PER_DEGREE) % (360 * CELLS_PER_DEGREE) - 180 * CELLS_PER_DEGREE
