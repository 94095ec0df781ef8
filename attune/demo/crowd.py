"""Feeding the simulated market to Kafka: what was, then what goes on, in a thread."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from confluent_kafka import KafkaException
from msgspec import Raw

from simulation.world import Record
from streams.admin import BrokerError
from streams.clock import wall_ms
from streams.feeding import Feeder
from streams.replay_file import Row
from streams.settings import Settings

RATE_PER_S: Final = float(os.environ.get("ATTUNE_TEST_DEMO_RATE", "40"))
"""Events a second; a benchmark asks for more."""
_encode = msgspec.json.Encoder().encode


class Market(Protocol):
    """What goes on by itself."""

    def feed(
        self, rate_per_s: float, clock_ms: Callable[[], int], sleep: Callable[[float], None] = ...
    ) -> Iterator[Record]:
        """Behaviour without end."""


class Crowd:
    """Everyone but the two people of the story."""

    def __init__(self, settings: Settings, market: Market, rate_per_s: float = RATE_PER_S) -> None:
        self.market = market
        self._rate_per_s = rate_per_s
        self.sent: Counter[str] = Counter()
        self._feeder = Feeder(settings)
        self._own = Feeder(settings)  # the story's own, so that no two threads share a producer
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    def send(self, records: Iterable[dict[str, Any]]) -> int:
        """Send records and wait until they are acknowledged. Returns how many there were."""
        return self._feed(self._own, records)

    def start(self) -> None:
        """Let the market go on, live."""
        self._thread.start()

    def stop(self) -> None:
        """End the live feed."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    @property
    def events(self) -> int:
        """Events sent, the catalogue not counted."""
        return sum(count for topic, count in self.sent.items() if topic not in {"items", "users"})

    def is_learned(self, status: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether everything sent so far is applied, taught and learned, by what the worker's processes say."""
        behaviour, learner, sink = (status.get(role, {}) for role in ("behaviour", "learner", "sink"))
        if not (behaviour.get("ready") and learner.get("ready") and sink.get("ready")):
            return False
        taken = sum(behaviour[name] for name in ("applied", "duplicates", "rows", "dead_letters"))
        return bool(
            taken >= sum(self.sent.values()) and learner["applied"] + learner["duplicates"] >= behaviour["examples"]
        )

    def _feed(self, feeder: Feeder, records: Iterable[dict[str, Any]]) -> int:
        count = 0
        for count, record in enumerate(records, 1):  # noqa: B007
            self._pass_on(feeder, record)
        feeder.finish()
        return count

    def _pass_on(self, feeder: Feeder, record: dict[str, Any]) -> None:
        refused = feeder.send(Row(record["topic"], record["key"], Raw(_encode(record["value"]))))
        if refused is None:
            self.sent[record["topic"]] += 1

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _run(self) -> None:
        try:
            for record in self.market.feed(self._rate_per_s, wall_ms, self._pause):
                if self._stopping.is_set():
                    return
                self._pass_on(self._feeder, record)
                self._feeder.poll()
        except (BrokerError, KafkaException):
            return  # the embedded broker went away: the demo is ending
