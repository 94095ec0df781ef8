"""What is live, by words, by place and by age: what a listing page or a saved search goes by."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import Final

from schemas.catalogue import Item, Location
from schemas.decode import Retired

EARTH_KM: Final = 6_371.0
_WORD: Final = re.compile(r"\w+")
_GENERIC: Final = frozenset({"jobs", "job", "in", "and", "the", "of", "for"})


class Shelf:
    """Every item that is there, findable by the words of its title, categories and text."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._by_word: defaultdict[str, set[str]] = defaultdict(set)
        self.version = 0
        """Counts the changes."""

    def take(self, value: Item | Retired) -> None:
        """An item is new, changed or gone."""
        self.version += 1
        item_id = value.key if isinstance(value, Retired) else value.item_id
        known = self.items.pop(item_id, None)
        if known is not None:
            for word in _words_of(known):
                self._by_word[word].discard(item_id)
        if isinstance(value, Item):
            self.items[item_id] = value
            for word in _words_of(value):
                self._by_word[word].add(item_id)

    def is_live(self, item_id: str, now_ms: int) -> bool:
        """Posted, not expired, available."""
        item = self.items.get(item_id)
        return (
            item is not None
            and item.available
            and (item.posted_ms or 0) <= now_ms
            and (item.expires_ms is None or item.expires_ms > now_ms)
        )

    def drop_expired(self, now_ms: int) -> None:
        """Forget what is over for good."""
        over = [i for i, item in self.items.items() if item.expires_ms is not None and item.expires_ms <= now_ms]
        for item_id in over:
            self.take(Retired(item_id))

    def newest(self, now_ms: int) -> list[str]:
        """All that is live, the newest first."""
        live = [i for i in self.items if self.is_live(i, now_ms)]
        live.sort(key=lambda i: (-(self.items[i].posted_ms or 0), i))
        return live

    def search(self, query: str) -> set[str]:
        """Items with every word of the query; words such as "jobs" mean nothing."""
        found: set[str] | None = None
        for word in set(_WORD.findall(query.lower())) - _GENERIC:
            having = self._by_word.get(word, set())
            found = set(having) if found is None else found & having
        return found or set()

    def is_near(self, item_id: str, home: Location | None, radius_km: float) -> bool:
        """Within the radius, or remote; what has no place is near to everybody."""
        item = self.items[item_id]
        place = item.location
        if item.remote or place is None or home is None:
            return True
        return distance_km(place, home) <= radius_km


def distance_km(one: Location, two: Location) -> float:
    """Great-circle distance; infinite where a coordinate is not known.

    >>> round(distance_km(Location(lat=52.52, lon=13.40), Location(lat=48.14, lon=11.58)))
    504
    """
    if one.lat is None or one.lon is None or two.lat is None or two.lon is None:
        return math.inf
    a, b = math.radians(one.lat), math.radians(two.lat)
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(two.lon - one.lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


def _words_of(item: Item) -> set[str]:
    return set(_WORD.findall(" ".join((item.title, item.text, *item.categories)).lower()))
