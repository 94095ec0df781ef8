"""When a person is on the site by themselves: each hour of each day counts once, visits that mail caused not at all.

Else a learner of hours would learn its own schedule. A visit is ours where its origin is a mail, or within six hours of
a click in one. Recent hours are read from the actions in the profile with the clicks known by then, so that it does not
matter which of a click and the visit it caused was told first; they are added up when an action leaves the profile.
"""

from bisect import bisect_left, bisect_right
from typing import Final

import numpy as np

from processors.profile import Action, Profile
from processors.sending import ACTIVITY_HALF_LIFE_D, Sending, added, advance, read_hours, stored_hours
from processors.week import DAY_MS, FOLD, FOLDED, HOUR_MS, HOURS, WEEK, Doubles, Indexes, moved
from processors.zones import local_slot, offset_ms

OURS_MS: Final = 6 * HOUR_MS
"""After a click in a mail, for so long the person is on the site because of it."""
LEAD_MS: Final = 60_000
"""Clocks differ: a visit may be told as so much before the click that caused it."""

_FADED: Final[Doubles] = np.repeat(2.0 ** (-np.arange(1_000) / ACTIVITY_HALF_LIFE_D), HOURS)
"""By hours before the end of a day, the same within a day; nothing is left after a thousand days."""


def active_hours(profile: Profile, state: Sending, now_ms: int) -> Doubles:
    """Hours on the site by slot (48), decayed, as of `now_ms`; what happened later is left out."""
    hours = read_hours(state.activity, state.day, now_ms, ACTIVITY_HALF_LIFE_D)
    acted_ms = [action.ts_ms for action in profile.actions]
    del acted_ms[bisect_left(acted_ms, now_ms) :]
    if not acted_ms:
        return hours
    seen_ms = np.fromiter(acted_ms, np.int64, len(acted_ms))
    at_hours = seen_ms // HOUR_MS
    counts = np.ones(len(acted_ms), np.bool_)  # the last action of each hour
    np.not_equal(at_hours[1:], at_hours[:-1], out=counts[:-1])
    for clicked_ms in _our_clicks_ms(state):
        from_ms = clicked_ms - LEAD_MS
        counts[bisect_left(acted_ms, from_ms) : bisect_right(acted_ms, from_ms + OURS_MS)] = False
    at_hours = at_hours[counts]
    weights = _FADED.take(now_ms // DAY_MS * HOURS + HOURS - 1 - at_hours, mode="clip")
    slots = _week_slots(state.told_zone or "UTC", at_hours, acted_ms[0], acted_ms[-1])
    hours += np.bincount(FOLD[slots], weights, FOLDED)
    return hours


def _week_slots(zone: str, at_hours: Indexes, first_ms: int, last_ms: int) -> Indexes:
    """The slots of the week of hours since the epoch, all of them between two times."""
    shift = offset_ms(zone, first_ms)
    if shift != offset_ms(zone, last_ms):  # the clocks changed in between
        return np.array([local_slot(zone, hour * HOUR_MS) for hour in at_hours.tolist()], np.intp)
    slots: Indexes = (at_hours + (shift // HOUR_MS + 72)) % WEEK
    return slots


def forget_action(profile: Profile, state: Sending, gone: Action) -> None:
    """An action has left the profile: its hour is added up, unless a later action of the same hour is still there."""
    ts_ms = gone.ts_ms
    if profile.actions and profile.actions[0].ts_ms // HOUR_MS == ts_ms // HOUR_MS:
        return
    if any(0 <= ts_ms - clicked_ms + LEAD_MS <= OURS_MS for clicked_ms in _our_clicks_ms(state)):
        return
    advance(state, ts_ms)
    slot = int(FOLD[local_slot(state.told_zone or "UTC", ts_ms)])
    state.activity = added(state.activity, state.day, slot, ts_ms, 1.0, ACTIVITY_HALF_LIFE_D)


def move_hours(state: Sending, hours: int) -> None:
    """The zone was told at last: what was counted in UTC moves by so many hours."""
    for field in ("successes", "exposure", "activity"):
        stored = getattr(state, field)
        if stored:
            setattr(state, field, stored_hours(stored)[moved(hours)].tobytes())
    for mail in state.mails:
        if mail.slot >= 0:
            mail.slot = mail.slot // 24 * 24 + (mail.slot % 24 + hours) % 24


def _our_clicks_ms(state: Sending) -> list[int]:
    return [mail.clicked_s * 1000 for mail in state.mails if mail.clicked_s]
