"""What a dismissal with a reason says of other items: not this place, not for this pay, not this brand.

An item that shares what was disliked is not forbidden, it comes where nothing else is left: who dismisses one job of
the only town near by still gets a list. A dismissal that was taken back says nothing any more.
"""

from math import isfinite
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.among import among
from processors.catalogue import Catalogue
from processors.popularity import DAY_MS
from processors.profile import Profile
from processors.top_list import Rows

HELD_D: Final = 90.0
"""How long a reason holds for other items; the item itself stays out for ever."""
PLACE, PAY, BRAND = 1, 2, 4
"""Bits of what an item has in common with one that was dismissed."""
IN_WORDS: Final = {PLACE: "is in a place", PAY: "pays no more than a job", BRAND: "is of a brand"}


class Dislikes(Struct, frozen=True):
    """Codes of the catalogue, and the largest pay that was too little (a year's; NaN compares with nothing)."""

    cities: frozenset[int]
    regions: frozenset[int]
    """Of dismissed items that name a region and no city."""
    brands: frozenset[int]
    pay: float


def dislikes_of(profile: Profile, now_ms: int, catalogue: Catalogue) -> Dislikes:
    """What the dismissals of a person say; of items that are gone nothing is known."""
    rows: dict[str, list[int]] = {}
    for item_id, (ts_ms, reason) in profile.dismissed.items():
        row = catalogue.row_of(item_id)
        if row and reason is not None and ts_ms > now_ms - HELD_D * DAY_MS:
            rows.setdefault(reason, []).append(row)
    places, paid = rows.get("place", []), rows.get("pay", [])
    pays = [pay for pay in catalogue.salary_max[paid].tolist() if isfinite(pay)]
    return Dislikes(
        cities=frozenset({int(catalogue.city[row]) for row in places} - {0}),
        regions=frozenset({int(catalogue.region[row]) for row in places if not catalogue.city[row]} - {0}),
        brands=frozenset({int(catalogue.brand[row]) for row in rows.get("brand", [])} - {0}),
        pay=max(pays, default=float("nan")),
    )


def disliked(rows: Rows, dislikes: Dislikes, catalogue: Catalogue) -> npt.NDArray[np.int8]:
    """By row the bits `PLACE`, `PAY`, `BRAND`. Remote work is at no place."""
    found = np.zeros(len(rows), np.int8)
    on_site = catalogue.remote[rows] != 1
    for codes, column in ((dislikes.cities, catalogue.city), (dislikes.regions, catalogue.region)):
        if codes:
            found[among(column[rows], codes) & on_site] |= PLACE
    if isfinite(dislikes.pay):
        found[catalogue.salary_max[rows] <= dislikes.pay] |= PAY
    if dislikes.brands:
        found[among(catalogue.brand[rows], dislikes.brands)] |= BRAND
    return found
