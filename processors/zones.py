"""Local time: which hours a person has, from the IANA database, and which zone to believe when none was told.

Candidate hours are enumerated in UTC and mapped to local time, so that an hour that a change of clocks skips never
occurs; of an hour that occurs twice the first is kept.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from msgspec import Struct

from processors.week import DAY_MS, FOLDED, HOUR_MS, HOURS, WEEK, Doubles, Indexes, slot_of

DEGREES_PER_HOUR: Final = 15.0
ENOUGH_ACTIVITY: Final = 12.0
"""Hours on the site from which a zone is inferred from them."""


SHIFTS: Final = range(-11, 13)
_SHIFTED: Final[Indexes] = (np.arange(HOURS) - np.array(SHIFTS)[:, None]) % HOURS
"""By shift and local hour: the hour of UTC."""


class Zone(Struct, frozen=True):
    """A zone and why it is believed: `told`, `place` (longitude), `activity`, or `default`."""

    name: str
    why: str


class Hour(Struct, frozen=True):
    """A full local hour: when it begins (ms, UTC), and its slot of the week."""

    at_ms: int
    slot: int


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone, or None where the database has no such name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=100_000)
def _offset_ms(name: str, utc_hour: int) -> int:
    zone = zone_named(name)
    if zone is None:
        return 0
    shift = datetime.fromtimestamp(utc_hour * 3600, UTC).astimezone(zone).utcoffset()
    return 0 if shift is None else round(shift.total_seconds()) * 1000


def offset_ms(name: str, ts_ms: int) -> int:
    """What to add to UTC at that time. Clocks change on full UTC hours, or half ones where it does not matter here.

    >>> offset_ms("Europe/Berlin", 1_751_328_000_000) // HOUR_MS
    2
    """
    return _offset_ms(name, ts_ms // HOUR_MS)


def local_slot(name: str, ts_ms: int) -> int:
    """The slot of the week, 0-167, in which a time lies there."""
    return slot_of(ts_ms + offset_ms(name, ts_ms))


def local_day(name: str, ts_ms: int) -> int:
    """Days since 1970-01-01 by the calendar there."""
    return (ts_ms + offset_ms(name, ts_ms)) // DAY_MS


def local_hours(name: str, from_ms: int, to_ms: int) -> list[Hour]:
    """Every full local hour that begins in [from_ms, to_ms), in order: skipped hours never, a doubled hour once.

    >>> spring = 1_743_289_200_000  # 2025-03-30 00:00 in Berlin; 02:00 does not exist
    >>> [hour.slot % 24 for hour in local_hours("Europe/Berlin", spring, spring + 4 * HOUR_MS)]
    [0, 1, 3, 4]
    >>> autumn = 1_761_429_600_000  # 2025-10-26 00:00 in Berlin; 02:00 comes twice
    >>> [hour.slot % 24 for hour in local_hours("Europe/Berlin", autumn, autumn + 5 * HOUR_MS)]
    [0, 1, 2, 3]
    """
    shift = offset_ms(name, from_ms)
    if to_ms - from_ms <= 2 * DAY_MS and shift == offset_ms(name, to_ms):  # no change of clocks in between
        first_ms = from_ms + (-(from_ms + shift)) % HOUR_MS
        slot = slot_of(first_ms + shift)
        return [Hour(at_ms, (slot + n) % WEEK) for n, at_ms in enumerate(range(first_ms, to_ms, HOUR_MS))]
    found: list[Hour] = []
    last_local = -1
    at_ms = from_ms
    while at_ms < to_ms:
        shift = offset_ms(name, at_ms)
        into = (at_ms + shift) % HOUR_MS
        if into:
            at_ms += HOUR_MS - into
            continue
        local = (at_ms + shift) // HOUR_MS
        if local > last_local:
            found.append(Hour(at_ms, (local + 72) % WEEK))
            last_local = local
        at_ms += HOUR_MS
    return found


def zone_by_longitude(lon: float) -> str:
    """The nautical zone of a longitude in degrees, without summer time.

    >>> zone_by_longitude(-73.9), zone_by_longitude(3.0)
    ('Etc/GMT+5', 'Etc/GMT')
    """
    return _etc(round(lon / DEGREES_PER_HOUR))


def zone_by_activity(active_utc: Doubles, population_local: Doubles) -> str | None:
    """The zone in which somebody's hours (48 slots of UTC) look most like everybody's local hours.

    None where less than `ENOUGH_ACTIVITY` is known. The likelihood of the hours under the population's shares, which
    are smoothed by a tenth of an even spread.
    """
    own = active_utc[:HOURS] + active_utc[HOURS:]
    everybody = population_local[:HOURS] + population_local[HOURS:]
    if own.sum() < ENOUGH_ACTIVITY or everybody.sum() < FOLDED:
        return None
    log_share = np.log(0.9 * everybody / everybody.sum() + 0.1 / HOURS)
    return _etc(SHIFTS[int(own[_SHIFTED].dot(log_share).argmax())])


def _etc(hours: int) -> str:
    """The database's fixed zones count westwards."""
    return "Etc/GMT" if hours == 0 else f"Etc/GMT{-hours:+d}"
