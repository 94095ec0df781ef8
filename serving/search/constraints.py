"""Filters as queries of the index, exact: what passes is what a scan of all items by `passes` would find."""

from collections.abc import Sequence
from math import isfinite
from typing import Final

import numpy as np
from tantivy import FieldType, Occur, Query, Schema

from processors.catalogue import Locate, yearly_salary
from processors.codes import folded
from schemas.catalogue import Item, Location
from serving.search.fields import Documents, coordinates, least_salary, until_ms
from serving.search.filters import Area, Filters, Near, Range
from serving.search.spots import great_circle_km

LATEST_MS: Final = 2**63 - 1
MOST_TERMS: Final = 4_096
NOWHERE: Final = Location()


class Constraints:
    """Makes queries of filters, for one index."""

    def __init__(self, schema: Schema, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents

    def queries(self, filters: Filters, now_ms: int) -> list[Query]:
        """All of which must match; `near_me_km` is resolved before this. The first keeps what may be shown now."""
        schema = self._schema
        made = [
            _between(schema, "until_ms", now_ms + 1, LATEST_MS),
            _between(schema, "posted_ms", 0, now_ms),
        ]
        if filters.posted_within_ms is not None:
            made.append(_between(schema, "posted_ms", max(now_ms - filters.posted_within_ms, 1), now_ms))
        if filters.remote is not None:
            made.append(Query.term_query(schema, "remote", int(filters.remote), "basic"))
        for field, names, codes in (
            ("brand", filters.brands, self._documents.brands),
            ("category", filters.categories, self._documents.categories),
        ):
            if names:
                made.append(one_of(schema, field, [code for name in names if (code := codes.code(name))]))
        if filters.cities:
            cities = {code for name in filters.cities for code in self._documents.cities_named(name)}
            made.append(one_of(schema, "city", sorted(cities)))
        if filters.salary is not None:
            made += self._money(filters.salary, "salary_most", "salary_least", "salary_currency")
        if filters.price is not None:
            made += self._money(filters.price, "price", "price", "price_currency")
        if filters.near is not None:
            made.append(self._near(filters.near))
        if filters.area is not None:
            made += self._area(filters.area)
        return made

    def _money(self, asked: Range, upper: str, lower: str, currency: str) -> list[Query]:
        schema = self._schema
        made: list[Query] = []
        least = asked.least if asked.least is not None else 0.0
        made.append(Query.range_query(schema, upper, FieldType.Float, lower_bound=float(least)))
        if asked.most is not None:
            made.append(Query.range_query(schema, lower, FieldType.Float, upper_bound=float(asked.most)))
        if asked.currency is not None:
            made.append(Query.term_query(schema, currency, asked.currency, "basic"))
        return made

    def _near(self, near: Near) -> Query:
        within = self._documents.spots.within(near)
        made = [one_of(self._schema, "cell", within.cells), one_of(self._schema, "spot", within.spots)]
        if near.city is not None:
            named = [Query.term_query(self._schema, "city_name", folded(near.city), "basic")]
            if near.region is not None:
                named.append(Query.term_query(self._schema, "region", folded(near.region), "basic"))
            unplaced = [(Occur.Must, query) for query in named]
            unplaced.append((Occur.MustNot, Query.exists_query("spot")))
            made.append(Query.boolean_query(unplaced))
        return _any(made)

    def _area(self, area: Area) -> list[Query]:
        return [
            one_of(self._schema, field, [folded(name) for name in names])
            for field, names in (("region", area.regions), ("country", area.countries))
            if names
        ]


def passes(item: Item, filters: Filters, now_ms: int, locate: Locate) -> bool:
    """Whether an item may be shown and passes the filters: their meaning, in plain code."""
    posted_ms = item.posted_ms or 0
    within = filters.posted_within_ms
    return (
        until_ms(item) > now_ms
        and posted_ms <= now_ms
        and (within is None or posted_ms >= max(now_ms - within, 1))
        and (filters.remote is None or item.remote is filters.remote)
        and (not filters.brands or folded(item.brand or "") in {folded(name) for name in filters.brands})
        and (
            not filters.categories
            or bool({folded(name) for name in item.categories} & {folded(name) for name in filters.categories})
        )
        and (not filters.cities or _city_passes(item.location or NOWHERE, filters.cities))
        and (filters.salary is None or _salary_passes(item, filters.salary))
        and (filters.price is None or _price_passes(item, filters.price))
        and (filters.near is None or _near_passes(item, filters.near, locate))
        and (filters.area is None or _area_passes(item.location or NOWHERE, filters.area))
    )


def _salary_passes(item: Item, asked: Range) -> bool:
    most = yearly_salary(item.salary)
    return (
        item.salary is not None
        and isfinite(most)
        and most >= (asked.least or 0.0)
        and (asked.most is None or least_salary(item) <= asked.most)
        and asked.currency in {None, item.salary.currency}
    )


def _price_passes(item: Item, asked: Range) -> bool:
    return (
        item.price is not None
        and item.price.amount >= (asked.least or 0.0)
        and (asked.most is None or item.price.amount <= asked.most)
        and asked.currency in {None, item.price.currency}
    )


def _near_passes(item: Item, near: Near, locate: Locate) -> bool:
    if item.location is None:
        return False
    at = coordinates(item.location, locate)
    if at is not None:
        return bool(great_circle_km(near.lat, near.lon, np.array([at[0]]), np.array([at[1]]))[0] <= near.radius_km)
    return (
        near.city is not None
        and folded(item.location.city or "") == folded(near.city)
        and (near.region is None or folded(item.location.region or "") == folded(near.region))
    )


def _city_passes(location: Location, asked: tuple[str, ...]) -> bool:
    full = f"{location.city}, {location.region}" if location.region else location.city or ""
    return bool(location.city) and bool({folded(location.city or ""), folded(full)} & {folded(name) for name in asked})


def _area_passes(location: Location, area: Area) -> bool:
    return _named(location.region, area.regions) and _named(location.country, area.countries)


def _named(name: str | None, asked: tuple[str, ...]) -> bool:
    return not asked or folded(name or "") in {folded(spelling) for spelling in asked}


def _between(schema: Schema, field: str, least: int, most: int) -> Query:
    return Query.range_query(schema, field, FieldType.Integer, lower_bound=least, upper_bound=most)


def one_of(schema: Schema, field: str, values: Sequence[int | str]) -> Query:
    """The items of which a field is one of the values.

    A term for each takes tantivy a quarter of the time of a set of terms, whose dictionary it searches by automaton; a
    very long list is a set all the same, because each term has buffers of its own.
    """
    if not values:
        return Query.empty_query()
    if len(values) > MOST_TERMS:
        return Query.term_set_query(schema, field, values)
    return _any([Query.term_query(schema, field, value, "basic") for value in values])


def _any(queries: list[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries])
