"""The same world through a real Kafka and in process: the same lists, the same items, the same ids.

With several partitions replicas read `items` in any order between them, and what the text index finds depends on the
order in which items were put. So items are compared on one partition, with the lists shown and mailed, and ids on four,
where nobody is shown anything, so that what people do cannot depend on it.

A few people for a day in every run; 50 people for three days, some minutes each, among the faults.
"""

from pathlib import Path

import pytest

from evaluation.policies.audience import Audience
from evaluation.policies.lists import Items, Lists
from evaluation.policies.policy import Policy
from evaluation.policies.published_lists import PublishedLists
from evaluation.policies.send_rule import at_ten, daily
from evaluation.replay_file import Record as Taken
from evaluation.world_run import WorldRun
from processors.pack import Pack
from schemas.decisions import Recommendation
from simulation.world import Record, World, make_world
from streams.admin import create_topics
from streams.settings import read_settings
from streams.topics import BEHAVIOUR_GROUP
from tests.cli.command import environment
from tests.integration.house import House
from tests.integration.lockstep import KafkaLists
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]

SETTINGS = {
    "clock": "log",
    "log_idle_s": "0",
    "min_interval_ms": "0",  # wakes would fall due by the broker's time, which `users` rows bring into the log
    "flush_ms": "5",
    "model_flush_ms": "5",
    "linger_ms": "0",
    "mails": "false",  # the mails are those of the test's own policy; plans of the workers would teach beside it
}


class Mails:
    """A world whose mails are noted."""

    def __init__(self, users: int, days: int) -> None:
        self.world: World = make_world("jobs", 1, users, days)
        self.sent: list[Record] = []
        deliver = self.world.deliver

        def noted(decision: Record, at_ms: int) -> None:
            self.sent.append(decision)
            deliver(decision, at_ms)

        self.world.deliver = noted  # type: ignore[method-assign]


class Unseen:
    """Lists that are made and shown to nobody."""

    def __init__(self, lists: Lists) -> None:
        self.take = lists.take

    def site(self, user_id: str, now_ms: int) -> tuple[str, Items]:
        return "", ()

    def mail(self, user_id: str, now_ms: int) -> Items:
        return ()

    def sent_instead(self, user_id: str, items: Items, now_ms: int) -> Items:
        return items


def lived(lists: Lists, users: int, days: int) -> tuple[list[Record], dict[str, float]]:
    """A mail a day at ten, of the list that was published last."""
    mails, audience = Mails(users, days), Audience()
    policy = Policy(lists, at_ten, daily, capped=True)
    outcomes = WorldRun(mails.world, policy, audience, days).finish()
    return mails.sent, outcomes


class Watched(PublishedLists):
    """Notes every list that is published."""

    def __init__(self, pack: Pack, partitions: int) -> None:
        super().__init__(pack, partitions)
        self.log: list[Recommendation] = []

    def take(self, record: Taken) -> None:
        super().take(record)
        user = getattr(record.value, "user_id", None)
        newest = self.newest(user) if user else None
        if newest is not None and newest not in self.log[-1:]:
            known = {found.rec_id for found in self.log}
            if newest.rec_id not in known:
                self.log.append(newest)


class FromTheStart(KafkaLists):
    """Starts the workers when the catalogue of items is on its topic, before the first person."""

    def __init__(self, bootstrap: str, log: Path, names: dict[str, str]) -> None:
        self._bootstrap, self._log, self._names = bootstrap, log, names
        settings = read_settings(environment(bootstrap=bootstrap, **names))
        create_topics(settings)
        super().__init__(settings)
        self.house: House | None = None
        self._people_wait = False

    def take(self, record: Taken) -> None:
        if self.house is None and record.topic != "items":
            self.house = House(self._bootstrap, self._log, **self._names)
            self.open()
        if self.house is not None and self._people_wait and record.topic != "users":
            self._people_wait = False  # there is no order between topics: people first
            eventually(lambda: self.house.lag(BEHAVIOUR_GROUP) == 0, 120, 0.5, "everybody known")  # type: ignore[union-attr]
        self._people_wait |= record.topic == "users"
        super().take(record)

    def close(self) -> None:
        super().close()
        if self.house is not None:
            self.house.close()


def told(found: Recommendation) -> tuple[object, ...]:
    """A list without its items, and without what only a clock on the wall can tell."""
    return found.rec_id, found.user_id, found.ts_ms, found.trigger, found.model_version


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_world_through_kafka_is_the_world_in_process(clean_kafka: str, tmp_path: Path, partitions: int) -> None:
    lockstep(clean_kafka, tmp_path, partitions, users=5, days=1)


@pytest.mark.faults
@pytest.mark.parametrize("partitions", [1, 4])
def test_fifty_people_for_three_days(clean_kafka: str, tmp_path: Path, partitions: int) -> None:
    lockstep(clean_kafka, tmp_path, partitions, users=50, days=3)


def lockstep(bootstrap: str, tmp_path: Path, partitions: int, users: int, days: int) -> None:
    names = SETTINGS | {"partitions": str(partitions)}
    here = Watched(read_settings(environment(**names)).pack, partitions)
    there = FromTheStart(bootstrap, tmp_path / "worker.log", names)
    seen = partitions == 1
    mails_here, outcomes_here = lived(here if seen else Unseen(here), users, days)
    assert len(here.log) > 2 * users
    try:
        mails_there, outcomes_there = lived(there if seen else Unseen(there), users, days)
    finally:
        there.close()
    assert list(map(told, there.log)) == list(map(told, here.log))
    assert mails_there == mails_here
    assert outcomes_there == outcomes_here
    if seen:
        assert mails_here
        assert [found.items for found in there.log] == [found.items for found in here.log]
