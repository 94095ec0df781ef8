"""What people and producers say of a person: of `users` and `preferences` the newer wins, field by field.

There is no order between the two topics, so what either said last is kept: the one that counts under the field's name,
the other beside it, under `FIELD/overruled`. When a producer withdraws a field, what the person chose counts again.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from processors.attributes import FEATURE, listed_of
from processors.profile import Profile, Stated
from schemas.behaviour import Preference
from schemas.catalogue import User

USERS: Final = "users"
PREFERENCES: Final = "preferences"
OVERRULED: Final = "/overruled"
MAX_VALUES: Final = 16
"""Titles and places kept of a longer list: a profile is bounded."""

MAX_QUERIES: Final = 8
MAX_QUERY_CHARS: Final = 80
MAX_RADIUS_KM: Final = 20_000.0
"""Half the way around the Earth: a larger radius is a mistake."""

SHARED: Final = ("frequency", "titles", "places", "min_salary", "remote")
"""Fields that both can state."""
OWN: Final = ("tz", "locale", "location", "segment", "email_opt_in")
"""Fields that only `users` states."""


def state_user(profile: Profile, user: User, ts_ms: int, listed: Sequence[str] = ()) -> None:
    """Take a whole `users` row: a field that it leaves out is withdrawn where an older row had stated it.

    Of its attributes the `listed` ones are taken, no other.
    """
    preferences = user.preferences
    for field in OWN:
        _take_row(profile, field, getattr(user, field), ts_ms)
    queries = tuple(alert.query[:MAX_QUERY_CHARS] for alert in user.alerts if alert.query)[:MAX_QUERIES]
    _take_row(profile, "alerts", queries or None, ts_ms)
    _take_row(profile, "radius_km", _radius_km(user), ts_ms)
    if listed or FEATURE in profile.stated:
        _take_row(profile, FEATURE, listed_of(user.attributes, listed) or None, ts_ms)
    for field in SHARED:
        value = user.frequency if field == "frequency" else getattr(preferences, field, None)
        _take_row(profile, field, value, ts_ms)


def state_preference(profile: Profile, preference: Preference) -> None:
    """Take what someone chose; a field left out stays as it was."""
    for field in (*SHARED, "pause_until_ms"):
        value = getattr(preference, field)
        if value is not None:
            _take(profile, field, Stated(preference.ts_ms, PREFERENCES, _plain(value)))


def withdraw_user(profile: Profile) -> None:
    """A null `users` row: what the producer stated is gone, what the person chose stays."""
    for field in (*OWN, "alerts", "radius_km", FEATURE, *SHARED):
        _withdraw(profile, field, None)


def _radius_km(user: User) -> float | None:
    """The widest radius of the saved searches (`filters.radius_km`); None where none is stated."""
    stated = [(alert.filters or {}).get("radius_km") for alert in user.alerts]
    radii = [float(radius) for radius in stated if isinstance(radius, int | float) and 0.0 < radius <= MAX_RADIUS_KM]
    return max(radii, default=None)


def _take_row(profile: Profile, field: str, value: Any, ts_ms: int) -> None:
    if value is not None:
        _take(profile, field, Stated(ts_ms, USERS, _plain(value)))
    else:
        _withdraw(profile, field, ts_ms)


def _take(profile: Profile, field: str, stated: Stated) -> None:
    said = _said(profile, field)
    if all(known.source != stated.source or known.ts_ms <= stated.ts_ms for known in said):
        _keep(profile, field, [stated, *(known for known in said if known.source != stated.source)])


def _withdraw(profile: Profile, field: str, until_ms: int | None) -> None:
    """Take back what `users` stated, where that is not newer than `until_ms`."""
    said = _said(profile, field)
    kept = [known for known in said if known.source != USERS or (until_ms is not None and known.ts_ms > until_ms)]
    if len(kept) < len(said):
        _keep(profile, field, kept)


def _said(profile: Profile, field: str) -> list[Stated]:
    """What is known of a field: at most one thing of either source."""
    stated = profile.stated
    return [stated[name] for name in (field, field + OVERRULED) if name in stated]


def _keep(profile: Profile, field: str, said: list[Stated]) -> None:
    names = (field, field + OVERRULED)
    for name in names:
        profile.stated.pop(name, None)
    profile.stated.update(zip(names, sorted(said, key=_rank, reverse=True), strict=False))


def _rank(stated: Stated) -> tuple[int, bool]:
    """At the same time, a person's own choice counts more than a producer's row."""
    return stated.ts_ms, stated.source == PREFERENCES


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value[:MAX_VALUES] if isinstance(value, tuple) else value)
