"""Lists as the workers publish them: one at each event that makes a list due, which the site and the mails then show.

Dearer than lists made when they are read, and staler; it is what runs through Kafka are compared with, id by id.
"""

from __future__ import annotations

from evaluation.driver import Driver
from evaluation.policies.lists import Items
from evaluation.replay_file import Record
from processors.pack import Pack
from schemas.catalogue import Item
from schemas.decisions import Recommendation
from schemas.decode import Retired


class PublishedLists:
    """`partitions`: of every topic keyed by person; ids follow from it."""

    def __init__(self, pack: Pack, partitions: int) -> None:
        self.driver = Driver(pack, publishes=True, partitions=partitions)

    def take(self, record: Record) -> None:
        value, driver = record.value, self.driver
        if isinstance(value, Item):
            driver.put_item(value)
        elif isinstance(value, Retired) and record.topic == "items":
            driver.retire_item(value.key)
        else:
            driver.take(record.topic, record.key, value, record.at_ms)
            driver.catch_up(record.at_ms)

    def newest(self, user_id: str) -> Recommendation | None:
        """What was published for a person last."""
        return self.driver.published.get(user_id.encode())

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        newest = self.newest(user_id)
        return (newest.rec_id, newest.items) if newest is not None else ("", ())

    def mail(self, user_id: str, now_ms: int) -> Items:
        return self.site(user_id, now_ms)[1]

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        return items
