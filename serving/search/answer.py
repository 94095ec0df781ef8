"""What a search answers: items, what was understood, counts to narrow by, and what was relaxed."""

from typing import Literal

from msgspec import Struct

from serving.search.filters import Filters
from serving.search.pieces import Kind

FacetField = Literal["brand", "category", "city", "remote", "salary", "price", "posted"]


class Found(Struct, frozen=True):
    """One item, its place from 1, and its score: comparable within one answer alone."""

    item_id: str
    rank: int
    score: float


class Understood(Struct, frozen=True):
    """A part of the query that became a filter: as typed, as it is meant, and the query without it."""

    kind: Kind
    typed: str
    says: str
    without: str


class Mended(Struct, frozen=True):
    """A word that no item has, and the nearest that items have."""

    typed: str
    meant: str


class Count(Struct, frozen=True):
    """How many of the found items have a value. For ranges `least` and `most` say what to filter by."""

    value: str
    items: int
    least: float | None = None
    most: float | None = None


class Facet(Struct, frozen=True):
    """Counts of one field over everything found, the most frequent first (ranges in their order)."""

    field: FacetField
    counts: tuple[Count, ...]


class SearchAnswer(Struct, frozen=True, kw_only=True):
    """`total` items were found; `relaxed` names, in order, what had to be given up so that there is anything:
    `words` (not all of them are in each item) or the kind of a filter.
    """

    query: str
    text: str
    """The words that were looked for."""
    filters: Filters
    """As understood and as given, together."""
    items: tuple[Found, ...]
    total: int
    understood: tuple[Understood, ...] = ()
    mended: tuple[Mended, ...] = ()
    relaxed: tuple[str, ...] = ()
    facets: tuple[Facet, ...] = ()
    suggestions: tuple[str, ...] = ()
    is_personal: bool = False
