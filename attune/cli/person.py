"""The profile of one person, for commands that look at them."""

from typing import TYPE_CHECKING

from attune.cli.failure import CommandError
from streams.settings import Settings

if TYPE_CHECKING:
    from processors.profile import Profile


def profile_of(settings: Settings, user: str) -> "Profile":
    """What is kept about a person. Raises CommandError where nothing is."""
    from streams.profile_reader import read_profiles

    profile = read_profiles(settings, [user]).get(user)
    if profile is None or (profile.erased_ms is not None and not profile.totals):
        raise CommandError(f"nothing is kept about {user}: no event of theirs was seen, or they were forgotten")
    return profile
