"""The list that is judged: the pipeline's own, for one person, at one moment.

`new` leaves out the person's own items, `cold` all that anyone acted on; `recommend` cannot be told so yet, so that a
longer list is asked for and what is not a candidate is passed over, which gives the same places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from processors.pack import Pack
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.replica import Replica
from schemas.decisions import RecommendedItem

LIST: Final = 20
"""Places that are judged."""
UNBOUNDED: Final = 1_000_000

Allowed = Callable[[str], bool]


def judging_pack(pack: Pack) -> Pack:
    """The pack without what shapes a slate: caps, diversity, exploration, answers. Filters and weights stay."""
    return msgspec.structs.replace(
        pack, max_per_brand=UNBOUNDED, max_seen=UNBOUNDED, diversity=0.0, explore=0, answers=0
    )


def ask(
    profile: Profile, now_ms: int, replica: Replica, rng: Randomness, allowed: Allowed | None = None, extra: int = 0
) -> list[str]:
    """The ids of the best `LIST` items that are `allowed` (None: all are); `extra` items are expected not to be."""
    if allowed is None:
        return _ids(recommend(profile, now_ms, replica, rng, limit=LIST, explained=False))
    limit = LIST + extra
    while True:
        listed = _ids(recommend(profile, now_ms, replica, rng, limit=limit, explained=False))
        chosen = [item_id for item_id in listed if allowed(item_id)]
        if len(chosen) >= LIST or len(listed) < limit:
            return chosen[:LIST]
        limit *= 4


def _ids(items: tuple[RecommendedItem, ...]) -> list[str]:
    return [item.item_id for item in items]
