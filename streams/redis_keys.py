"""Every key that Attune has in Redis, named once.

| key | is | holds |
|---|---|---|
| `attune:recommendations:USER` | hash | `v` the record's offset, `d` its value, as on Kafka |
| `attune:send-times:USER` | hash | the same |
| `attune:forgotten:TOPIC:HMAC` | string | offset of a tombstone; names nobody; expires |
| `attune:sink:positions` | hash | `TOPIC-PARTITION` -> everything below this offset is in Redis |
"""

from typing import Final

from processors.erasure import user_hash

SINK_TOPICS: Final = ("recommendations", "send-times")
"""What the sink keeps, the newest record of each person."""

POSITIONS: Final = "attune:sink:positions"
FORGOTTEN_S: Final = 15 * 86_400
"""How long a tombstone refuses older records: longer than any consumer may be behind."""


def view_key(topic: str, user_id: bytes) -> bytes:
    """Where the newest record of a person is.

    >>> view_key("recommendations", b"u1")
    b'attune:recommendations:u1'
    """
    return b"attune:" + topic.encode() + b":" + user_id


def forgotten_key(topic: str, user_id: bytes, secret: str) -> str:
    """Where the offset of a person's tombstone is kept, under a keyed hash."""
    return f"attune:forgotten:{topic}:{user_hash(secret, user_id.decode(errors='surrogateescape'))[:32]}"
