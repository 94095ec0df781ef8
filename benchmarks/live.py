"""How soon what is new counts, under load, on a real Kafka.

python -m benchmarks.live [--rate 300] [--trials 200] [--json]

The packs as they ship, one worker and the learner, while the crowd of a simulated job market acts `--rate` times a
second. In turn:

- an item is published that reads like one other, which people nobody knows save, one every `STEP_S`, until a list of
  theirs answers the save with it: timed from the item to the arrival of that list;
- who got it has had it for longer than the pack's interval between lists, and looks at its first item, the first thing
  they look at: timed from the look to the arrival of a list with other items or reasons, places of chance apart.

Beside that how far the replica lags: from the moment that a flush of the learner is complete on `model` to the first
list that was made with it, and how old what a list was made with is when it arrives.
"""

import argparse
import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from confluent_kafka import Consumer, Message, Producer

from attune.demo.crowd import Crowd
from benchmarks.bars import Bar, print_bars
from benchmarks.load import fresh, watch
from processors.model_rows import MARKER_KEY, decode_marker
from simulation.live import LiveMarket
from streams.producing import make_producer
from streams.settings import Settings, read_settings
from tests.faults.cluster import Cluster
from tests.integration.provision import provide
from tests.integration.waiting import eventually

PEOPLE, ITEMS, BACKLOG = 2_000, 10_000, 30_000
NEW_ITEM, FIRST_CLICK = "new item to a list", "first click to a changed list"
STEP_S = 0.025
BAR_MS = 1_000.0


class Ear:
    """Hears what arrives on `recommendations` and `model`, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.lists: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        """Person -> (second of arrival, list)."""
        self.replica_ms: list[float] = []
        self.age_ms: list[float] = []
        self._complete_s: dict[int, float] = {}
        self._used: set[int] = set()
        self._stopping = threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": settings.bootstrap, "group.id": f"live.{time.time_ns()}", "fetch.wait.max.ms": 5}
        )
        self._consumer.subscribe(["recommendations", "model"])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        self._consumer.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(200, timeout=0.01):
                if message.error() is None and message.value() is not None:
                    self._hear(message, time.time())

    def _hear(self, message: Message, now_s: float) -> None:
        value = message.value() or b""
        if message.topic() == "recommendations":
            told = json.loads(value)
            self.lists.setdefault(told["user_id"], []).append((now_s, told))
            learned = int(told["model_version"].removeprefix("learning-"))
            complete_s = self._complete_s.get(learned)
            if complete_s is not None:
                self.age_ms.append((now_s - complete_s) * 1000)
                if learned not in self._used:
                    self._used.add(learned)
                    self.replica_ms.append((now_s - complete_s) * 1000)
        elif message.key() == MARKER_KEY:
            self._complete_s[decode_marker(value).offset] = message.timestamp()[1] / 1000


def tell(producer: Producer, topic: str, key: str, **value: Any) -> None:
    producer.produce(topic, key=key.encode(), value=json.dumps(value).encode())
    producer.poll(0)


def settled(told: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Items and reasons of a list, without the places drawn by chance."""
    return [(place["item_id"], place["reasons"]) for place in told["items"] if place["propensity"] == 1.0]


def publish(producer: Producer, kind: str, trial: int) -> str:
    """An item whose words only that of another kind of the same trial has."""
    item_id, title = f"{kind}-{trial}", f"Quillwright{trial} Zanthorian{trial} {kind}"
    tell(producer, "items", item_id, item_id=item_id, title=title, posted_ms=int(time.time() * 1000))
    return item_id


def new_item(producer: Producer, ear: Ear, trial: int) -> tuple[float, str]:
    """Milliseconds until an item published now is in a list of whoever saved one like it; who had the first."""
    started = time.time()
    savers: list[str] = []
    item_id = publish(producer, "new", trial)

    def found() -> list[tuple[float, str]]:
        who, now_ms = f"saver-{trial}-{len(savers)}", int(time.time() * 1000)
        savers.append(who)
        tell(producer, "saves", who, event_id=who, user_id=who, item_id=f"known-{trial}", ts_ms=now_ms)
        return [(at, who) for who in savers for at, told in ear.lists.get(who, ()) if item_id in str(settled(told))]

    at, who = min(eventually(found, 20.0, STEP_S, "a list with the new item"))
    return (at - started) * 1000, who


def first_click(producer: Producer, ear: Ear, trial: int, who: str) -> float:
    """Milliseconds until the first look of somebody who has a list changes it."""
    (_, before), click_id, started = ear.lists[who][-1], f"click-{trial}", time.time()
    now_ms = int(started * 1000)
    item_id = before["items"][0]["item_id"]
    tell(producer, "views", who, event_id=click_id, user_id=who, item_id=item_id, ts_ms=now_ms)

    def changed() -> list[float]:
        later = [(at, told) for at, told in ear.lists[who] if told["trigger"]["event_id"] == click_id]
        return [at for at, told in later if settled(told) != settled(before)]

    return (min(eventually(changed, 20.0, 0.002, "a changed list")) - started) * 1000


def measure(settings: Settings, rate_per_s: float, trials: int) -> dict[str, Any]:
    """Everything, in one run."""
    fresh(settings)
    market = LiveMarket(1, int(time.time() * 1000), PEOPLE, ITEMS)
    crowd = Crowd(settings, market, rate_per_s)
    crowd.send(market.catalogue())
    producer = make_producer(settings)
    for trial in range(trials):
        publish(producer, "known", trial)
    with TemporaryDirectory() as logs, ExitStack() as stack:
        cluster = Cluster(settings, Path(logs))
        stack.callback(cluster.close)
        worker = cluster.start("behaviour")
        cluster.start("learner")
        eventually(lambda: worker.ready, 180, 0.05, "the worker ready")
        crowd.send(list(market.backlog())[-BACKLOG:])
        clocks = watch(settings).values()
        eventually(lambda: not any(clock.behind() for clock in clocks), 300, 0.5, "everyone known and learned from")
        ear = Ear(settings)
        stack.callback(ear.close)
        crowd.start()
        stack.callback(crowd.stop)
        eventually(lambda: len(ear.lists) > 100, 60, 0.1, "lists of the crowd")
        read_s = threading.Event()
        items: list[float] = []
        clicks: list[float] = []
        started, before, sent = time.monotonic(), sum(map(len, ear.lists.values())), crowd.events
        for trial in range(trials):
            taken_ms, who = new_item(producer, ear, trial)
            items.append(taken_ms)
            read_s.wait(settings.pack.min_interval_ms / 1000 + 0.1)
            clicks.append(first_click(producer, ear, trial, who))
        seconds = time.monotonic() - started
        lists, sent = sum(map(len, ear.lists.values())) - before, crowd.events - sent
    return {
        "background_per_s": round(sent / seconds),
        "lists_per_s": round(lists / seconds),
        "trials": trials,
        NEW_ITEM: _percentiles(items),
        FIRST_CLICK: _percentiles(clicks),
        "flush of the learner to a list": _percentiles(ear.replica_ms),
        "age of what lists know": _percentiles(ear.age_ms),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).round(1).tolist()
    return {"n": len(values), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300.0, help="what the crowd does a second")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    source = provide(is_measured=True)
    try:
        result = measure(read_settings({"ATTUNE_BOOTSTRAP": source.bootstrap}), args.rate, args.trials)
    finally:
        source.close()
    print(json.dumps(result, indent=1))
    if not args.json:
        print_bars(Bar(f"{name}, p99 ms", result[name]["p99_ms"], most=BAR_MS) for name in (NEW_ITEM, FIRST_CLICK))


if __name__ == "__main__":
    main()
