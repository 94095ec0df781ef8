"""Seeded live traffic: people, items, duplicates, late events."""

import json
import random
import threading
import time
from collections.abc import Iterator

from streams.producing import make_producer
from streams.settings import Settings

Record = tuple[str, str, dict[str, object] | None]
START_MS = 1_700_000_000_000


def catalogue(items: int) -> Iterator[Record]:
    trades = ("Nurse", "Welder", "Driver", "Cook", "Teacher", "Analyst")
    for i in range(items):
        yield (
            "items",
            f"i{i}",
            {
                "item_id": f"i{i}",
                "title": f"{trades[i % 6]} {'Night' if i % 2 else 'Day'} Shift {i % 17}",
                "brand": f"Employer {i % 40}",
                "categories": [trades[i % 6]],
                "location": {
                    "city": f"City {i % 12}",
                    "region": f"R{i % 5}",
                    "country": "US",
                    "lat": 30 + i % 10,
                    "lon": -90 - i % 10,
                },
            },
        )


def events(seed: int, count: int, people: int = 400, items: int = 300, repeats: float = 0.02) -> Iterator[Record]:
    """Mostly views; some are late by up to an hour, and of some (the share `repeats`) the event id comes again."""
    rnd = random.Random(seed)
    last: Record | None = None
    for n in range(count):
        if last is not None and rnd.random() < repeats:
            yield last
            continue
        topic = rnd.choices(("views", "saves", "applies", "dismissals", "searches", "opens"), (70, 10, 6, 4, 5, 5))[0]
        user = f"u{int(people * rnd.random() ** 2)}"
        late_ms = rnd.randrange(3_600_000) if rnd.random() < 0.05 else 0
        value: dict[str, object] = {"event_id": f"e{seed}-{n}", "user_id": user, "ts_ms": START_MS + n * 50 - late_ms}
        if topic == "searches":
            value["query"] = "night nurse"
        elif topic == "opens":
            value["send_id"] = f"s{n}"
        else:
            value["item_id"] = f"i{int(items * rnd.random() ** 2)}"
        if topic == "views" and rnd.random() < 0.5:
            value["dwell_ms"] = rnd.randrange(60_000)
        last = (topic, user, value)
        yield last


class Sender:
    """Sends records at a rate from a thread; `done` when all are acknowledged."""

    def __init__(self, settings: Settings, records: Iterator[Record], rate: float) -> None:
        self.settings = settings
        self.records = records
        self.rate = rate
        self.sent = 0
        self.done = threading.Event()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Sender":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Send no more: what is left would go to the topics of the tests that follow."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        send(self.settings, self.records, self.rate, self)
        self.done.set()


def send(settings: Settings, records: Iterator[Record], rate: float | None = None, sender: Sender | None = None) -> int:
    producer = make_producer(settings)
    started, count = time.monotonic(), 0
    for topic, key, value in records:
        if sender is not None and sender.stopping.is_set():
            break
        producer.produce(topic, key=key.encode(), value=None if value is None else json.dumps(value).encode())
        count += 1
        if sender is not None:
            sender.sent = count
        if rate is not None and (ahead_s := started + count / rate - time.monotonic()) > 0:
            producer.poll(ahead_s)
    producer.flush()
    return count
