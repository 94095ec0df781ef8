"""Distances on a plane beside the great circle; the two forms beside each other."""

from math import asin, cos, isnan, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.catalogue import Catalogue
from processors.distances import FAR_KM, distances_from_km, distances_km
from schemas.catalogue import Item, Location

EARTH_KM = 6_371.0
places = st.tuples(st.floats(-50.0, 50.0), st.floats(-180.0, 180.0))


def great_circle_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))


def catalogue_of(*places: tuple[float, float] | None) -> Catalogue:
    catalogue = Catalogue()
    for n, place in enumerate(places):
        where = None if place is None else Location(lat=place[0], lon=place[1])
        catalogue.put(Item(item_id=f"i{n}", location=where))
    return catalogue


@given(places, st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_near_places_are_as_far_as_on_the_globe(home: tuple[float, float], north: float, east: float) -> None:
    there = home[0] + north, (home[1] + east + 180.0) % 360.0 - 180.0  # over the date line too
    (km,) = distances_km(np.array([1]), *home, catalogue_of(there)).tolist()
    assert km == pytest.approx(great_circle_km(home, there), rel=0.03, abs=0.05)


@given(st.lists(places, min_size=1, max_size=4), st.lists(st.none() | places, min_size=1, max_size=5))
def test_from_several_places_as_from_each(homes: list, there: list) -> None:
    catalogue, rows = catalogue_of(*there), np.arange(1, len(there) + 1)
    together = distances_from_km(rows, homes, catalogue)
    for home, km in zip(homes, together.tolist(), strict=True):
        alone = [FAR_KM if isnan(one) else one for one in distances_km(rows, *home, catalogue).tolist()]
        assert km == pytest.approx(alone, rel=1e-9, abs=1e-6)
