"""Local time of people, from IANA zones; the offset is looked up once per zone and day (true at local noon)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_740_960_000_000
"""Monday 2025-03-03 00:00 UTC: both the American and the European change of clocks lie in the weeks that follow."""


@lru_cache(maxsize=100_000)
def offset_ms(tz: str, day: int) -> int:
    """Milliseconds to add to UTC for the local time of `tz` on day `day` (days since `START_MS`).

    >>> offset_ms("Europe/Berlin", 0) // HOUR_MS, offset_ms("Europe/Berlin", 30) // HOUR_MS
    (1, 2)
    """
    noon = datetime.fromtimestamp((START_MS + day * DAY_MS + DAY_MS // 2) / 1000, UTC)
    shift = noon.astimezone(ZoneInfo(tz)).utcoffset()
    assert shift is not None
    return int(shift.total_seconds() * 1000)


def day_of(ts_ms: int) -> int:
    """Days since `START_MS`, negative before it."""
    return (ts_ms - START_MS) // DAY_MS


def slot_of(ts_ms: int, tz: str) -> int:
    """Local hour, weekday 0–23 or weekend 24–47."""
    local = ts_ms - START_MS + offset_ms(tz, day_of(ts_ms))
    return (local // HOUR_MS) % 24 + (24 if (local // DAY_MS) % 7 >= 5 else 0)
