"""What there is (`items`) and who there is (`users`): compacted topics, the newest record of a key counts."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.behaviour import Frequency, Money
from schemas.fields import (
    Amount,
    Attributes,
    Currency,
    Id,
    Latitude,
    Line,
    Longitude,
    Text,
    TimestampMs,
    Url,
    Word,
    Words,
)


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place: coordinates in degrees (WGS 84), names, or both."""

    lat: Latitude | None = None
    lon: Longitude | None = None
    city: Word | None = None
    region: Word | None = None
    country: Word | None = None


class Salary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a job pays each `period`; either end of the range may be unsaid."""

    min: Amount | None = None
    max: Amount | None = None
    currency: Currency | None = None
    period: Literal["hour", "day", "week", "month", "year"] = "year"


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job or a product. A null value retires it."""

    item_id: Id
    kind: Word | None = None
    title: Line = ""
    text: Text = ""
    brand: Word | None = None
    categories: Words = ()
    tags: Words = ()
    location: Location | None = None
    remote: bool | None = None
    price: Money | None = None
    salary: Salary | None = None
    posted_ms: TimestampMs | None = None
    expires_ms: TimestampMs | None = None
    available: bool = True
    url: Url | None = None
    image_url: Url | None = None
    attributes: Attributes | None = None


class StatedPreferences(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wants, as their producer knows it; `min_salary` is a year's."""

    titles: Words | None = None
    places: Words | None = None
    min_salary: Amount | None = None
    remote: bool | None = None


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A saved search."""

    alert_id: Id
    query: Line = ""
    filters: Attributes | None = None


class User(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a producer knows of a person; the newer of it and `preferences` wins, field by field."""

    user_id: Id
    ts_ms: TimestampMs | None = None
    tz: Word | None = None
    locale: Word | None = None
    location: Location | None = None
    segment: Word | None = None
    email_opt_in: bool | None = None
    frequency: Frequency | None = None
    preferences: StatedPreferences | None = None
    alerts: Annotated[tuple[Alert, ...], Meta(max_length=32)] = ()
    attributes: Attributes | None = None
