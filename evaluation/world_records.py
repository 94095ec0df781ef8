"""What a world yields, taken as a worker would take it: encoded, decoded, checked; what cannot be used is named.

Forgiven is what says the same in another way: numbers of NumPy, and whole milliseconds written as floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from schemas.behaviour import Event
from schemas.catalogue import Item, User
from schemas.decode import SCHEMAS, Invalid, Retired, decode
from simulation.world import Record

Fact = Event | Item | User | Retired


class WorldError(ValueError):
    """The world broke the protocol; the message names the record."""


def checked(record: Record) -> tuple[str, str, Fact]:
    """Topic, key and decoded value of one record. Raises `WorldError` where the schemas refuse it."""
    try:
        topic, key, value = record["topic"], record["key"], record["value"]
    except (TypeError, KeyError, IndexError):
        raise WorldError(f"a record is a dict of topic, key and value, not {_short(record)}") from None
    if topic not in SCHEMAS:
        raise WorldError(f"the world yielded a record of {topic!r}, which is no input topic: {_short(value)}")
    if not isinstance(key, str):
        raise WorldError(f"the world yielded a {topic} record whose key is {_short(key)}, which is no text")
    try:
        raw = None if value is None else _encode(value)
        fact = decode(topic, key.encode(), raw)
        if isinstance(fact, Invalid) and isinstance(value, dict):
            fact = decode(topic, key.encode(), _encode(_whole(value)))
    except (TypeError, ValueError, OverflowError) as error:
        raise WorldError(f"the world yielded a bad {topic} record of {key!r}: {error}: {_short(value)}") from None
    if isinstance(fact, Invalid):
        raise WorldError(f"the world yielded a bad {topic} record of {key!r}: {fact.field}: {fact.reason}")
    return topic, key, fact


def in_time(fact: Event, topic: str, from_ms: int, until_ms: int) -> None:
    """Raises `WorldError` naming the event where it lies before what was reached, or not before `until_ms`."""
    named = f"the {topic} record {fact.event_id!r} of {fact.user_id!r} is of {fact.ts_ms}"
    if fact.ts_ms < from_ms:
        raise WorldError(f"{named}, but {from_ms} was reached before: records come in the order of their time")
    if fact.ts_ms >= until_ms:
        raise WorldError(f"{named}, which is not before {until_ms}, up to where it was asked for")


def outcomes_of(found: Mapping[Any, Any]) -> dict[str, float]:
    """A world's outcomes as floats, those beyond `OUTCOMES` too. Raises `WorldError` naming one that is not finite."""
    out: dict[str, float] = {}
    for name, value in dict(found).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not isinstance(name, str) or not math.isfinite(number):
            raise WorldError(f"outcomes must be finite numbers by name, not {_short({name: value})}")
        out[name] = number
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can say")


_encode: Final = msgspec.json.Encoder(enc_hook=_plain).encode


def _whole(value: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds that are whole numbers, as integers."""
    return {name: _as_int(inner) if str(name).endswith("_ms") else inner for name, inner in value.items()}


def _as_int(value: Any) -> Any:
    return int(value) if isinstance(value, float | np.floating) and math.isfinite(value) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} …"
