"""The fields of the index, and an item's row in them.

Words are in five fields, each weighed: `title` and `exact` (the title's words, unstemmed), `labels` (brand, categories,
tags), `place` (city, region, country) and `text`. All else is there to filter and to count by. Salaries are a year's.
"""

from math import isfinite
from typing import Any, Final

import tantivy
from msgspec import Struct

from processors.catalogue import FOREVER_MS, Locate, yearly_salary
from processors.codes import Codes, folded
from schemas.catalogue import Item, Location
from serving.search.analysis import EXACT, STEMMED
from serving.search.spots import Spots

TEXT_CHARS: Final = 4_000
"""What is read of a text: the rest says little that the start does not."""
COORDINATES_OF: Final = 5
"""Decimals that tell one place from another: a metre."""


class FieldWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """What a word's BM25 counts in each field."""

    title: float = 1.0
    exact: float = 0.5
    labels: float = 0.6
    place: float = 0.4
    text: float = 0.3


def schema() -> tantivy.Schema:
    """The schema; `tantivy` keeps nothing of a document but what is searched and counted."""
    made = tantivy.SchemaBuilder()
    made.add_unsigned_field("number", indexed=True, fast=True)
    for name in ("title", "labels", "text"):
        made.add_text_field(name, tokenizer_name=STEMMED)
    for name in ("exact", "place"):
        made.add_text_field(name, tokenizer_name=EXACT)
    for name in ("brand", "category", "city", "remote", "spot", "cell"):
        made.add_unsigned_field(name, indexed=True, fast=True)
    for name in ("city_name", "region", "country", "salary_currency", "price_currency"):
        made.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("salary_least", "salary_most", "price"):
        made.add_float_field(name, indexed=True, fast=True)
    for name in ("posted_ms", "until_ms"):
        made.add_integer_field(name, indexed=True, fast=True)
    return made.build()


class Documents:
    """Turns items into documents, and knows the names behind the codes in them."""

    def __init__(self, schema: tantivy.Schema, locate: Locate) -> None:
        self._schema = schema
        self._locate = locate
        self.brands, self.categories, self.cities = Codes(), Codes(), Codes()
        self.spots = Spots()
        self._named: dict[str, set[int]] = {}

    def document(self, number: int, item: Item) -> tantivy.Document:
        """The document of an item; what it does not say has no field."""
        made: dict[str, Any] = {
            "number": number,
            "title": item.title,
            "exact": item.title,
            "labels": [item.brand or "", *item.categories, *item.tags],
            "text": item.text[:TEXT_CHARS],
            "category": sorted({self.categories.learn(name) for name in item.categories} - {0}),
            "until_ms": until_ms(item),
            "posted_ms": item.posted_ms or 0,
        }
        if item.brand:
            made["brand"] = self.brands.learn(item.brand)
        if item.remote is not None:
            made["remote"] = int(item.remote)
        if item.location is not None:
            self._place(made, item.location)
        if item.salary is not None and isfinite(most := yearly_salary(item.salary)):
            made["salary_most"] = most
            made["salary_least"] = least_salary(item)
            if item.salary.currency:
                made["salary_currency"] = item.salary.currency
        if item.price is not None:
            made["price"] = item.price.amount
            made["price_currency"] = item.price.currency
        return tantivy.Document.from_dict(made, self._schema)

    def cities_named(self, name: str) -> set[int]:
        """Codes of the cities of a name, with its region or in whatever region."""
        code = self.cities.code(name)
        return self._named.get(folded(name), set()) | ({code} if code else set())

    def _place(self, made: dict[str, Any], location: Location) -> None:
        city, region, country = location.city, location.region, location.country
        made["place"] = " ".join([name for name in (city, region, country) if name])
        if city and city.strip():
            made["city"] = code = self.cities.learn(f"{city}, {region}" if region else city)
            self._named.setdefault(folded(city), set()).add(code)
            made["city_name"] = folded(city)
        if region:
            made["region"] = folded(region)
        if country:
            made["country"] = folded(country)
        if (at := coordinates(location, self._locate)) is not None:
            made["spot"], made["cell"] = self.spots.learn(*at)


def until_ms(item: Item) -> int:
    """The moment before which an item is found: its expiry, or never (-1) where it is unavailable."""
    if not item.available:
        return -1
    return FOREVER_MS if item.expires_ms is None else item.expires_ms


def least_salary(item: Item) -> float:
    """The lower end of a year's salary, the upper where no lower is stated; NaN where neither is."""
    if item.salary is None or item.salary.min is None:
        return yearly_salary(item.salary)
    return yearly_salary(type(item.salary)(min=item.salary.min, period=item.salary.period))


def coordinates(location: Location, locate: Locate) -> tuple[float, float] | None:
    """Where an item is, to a metre: its coordinates, else those of its city, else None."""
    at = (location.lat, location.lon)
    if at[0] is None or at[1] is None:
        at = locate(location.city, location.region, location.country) or (None, None)
    lat, lon = at
    return None if lat is None or lon is None else (round(lat, COORDINATES_OF), round(lon, COORDINATES_OF))
