"""The distinct coordinates of items, in cells of a grid, so that a radius is a few cells and the spots on its edge.

Exact: a cell that lies wholly within the radius stands for its spots; of a cell on the edge each spot is measured.
"""

from math import floor
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.growing import grown
from serving.search.filters import EARTH_KM, Near

CELL_DEGREES: Final = 0.05
CELL_KM: Final = 4.0
"""No spot of a cell is farther from its middle: half a diagonal at the equator."""
MOST_KEPT: Final = 64

Floats = npt.NDArray[np.float64]


class Within(Struct, frozen=True):
    """Codes of the cells within a radius, and of the spots within it in cells on its edge."""

    cells: list[int]
    spots: list[int]


class Spots:
    """Spots and cells get codes from 0 in the order of their coming, and keep them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[float, float], int] = {}
        self._cells: dict[tuple[int, int], int] = {}
        self._lat: Floats = np.zeros(64)
        self._lon: Floats = np.zeros(64)
        self._cell: npt.NDArray[np.int64] = np.zeros(64, np.int64)
        self._middle_lat: Floats = np.zeros(64)
        self._middle_lon: Floats = np.zeros(64)
        self._kept: dict[tuple[float, float, float, int], Within] = {}

    def learn(self, lat: float, lon: float) -> tuple[int, int]:
        """The codes of a spot and of its cell."""
        code = self._codes.get((lat, lon))
        if code is None:
            code = self._codes[lat, lon] = len(self._codes)
            self._lat, self._lon = grown(self._lat, code + 1, 0.0), grown(self._lon, code + 1, 0.0)
            self._cell = grown(self._cell, code + 1, 0)
            self._lat[code], self._lon[code] = lat, lon
            self._cell[code] = self._cell_of(lat, lon)
        return code, int(self._cell[code])

    def within(self, near: Near) -> Within:
        """What lies within a radius; the last few answers are kept while no spot is new."""
        key = (near.lat, near.lon, near.radius_km, len(self._codes))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._within(near)
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    def _within(self, near: Near) -> Within:
        count = len(self._cells)
        km = great_circle_km(near.lat, near.lon, self._middle_lat[:count], self._middle_lon[:count])
        inside = km <= near.radius_km - CELL_KM
        edge = (km <= near.radius_km + CELL_KM) & ~inside
        spots = np.flatnonzero(edge[self._cell[: len(self._codes)]])
        km = great_circle_km(near.lat, near.lon, self._lat[spots], self._lon[spots])
        return Within(np.flatnonzero(inside).tolist(), spots[km <= near.radius_km].tolist())

    def _cell_of(self, lat: float, lon: float) -> int:
        place = (floor(lat / CELL_DEGREES), floor(lon / CELL_DEGREES))
        code = self._cells.get(place)
        if code is None:
            code = self._cells[place] = len(self._cells)
            self._middle_lat = grown(self._middle_lat, code + 1, 0.0)
            self._middle_lon = grown(self._middle_lon, code + 1, 0.0)
            self._middle_lat[code], self._middle_lon[code] = ((side + 0.5) * CELL_DEGREES for side in place)
        return code


def great_circle_km(lat: float, lon: float, lats: Floats, lons: Floats) -> Floats:
    """Distances on a sphere (haversine: Sinnott, Sky and Telescope 1984), in km."""
    north, east = np.radians(lats - lat), np.radians(lons - lon)
    half = np.sin(north / 2) ** 2 + np.cos(np.radians(lat)) * np.cos(np.radians(lats)) * np.sin(east / 2) ** 2
    km: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return km
