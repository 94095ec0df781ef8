"""Ends a process whose consumer died silently (there is work, the broker answers, and nothing is committed), whose
topic was made anew behind its back, or that does not stop in time when told to.

It runs in a thread of its own, outside the event loop, and asks the broker itself. Recovery and broker outages do not
count: a worker that is reading its state back, or that nobody could serve, is not stuck.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.clock import boottime_s
from streams.failstop import REFUSED_EXIT, stop_process
from streams.settings import Settings

LOOK_EVERY_S: Final = 5.0
ASK_S: Final = 3.0
STOP_DEADLINE_S: Final = 25.0


def _loudly(watch: Callable[[], None]) -> None:
    """A watchdog that dies must not do so in silence."""
    try:
        watch()
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing watches any more
        stop_process(f"the watchdog ended: {error!r}")


Committed = dict[tuple[str, int], int]


class Watchdog:
    """`topics` are those that the process reads; `assigned` names its partitions while it is running normally, and is
    empty otherwise; `stopping` says whether the process has been told to stop.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        assigned: Callable[[], list[tuple[str, int]]],
        stopping: Callable[[], bool],
    ) -> None:
        self.settings = settings
        self.group = group
        self.topics = list(topics)
        self.assigned = assigned
        self.stopping = stopping
        self.admin = AdminClient({"bootstrap.servers": settings.bootstrap, "log_level": 0, **settings.kafka})
        self.topic_ids: dict[str, str] = {}

    def start(self) -> None:
        for target in (self._watch_commits, self._watch_stop):
            threading.Thread(target=_loudly, args=(target,), name="watchdog", daemon=True).start()

    def _watch_stop(self) -> None:
        while not self.stopping():
            time.sleep(0.5)
        time.sleep(STOP_DEADLINE_S)
        stop_process(f"did not stop within {STOP_DEADLINE_S:.0f} s")

    def _watch_commits(self) -> None:
        reader = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap,
                "group.id": self.group,
                "enable.auto.commit": False,
                "log_level": 0,
                **self.settings.kafka,
            }
        )
        seen: Committed = {}
        moved_s = boottime_s()
        while True:
            self.look_at_topics()
            time.sleep(LOOK_EVERY_S)
            found = self._lagging(reader)
            if not found or found != seen:
                seen, moved_s = found or {}, boottime_s()
            elif boottime_s() - moved_s > self.settings.watchdog_s:
                names = ", ".join(f"{topic}-{partition}" for topic, partition in sorted(found)[:5])
                stop_process(f"nothing was committed for {self.settings.watchdog_s:.0f} s although {names} lag")

    def look_at_topics(self) -> None:
        """A topic that was deleted and made again counts from 0: its records would look as if they had been applied."""
        described = self.admin.describe_topics(TopicCollection(self.topics), request_timeout=ASK_S)
        for name, future in described.items():
            try:
                found = str(future.result(ASK_S).topic_id)
            except (KafkaException, TimeoutError):
                continue  # a broker that is away, or too simple for the question
            if self.topic_ids.setdefault(name, found) != found:
                stop_process(
                    f"{name} was made anew under the running group; events in it would look applied"
                    " (docs/runbook: a new state epoch)",
                    REFUSED_EXIT,
                )

    def _lagging(self, reader: Consumer) -> Committed | None:
        """Partition -> committed offset of every assigned partition with lag; None where that cannot be known now."""
        assigned = self.assigned()
        if not assigned:
            return None
        try:
            committed = reader.committed([TopicPartition(*key) for key in assigned], timeout=ASK_S)
            lagging: Committed = {}
            for tp in committed:
                _, end = reader.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), timeout=ASK_S)
                if max(tp.offset, 0) < end:
                    lagging[tp.topic, tp.partition] = tp.offset
        except KafkaException:
            return None
        return lagging if self.assigned() == assigned else None
