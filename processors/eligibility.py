"""Which items may be shown to a person at a moment: everything else is out, whatever its score.

Out are items that are retired, unavailable, expired, not yet posted or older than the pack allows; dismissed or (where
the pack says so) applied for; and items that contradict what the person stated: a salary below the floor, a place
beyond the stated ones, work on site for those who want remote work. An item that does not say contradicts nothing.
"""

import numpy as np
import numpy.typing as npt

from processors.catalogue import Catalogue
from processors.distances import distances_km
from processors.pack import Pack
from processors.popularity import DAY_MS
from processors.replica import Replica
from processors.taste import Taste, Wanted
from processors.top_list import Rows

Mask = npt.NDArray[np.bool_]


def eligible(rows: Rows, taste: Taste, now_ms: int, replica: Replica) -> Mask:
    """Which of `rows` may be shown. Row 0 never may."""
    catalogue, pack = replica.catalogue, replica.pack
    posted_ms = catalogue.posted_ms.take(rows)
    allowed: Mask = catalogue.until_ms.take(rows) > now_ms
    allowed &= posted_ms <= now_ms
    if pack.max_age_d is not None:
        allowed &= (posted_ms == 0) | (posted_ms > now_ms - pack.max_age_d * DAY_MS)
    if len(taste.excluded):
        hashes = catalogue.id_hash[rows]
        places = np.searchsorted(taste.excluded, hashes)
        places[places == len(taste.excluded)] = 0
        allowed &= taste.excluded[places] != hashes
    if pack.salary_veto and taste.min_salary is not None:
        allowed &= ~(catalogue.salary_max[rows] < taste.min_salary)
    if taste.wants_remote and pack.remote_veto:
        allowed &= catalogue.remote[rows] != 0
    if taste.wanted is not None:
        allowed &= in_place(rows, taste.wanted, taste.radius_km, catalogue, pack)
    return allowed


def in_place(rows: Rows, wanted: Wanted, radius_km: float, catalogue: Catalogue, pack: Pack) -> Mask:
    """Which of `rows` are where the person wants to be, or within `radius_km` of its middle."""
    city, region, country = catalogue.city[rows], catalogue.region[rows], catalogue.country[rows]
    fits = _among(city, wanted.cities) | _among(region, wanted.regions) | _among(country, wanted.countries)
    fits |= (city == 0) & _among(region, wanted.around)
    if wanted.countries:
        fits |= (city == 0) & (region == 0) & (country == 0)
    else:
        fits |= (city == 0) & (region == 0)
    if radius_km > 0.0:
        for lat, lon in wanted.centres:
            fits |= distances_km(rows, lat, lon, catalogue) <= radius_km
    if pack.remote_everywhere:
        fits |= catalogue.remote[rows] == 1
    return fits


def _among(codes: npt.NDArray[np.int32], wanted: tuple[int, ...]) -> Mask:
    found: Mask = np.zeros(len(codes), np.bool_)
    for code in wanted:
        found |= codes == code
    return found
