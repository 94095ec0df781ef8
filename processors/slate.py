"""From a ranking to a list: at most so many of one brand and of items already seen, reposts collapsed into one, and
unlike each other where the pack asks for diversity.

Diversity is maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998) over the first `WINDOW` of a ranking:
each place goes to the item with the largest λ · relevance - (1 - λ) · likeness to the most alike item placed before,
where relevance is the score on a scale of [0, 1] within the window, and likeness that of words.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.among import among
from processors.pack import Pack
from processors.ranking import Ranking
from processors.replica import Replica

CHUNK: Final = 32
"""Places of a ranking looked at in one go: a list is usually full before the second."""
WINDOW: Final = 30

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


class Place(Struct, frozen=True, gc=False):
    """One place of a list: `position` in `ranking.candidates.rows`."""

    ranking: Ranking
    position: int
    row: int
    propensity: float = 1.0
    """How probable it was that this item stood at this place."""
    answers: int = -1
    """The deed of a taste that this place was kept to answer (answers.py), -1 for none."""


class Slate:
    """A list being filled, from the best ranking first.

    `limit` may be raised between two fills, so that places can be kept for items drawn by chance.
    """

    def __init__(self, pack: Pack, replica: Replica, limit: int, own_rows: list[int]) -> None:
        self.places: list[Place] = []
        self.limit = limit
        self._pack = pack
        self._replica = replica
        self._own = set(own_rows)
        self._taken: set[int] = set()
        self._twins: set[int] = set()
        self._brands: dict[int, int] = {}
        self._seen = 0
        self._likeness: tuple[Ranking, npt.NDArray[np.float64]] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no place is left below the limit."""
        return len(self.places) >= self.limit

    def fill(self, ranking: Ranking) -> None:
        """Take from a ranking, the best first, what the caps allow, until the list is full."""
        if self._pack.diversity > 0.0 and not self.is_full:
            self._fill_diversely(ranking)
        room = self.limit - len(self.places)
        for position, row, brand, twin in self._walk(ranking) if room > 0 else ():
            room -= self._take(ranking, position, row, brand, twin)
            if not room:
                return

    def refusal(self, row: int) -> str | None:
        """Why no place of the list as it stands can go to an item: `taken`, `repost`, `brand`, `seen`, or None."""
        catalogue = self._replica.catalogue
        return self._refusal(row, int(catalogue.brand[row]), int(catalogue.twin[row]))

    def open_to(self, rows: Positions) -> Mask:
        """Which of `rows` `refusal` has nothing against."""
        catalogue, pack = self._replica.catalogue, self._pack
        closed = [*self._taken, *self._own] if self._seen >= pack.max_seen else [*self._taken]
        marks = self._replica.marks
        marks[rows] = 0
        marks[closed] = 1
        allowed: Mask = marks.take(rows) == 0
        allowed &= ~among(catalogue.twin.take(rows), self._twins - {0})
        full = [code for code, count in self._brands.items() if code and count >= pack.max_per_brand]
        if full:
            allowed &= ~among(catalogue.brand.take(rows), full)
        return allowed

    def add(self, place: Place, at: int | None = None) -> None:
        """Give a place, the last or the one at index `at`, to an item that `refusal` has nothing against."""
        catalogue, row = self._replica.catalogue, place.row
        self._note(row, int(catalogue.brand[row]), int(catalogue.twin[row]))
        self.places.insert(len(self.places) if at is None else at, place)

    def excludes(self, rows: Positions) -> Mask:
        """Which of `rows`, placed next, would keep which other out: a square of booleans, the first drawn by row."""
        catalogue, pack = self._replica.catalogue, self._pack
        brand, twin = catalogue.brand[rows], catalogue.twin[rows]
        last = np.array([code != 0 and self._brands.get(code, 0) + 1 >= pack.max_per_brand for code in brand.tolist()])
        excludes: Mask = np.eye(len(rows), dtype=np.bool_)
        excludes |= (twin[:, None] == twin) & (twin != 0)
        excludes |= (brand[:, None] == brand) & last
        if self._seen + 1 >= pack.max_seen:
            own = np.array([row in self._own for row in rows.tolist()])
            excludes |= own[:, None] & own
        return excludes

    def _fill_diversely(self, ranking: Ranking) -> None:
        positions = ranking.order[:WINDOW]
        rows, scores = ranking.candidates.rows[positions], ranking.scores[positions]
        if len(rows) < 2:
            return
        spread = float(scores[0] - scores[-1]) or 1.0
        merit = (1.0 - self._pack.diversity) * (scores - scores[-1]) / spread
        likeness = self._likeness_within(ranking, rows)
        brands, twins = self._replica.catalogue.brand[rows], self._replica.catalogue.twin[rows]
        row, brand, twin = rows.tolist(), brands.tolist(), twins.tolist()
        placed = [place for place, one in enumerate(row) if one in self._taken]
        cost = likeness[placed].max(axis=0) if placed else np.zeros(len(rows))
        merit[placed] = -np.inf
        while not self.is_full:
            best = int((merit - cost).argmax())
            if merit[best] == -np.inf:
                return
            merit[best] = -np.inf
            if self._take(ranking, int(positions[best]), row[best], brand[best], twin[best]):
                np.maximum(cost, likeness[best], out=cost)
                if brand[best] and self._brands[brand[best]] >= self._pack.max_per_brand:
                    merit[brands == brand[best]] = -np.inf

    def _likeness_within(self, ranking: Ranking, rows: Positions) -> npt.NDArray[np.float64]:
        """How alike the rows of a ranking's window are; kept, for a list is often filled twice from one ranking."""
        if self._likeness is None or self._likeness[0] is not ranking:
            self._likeness = ranking, self._pack.diversity * self._replica.text.alike_within(rows)
        return self._likeness[1]

    def _take(self, ranking: Ranking, position: int, row: int, brand: int, twin: int) -> bool:
        if self._refusal(row, brand, twin) is not None:
            return False
        self._note(row, brand, twin)
        self.places.append(Place(ranking, position, row))
        return True

    def _refusal(self, row: int, brand: int, twin: int) -> str | None:
        if row in self._taken:
            return "taken"
        if twin and twin in self._twins:
            return "repost"
        if brand and self._brands.get(brand, 0) >= self._pack.max_per_brand:
            return "brand"
        if row in self._own and self._seen >= self._pack.max_seen:
            return "seen"
        return None

    def _note(self, row: int, brand: int, twin: int) -> None:
        self._seen += row in self._own
        self._taken.add(row)
        self._twins.add(twin)
        self._brands[brand] = self._brands.get(brand, 0) + 1

    def _walk(self, ranking: Ranking) -> Iterator[tuple[int, int, int, int]]:
        catalogue = self._replica.catalogue
        rows, brand, twin = ranking.candidates.rows, catalogue.brand, catalogue.twin
        for start in range(0, len(ranking.order), CHUNK):
            positions = ranking.order[start : start + CHUNK]
            chunk = rows[positions]
            yield from zip(positions.tolist(), chunk.tolist(), brand[chunk].tolist(), twin[chunk].tolist(), strict=True)
