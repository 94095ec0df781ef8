"""What is popular and what is new, everywhere and near by: short lists kept up to date as items and rows arrive.

Popularity ranks by level (processors/popularity.py), newness by `Catalogue.newness`; neither order changes with time,
so a list changes only when one of its items does.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from processors.catalogue import Catalogue
from processors.decay import EMPTY
from processors.pack import Pack
from processors.popularity import PopularityView, half_lives_d
from processors.top_list import Rows, Scan, TopList

POPULAR_DEPTH: Final = 20
"""Items listed for each half-life."""
BLEND_DEPTH: Final = 64
"""The same for the learned blend, which looks at each of them more closely."""
REGIONAL_DEPTH: Final = 20
NEW_DEPTH: Final = 15
NO_ROWS: Final = np.zeros(0, np.intp)
NEARBY_HALF_LIFE_D: Final = 7.0
"""Regions rank by the pack's half-life closest to this: a region has too few actions for shorter ones."""


class Shelves:
    """The lists of one replica. `numbers` maps rows to the learner's item numbers; the replica keeps it."""

    def __init__(self, pack: Pack, catalogue: Catalogue, popularity: PopularityView) -> None:
        listed_d = half_lives_d(pack)
        self._catalogue = catalogue
        self._popularity = popularity
        self._nearby = min(range(len(listed_d)), key=lambda i: abs(listed_d[i] - NEARBY_HALF_LIFE_D))
        self._popular = [TopList(BLEND_DEPTH if pack.models == "blend" else POPULAR_DEPTH) for _ in listed_d]
        self._popular_in: dict[int, TopList] = {}
        self._new = TopList(NEW_DEPTH)
        self._new_in_city: dict[int, TopList] = {}
        self._new_in_region: dict[int, TopList] = {}
        self.numbers: npt.NDArray[np.int32] = np.zeros(64, np.int32)

    def put(self, row: int) -> None:
        """An item was put into a row, after `remove` where the row was in use."""
        catalogue = self._catalogue
        if catalogue.until_ms[row] < 0:
            return
        newness = int(catalogue.newness[row])
        self._new.put(row, newness)
        if city := int(catalogue.city[row]):
            self._of(self._new_in_city, city, NEW_DEPTH).put(row, newness)
        if region := int(catalogue.region[row]):
            self._of(self._new_in_region, region, NEW_DEPTH).put(row, newness)
        if number := int(self.numbers[row]):
            self.rate(row, self._popularity.levels[number].tolist())

    def rate(self, row: int, levels: list[float]) -> None:
        """The popularity of a row's item changed. It may fall: after a crash the learner repeats earlier rows."""
        catalogue = self._catalogue
        if catalogue.until_ms[row] < 0:
            return
        for listed, level in zip(self._popular, levels, strict=True):
            _rate(listed, row, level)
        if region := int(catalogue.region[row]):
            _rate(self._of(self._popular_in, region, REGIONAL_DEPTH), row, levels[self._nearby])

    def remove(self, row: int) -> None:
        """A row's item leaves, or is about to be replaced; its columns still say where it was."""
        catalogue = self._catalogue
        region, city = int(catalogue.region[row]), int(catalogue.city[row])
        for listed in (*self._popular, self._new):
            listed.discard(row)
        for lists, code in (
            (self._popular_in, region),
            (self._new_in_region, region),
            (self._new_in_city, city),
        ):
            if code in lists:
                lists[code].discard(row)

    def popular(self, now_ms: int) -> list[Rows]:
        """The most popular rows, a list for each half-life of the pack."""
        until_ms = self._catalogue.until_ms
        return [
            listed.top(now_ms, until_ms, lambda i=i: self._scan_popular(now_ms, i, None))  # type: ignore[misc]
            for i, listed in enumerate(self._popular)
        ]

    def popular_in(self, region: int, now_ms: int) -> Rows:
        """The most popular rows of a region."""
        return self._top(self._popular_in, region, now_ms, lambda: self._scan_popular(now_ms, self._nearby, region))

    def new(self, now_ms: int) -> Rows:
        """The newest rows anywhere."""
        return self._new.top(now_ms, self._catalogue.until_ms, lambda: self._scan_new(now_ms, None, 0))

    def new_in_city(self, city: int, now_ms: int) -> Rows:
        """The newest rows of a city."""
        return self._top(self._new_in_city, city, now_ms, lambda: self._scan_new(now_ms, self._catalogue.city, city))

    def new_in_region(self, region: int, now_ms: int) -> Rows:
        """The newest rows of a region."""
        return self._top(
            self._new_in_region, region, now_ms, lambda: self._scan_new(now_ms, self._catalogue.region, region)
        )

    def _top(self, lists: dict[int, TopList], code: int, now_ms: int, scan: Scan) -> Rows:
        listed = lists.get(code)
        return NO_ROWS if listed is None else listed.top(now_ms, self._catalogue.until_ms, scan)

    @staticmethod
    def _of(lists: dict[int, TopList], code: int, depth: int) -> TopList:
        listed = lists.get(code)
        if listed is None:
            listed = lists[code] = TopList(depth)
        return listed

    def _scan_popular(self, now_ms: int, half_life: int, region: int | None) -> tuple[Rows, npt.NDArray[np.float64]]:
        catalogue = self._catalogue
        rows = self._live(now_ms, None if region is None else catalogue.region, region or 0)
        keys = self._popularity.levels[self.numbers[rows], half_life]
        known = keys > EMPTY
        return rows[known], keys[known]

    def _scan_new(
        self, now_ms: int, column: npt.NDArray[np.int32] | None, code: int
    ) -> tuple[Rows, npt.NDArray[np.float64]]:
        rows = self._live(now_ms, column, code)
        return rows, self._catalogue.newness[rows].astype(np.float64)

    def _live(self, now_ms: int, column: npt.NDArray[np.int32] | None, code: int) -> Rows:
        catalogue = self._catalogue
        used = catalogue.rows
        mask = catalogue.until_ms[:used] > now_ms
        if column is not None:
            mask &= column[:used] == code
        return np.flatnonzero(mask)


def _rate(listed: TopList, row: int, level: float) -> None:
    if level > EMPTY:
        listed.put(row, level)
    else:
        listed.discard(row)
