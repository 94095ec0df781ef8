"""What every benchmark needs: a catalogue, Zipf-distributed behaviour, processes, and clocks for their lag."""

import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.admin import admin_client, create_topics
from streams.producing import make_producer
from streams.settings import Settings
from streams.topics import BEHAVIOUR_GROUP, INPUTS, LEARNER_GROUP, TOPICS

ROOT = Path(__file__).parent.parent
SPINE = str(ROOT / "benchmarks" / "spine.toml")
"""The settings that keep the spine's models."""
HOUR_MS = 3_600_000
MIX = (("views", 0.84), ("saves", 0.1), ("applies", 0.06))
EVERY_4TH_MS = 4_000
Record = tuple[str, bytes, bytes]
VIEWS = (("views", 1.0),)
BACKLOG_TOPICS = [topic.name for topic in INPUTS]
NOOP = """
import faust, logging, sys
from streams.settings import read_settings
from streams.topics import INPUTS
s = read_settings()
app = faust.App(
    sys.argv[1], broker=f"kafka://{s.bootstrap}", store="memory://", topic_partitions=s.partitions,
    topic_allow_declare=False, topic_disable_leader=True, web_enabled=False, stream_wait_empty=False,
    consumer_auto_offset_reset="earliest", broker_commit_interval=0.25,
)
logging.getLogger("aiokafka").setLevel(logging.ERROR)
@app.agent(app.topic(*[t.name for t in INPUTS], key_serializer="raw", value_serializer="raw"))
async def noop(stream):
    async for event in stream:
        pass
faust.Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()
"""


class LagClock:
    """Watches one group until its lag is 0. Keeps one consumer and the ends of what does not grow: that is cheap."""

    def __init__(self, settings: Settings, group: str, topics: list[str]) -> None:
        self.consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": group, "log_level": 0})
        self.tps = [TopicPartition(t, p) for t in topics for p in range(TOPICS[t].partitions or settings.partitions)]
        self.growing = topics == ["learning"]
        self.fixed = self.read_ends()

    def behind(self) -> int:
        ends = self.read_ends() if self.growing else self.fixed
        return sum(ends[key] - done for key, done in self.done().items())

    def done(self) -> dict[tuple[str, int], int]:
        return {(t.topic, t.partition): max(t.offset, 0) for t in self.consumer.committed(self.tps, timeout=20)}

    def read_ends(self) -> dict[tuple[str, int], int]:
        for attempt in range(20):
            try:
                return {
                    (t.topic, t.partition): self.consumer.get_watermark_offsets(
                        TopicPartition(t.topic, t.partition), timeout=20
                    )[1]
                    for t in self.tps
                }
            except KafkaException:  # topics made a moment ago have no leader yet
                if attempt == 19:
                    raise
                threading.Event().wait(0.5)
        raise AssertionError


