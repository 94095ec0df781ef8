"""How far items are from a place, in kilometres."""

from math import cos, radians
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.catalogue import Catalogue
from processors.top_list import Rows

KM_PER_DEGREE: Final = 111.195


def distances_km(rows: Rows, lat: float, lon: float, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """Distance to each row's item, NaN where it has no coordinates; on a plane, exact to 1% up to some 500 km."""
    north = catalogue.lat[rows] - lat
    east = catalogue.lon[rows] - lon
    east -= 360.0 * np.rint(east / 360.0)
    east *= cos(radians(lat))
    km: npt.NDArray[np.float64] = KM_PER_DEGREE * np.sqrt(north * north + east * east)
    return km
