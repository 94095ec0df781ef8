"""How much one person may teach the models: a bot, or a click farm's account, weighs no more than a very busy person.

Two bounds, both on event time. A leaky bucket for each source topic (Turner 1986): `teach_burst` examples at once, and
`teach_per_minute` more a minute; time that runs backwards refills nothing, and events from the future are dead letters,
so that dates cannot be chosen to get round it. And the same person teaches with the same item at most
`teach_same_item` times a day. What is not taught is still folded into the person's own profile.
"""

from processors.effects import Arrival
from processors.pack import Pack
from processors.popularity import DAY_MS
from processors.profile import Profile
from schemas.behaviour import ItemEvent

MINUTE_MS = 60_000.0


def may_teach(profile: Profile, arrival: Arrival, event: ItemEvent, pack: Pack) -> bool:
    """Whether an action, not yet in the profile, teaches; takes its share of the bucket where it does."""
    if _repeats(profile, arrival, event) >= pack.teach_same_item:
        return False
    topic, ts_ms = arrival.topic, event.ts_ms
    level, latest_ms = profile.taught.get(topic, (0.0, ts_ms))
    if ts_ms > latest_ms:
        level = max(level - (ts_ms - latest_ms) * pack.teach_per_minute / MINUTE_MS, 0.0)
        latest_ms = ts_ms
    teaches = level + 1.0 <= pack.teach_burst
    profile.taught[topic] = (level + 1.0 if teaches else level, latest_ms)
    return teaches


def _repeats(profile: Profile, arrival: Arrival, event: ItemEvent) -> int:
    """How often the person did the like with the item in the day before, as far as the profile goes back."""
    since_ms, item_id, topic = event.ts_ms - DAY_MS, event.item_id, arrival.topic
    same = [action for action in profile.actions if action.item_id == item_id]
    return sum(1 for action in same if action.topic == topic and action.ts_ms >= since_ms)
