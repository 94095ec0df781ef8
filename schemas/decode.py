"""Bytes to structs: one decode function per topic, and an error that names the field.

>>> decode("views", b"u1", b'{"event_id":"e1","user_id":"u1","item_id":"i1","ts_ms":7}', 7).item_id
'i1'
>>> decode("views", b"u1", b'{"event_id":"e1","user_id":"u1","item_id":"","ts_ms":7}', 7)
Invalid(field='$.item_id', reason='Expected `str` of length >= 1')
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.behaviour import (
    Apply,
    Click,
    Dismissal,
    Erasure,
    Event,
    Impression,
    Open,
    Preference,
    Save,
    Search,
    Send,
    Unsubscribe,
    View,
)
from schemas.catalogue import Item, User
from schemas.characters import can_hold_control_characters, control_character
from schemas.fields import Id

MAX_EVENT_BYTES: Final = 64 * 1024
MAX_ROW_BYTES: Final = 1024 * 1024
MAX_NESTING: Final = 8
MAX_FUTURE_MS: Final = 24 * 3600 * 1000

SCHEMAS: Final[dict[str, type[Event | Item | User]]] = {
    "views": View,
    "saves": Save,
    "applies": Apply,
    "opens": Open,
    "clicks": Click,
    "sends": Send,
    "unsubscribes": Unsubscribe,
    "dismissals": Dismissal,
    "preferences": Preference,
    "searches": Search,
    "impressions": Impression,
    "items": Item,
    "users": User,
    "erasures": Erasure,
}
"""Input topic -> the struct its values decode to."""

COMPACTED: Final = frozenset({"items", "users"})


class Invalid(Struct, frozen=True):
    """Why a record cannot be used: `field` is a JSON path (`$` for the whole value, `key` for the key)."""

    field: str
    reason: str


class Retired(Struct, frozen=True):
    """A null value on a compacted topic: the item is gone, the person's settings are withdrawn."""

    key: str


_PATH: Final = re.compile(r"^(?P<reason>.*?) - at `(?P<field>\$[^`]*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `(?P<name>[^`]+)`")
_DECODERS: Final[dict[str, tuple[Callable[[bytes], Any], str]]] = {
    topic: (msgspec.json.Decoder(schema).decode, "item_id" if topic == "items" else "user_id")
    for topic, schema in SCHEMAS.items()
}


def decode(
    topic: str, key: bytes | None, value: bytes | None, appended_ms: int | None = None
) -> Event | Item | User | Retired | Invalid:
    """Decode and check one input record.

    Parameters
    ----------
    topic
        An input topic; any other raises KeyError, for that is a bug and not a bad record.
    appended_ms
        When the broker took the record (ms, UTC). With it, an event dated more than 24 h after is invalid.
    """
    parse, id_field = _DECODERS[topic]
    if value is None:
        return _retired(topic, key)
    if len(value) > MAX_EVENT_BYTES and (topic not in COMPACTED or len(value) > MAX_ROW_BYTES):
        limit = MAX_ROW_BYTES if topic in COMPACTED else MAX_EVENT_BYTES
        return Invalid("$", f"{len(value)} bytes, the limit of this topic is {limit}")
    if value.count(b"{") + value.count(b"[") > MAX_NESTING and _depth(value) > MAX_NESTING:
        return Invalid("$", f"nested deeper than {MAX_NESTING}")
    try:
        decoded: Any = parse(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _invalid(str(error))
    owner: str = getattr(decoded, id_field)
    if key is None or owner.encode() != key:
        return Invalid("key", f"is not the {id_field} of the value")
    if can_hold_control_characters(value) and (found := control_character(decoded)):
        return Invalid(found, "holds a control character")
    ts_ms = getattr(decoded, "ts_ms", None)
    if appended_ms is not None and ts_ms is not None and ts_ms > appended_ms + MAX_FUTURE_MS:
        return Invalid("$.ts_ms", f"{ts_ms} is more than 24 h after the broker's {appended_ms}")
    return decoded  # type: ignore[no-any-return]


def _retired(topic: str, key: bytes | None) -> Retired | Invalid:
    if topic not in COMPACTED:
        return Invalid("$", "null value on a topic of events")
    try:
        return Retired(msgspec.convert((key or b"").decode(), Id))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Invalid("key", str(error))


def _invalid(message: str) -> Invalid:
    if found := _PATH.match(message):
        field, reason = found["field"], found["reason"]
    else:
        field, reason = "$", message
    if missing := _MISSING.search(reason):
        field = f"{field}.{missing['name']}"
    return Invalid(field, reason)


_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _depth(value: bytes) -> int:
    """How deeply arrays and objects nest outside of strings."""
    depth = deepest = 0
    for mark in re.findall(rb"[\[{\]}]", _STRINGS.sub(b"", value)):
        depth += 1 if mark in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
