"""How far items are from a place, in kilometres."""

from math import cos, radians
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.catalogue import Catalogue
from processors.top_list import Rows

KM_PER_DEGREE: Final = 111.195
FAR_KM: Final = 3_000.0
"""The distance of what has no place, where a number is needed."""


def distances_km(rows: Rows, lat: float, lon: float, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """Distance to each row's item, NaN where it has no coordinates; on a plane, exact to 1% up to some 500 km."""
    north = catalogue.lat[rows] - lat
    east = catalogue.lon[rows] - lon
    east -= 360.0 * np.rint(east / 360.0)
    east *= cos(radians(lat))
    km: npt.NDArray[np.float64] = KM_PER_DEGREE * np.sqrt(north * north + east * east)
    return km


def distances_from_km(rows: Rows, places: list[tuple[float, float]], catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """Places (latitude, longitude) × rows; `FAR_KM` where an item has no coordinates. As exact as the above."""
    at = np.array(places)
    north = catalogue.lat.take(rows) - at[:, :1]
    east = np.abs(catalogue.lon.take(rows) - at[:, 1:])
    np.minimum(east, 360.0 - east, out=east)
    east *= np.cos(np.radians(at[:, :1]))
    north *= north
    east *= east
    north += east
    km: npt.NDArray[np.float64] = np.sqrt(north, out=north)
    km *= KM_PER_DEGREE
    km[np.isnan(km)] = FAR_KM
    return km
