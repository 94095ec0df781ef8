"""What narrows a search beside its words: typed, so that a form, an API and a parsed query say it alike."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.fields import Amount, Currency, Latitude, Longitude, Word, Words

EARTH_KM = 6_371.0088
"""Mean radius of the earth."""


class Near(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Within `radius_km` of a point, or in the city of this name where an item has no coordinates."""

    lat: Latitude
    lon: Longitude
    radius_km: Annotated[float, Meta(gt=0.0, le=20_100.0)]
    city: Word | None = None
    region: Word | None = None
    country: Word | None = None


class Area(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A region or a country: any of the spellings that producers use, in any case. `name` is for people."""

    name: Word | None = None
    regions: Words = ()
    countries: Words = ()


class Range(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Amounts of money, both ends included. Salaries by the year; a `currency` excludes every other."""

    least: Amount | None = None
    most: Amount | None = None
    currency: Currency | None = None


class Filters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All must hold. An item that does not say what a filter asks for does not pass it.

    A salary passes where its range and the filter's meet. `near_me_km` is km around the person's own place, without
    effect where that is unknown. `posted_within_ms` counts back from the moment of the search.
    """

    near: Near | None = None
    near_me_km: Annotated[float, Meta(gt=0.0, le=20_100.0)] | None = None
    area: Area | None = None
    salary: Range | None = None
    price: Range | None = None
    remote: bool | None = None
    categories: Words = ()
    """One of them."""
    cities: Words = ()
    """One of them, as facets name them (`Austin, TX`) or in whatever region (`Austin`)."""
    brands: Words = ()
    """One of them."""
    posted_within_ms: Annotated[int, Meta(gt=0)] | None = None


NO_FILTERS: Final = Filters()
