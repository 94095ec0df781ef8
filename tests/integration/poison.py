"""Records that cannot be used, of every kind the contract names, each with what its dead letter must say."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Value = dict[str, Any]
MIB = 1 << 20


@dataclass(frozen=True)
class Poison:
    """One malformed record; `why` is part of what the dead letter must say."""

    kind: str
    topic: str
    key: str
    value: bytes | None
    why: str


def _json(value: Value, **changes: Any) -> bytes:
    return json.dumps({**value, **changes}).encode()


def _without(value: Value, field: str) -> bytes:
    return json.dumps({name: inner for name, inner in value.items() if name != field}).encode()


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else 1


def poisoned_events(n: int, user: str, item: str) -> Iterator[Poison]:
    """One of each of the twelve kinds, made of an event that would be valid."""
    value: Value = {"event_id": f"poison-{n}", "user_id": user, "item_id": item, "ts_ms": 1_700_000_000_000 + n}
    tomorrow_ms = int(time.time() * 1000) + 2 * 86_400_000
    yield Poison("not JSON", "views", user, _json(value)[:-1], "truncated")
    yield Poison("wrong type", "views", user, _json(value, ts_ms="yesterday"), "$.ts_ms: Expected `int`")
    yield Poison("missing field", "views", user, _without(value, "item_id"), "$.item_id: ")
    yield Poison("NaN", "views", user, _json(value, dwell_ms=float("nan")), "$: ")
    yield Poison("huge string", "saves", user, _json(value, session_id="s" * 9_000), "$.session_id: ")
    yield Poison("unknown enum", "saves", user, _json(value, kind="later"), "$.kind: ")
    yield Poison("2 MiB value", "applies", user, _json(value, text="x" * (2 * MIB)), "bytes, the limit")
    yield Poison("null value", "views", user, None, "null value")
    yield Poison("wrong key", "views", f"not-{user}", _json(value), "key: ")
    yield Poison("future time", "applies", user, _json(value, ts_ms=tomorrow_ms), "$.ts_ms: ")
    yield Poison("control characters", "views", user, _json(value, session_id="a\x01b"), "$.session_id: ")
    yield Poison("deep nesting", "views", user, _json(value, extra=_nested(40)), "nested deeper")


def poisoned_items(n: int) -> Iterator[Poison]:
    """The kinds that a row of the catalogue can be: its null is a retirement, and it has no time of its own."""
    key = f"poisoned-{n}"
    value: Value = {"item_id": key, "title": "Baker", "location": {"lat": 1.0, "lon": 2.0}}
    yield Poison("not JSON", "items", key, b"Baker", "$: ")
    yield Poison("wrong type", "items", key, _json(value, title=7), "$.title: ")
    yield Poison("missing field", "items", key, _without(value, "item_id"), "$.item_id: ")
    yield Poison("NaN", "items", key, _json(value, price={"amount": float("inf"), "currency": "EUR"}), "$: ")
    yield Poison("out of range", "items", key, _json(value, location={"lat": 91.0}), "$.location.lat: ")
    yield Poison("huge string", "items", key, _json(value, title="x" * 9_000), "$.title: ")
    yield Poison("unknown enum", "items", key, _json(value, salary={"period": "fortnight"}), "$.salary.period: ")
    yield Poison("2 MiB value", "items", key, _json(value, text="x" * (2 * MIB)), "bytes, the limit")
    yield Poison("wrong key", "items", f"not-{key}", _json(value), "key: ")
    yield Poison("control characters", "items", key, _json(value, brand="a\x01b"), "$.brand: ")
    yield Poison("deep nesting", "items", key, _json(value, extra=_nested(40)), "nested deeper")
