"""What people do: the events that producers publish, keyed by user.

Every event carries `event_id` (the same on a retry), `user_id` and `ts_ms`. Unknown fields are ignored; new fields are
optional, for ever.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import (
    Amount,
    Currency,
    DurationMs,
    Id,
    ItemIds,
    Line,
    Position,
    Quantity,
    TimestampMs,
    Word,
    Words,
)

Surface = Literal["email", "site"]
Frequency = Literal["instant", "daily", "weekly", "paused"]


class Money(Struct, frozen=True):
    """A sum and its ISO 4217 currency."""

    amount: Amount
    currency: Currency


class Origin(Struct, frozen=True, omit_defaults=True):
    """What led to an event: closes the loop from decision to outcome."""

    surface: Surface | None = None
    rec_id: Id | None = None
    send_id: Id | None = None
    position: Position | None = None


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact about one person: its id, the same on a retry, whom it is about, and when it happened."""

    event_id: Id
    user_id: Id
    ts_ms: TimestampMs


class ItemEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Something a person did with one item, for `dwell_ms` where it is known, in a session, led there by `origin` or by
    what they asked for (`query`).
    """

    item_id: Id
    session_id: Id | None = None
    origin: Origin | None = None
    dwell_ms: DurationMs | None = None
    query: Line | None = None


class View(ItemEvent, frozen=True, kw_only=True, omit_defaults=True):
    """Someone looked at an item. A click on the site is a view with an `origin`."""


class Save(ItemEvent, frozen=True, kw_only=True, omit_defaults=True):
    """Someone kept an item, or put it into the cart; `undo` takes that back."""

    kind: Literal["save", "cart"] = "save"
    undo: bool = False


class Apply(ItemEvent, frozen=True, kw_only=True, omit_defaults=True):
    """An application on a job board, a purchase in a shop."""

    stage: Literal["start", "complete"] = "complete"
    value: Money | None = None
    quantity: Quantity | None = None


class Dismissal(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Someone does not want to see an item again, and perhaps says why."""

    item_id: Id
    reason: Literal["place", "pay", "brand", "seen", "other"] = "other"
    undo: bool = False


class Send(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A mail went out."""

    send_id: Id
    digest_id: Id | None = None
    rec_id: Id | None = None
    item_ids: ItemIds = ()
    campaign: Word | None = None


class Open(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A mail was opened, by a person or (`machine`) by software that fetches images."""

    send_id: Id
    user_agent: Line | None = None
    machine: bool | None = None


class Click(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A link in a mail was followed."""

    send_id: Id
    item_id: Id | None = None
    user_agent: Line | None = None


class Unsubscribe(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Someone wants no more mail: they said so, complained, or their address does not exist (`bounce`)."""

    send_id: Id | None = None
    cause: Literal["user", "complaint", "bounce"] = "user"


class Preference(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What someone chose on the preference page; the newer of it and `users` wins, field by field."""

    frequency: Frequency | None = None
    pause_until_ms: TimestampMs | None = None
    titles: Words | None = None
    places: Words | None = None
    min_salary: Amount | None = None
    remote: bool | None = None


class Search(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What someone typed into a search box."""

    query: Annotated[Line, Meta(min_length=1)]
    session_id: Id | None = None


class Impression(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Items of a recommendation were shown."""

    rec_id: Id
    item_ids: Annotated[ItemIds, Meta(min_length=1)]
    surface: Surface = "site"


class Erasure(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Someone asks to be forgotten: everything up to `ts_ms` goes."""
