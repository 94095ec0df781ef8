"""What people and producers say of a person: of `users` and `preferences` the newer wins, field by field."""

from typing import Any, Final

import msgspec

from processors.profile import Profile, Stated
from schemas.behaviour import Preference
from schemas.catalogue import User

USERS: Final = "users"
PREFERENCES: Final = "preferences"
MAX_VALUES: Final = 16
"""Titles and places kept of a longer list: a profile is bounded."""

SHARED: Final = ("frequency", "titles", "places", "min_salary", "remote")
"""Fields that both can state."""
OWN: Final = ("tz", "locale", "location", "segment", "email_opt_in")
"""Fields that only `users` states."""


def state_user(profile: Profile, user: User, ts_ms: int) -> None:
    """Take a whole `users` row: a field that it leaves out is withdrawn where an older row had stated it."""
    preferences = user.preferences
    for field in OWN:
        _take_row(profile, field, getattr(user, field), ts_ms)
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
    for field in [field for field, stated in profile.stated.items() if stated.source == USERS]:
        del profile.stated[field]


def _take_row(profile: Profile, field: str, value: Any, ts_ms: int) -> None:
    if value is not None:
        _take(profile, field, Stated(ts_ms, USERS, _plain(value)))
    elif (known := profile.stated.get(field)) is not None and known.source == USERS and known.ts_ms <= ts_ms:
        del profile.stated[field]


def _take(profile: Profile, field: str, stated: Stated) -> None:
    known = profile.stated.get(field)
    if known is None or _rank(stated) >= _rank(known):
        profile.stated[field] = stated


def _rank(stated: Stated) -> tuple[int, bool]:
    """At the same time, a person's own choice counts more than a producer's row."""
    return stated.ts_ms, stated.source == PREFERENCES


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value[:MAX_VALUES] if isinstance(value, tuple) else value)
