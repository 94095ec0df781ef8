"""All live items as columns: one row an item, so that ranking is array arithmetic and never a loop over items.

Row 0 is no item and never eligible, so that arrays of rows can say 'none'. Rows of retired items are reused. Columns
grow by doubling and are replaced when they do: read them through the catalogue, do not keep them.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.codes import Codes, folded
from processors.growing import grown
from processors.identity import hash64
from schemas.catalogue import Item, Location, Salary

FOREVER_MS: Final = 2**62
MAX_TITLE: Final = 200
CATEGORIES: Final = 4
"""Categories of an item that columns hold; the rest are words for the text index alone."""
_A_YEAR: Final = {"hour": 2080.0, "day": 260.0, "week": 52.0, "month": 12.0, "year": 1.0}
"""Working hours, days … in a year."""

Ints = npt.NDArray[np.int64]
Codes32 = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


Locate = Callable[[str | None, str | None, str | None], tuple[float, float] | None]
"""Coordinates of a city, region and country."""


class Catalogue:
    """Rows, columns and the names behind their codes. One thread owns it.

    `locate` gives coordinates to items that only name a place.
    """

    def __init__(self, locate: Locate | None = None) -> None:
        self._locate = locate
        self.brands, self.cities, self.regions, self.countries = Codes(), Codes(), Codes(), Codes()
        self.categories, self.tags = Codes(), Codes()
        self.posted_ms: Ints = np.zeros(64, np.int64)
        """0 where unknown."""
        self.until_ms: Ints = np.full(64, -1, np.int64)
        """The item can be recommended before this moment: its expiry, or never (-1) where unavailable or no item."""
        self.expires_ms: Ints = np.full(64, FOREVER_MS, np.int64)
        self.newness: Ints = np.zeros(64, np.int64)
        """Orders items by age: `posted_ms`, or where that is unknown the place in the order of arrival."""
        self.lat: npt.NDArray[np.float64] = np.full(64, nan)
        self.lon: npt.NDArray[np.float64] = np.full(64, nan)
        self.remote: npt.NDArray[np.int8] = np.full(64, -1, np.int8)
        """1 remote, 0 not, -1 unsaid."""
        self.salary_max: Floats = np.full(64, nan, np.float32)
        """A year's salary, the upper end, in the item's currency; NaN where none is stated."""
        self.price: Floats = np.full(64, nan, np.float32)
        self.brand: Codes32 = np.zeros(64, np.int32)
        self.city: Codes32 = np.zeros(64, np.int32)
        """Codes of `city, region`: places of one name in two regions are two."""
        self.region: Codes32 = np.zeros(64, np.int32)
        self.country: Codes32 = np.zeros(64, np.int32)
        self.category: Codes32 = np.zeros((CATEGORIES, 64), np.int32)
        """By place in the item's list, then by row; only the first `category_width` hold anything."""
        self.category_width = 0
        self.id_hash: Ints = np.zeros(64, np.int64)
        self.twin: Ints = np.zeros(64, np.int64)
        """Items of one brand, title and city share it: reposts. 0 where there is no title."""
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._ids: list[str | None] = [None]
        self._titles: list[str] = [""]
        self._categories: list[tuple[int, ...]] = [()]
        self._tags: list[tuple[int, ...]] = [()]
        self._shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._cities_named: dict[str, list[int]] = {}
        self.city_at: dict[int, tuple[float, float]] = {}
        """City code -> latitude and longitude, of all that its items ever said the least: the same in any order."""
        self._arrivals = 0

    def __len__(self) -> int:
        """Live items, available or not."""
        return len(self._rows)

    @property
    def rows(self) -> int:
        """One more than the largest row ever used."""
        return len(self._ids)

    def row_of(self, item_id: str) -> int | None:
        """The row of a live item, or None."""
        return self._rows.get(item_id)

    def rows_of(self, item_ids: Iterable[str]) -> list[int]:
        """The rows of several items, 0 for each that is not live."""
        return list(map(self._rows.get, item_ids, repeat(0)))

    def item_id(self, row: int) -> str:
        """Raises KeyError for a row without an item."""
        item_id = self._ids[row]
        if item_id is None:
            raise KeyError(row)
        return item_id

    def title(self, row: int) -> str:
        """The first 200 characters of the title."""
        return self._titles[row]

    def city_name(self, row: int) -> str:
        """The city alone, without its region."""
        return self.cities.name(int(self.city[row])).partition("\t")[0]

    def cities_named(self, name: str) -> Sequence[int]:
        """Codes of the cities of a name, in whatever region."""
        return self._cities_named.get(folded(name), ())

    def item(self, row: int) -> Item:
        """What is kept of an item: identity, title, labels, place and dates. Raises KeyError without one."""
        item_id = self.item_id(row)
        city, region, country = self.city_name(row), self.region[row], self.country[row]
        located = city or region or country
        posted_ms, expires_ms = int(self.posted_ms[row]), int(self.expires_ms[row])
        return Item(
            item_id=item_id,
            title=self._titles[row],
            brand=self.brands.name(int(self.brand[row])) or None,
            categories=tuple([self.categories.name(code) for code in self._categories[row]]),
            tags=tuple([self.tags.name(code) for code in self._tags[row]]),
            location=Location(
                city=city or None,
                region=self.regions.name(int(region)) or None,
                country=self.countries.name(int(country)) or None,
            )
            if located
            else None,
            posted_ms=posted_ms or None,
            expires_ms=expires_ms if expires_ms < FOREVER_MS else None,
        )

    def put(self, item: Item) -> int:
        """Add an item, or replace what was known of it. Returns its row."""
        row = self._rows.get(item.item_id)
        if row is None:
            row = self._new_row(item.item_id)
        posted_ms = item.posted_ms or 0
        expires_ms = FOREVER_MS if item.expires_ms is None else item.expires_ms
        self.posted_ms[row] = posted_ms
        self.expires_ms[row] = expires_ms
        self.until_ms[row] = expires_ms if item.available else -1
        if posted_ms:
            self.newness[row] = posted_ms
        self.remote[row] = -1 if item.remote is None else item.remote
        self.salary_max[row] = yearly_salary(item.salary)
        self.price[row] = nan if item.price is None else item.price.amount
        self.brand[row] = self.brands.learn(item.brand)
        self._place(row, item.location)
        categories = self._interned(tuple([self.categories.learn(name) for name in item.categories]))
        self._categories[row] = categories
        self._tags[row] = self._interned(tuple([self.tags.learn(name) for name in item.tags]))
        self.category[:, row] = 0
        if categories:
            held = categories[:CATEGORIES]
            self.category[: len(held), row] = held
            self.category_width = max(self.category_width, len(held))
        self._titles[row] = item.title[:MAX_TITLE]
        self.twin[row] = self._twin(row, item.title) if item.title else 0
        return row

    def retire(self, item_id: str) -> int | None:
        """Forget an item; its row is reused. Returns the row, or None where there was no such item."""
        row = self._rows.pop(item_id, None)
        if row is not None:
            self.until_ms[row] = -1
            self._ids[row] = None
            self._titles[row] = ""
            self._categories[row] = self._tags[row] = ()
            self._free.append(row)
        return row

    def _new_row(self, item_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self._ids[row] = item_id
        else:
            row = len(self._ids)
            self._ids.append(item_id)
            self._titles.append("")
            self._categories.append(())
            self._tags.append(())
            if row >= len(self.posted_ms):
                self._grow(row + 1)
        self._rows[item_id] = row
        self._arrivals += 1
        self.newness[row] = self._arrivals
        self.id_hash[row] = hash64(item_id)
        return row

    def _grow(self, rows: int) -> None:
        for name, column in vars(self).items():
            if isinstance(column, np.ndarray) and column.ndim == 1:
                setattr(self, name, grown(column, rows, column[0]))
        self.category = np.ascontiguousarray(grown(self.category.T, rows, 0).T)

    def _twin(self, row: int, title: str) -> int:
        return hash64(f"{self.brand[row]}/{self.city[row]}/{_bare(title)}")

    def _place(self, row: int, location: Location | None) -> None:
        if location is None:
            self.lat[row] = self.lon[row] = nan
            self.city[row] = self.region[row] = self.country[row] = 0
            return
        lat, lon = location.lat, location.lon
        if (lat is None or lon is None) and self._locate is not None:
            lat, lon = self._locate(location.city, location.region, location.country) or (None, None)
        self.lat[row] = nan if lat is None else lat
        self.lon[row] = nan if lon is None else lon
        self.region[row] = self.regions.learn(location.region)
        self.country[row] = self.countries.learn(location.country)
        city = self.city_code(location.city, location.region, learn=True)
        self.city[row] = city
        if city and lat is not None and lon is not None:
            self.city_at[city] = min(self.city_at.get(city, (lat, lon)), (lat, lon))

    def city_code(self, city: str | None, region: str | None, *, learn: bool = False) -> int:
        """The code of a city in a region; 0 where it is unknown and not to be learned."""
        if not city or not city.strip():
            return 0
        name = f"{city}\t{region or ''}"
        if not learn:
            return self.cities.code(name)
        known = len(self.cities)
        code = self.cities.learn(name)
        if code == known:
            self._cities_named.setdefault(folded(city), []).append(code)
        return code

    def _interned(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        return self._shared.setdefault(codes, codes) if codes else ()


def yearly_salary(salary: Salary | None) -> float:
    """The upper end of a salary by the year, the lower where no upper is stated; NaN where neither is.

    >>> yearly_salary(Salary(min=20.0, period="hour"))
    41600.0
    """
    if salary is None:
        return nan
    amount = salary.min if salary.max is None else salary.max
    return nan if amount is None else amount * _A_YEAR[salary.period]


def _bare(title: str) -> str:
    """The title without case and punctuation."""
    return " ".join("".join([c if c.isalnum() else " " for c in title.casefold()]).split())
