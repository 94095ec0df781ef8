"""What the mailer knows of items and people: folded from Kafka, read from two threads.

Only what a mail needs is kept; descriptions are not. Of `users` and `preferences` the newer counts, field by field, by
the same rule as in profiles (processors/stated.py).
"""

import threading
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.identity import hash64
from processors.profile import Profile
from processors.stated import state_preference, state_user, withdraw_user
from schemas.behaviour import Apply, Erasure, Event, Preference, Send, Unsubscribe
from schemas.catalogue import Item, User
from schemas.decode import Retired

TOPICS: Final = ("items", "users", "unsubscribes", "preferences", "applies", "sends", "erasures")
MAX_APPLIED: Final = 32
"""Applications kept of one person: the latest count, for a mail that was already on its way."""


class Reader(Struct):
    """What is known of one person."""

    profile: Profile
    address: str | None = None
    unsubscribed_ms: int = -1
    opted_in_ms: int = -1
    erased_ms: int = -1
    applied: dict[str, int] = {}
    """Item -> when it was last applied for or bought (ms)."""

    @property
    def unsubscribed(self) -> bool:
        """Whether they asked for no more mail and have not asked for mail since."""
        chosen = self.profile.stated.get("frequency")
        asked_ms = self.opted_in_ms
        if chosen is not None and chosen.source == "preferences" and chosen.value != "paused":
            asked_ms = max(asked_ms, chosen.ts_ms)
        return self.unsubscribed_ms >= 0 and asked_ms <= self.unsubscribed_ms

    def paused(self, now_ms: int) -> bool:
        """Whether they want to hear nothing at this time."""
        return self.said("frequency") == "paused" or (self.said("pause_until_ms") or 0) > now_ms

    def said(self, field: str) -> Any:
        """What was stated last about a field, or None."""
        return self.profile.said(field)


class Known:
    """Items and people by id. `apply` folds one record; everything may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[str, Item] = {}
        self._readers: dict[str, Reader] = {}
        self._dearer_ms: dict[str, int] = {}
        self._sent: set[int] = set()

    def apply(self, record: Event | Item | User | Retired, topic: str, appended_ms: int) -> None:
        """Fold one decoded record; `appended_ms` is when the broker took it."""
        with self._lock:
            match record:
                case Item():
                    self._take_item(record, appended_ms)
                case Retired(key=key) if topic == "items":
                    self._items.pop(key, None)
                case Retired(key=key):
                    reader = self._reader(key)
                    withdraw_user(reader.profile)
                    reader.address = None
                case User():
                    self._take_user(record, appended_ms)
                case Event() if record.ts_ms <= self._erased_ms(record.user_id):
                    pass
                case Preference():
                    state_preference(self._reader(record.user_id).profile, record)
                case Unsubscribe():
                    reader = self._reader(record.user_id)
                    reader.unsubscribed_ms = max(reader.unsubscribed_ms, record.ts_ms)
                case Apply():
                    applied = self._reader(record.user_id).applied
                    applied[record.item_id] = max(record.ts_ms, applied.pop(record.item_id, 0))
                    while len(applied) > MAX_APPLIED:
                        del applied[next(iter(applied))]
                case Send():
                    self._sent.add(hash64(record.send_id))
                case Erasure():
                    self._readers[record.user_id] = Reader(Profile(), erased_ms=record.ts_ms)
                case _:
                    pass

    def item(self, item_id: str) -> Item | None:
        with self._lock:
            return self._items.get(item_id)

    def reader(self, user_id: str) -> Reader:
        """What is known of a person; of a stranger, nothing."""
        with self._lock:
            return self._readers.get(user_id) or Reader(Profile())

    def dearer_since(self, item_id: str, ts_ms: int) -> bool:
        """Whether the price of an item went up after a time."""
        with self._lock:
            return self._dearer_ms.get(item_id, -1) > ts_ms

    def was_sent(self, send_id: str) -> bool:
        """Whether some mailer said that this mail went out."""
        with self._lock:
            return hash64(send_id) in self._sent

    def _erased_ms(self, user_id: str) -> int:
        reader = self._readers.get(user_id)
        return reader.erased_ms if reader else -1

    def _reader(self, user_id: str) -> Reader:
        return self._readers.setdefault(user_id, Reader(Profile()))

    def _take_item(self, item: Item, appended_ms: int) -> None:
        before = self._items.get(item.item_id)
        if before and before.price and item.price and item.price.amount > before.price.amount:
            self._dearer_ms[item.item_id] = appended_ms
        self._items[item.item_id] = msgspec.structs.replace(item, text="", attributes=None)

    def _take_user(self, user: User, appended_ms: int) -> None:
        reader = self._reader(user.user_id)
        ts_ms = user.ts_ms if user.ts_ms is not None else appended_ms
        if ts_ms <= reader.erased_ms:
            return
        state_user(reader.profile, user, ts_ms)
        address = (user.attributes or {}).get("email")
        reader.address = address if isinstance(address, str) else None
        if user.email_opt_in:
            reader.opted_in_ms = max(reader.opted_in_ms, ts_ms)
