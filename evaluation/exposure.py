"""Who is shown: the share of list places that employers (or brands) of each size get, beside their share of items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from processors.catalogue import Catalogue

SIZES: Final = (("1 item", 1, 1), ("2-9 items", 2, 9), ("10 items and more", 10, 1 << 62))


class Exposure(Struct, frozen=True):
    """One size. `ratio` is `of_places` over `of_items`: 1 where lists are as the catalogue is, None without items."""

    size: str
    of_items: float
    of_places: float
    ratio: float | None


class ExposureMeter:
    """Counts places by brand; sizes are those of the catalogue at the end."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}

    def take(self, item_ids: Sequence[str], catalogue: Catalogue) -> None:
        """Note one list."""
        for brand in catalogue.brand[catalogue.rows_of(item_ids)].tolist():
            self._places[brand] = self._places.get(brand, 0) + 1

    def report(self, catalogue: Catalogue) -> list[Exposure] | None:
        """By size; None where nothing was listed, or no item names a brand."""
        brands = catalogue.brand[: catalogue.rows]
        counts = np.bincount(brands, minlength=len(catalogue.brands))
        counts[0] = 0
        places = np.zeros(len(counts), np.int64)
        for brand, count in self._places.items():
            places[brand] = count
        places[0] = 0
        if not counts.sum() or not places.sum():
            return None
        found: list[Exposure] = []
        for size, least, most in SIZES:
            these = (counts >= least) & (counts <= most)
            of_items, of_places = float(counts[these].sum() / counts.sum()), float(places[these].sum() / places.sum())
            found.append(Exposure(size, of_items, of_places, of_places / of_items if of_items else None))
        return found