def zipf(count: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    weights = 1.0 / np.arange(1, count + 1)
    return np.random.default_rng(seed).choice(count, size=size, p=weights / weights.sum())


def catalogue(items: int, seed: int) -> Iterator[Record]:
    rnd = random.Random(seed)
    stems = ("net", "care", "data", "weld", "cook", "teach", "drive", "sell", "plan", "build")
    endings = ("er", "ing", "or", "ist", "man", "lead", "pro", "aid", "ops", "ium")
    words = [stem + ending for stem in stems for ending in endings]
    cities = [(f"City{i}", f"R{i % 50}", rnd.uniform(30, 48), rnd.uniform(-120, -75)) for i in range(400)]
    now_ms = time.time_ns() // 1_000_000
    for i in range(items):
        city, region, lat, lon = rnd.choice(cities)
        value = {
            "item_id": f"i{i}",
            "title": " ".join(rnd.sample(words, 4)),
            "brand": f"Brand {int(rnd.paretovariate(0.8)) % 5000}",
            "categories": [f"c{rnd.randrange(60)}"],
            "location": {"lat": lat, "lon": lon, "city": city, "region": region, "country": "US"},
            "posted_ms": now_ms - rnd.randrange(60 * 86_400_000),
            "salary": {"min": 30_000, "max": rnd.randrange(40_000, 160_000), "period": "year"},
        }
        yield "items", f"i{i}".encode(), json.dumps(value).encode()


def everyone(people: int, items: int, seed: int, first: dict[int, int], base_ms: int) -> Iterator[Record]:
    """One event of each person, in random order: afterwards nobody is new."""
    things = zipf(items, people, seed)
    for n, user in enumerate(np.random.default_rng(seed).permutation(people).tolist()):
        yield event(f"e{seed}-{n}", user, int(things[n]), "views", first, base_ms)


def behaviour(
    events: int,
    people: int,
    items: int,
    seed: int,
    first: dict[int, int],
    base_ms: int,
    mix: tuple[tuple[str, float], ...] = MIX,
) -> Iterator[Record]:
    """Events of Zipf-distributed people on Zipf-distributed items. In a backlog only events of one topic come in order
    of their time: there an interval between lists needs a `mix` of one.
    """
    users, things = zipf(people, events, seed), zipf(items, events, seed + 1)
    topics = np.random.default_rng(seed + 2).choice(len(mix), size=events, p=[share for _, share in mix])
    for n, (user, thing, topic) in enumerate(zip(users.tolist(), things.tolist(), topics.tolist(), strict=True)):
        yield event(f"e{seed}-{n}", user, thing, mix[topic][0], first, base_ms)


def event(event_id: str, user: int, thing: int, topic: str, first: dict[int, int], base_ms: int) -> Record:
    """A person's next event: a second after the one before, and every fourth `EVERY_4TH_MS` later than that, so that
    with this interval between lists exactly one event in four has a list due. `first` is where each person stands.
    """
    first[user] = nth = first.get(user, -1) + 1
    ts_ms = base_ms + nth * 1000 + (nth + user % 4) // 4 * EVERY_4TH_MS
    value = {"event_id": event_id, "user_id": f"u{user}", "item_id": f"i{thing}", "ts_ms": ts_ms}
    return topic, f"u{user}".encode(), json.dumps(value).encode()


def send(settings: Settings, records: Iterator[Record], rate: float | None = None) -> int:
    producer = make_producer(settings)
    count, started = 0, time.perf_counter()
    for topic, key, value in records:
        while True:
            try:
                producer.produce(topic, key=key, value=value)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if rate is not None and (ahead := started + count / rate - time.perf_counter()) > 0.001:
            producer.poll(ahead)
        elif not count & 255:
            producer.poll(0)
    producer.flush()
    return count


@contextmanager
def processes(settings: Settings, *commands: list[str], **environ: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    env = {**os.environ, "ATTUNE_CONFIG": SPINE, "ATTUNE_BOOTSTRAP": settings.bootstrap, **environ}
    running = [subprocess.Popen(c, env=env, cwd=ROOT, stdout=subprocess.DEVNULL) for c in commands]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def fresh(settings: Settings) -> None:
    """No topic, no group of an earlier part."""
    admin = admin_client(settings)
    existing = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
    if existing:
        for future in admin.delete_topics(existing).values():
            future.result(20)
    for group in (BEHAVIOUR_GROUP, LEARNER_GROUP):
        for future in admin.delete_consumer_groups([group]).values():
            future.exception(20)
    until = time.monotonic() + 30
    while time.monotonic() < until and any(n in TOPICS for n in admin.list_topics(timeout=10).topics):
        threading.Event().wait(0.1)
    create_topics(settings)


def drained(
    clocks: dict[str, LagClock], alive: list[subprocess.Popen[bytes]], limit_s: float = 900
) -> dict[str, float]:
    """Group -> seconds from the first commit of any group to lag 0."""
    first: float | None = None
    base = {name: clock.done() for name, clock in clocks.items()}
    wait = threading.Event()
    at: dict[str, float] = {}
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        for process in alive:
            if process.poll() is not None:
                raise RuntimeError(f"a worker ended with {process.returncode}")
        now = time.perf_counter()
        behind = {name: clock.behind() for name, clock in clocks.items()}
        if first is None and any(clock.done() != base[name] for name, clock in clocks.items()):
            first = now
        for name, left in behind.items():
            if left > 0:
                at.pop(name, None)
            elif name not in at and first is not None:
                at[name] = now
        if len(at) == len(clocks) and first is not None:
            return {name: when - first for name, when in at.items()}
        wait.wait(0.2)
    raise TimeoutError(f"lag after {limit_s:.0f} s: { {name: clock.behind() for name, clock in clocks.items()} }")


def lists_made(settings: Settings) -> int:
    """Recommendations on the topic so far."""
    return sum(LagClock(settings, "bench.ends", ["recommendations"]).fixed.values())


def watch(settings: Settings) -> dict[str, LagClock]:
    return {
        BEHAVIOUR_GROUP: LagClock(settings, BEHAVIOUR_GROUP, BACKLOG_TOPICS),
        LEARNER_GROUP: LagClock(settings, LEARNER_GROUP, ["learning"]),
    }
