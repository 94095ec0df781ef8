"""What a person is shown: the interface of all lists, and the simple ones that need no model.

The site's lists and the mails' come from the same place; a policy differs from another in this, in its hours, or in
whether it writes at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Protocol

from evaluation.policies.audience import Audience
from evaluation.policies.shelf import Shelf
from evaluation.replay_file import Record
from processors.decay import EMPTY, add
from schemas.behaviour import Apply, Save, View
from schemas.catalogue import Item, User
from schemas.decisions import RecommendedItem
from schemas.decode import Retired

SIZE: Final = 10
NEAR_KM: Final = 50.0
HOUR_MS: Final = 3_600_000
WEEK_MS: Final = 168 * HOUR_MS

Items = tuple[RecommendedItem, ...]


class Lists(Protocol):
    """Where the items come from."""

    def take(self, record: Record) -> None:
        """Note one record; all come in the order of time."""

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        """The id and the items of the list that the site shows."""

    def mail(self, user_id: str, now_ms: int) -> Items:
        """What a mail at `now_ms` would hold."""

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        """What goes out once it is decided that a mail goes: the same, but for ablations of the items."""


class Shelved(ABC):
    """A list of live items, whatever tells which."""

    source = "rule"

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.shelf = Shelf()
        self._count = 0
        self._swept_ms = 0

    def take(self, record: Record) -> None:
        if isinstance(record.value, Item) or (isinstance(record.value, Retired) and record.topic == "items"):
            self.shelf.take(record.value)
        if record.at_ms - self._swept_ms > HOUR_MS:
            self._swept_ms = record.at_ms
            self.shelf.drop_expired(record.at_ms)

    @abstractmethod
    def mail(self, user_id: str, now_ms: int) -> Items:
        """The list of one person."""

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        self._count += 1
        return f"{self.source}-{self._count}", self.mail(user_id, now_ms)

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        return items


class ByRule(Shelved):
    """A list that a rule over the live items gives; subclasses say which rule."""

    @abstractmethod
    def chosen(self, user: User, now_ms: int) -> Sequence[str]:
        """Item ids, the best first; the first `SIZE` count."""

    def mail(self, user_id: str, now_ms: int) -> Items:
        person = self.audience.people.get(user_id)
        ids = self.chosen(person.row, now_ms) if person is not None else ()
        return as_items([i for i in ids if self.shelf.is_live(i, now_ms)][:SIZE], self.source)


class Newest(ByRule):
    """The listing: what was posted last, the same for everybody."""

    source = "newest"

    def __init__(self, audience: Audience) -> None:
        super().__init__(audience)
        self._made: tuple[int, int] = (-1, -1)
        self._listing: list[str] = []

    def chosen(self, user: User, now_ms: int) -> Sequence[str]:
        made = (self.shelf.version, now_ms // HOUR_MS)
        if made != self._made:
            self._made, self._listing = made, self.shelf.newest(now_ms)[: 4 * SIZE]
        return self._listing


class SavedSearch(ByRule):
    """Place and query of the saved searches, the newest first; without any, the stated titles near home.

    Who said neither gets what is new near home.
    """

    source = "saved-search"

    def __init__(self, audience: Audience) -> None:
        super().__init__(audience)
        self._found: dict[tuple[str, str, float], tuple[int, list[str]]] = {}

    def chosen(self, user: User, now_ms: int) -> Sequence[str]:
        wanted = user.preferences
        searches = [(alert.query, _radius_km(alert.filters)) for alert in user.alerts]
        if not searches and wanted is not None:
            searches = [(title, NEAR_KM) for title in wanted.titles or ()]
        found = {item_id for query, radius_km in searches for item_id in self._search(query, radius_km, user, now_ms)}
        if not searches:
            found = set(self._search("", NEAR_KM, user, now_ms))
        return sorted(found, key=lambda i: (-(self.shelf.items[i].posted_ms or 0), i))

    def _search(self, query: str, radius_km: float, user: User, now_ms: int) -> list[str]:
        home, shelf = user.location, self.shelf
        place = f"{home.lat},{home.lon}" if home is not None else ""
        known = self._found.get((query, place, radius_km))
        if known is None or known[0] != shelf.version:
            hits = shelf.search(query) if query else set(shelf.items)
            near = [i for i in hits if shelf.is_near(i, home, radius_km) and shelf.is_live(i, now_ms)]
            near.sort(key=lambda i: (-(shelf.items[i].posted_ms or 0), i))
            known = self._found[query, place, radius_km] = (shelf.version, near[: 4 * SIZE])
        return [i for i in known[1] if i in shelf.items]


class Popular(ByRule):
    """What was acted on most of late (decayed, half-life a week; an application counts four looks), near home."""

    source = "popular"

    def __init__(self, audience: Audience) -> None:
        super().__init__(audience)
        self._levels: dict[str, float] = {}
        self._made: dict[str, tuple[int, list[str]]] = {}

    def take(self, record: Record) -> None:
        super().take(record)
        value = record.value
        if isinstance(value, View | Save | Apply):
            weight = 4.0 if isinstance(value, Apply) else 1.0
            self._levels[value.item_id] = add(self._levels.get(value.item_id, EMPTY), value.ts_ms, weight, WEEK_MS)

    def chosen(self, user: User, now_ms: int) -> Sequence[str]:
        home = user.location
        place = f"{home.lat},{home.lon}" if home is not None else ""
        hour = now_ms // HOUR_MS
        known = self._made.get(place)
        if known is None or known[0] != hour:
            shelf = self.shelf
            near = [i for i in self._levels if shelf.is_live(i, now_ms) and shelf.is_near(i, home, NEAR_KM)]
            near.sort(key=lambda i: (-self._levels[i], i))
            known = self._made[place] = (hour, near[: 4 * SIZE])
        return known[1]


def as_items(item_ids: Sequence[str], source: str) -> Items:
    """A list without scores."""
    return tuple(RecommendedItem(i, rank, 0.0, source, ()) for rank, i in enumerate(item_ids, 1))


def _radius_km(filters: dict[str, Any] | None) -> float:
    radius_km = (filters or {}).get("radius_km", NEAR_KM)
    return float(radius_km) if isinstance(radius_km, int | float) else NEAR_KM
