"""How items fit what a person said they want, beside its words: the same kind of thing, not too far, remote or not.

*Kind*: whoever asks for a title asks for its category too. The items whose words match best what was asked (stated
titles, saved searches, latest searches) say which categories those are; an item without a category is as much of the
kind as it fits what was stated. A wish is weighed, not enforced: what may not be shown at all is the business of
eligibility.py. Nothing said gives 0 everywhere.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.distances import distances_km
from processors.replica import Replica
from processors.retrieval import Asked
from processors.taste import Taste
from processors.top_list import Rows

Values = npt.NDArray[np.float64]

NEARLY: Final = 0.7
"""Items at least so alike to what was asked for, beside the most alike, tell its categories."""
SEARCHED: Final = 0.5
USUAL_RADIUS_KM: Final = 30.0
"""How far people go to work of whom nothing is known."""
FARTHEST: Final = 3.0
"""Radii beyond which farther away makes no difference."""


def features(rows: Rows, stated: Values, kinds: Values, taste: Taste, replica: Replica) -> Values:
    """Rows of the blend's matrix: stated, kind, far, remote."""
    found = np.zeros((4, len(rows)))
    found[0] = stated
    if taste.titles or taste.searches:
        has_category = replica.catalogue.category.take(rows, axis=1).any(axis=0)
        found[1] = np.where(has_category, kind(rows, kinds, replica), stated)
    found[2] = far(rows, taste, replica)
    found[3] = remote(rows, taste, replica)
    return found


def kinds_of(taste: Taste, alike: Asked, replica: Replica) -> Values:
    """By category code, in [0, 1]: the share of what matches a wish that is of it; of several wishes, the largest.

    `alike` is what reads like each title and search (`read_like`). What was merely searched for counts `SEARCHED`,
    unless nothing else was said.
    """
    catalogue = replica.catalogue
    table = np.zeros(len(catalogue.categories))
    searched = SEARCHED if taste.titles else 1.0
    for place, (rows, similarities) in enumerate(alike):
        counts = 1.0 if place < len(taste.titles) else searched
        if not len(rows):
            continue
        nearest = similarities >= NEARLY * similarities.max()
        matching, weights = rows[nearest], similarities[nearest].astype(np.float64)
        shares = np.zeros(len(table))
        for codes in catalogue.category[: catalogue.category_width]:
            np.add.at(shares, codes[matching], weights)
        np.maximum(table, counts * shares / weights.sum(), out=table)
    table[:1] = 0.0  # no category
    return table


def kind(rows: Rows, kinds: Values, replica: Replica) -> Values:
    """In [0, 1]: the mean over an item's categories of how far they are what was asked for."""
    catalogue = replica.catalogue
    codes = catalogue.category[: max(catalogue.category_width, 1)][:, rows]
    held = np.maximum((codes > 0).sum(axis=0), 1)
    found: Values = kinds[codes].sum(axis=0) / held
    return found


def far(rows: Rows, taste: Taste, replica: Replica) -> Values:
    """Distance from home, or from the nearest of the places asked for, in radii; at most `FARTHEST`.

    0 for remote work, for what has no place, and where the person never said a place.
    """
    catalogue, place = replica.catalogue, taste.place
    centres = list(taste.wanted.centres) if taste.wanted is not None else []
    if place.is_stated and place.lat is not None and place.lon is not None:
        centres.append((place.lat, place.lon))
    if not centres:
        return np.zeros(len(rows))
    nearest_km = np.min([distances_km(rows, lat, lon, catalogue) for lat, lon in centres], axis=0)
    radii = np.minimum(np.nan_to_num(nearest_km) / (taste.radius_km or USUAL_RADIUS_KM), FARTHEST)
    radii[catalogue.remote[rows] == 1] = 0.0
    found: Values = radii
    return found


def remote(rows: Rows, taste: Taste, replica: Replica) -> Values:
    """1 for remote work where that was asked for."""
    if not taste.wants_remote:
        return np.zeros(len(rows))
    found: Values = (replica.catalogue.remote[rows] == 1).astype(np.float64)
    return found
