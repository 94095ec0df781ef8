"""Lists of the pipeline itself: live as the workers have them, or frozen at midnight.

A list is made when somebody reads it, at a visit or for a mail, and not at each event as the workers do: by the same
function, with what was learned between event and visit, at a fraction of the cost. Until a further event makes a new
list due the site shows the same one under the same id, which is that of the event.
"""

from __future__ import annotations

from typing import Final

from evaluation.driver import Driver
from evaluation.policies.audience import DAY_MS
from evaluation.policies.lists import SIZE, Items
from evaluation.ranker import RankerMeter
from evaluation.replay_file import Record
from processors.effects import Effect
from processors.feedback import remember
from processors.pack import Pack
from processors.pipeline import LIST_CHANGING
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import decide
from schemas.catalogue import Item
from schemas.decode import Retired

NOBODY: Final = "newcomer"


class LiveLists:
    """Every event is in the next list, as in production.

    The rows of the models go to the replica when a list is read, all at once, not after each event (`eager`): steps
    read none of them, but for those that sample candidates to learn the blend from, where eager is the default.
    """

    def __init__(self, pack: Pack, eager: bool | None = None) -> None:
        self.driver = Driver(pack, slates=True)
        self._eager = pack.models == "blend" if eager is None else eager
        self.meter: RankerMeter | None = None
        """Judges the probabilities of the lists that are shown, where there is one."""
        self._due: dict[str, str] = {}
        """Person -> the event that made the next list due."""
        self._shown: dict[str, tuple[str, Items]] = {}

    def take(self, record: Record) -> None:
        value, driver = record.value, self.driver
        if isinstance(value, Item):
            driver.put_item(value)
            return
        if isinstance(value, Retired) and record.topic == "items":
            driver.retire_item(value.key)
            return
        if self._eager:
            driver.catch_up(record.at_ms)
        outcome = driver.take(record.topic, record.key, value, record.at_ms)
        if self.meter is not None:
            self.meter.take(outcome.effects, record.at_ms, driver.replica)
        self.note(record.key, outcome.effects)
        if isinstance(value, LIST_CHANGING) and outcome.admission == "apply":
            self._due[value.user_id] = outcome.arrival.source_id

    def note(self, key: bytes, effects: list[Effect]) -> None:
        """What a step wanted done."""

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        due = self._due.get(user_id, f"{NOBODY}-{user_id}")
        shown = self._shown.get(user_id)
        if shown is None or shown[0] != due:
            shown = self._shown[user_id] = (due, self._for_site(user_id, now_ms, due))
        return shown

    def mail(self, user_id: str, now_ms: int) -> Items:
        return self._list(user_id, now_ms)

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        return items

    def _for_site(self, user_id: str, now_ms: int, list_id: str) -> Items:
        return self._list(user_id, now_ms, list_id)

    def _list(self, user_id: str, now_ms: int, list_id: str = "") -> Items:
        self.driver.catch_up(now_ms)
        profile = self.driver.profiles.get(user_id.encode()) or Profile()
        rng = Randomness(f"{user_id}/{now_ms}")
        mailed = not list_id
        decided = decide(profile, now_ms, self.driver.replica, rng, limit=SIZE, explained=False, by_mail=mailed)
        if list_id:
            remember(profile, list_id, [item.item_id for item in decided.items], decided.features, now_ms)
        return decided.items


class NightlyLists(LiveLists):
    """The same models and ranker, fed once a day: between two midnights (UTC) nothing learned or done changes a list.

    Who came since midnight gets the list of somebody nothing is known of.
    """

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack)
        self._waiting: list[Record] = []
        self._midnight_ms = 0
        self._lists: dict[str, Items] = {}

    def take(self, record: Record) -> None:
        self._turn_to(record.at_ms)
        self._waiting.append(record)

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        return f"nightly-{user_id}-{now_ms // DAY_MS}", self.mail(user_id, now_ms)

    def mail(self, user_id: str, now_ms: int) -> Items:
        self._turn_to(now_ms)
        if user_id not in self._lists:
            self._lists[user_id] = self._list(user_id, self._midnight_ms)
        return self._lists[user_id]

    def _turn_to(self, now_ms: int) -> None:
        """A batch whose night has come takes all that waited."""
        midnight_ms = now_ms // DAY_MS * DAY_MS
        if midnight_ms <= self._midnight_ms:
            return
        self._midnight_ms = midnight_ms
        self._lists.clear()
        for record in self._waiting:
            super().take(record)
        self._waiting.clear()
