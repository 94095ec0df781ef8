"""A valid value of every input topic: with what is required alone, and with every field."""

from typing import Any

EVENT = {"event_id": "e1", "user_id": "u1", "ts_ms": 1_700_000_000_000}
ON_ITEM = {**EVENT, "item_id": "i1"}
ORIGIN = {"surface": "email", "rec_id": "views-0-1", "send_id": "s1", "position": 2}
MAIL = {**EVENT, "send_id": "s1"}
PLACE = {"lat": 48.1, "lon": 11.6, "city": "München", "region": "BY", "country": "DE"}
ATTRIBUTES = {"level": "senior", "shifts": ["early", "late"], "size": 4, "rate": 0.5, "night": True, "none": None}

LEAST: dict[str, dict[str, Any]] = {
    "views": ON_ITEM,
    "saves": ON_ITEM,
    "applies": ON_ITEM,
    "opens": MAIL,
    "clicks": MAIL,
    "sends": MAIL,
    "unsubscribes": EVENT,
    "dismissals": ON_ITEM,
    "preferences": EVENT,
    "searches": {**EVENT, "query": "nurse"},
    "impressions": {**EVENT, "rec_id": "views-0-1", "item_ids": ["i1"]},
    "items": {"item_id": "i1"},
    "users": {"user_id": "u1"},
    "erasures": EVENT,
}

_DEED = {"dwell_ms": 4_000, "query": "nurse night", "session_id": "x1", "origin": ORIGIN}
FULL: dict[str, dict[str, Any]] = {
    "views": LEAST["views"] | _DEED,
    "saves": LEAST["saves"] | _DEED | {"kind": "cart", "undo": True},
    "applies": LEAST["applies"]
    | _DEED
    | {"stage": "start", "value": {"amount": 12.5, "currency": "EUR"}, "quantity": 3},
    "opens": LEAST["opens"] | {"user_agent": "Mail/1.0", "machine": True},
    "clicks": LEAST["clicks"] | {"item_id": "i1", "user_agent": "Mail/1.0"},
    "sends": LEAST["sends"]
    | {"digest_id": "s1", "rec_id": "views-0-1", "item_ids": ["i1", "i2"], "campaign": "digest"},
    "unsubscribes": LEAST["unsubscribes"] | {"send_id": "s1", "cause": "complaint"},
    "dismissals": LEAST["dismissals"] | {"reason": "pay", "undo": True},
    "preferences": LEAST["preferences"]
    | {
        "frequency": "weekly",
        "pause_until_ms": 1_700_000_100_000,
        "titles": ["nurse"],
        "places": ["Austin"],
        "min_salary": 40_000,
        "remote": True,
    },
    "searches": LEAST["searches"] | {"session_id": "x1"},
    "impressions": LEAST["impressions"] | {"surface": "email"},
    "items": LEAST["items"]
    | {
        "kind": "job",
        "title": "Night nurse",
        "text": "Two lines:\nnights and weekends.",
        "brand": "Mercy",
        "categories": ["health"],
        "tags": ["night"],
        "location": PLACE,
        "remote": False,
        "price": {"amount": 9.99, "currency": "USD"},
        "salary": {"min": 50_000, "max": 70_000, "currency": "USD", "period": "year"},
        "posted_ms": 1_699_000_000_000,
        "expires_ms": 1_701_000_000_000,
        "available": False,
        "url": "https://example.org/i1",
        "image_url": "https://example.org/i1.png",
        "attributes": ATTRIBUTES,
    },
    "users": LEAST["users"]
    | {
        "ts_ms": 1_700_000_000_000,
        "tz": "Europe/Berlin",
        "locale": "de-DE",
        "location": PLACE,
        "segment": "b2c",
        "email_opt_in": True,
        "frequency": "daily",
        "preferences": {"titles": ["nurse"], "places": ["Austin"], "min_salary": 40_000, "remote": False},
        "alerts": [{"alert_id": "a1", "query": "nurse", "filters": {"city": "Austin"}}],
        "attributes": ATTRIBUTES,
    },
    "erasures": LEAST["erasures"],
}


def key_of(topic: str, value: dict[str, Any]) -> bytes:
    """The key that a producer gives a value."""
    return str(value["item_id" if topic == "items" else "user_id"]).encode()
