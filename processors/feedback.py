"""Lists that were shown, joined with what followed: labelled examples with the features of the decision.

A profile keeps its latest lists with the features that their places had when they were decided. An impression or a mail
that went out says which places were seen: each becomes a negative at once; an action on the item within the pack's
attribution window, whichever of the two arrives first, makes it a positive (processors/response_heads.py repairs). A
list of which the profile knows nothing (another system's, or one long gone) takes the features of the moment in which
it was shown. The last list that showed an item before the action has the credit.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from processors.actions import APPLY, APPLY_START, UNSAVE
from processors.identity import hash64
from processors.pack import Pack
from processors.profile import Profile, Shown
from processors.recommend import ranked
from processors.replica import Replica
from processors.response import ACTED, APPLIED, SHOWN, packed, unpacked
from processors.response_features import features_of
from processors.slate import Place
from processors.taste import taste_of
from schemas.behaviour import Impression, Send
from schemas.learning import Feedback

MOST_PLACES: Final = 16
"""Places of a list that are kept."""
MOST_DECIDED: Final = 2
"""Lists kept that nobody has seen yet."""
MOST_SHOWN: Final = 3
"""Lists kept that were seen."""


def remember(profile: Profile, list_id: str, item_ids: Sequence[str], features: np.ndarray, now_ms: int) -> None:
    """Keep a list that was decided, with the features of its places."""
    hashed = hash64(list_id)
    if all(known.list_hash != hashed for known in profile.lists):
        items = [hash64(item_id) for item_id in item_ids[:MOST_PLACES]]
        profile.lists.append(Shown(hashed, now_ms, items, packed(features[:MOST_PLACES])))
        _forget_old(profile)


def shown(profile: Profile, event: Impression | Send, replica: Replica) -> tuple[Feedback, ...]:
    """What an impression or a mail says; the profile need not know the event yet."""
    list_id = event.rec_id or (event.digest_id or event.send_id if isinstance(event, Send) else "")
    if not event.item_ids or not list_id:
        return ()
    found = _known(profile, hash64(list_id)) or _of_now(profile, list_id, event, replica)
    if found.seen:
        found.ts_ms = min(found.ts_ms, event.ts_ms)
    else:
        found.ts_ms = event.ts_ms
    places = [found.items.index(hashed) for hashed in map(hash64, event.item_ids) if hashed in found.items]
    places = sorted({place for place in places if not found.seen >> place & 1})
    if not places:
        return ()
    for place in places:
        found.seen |= 1 << place
    told = [_feedback(found, SHOWN, places)]
    until_ms = found.ts_ms + replica.pack.attribution_ms
    by_item = {found.items[place]: place for place in places}
    for action in profile.actions:
        if action.kind != UNSAVE and found.ts_ms <= action.ts_ms <= until_ms:
            acted_on = by_item.get(hash64(action.item_id))
            if acted_on is not None:
                told += _acted(found, acted_on, action.kind)
    _forget_old(profile)
    return tuple(told)


def acted(
    profile: Profile, item_id: str, kind: int, ts_ms: int, list_id: str | None, pack: Pack
) -> tuple[Feedback, ...]:
    """What an action says of the lists that showed its item."""
    hashed, named = hash64(item_id), hash64(list_id) if list_id else None
    showed = [
        found
        for found in profile.lists
        if found.ts_ms <= ts_ms <= found.ts_ms + pack.attribution_ms
        and hashed in found.items
        and found.seen >> found.items.index(hashed) & 1
    ]
    if kind == UNSAVE or not showed:
        return ()
    latest = max(showed, key=lambda found: (found.list_hash == named, found.ts_ms, found.list_hash))
    return tuple(_acted(latest, latest.items.index(hashed), kind))


def _acted(found: Shown, place: int, kind: int) -> list[Feedback]:
    told: list[Feedback] = []
    if not found.acted >> place & 1:
        found.acted |= 1 << place
        told.append(_feedback(found, ACTED, [place]))
    if kind in {APPLY_START, APPLY} and not found.applied >> place & 1:
        found.applied |= 1 << place
        told.append(_feedback(found, APPLIED, [place]))
    return told


def _known(profile: Profile, hashed: int) -> Shown | None:
    return next((found for found in profile.lists if found.list_hash == hashed), None)


def _of_now(profile: Profile, list_id: str, event: Impression | Send, replica: Replica) -> Shown:
    """A list that the profile does not know, with the features that its items have now."""
    now_ms = event.ts_ms
    taste = taste_of(profile, now_ms, replica)
    ranking = ranked(profile, taste, now_ms, replica)
    item_ids = list(dict.fromkeys(event.item_ids))[:MOST_PLACES]
    rows = replica.catalogue.rows_of(item_ids)
    position_of = {row: position for position, row in enumerate(ranking.candidates.rows.tolist())}
    worst = int(ranking.order[-1]) if len(ranking.order) else -1
    places = [Place(ranking, position_of.get(row, worst), row) for row in rows]
    by_mail = isinstance(event, Send) or event.surface == "email"
    table = features_of(places, profile, taste, now_ms, replica, by_mail) if worst >= 0 else np.zeros((0, 0))
    items = [hash64(item_id) for item_id in item_ids]
    found = Shown(hash64(list_id), now_ms, items if worst >= 0 else [], packed(table))
    profile.lists.append(found)
    return found


def _feedback(found: Shown, outcome: int, places: list[int]) -> Feedback:
    return Feedback(outcome, found.list_hash, tuple(places), packed(unpacked(found.features)[places]))


def _forget_old(profile: Profile) -> None:
    """Keep the latest few, of those that were seen and of those that were not."""
    for is_seen, most in ((True, MOST_SHOWN), (False, MOST_DECIDED)):
        kept = sorted((found for found in profile.lists if bool(found.seen) is is_seen), key=_age, reverse=True)
        for old in kept[most:]:
            profile.lists.remove(old)


def _age(found: Shown) -> tuple[int, int]:
    return found.ts_ms, found.list_hash
