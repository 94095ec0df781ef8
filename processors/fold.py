"""How one event changes a profile: the fold that the whole state is made of."""

from bisect import insort
from operator import attrgetter
from typing import Final

from processors.actions import APPLY, UNSAVE, action_of, weights
from processors.decay import EMPTY, add
from processors.effects import Arrival
from processors.exposure import MOST, note_shown
from processors.heavy_hitters import observe
from processors.identity import hash64
from processors.pack import Pack
from processors.profile import (
    BRAND,
    CATEGORY,
    LAST_ACTIONS,
    LAST_QUERIES,
    MAX_APPLIED,
    MAX_DISMISSED,
    MAX_QUERY_CHARS,
    REGION,
    TAG,
    TOP_AFFINITIES,
    Action,
    Asked,
    Profile,
)
from processors.site_hours import forget_action
from processors.stated import state_preference, state_user, withdraw_user
from schemas.behaviour import Dismissal, Event, Impression, ItemEvent, Preference, Search, Send
from schemas.catalogue import Item, User

DAY_MS: Final = 86_400_000
PLACE: Final = attrgetter("ts_ms", "topic", "offset")
"""An action's place in the order of a person's actions."""


def fold(profile: Profile, arrival: Arrival, item: Item | None, pack: Pack) -> None:
    """Apply one admitted record to the profile, in place.

    `item` is the catalogue's row of the item acted on, where it is known: affinities need it.
    """
    profile.totals[arrival.topic] = profile.totals.get(arrival.topic, 0) + 1
    match arrival.event:
        case ItemEvent() as event:
            _act(profile, event, arrival, item, pack)
        case Dismissal() as event:
            _dismiss(profile, event)
        case Preference() as event:
            state_preference(profile, event)
        case User() as user:
            state_user(profile, user, arrival.appended_ms if user.ts_ms is None else user.ts_ms, pack.attributes)
        case Search() as event:
            _ask(profile, Asked(event.ts_ms, arrival.topic, arrival.offset, event.query[:MAX_QUERY_CHARS]))
        case Impression() | Send() as event:
            note_shown(profile, arrival.topic, event.item_ids[:MOST], event.ts_ms)
        case Event():
            pass
        case _:
            withdraw_user(profile)
    if isinstance(arrival.event, Event) and arrival.event.ts_ms > profile.last_event_ms:
        profile.last_event_ms = arrival.event.ts_ms


def _act(profile: Profile, event: ItemEvent, arrival: Arrival, item: Item | None, pack: Pack) -> None:
    kind = action_of(event)
    if kind is None:
        raise AssertionError(f"{type(event).__name__} is no action on an item")
    action = Action(event.ts_ms, arrival.topic, arrival.offset, event.item_id, kind, event.dwell_ms)
    actions = profile.actions
    if not actions or action.ts_ms > actions[-1].ts_ms:
        actions.append(action)
    else:
        insort(actions, action, key=PLACE)
    if len(actions) > LAST_ACTIONS:
        gone = actions.pop(0)
        if profile.sending is not None:
            forget_action(profile, profile.sending, gone)
    if event.query:
        _ask(profile, Asked(event.ts_ms, arrival.topic, arrival.offset, event.query[:MAX_QUERY_CHARS]))
    profile.dwell_ms += event.dwell_ms or 0
    if kind == UNSAVE:
        return
    half_lives_d = pack.counter_half_lives_d
    levels = profile.counters.setdefault(kind, [EMPTY] * len(half_lives_d))
    for i, half_life_d in enumerate(half_lives_d):
        levels[i] = add(levels[i], event.ts_ms, 1.0, half_life_d * DAY_MS)
    if kind == APPLY and pack.applied == "exclude":
        _remember_applied(profile, event.item_id)
    if item is not None:
        _like(profile, item, event.ts_ms, weights(pack.actions)[kind], pack)


def _ask(profile: Profile, asked: Asked) -> None:
    insort(profile.queries, asked)
    del profile.queries[:-LAST_QUERIES]


def _like(profile: Profile, item: Item, ts_ms: int, weight: float, pack: Pack) -> None:
    half_life_ms = pack.affinity_half_life_d * DAY_MS
    region = item.location.region if item.location is not None else None
    for kind, keys in (
        (CATEGORY, item.categories),
        (TAG, item.tags),
        (BRAND, (item.brand,) if item.brand else ()),
        (REGION, (region,) if region else ()),
    ):
        if keys:
            sketch = profile.affinities.setdefault(kind, {})
            for key in keys:
                observe(sketch, key, ts_ms, weight, half_life_ms, TOP_AFFINITIES)


def _remember_applied(profile: Profile, item_id: str) -> None:
    hashed = hash64(item_id)
    if hashed in profile.applied_items:
        profile.applied_items.remove(hashed)
    profile.applied_items.append(hashed)
    del profile.applied_items[:-MAX_APPLIED]


def _dismiss(profile: Profile, event: Dismissal) -> None:
    known = profile.dismissed.get(event.item_id)
    if known is not None and known[0] > event.ts_ms:
        return
    profile.dismissed[event.item_id] = (event.ts_ms, None if event.undo else event.reason)
    if len(profile.dismissed) > MAX_DISMISSED:
        oldest = min(profile.dismissed, key=lambda item_id: (profile.dismissed[item_id][0], item_id))
        del profile.dismissed[oldest]
