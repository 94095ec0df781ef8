"""Why an item may not be shown to a person, in words: `eligibility.eligible` told one rule at a time."""

from typing import Final

import numpy as np
from msgspec import Struct

from processors.dislikes import IN_WORDS, disliked, dislikes_of
from processors.eligibility import in_place
from processors.identity import hash64
from processors.popularity import DAY_MS
from processors.profile import Profile
from processors.replica import Replica
from processors.taste import Taste

REFUSED_BY_SLATE: Final = {
    "repost": "another item of the same brand, title and place is in the list",
    "brand": "the list has as many of its brand as one list may have",
    "seen": "the list has as many items dealt with before as one list may have",
}


class Objection(Struct, frozen=True):
    """`code` for scripts, `words` for people."""

    code: str
    words: str


def objections(row: int, profile: Profile, taste: Taste, now_ms: int, replica: Replica) -> list[Objection]:
    """Every rule that keeps the item of a row (not 0) out; none where it may be shown."""
    catalogue, pack = replica.catalogue, replica.pack
    item_id = catalogue.item_id(row)
    posted_ms, expires_ms = int(catalogue.posted_ms[row]), int(catalogue.expires_ms[row])
    found: list[Objection] = []
    if catalogue.until_ms[row] < 0:
        found.append(Objection("unavailable", "it is not available"))
    if expires_ms <= now_ms:
        found.append(Objection("expired", f"it expired {_ago(now_ms - expires_ms)}"))
    if posted_ms > now_ms:
        found.append(Objection("not_posted", "it is not posted yet"))
    if pack.max_age_d is not None and posted_ms and posted_ms <= now_ms - pack.max_age_d * DAY_MS:
        found.append(Objection("too_old", f"it was posted {_ago(now_ms - posted_ms)}, over {pack.max_age_d:g} days"))
    if profile.is_dismissed(item_id):
        reason = profile.dismissed[item_id][1]
        found.append(Objection("dismissed", f"they dismissed it ({reason})"))
    if pack.applied == "exclude" and (profile.has_applied(item_id) or hash64(item_id) in profile.applied_items):
        found.append(Objection("applied", "they applied for it already"))
    salary = float(catalogue.salary_max[row])
    if pack.salary_veto and taste.min_salary is not None and salary < taste.min_salary:
        words = f"it pays up to {salary:,.0f} a year, below the {taste.min_salary:,.0f} they asked for"
        found.append(Objection("salary", words))
    if taste.wants_remote and pack.remote_veto and not catalogue.remote[row]:
        found.append(Objection("not_remote", "it is on site, and they want remote work"))
    if taste.wanted is not None and not in_place(np.array([row]), taste.wanted, taste.radius_km, catalogue, pack)[0]:
        where = catalogue.city_name(row) or catalogue.regions.name(int(catalogue.region[row]))
        found.append(Objection("place", f"it is in {where or 'another country'}, not where they want to be"))
    return found


def alike_dismissed(row: int, profile: Profile, now_ms: int, replica: Replica) -> tuple[Objection, ...]:
    """What an item has in common with those that the person dismissed for it."""
    bits = int(disliked(np.array([row]), dislikes_of(profile, now_ms, replica.catalogue), replica.catalogue)[0])
    return tuple(
        Objection("like_dismissed", f"it {words} they dismissed for that")
        for bit, words in IN_WORDS.items()
        if bits & bit
    )


def _ago(age_ms: float) -> str:
    """>>> _ago(3 * DAY_MS), _ago(7_300_000)
    ('3 days ago', '2 hours ago')
    """
    days = age_ms / DAY_MS
    return f"{days:.0f} days ago" if days >= 2.0 else f"{days * 24:.0f} hours ago"
