"""When a person is on the site by themselves: each hour of each day counts once, visits that mail caused not at all.

Else a learner of hours would learn its own schedule. A visit is ours where its origin is a mail, or within six hours of
a click in one. Recent hours are read from the actions in the profile with the clicks known by then, so that it does not
matter which of a click and the visit it caused was told first; they are added up when an action leaves the profile.
"""

from collections.abc import Collection
from typing import Final

import numpy as np

from processors.profile import Action, Profile
from processors.sending import ACTIVITY_HALF_LIFE_D, Sending, added, advance, read_hours
from processors.week import DAY_MS, FOLD, FOLDED, HOUR_MS, WEEK, Doubles, Indexes
from processors.zones import local_slot, offset_ms

OURS_MS: Final = 6 * HOUR_MS
"""After a click in a mail, for so long the person is on the site because of it."""


_FADED: Final[Doubles] = 2.0 ** (-np.arange(1_000) / ACTIVITY_HALF_LIFE_D)
"""By days; nothing is left after a thousand."""


def active_hours(profile: Profile, state: Sending, now_ms: int) -> Doubles:
    """Hours on the site by slot (48), decayed, as of `now_ms`; what happened later is left out."""
    hours = read_hours(state.activity, state.day, now_ms, ACTIVITY_HALF_LIFE_D)
    spans = _our_spans(state)
    seen = {action.ts_ms // HOUR_MS: action.ts_ms for action in profile.actions if action.ts_ms < now_ms}
    if spans:
        seen = {hour: ts_ms for hour, ts_ms in seen.items() if not _is_ours(ts_ms, spans)}
    if seen:
        at_hours = np.array(list(seen))
        weights = _FADED[np.minimum(now_ms // DAY_MS - at_hours // 24, len(_FADED) - 1)]
        hours += np.bincount(FOLD[_week_slots(state.told_zone or "UTC", at_hours, seen)], weights, FOLDED)
    return hours


def _week_slots(zone: str, at_hours: Indexes, seen: Collection[int]) -> Indexes:
    """The slots of the week of hours since the epoch, given twice."""
    first, last = min(seen), max(seen)
    shift = offset_ms(zone, first * HOUR_MS)
    if shift != offset_ms(zone, last * HOUR_MS):  # the clocks changed in between
        return np.array([local_slot(zone, hour * HOUR_MS) for hour in at_hours.tolist()], np.intp)
    slots: Indexes = (at_hours + shift // HOUR_MS + 72) % WEEK
    return slots


def forget_action(profile: Profile, state: Sending, gone: Action) -> None:
    """An action has left the profile: its hour is added up, unless a later action of the same hour is still there."""
    ts_ms = gone.ts_ms
    if profile.actions and profile.actions[0].ts_ms // HOUR_MS == ts_ms // HOUR_MS:
        return
    if _is_ours(ts_ms, _our_spans(state)):
        return
    advance(state, ts_ms)
    slot = int(FOLD[local_slot(state.told_zone or "UTC", ts_ms)])
    state.activity = added(state.activity, state.day, slot, ts_ms, 1.0, ACTIVITY_HALF_LIFE_D)


def move_hours(state: Sending, hours: int) -> None:
    """The zone was told at last: what was counted in UTC moves by so many hours."""
    for field in ("successes", "exposure", "activity"):
        stored = getattr(state, field)
        if stored:
            table = np.frombuffer(stored, "<f4").reshape(2, 24)
            setattr(state, field, np.roll(table, hours, axis=1).tobytes())
    for mail in state.mails:
        if mail.slot >= 0:
            mail.slot = mail.slot // 24 * 24 + (mail.slot % 24 + hours) % 24


def _our_spans(state: Sending) -> list[int]:
    return [mail.clicked_s * 1000 for mail in state.mails if mail.clicked_s]


def _is_ours(ts_ms: int, clicks_ms: list[int]) -> bool:
    return any(0 <= ts_ms - clicked_ms + 60_000 <= OURS_MS for clicked_ms in clicks_ms)
