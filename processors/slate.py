"""From a ranking to a list: at most so many of one brand and of items already seen, reposts collapsed into one."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from processors.catalogue import Catalogue
from processors.pack import Pack
from processors.ranking import Ranking

CHUNK: Final = 32
"""Places of a ranking looked at in one go: a list is usually full before the second."""


class Place(Struct, frozen=True, gc=False):
    """One place of a list: `position` in `ranking.candidates.rows`."""

    ranking: Ranking
    position: int
    row: int


class Slate:
    """A list being filled, from the best ranking first."""

    def __init__(self, pack: Pack, catalogue: Catalogue, size: int) -> None:
        self.places: list[Place] = []
        self._size = size
        self._pack = pack
        self._catalogue = catalogue
        self._taken: set[int] = set()
        self._twins: set[int] = set()
        self._brands: dict[int, int] = {}
        self._seen = 0

    @property
    def is_full(self) -> bool:
        """Whether no place is left."""
        return len(self.places) >= self._size

    def fill(self, ranking: Ranking, own_rows: list[int]) -> None:
        """Take from a ranking, the best first, what the caps allow, until the list is full."""
        own = set(own_rows)
        for position, row, brand, twin in self._walk(ranking):
            if self.is_full:
                return
            if row in self._taken or (twin and twin in self._twins):
                continue
            if brand and self._brands.get(brand, 0) >= self._pack.max_per_brand:
                continue
            if row in own:
                if self._seen >= self._pack.max_seen:
                    continue
                self._seen += 1
            self._taken.add(row)
            self._twins.add(twin)
            self._brands[brand] = self._brands.get(brand, 0) + 1
            self.places.append(Place(ranking, position, row))

    def _walk(self, ranking: Ranking) -> Iterator[tuple[int, int, int, int]]:
        rows, brand, twin = ranking.candidates.rows, self._catalogue.brand, self._catalogue.twin
        for start in range(0, len(ranking.order), CHUNK):
            positions = ranking.order[start : start + CHUNK]
            chunk = rows[positions]
            yield from zip(positions.tolist(), chunk.tolist(), brand[chunk].tolist(), twin[chunk].tolist(), strict=True)
