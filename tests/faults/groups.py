"""Groups of a consumer each, that are hurt in the ways on-call knows: slow, stuck, stopped, gone back, overtaken."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, Producer, TopicPartition

TICK_S = 0.5
PRODUCED = 10
"""Records a tick and topic."""
PLENTY = 3 * PRODUCED


@dataclass
class Member:
    """The only member of the group `topic`: handles `takes` records a tick of partition 0, and commits."""

    bootstrap: str
    topic: str
    takes: int = PLENTY

    def __post_init__(self) -> None:
        self._place = 0
        self._consumer: Consumer | None = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": self.topic,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        self._consumer.subscribe([self.topic])

    def work(self) -> None:
        """A tick: what there is, at most `takes`; then a commit of where it is, also when nothing was handled."""
        if self._consumer is None:
            return
        if self.takes:
            for message in self._consumer.consume(self.takes, TICK_S / 10):
                self._place = (message.offset() or 0) + 1
        else:
            self._consumer.pause(self._consumer.assignment())
            self._consumer.poll(0)  # alive, as its group sees it
        if self._consumer.assignment():
            self._consumer.commit(offsets=[TopicPartition(self.topic, 0, self._place)], asynchronous=False)

    def go_back(self, takes: int) -> None:
        """To the log's start, and on from there."""
        assert self._consumer is not None
        self._consumer.seek(TopicPartition(self.topic, 0, 0))
        self._place, self.takes = 0, takes

    def leave(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


class Groups:
    """Every member works, and every topic gets records, twice a second, in a thread: a context manager."""

    def __init__(self, bootstrap: str, topics: Mapping[str, str]) -> None:
        self.members = {scene: Member(bootstrap, topic) for scene, topic in topics.items()}
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        self._orders: list[Callable[[], None]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="groups", daemon=True)

    def order(self, act: Callable[[], None]) -> None:
        """Do it between two ticks: a consumer belongs to its thread."""
        self._orders.append(act)

    def _run(self) -> None:
        while not self._end.wait(TICK_S):
            while self._orders:
                self._orders.pop(0)()
            for member in self.members.values():
                for _ in range(PRODUCED):
                    self._producer.produce(member.topic, b"x", partition=0)
            self._producer.flush(10)
            for member in self.members.values():
                member.work()
        for member in self.members.values():
            member.leave()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(30)
