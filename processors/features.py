"""What speaks for and against each candidate, as numbers in [0, 1]: one row a feature, in the order of `NAMES`."""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.codes import Codes
from processors.distances import distances_km
from processors.pack import ScoreWeights
from processors.popularity import DAY_MS
from processors.replica import Replica
from processors.retrieval import TITLE_BLEND, Candidates
from processors.taste import CITY_SHARE, Taste, Wanted
from processors.top_list import Rows

Matrix = npt.NDArray[np.float64]

NAMES: Final = ScoreWeights.__struct_fields__
COVISITATION, TEXT, POPULARITY, FRESHNESS, LOCATION, AFFINITY, STATED, SEEN = range(len(NAMES))

LEAST_COVISITATION: Final = 0.02
LEAST_TEXT: Final = 0.1
"""Evidence weaker than this is not blown up to 1, though it be a person's strongest."""
REMOTE: Final = 0.5
"""The location feature of remote work."""
OWN_SCRATCH: Final = 3


def features(candidates: Candidates, taste: Taste, now_ms: int, replica: Replica) -> Matrix:
    """The matrix features × candidates."""
    rows = candidates.rows
    matrix = np.zeros((len(NAMES), len(rows)))
    if not len(rows):
        return matrix
    matrix[COVISITATION] = _relative(candidates.covisitation, LEAST_COVISITATION)
    matrix[TEXT] = _relative(candidates.text, LEAST_TEXT)
    matrix[POPULARITY] = popularity(rows, now_ms, replica)
    matrix[FRESHNESS] = freshness(rows, now_ms, replica)
    matrix[LOCATION] = _location(rows, taste, replica)
    matrix[AFFINITY] = _affinity(rows, taste, replica)
    matrix[STATED] = stated(candidates, taste, replica)
    own, own_rows = replica.scratch[OWN_SCRATCH], np.array(taste.own_rows, np.intp)
    own[own_rows] = 1.0
    matrix[SEEN] = own[rows]
    own[own_rows] = 0.0
    return matrix


def popularity(rows: Rows, now_ms: int, replica: Replica) -> npt.NDArray[np.float64]:
    """On a scale of logarithms relative to the most popular item (`PopularityView.shares`)."""
    numbers, levels = replica.shelves.numbers, replica.popularity.levels
    tops = np.zeros(levels.shape[1])
    for i, listed in enumerate(replica.shelves.popular(now_ms)):
        if len(listed):
            tops[i] = levels[numbers[listed[0]], i]
    return replica.popularity.shares(numbers[rows], tops)


def freshness(rows: Rows, now_ms: int, replica: Replica) -> npt.NDArray[np.float64]:
    """Halved for every `freshness_half_life_d` since the item was posted; 0 where that is unknown."""
    posted_ms = replica.catalogue.posted_ms[rows]
    ages = np.maximum(now_ms - posted_ms, 0) / (-replica.pack.freshness_half_life_d * DAY_MS)
    fresh: npt.NDArray[np.float64] = np.exp2(np.maximum(ages, -60.0))
    fresh[posted_ms == 0] = 0.0
    return fresh


def _location(rows: Rows, taste: Taste, replica: Replica) -> npt.NDArray[np.float64]:
    catalogue, pack, place = replica.catalogue, replica.pack, taste.place
    near = _looked_up(place.cities, catalogue.city.take(rows), catalogue.cities, CITY_SHARE)
    near += _looked_up(place.regions, catalogue.region.take(rows), catalogue.regions, 1.0 - CITY_SHARE)
    if place.lat is not None and place.lon is not None:
        km = distances_km(rows, place.lat, place.lon, catalogue)
        near = np.fmax(near, np.exp2(np.maximum(km * (-1.0 / pack.distance_half_km), -60.0)))
    if pack.remote_everywhere and (place.cities or place.regions or place.lat is not None):
        near = np.maximum(near, REMOTE * (catalogue.remote[rows] == 1))
    return near


def _affinity(rows: Rows, taste: Taste, replica: Replica) -> npt.NDArray[np.float64]:
    catalogue = replica.catalogue
    known: list[npt.NDArray[np.float64]] = []
    if taste.brands:
        known.append(_looked_up(taste.brands, catalogue.brand.take(rows), catalogue.brands))
    if taste.categories:
        table = _table(taste.categories, catalogue.categories)
        best = table.take(catalogue.category[0].take(rows))
        for column in catalogue.category[1 : catalogue.category_width]:
            np.maximum(best, table.take(column.take(rows)), out=best)
        known.append(best)
    return sum(known[1:], known[0]) / len(known) if known else np.zeros(len(rows))


def stated(candidates: Candidates, taste: Taste, replica: Replica) -> npt.NDArray[np.float64]:
    """How well each fits the titles and places that the person asked for."""
    if taste.wanted is None:
        return candidates.titles
    placed = _wanted(candidates.rows, taste.wanted, replica)
    return TITLE_BLEND * candidates.titles + (1.0 - TITLE_BLEND) * placed if taste.titles or taste.searches else placed


def _wanted(rows: Rows, wanted: Wanted, replica: Replica) -> npt.NDArray[np.float64]:
    catalogue = replica.catalogue
    found = np.zeros(len(rows))
    for codes, column in (
        (wanted.cities, catalogue.city),
        (wanted.regions, catalogue.region),
        (wanted.countries, catalogue.country),
    ):
        for code in codes:
            found[column[rows] == code] = 1.0
    return found


def _looked_up(
    shares: dict[int, float], codes: npt.NDArray[np.int32], names: Codes, scale: float = 1.0
) -> npt.NDArray[np.float64]:
    """`scale` times the share of each code, 0 where it has none."""
    return _table(shares, names, scale).take(codes)


def _table(shares: dict[int, float], names: Codes, scale: float = 1.0) -> npt.NDArray[np.float64]:
    table = np.zeros(len(names))
    for code, share in shares.items():
        table[code] = scale * share
    return table


def _relative(values: npt.NDArray[np.float64], least: float) -> npt.NDArray[np.float64]:
    return values / max(float(values.max()), least)
