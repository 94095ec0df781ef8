"""Who can be written to, as far as the records tell: zone, consent, mails of late, hours on the site.

What a mailing system knows of people, and no more: nothing here asks a world for its truth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from evaluation.replay_file import Record
from schemas.behaviour import Erasure, Open, Preference, Search, Send, Unsubscribe, View
from schemas.catalogue import User
from schemas.decode import Retired

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
DEGREES_PER_HOUR: Final = 15.0


@dataclass
class Person:
    """One subscriber. `row` is the newest `users` record."""

    row: User
    zone: ZoneInfo | timezone = UTC
    frequency: str = "daily"
    paused_until_ms: int = 0
    has_left: bool = False
    mails_ms: deque[int] = field(default_factory=lambda: deque(maxlen=7))
    """When the last mails went out, the oldest first."""
    mailed: set[str] = field(default_factory=set)
    """Items for whose sake a mail went."""
    viewed: set[str] = field(default_factory=set)
    active_hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Hours on the site by local hour, each hour of each day counted once, mails' visits left out."""
    opened_hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Opens by local hour, whoever made them."""
    answered_by_hour: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Local hour of the send -> (mails sent, mails opened)."""
    sent_hour: dict[str, int] = field(default_factory=dict)
    """Mail not opened yet -> the local hour of its send."""
    seen_ms: int = 0
    """When they last looked at something or searched."""
    refused_ms: int = -(1 << 62)
    """When a mail was last found not worth sending."""
    _last_hour: int = -1

    def may_be_mailed(self, now_ms: int) -> bool:
        """Consent, and the frequency they chose: what every policy must respect."""
        if self.has_left or self.row.email_opt_in is False or self.frequency == "paused":
            return False
        if now_ms < self.paused_until_ms:
            return False
        return self.frequency != "weekly" or self.mails_within(now_ms, WEEK_MS) == 0

    def mails_within(self, now_ms: int, span_ms: int) -> int:
        """How many of the last mails are younger than `span_ms` (at most 7 are remembered)."""
        count = 0
        for sent_ms in reversed(self.mails_ms):
            if now_ms - sent_ms >= span_ms:
                break
            count += 1
        return count

    def local(self, ts_ms: int) -> datetime:
        """The person's own time."""
        return datetime.fromtimestamp(ts_ms / 1000, self.zone)

    def at_hour(self, day: datetime, hour: int) -> int:
        """When it is `hour` o'clock on that local day, in milliseconds UTC."""
        return int(datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).timestamp()) * 1000

    def was_active(self, ts_ms: int) -> None:
        """They were on the site by themselves."""
        if ts_ms // HOUR_MS != self._last_hour:
            self._last_hour = ts_ms // HOUR_MS
            self.active_hours[self.local(ts_ms).hour] += 1


class Audience:
    """Everybody who has a `users` record."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def take(self, record: Record) -> str | None:
        """Note one record; returns the id of somebody who is new."""
        value = record.value
        if isinstance(value, User):
            return self._describe(value)
        person = self.people.get(record.key.decode())
        if person is None:
            return None
        match value:
            case View():
                person.seen_ms = value.ts_ms
                person.viewed.add(value.item_id)
                if value.origin is None or value.origin.surface != "email":
                    person.was_active(value.ts_ms)
            case Search():
                person.seen_ms = value.ts_ms
                person.was_active(value.ts_ms)
            case Send():
                hour = person.local(value.ts_ms).hour
                person.sent_hour[value.send_id] = hour
                sent, opened = person.answered_by_hour.get(hour, (0, 0))
                person.answered_by_hour[hour] = (sent + 1, opened)
            case Open():
                person.opened_hours[person.local(value.ts_ms).hour] += 1
                hour = person.sent_hour.pop(value.send_id, -1)
                if hour >= 0:
                    sent, opened = person.answered_by_hour[hour]
                    person.answered_by_hour[hour] = (sent, opened + 1)
            case Unsubscribe() | Erasure() | Retired():
                person.has_left = True
            case Preference():
                person.frequency = value.frequency or person.frequency
                person.paused_until_ms = value.pause_until_ms or person.paused_until_ms
            case _:
                pass
        return None

    def mailed(self, user_id: str, item_ids: Sequence[str], now_ms: int) -> None:
        """A mail was decided on for the sake of these items."""
        person = self.people[user_id]
        person.mails_ms.append(now_ms)
        person.mailed.update(item_ids)

    def _describe(self, row: User) -> str | None:
        known = self.people.get(row.user_id)
        person = known or Person(row)
        person.row, person.zone = row, zone_of(row)
        person.frequency = row.frequency or person.frequency
        self.people[row.user_id] = person
        return None if known else row.user_id


def zone_of(row: User) -> ZoneInfo | timezone:
    """The zone that was told, else the one that the longitude suggests, without summer time, else UTC.

    >>> zone_of(User(user_id="u", tz="Europe/Berlin")).key
    'Europe/Berlin'
    """
    if row.tz is not None:
        try:
            return ZoneInfo(row.tz)
        except (ZoneInfoNotFoundError, ValueError):
            pass
    if row.location is not None and row.location.lon is not None:
        return timezone(timedelta(hours=round(row.location.lon / DEGREES_PER_HOUR)))
    return UTC
