"""Records that cannot be used: exactly they become dead letters, with every byte and the reason, and nothing stops."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from streams.dead_letters import PREFIX
from streams.producing import make_producer
from streams.scan import scan
from streams.topics import BEHAVIOUR_GROUP
from tests.integration.house import House
from tests.integration.poison import Poison, poisoned_events, poisoned_items
from tests.integration.waiting import eventually

pytestmark = pytest.mark.slow

START_MS = 1_700_000_000_000
PEOPLE = 200
Place = tuple[str, int, int]
Given = list[tuple[str, str | bytes | None]]


class Traffic:
    """Valid events and poison, and where each record went."""

    def __init__(self, house: House) -> None:
        self.producer = make_producer(house.settings)
        self.poison: dict[Place, tuple[Poison, Given]] = {}
        self.valid: Counter[tuple[str, str]] = Counter()
        """(user, topic) -> events"""
        self.step: dict[Place, str] = {}
        self.n = 0

    def event(self, topic: str, user: str, item: str, event_id: str | None = None) -> None:
        self.n += 1
        value = {
            "event_id": event_id or f"e{self.n}",
            "user_id": user,
            "item_id": item,
            "ts_ms": START_MS + self.n * 1_000,
        }
        raises = event_id is not None and event_id.startswith("raise-")

        def delivered(error: Any, message: Message) -> None:
            assert error is None
            if raises:
                self.step[place(message)] = user

        self.producer.produce(topic, key=user.encode(), value=json.dumps(value).encode(), on_delivery=delivered)
        if not raises:
            self.valid[user, topic] += 1

    def bad(self, poison: Poison) -> None:
        self.n += 1
        headers: Given = [("trace", f"t-{self.n}".encode()), ("empty", None), ("trace", b"\xff\x00")]

        def delivered(error: Any, message: Message) -> None:
            assert error is None
            self.poison[place(message)] = (poison, headers)

        self.producer.produce(
            poison.topic, key=poison.key.encode(), value=poison.value, headers=headers, on_delivery=delivered
        )

    def row(self, n: int) -> None:
        value = {"item_id": f"i{n}", "title": f"Baker {n}", "brand": f"b{n % 30}"}
        self.producer.produce("items", key=value["item_id"].encode(), value=json.dumps(value).encode())

    def flush(self) -> None:
        assert self.producer.flush(30) == 0


def place(message: Message) -> Place:
    return message.topic() or "", message.partition() or 0, message.offset() or 0


def why(message: Message) -> dict[str, str]:
    headers: Any = message.headers() or []
    return {name.removeprefix(PREFIX): value.decode() for name, value in headers if name.startswith(PREFIX)}


def origin(message: Message) -> Place:
    said = why(message)
    return said["topic"], int(said["partition"]), int(said["offset"])


def dead_letters(house: House) -> dict[Place, Message]:
    found: dict[Place, Message] = {}
    for message in scan(house.settings, "dead-letters", range(house.settings.partitions)):
        assert origin(message) not in found, f"{origin(message)} is there twice"
        found[origin(message)] = message
    return found


def totals(house: House) -> Counter[tuple[str, str]]:
    """(user, topic) -> events, as `attune profile` tells them."""
    done = house.attune("profile", "--users-file", "-", "--json", stdin="\n".join(f"u{n}" for n in range(PEOPLE)))
    told = [(kept["user_id"], topic, n) for kept in done.lines for topic, n in kept["totals"].items() if n]
    return Counter({(user, topic): n for user, topic, n in told})


@pytest.fixture
def house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    running = House(clean_kafka, tmp_path / "worker.log", "--role", "behaviour", test_sabotage="raise")
    yield running
    running.close()


def test_exactly_the_poison_ends_as_dead_letters_and_the_stream_goes_on(house: House, tmp_path: Path) -> None:
    rnd, traffic = random.Random(5), Traffic(house)
    poison = [
        *itertools.chain.from_iterable(poisoned_events(n, f"u{n}", f"i{n}") for n in range(4)),
        *poisoned_items(0),
    ]
    rnd.shuffle(poison)
    every = 6_000 // len(poison)
    for n in range(300):
        traffic.row(n)
    for n in range(6_000):
        topic = rnd.choices(("views", "saves", "applies", "dismissals"), (80, 10, 5, 5))[0]
        user = f"u{n % PEOPLE}"
        traffic.event(topic, user, f"i{rnd.randrange(300)}")
        if n % every == 0 and poison:
            traffic.bad(poison.pop())
        if n in (1_000, 2_000, 3_000):
            traffic.event("saves", user, "i1", f"raise-{n}")
            traffic.event("saves", user, "i2")
    for left in poison:
        traffic.bad(left)
    traffic.flush()
    assert len(traffic.step) == 3
    eventually(lambda: house.lag(BEHAVIOUR_GROUP) == 0, 60, 0.3, "lag 0")

    found = dead_letters(house)
    assert found.keys() == traffic.poison.keys() | traffic.step.keys()
    for where, (bad, headers) in traffic.poison.items():
        letter, said = found[where], why(found[where])
        assert (letter.key(), letter.value()) == (bad.key.encode(), bad.value), bad.kind
        assert [kept for kept in letter.headers() or [] if not kept[0].startswith(PREFIX)] == headers
        assert said["stage"] == "decode"
        assert bad.why in said["message"], bad.kind
        assert said["attempt"] == "1"
    for where, user in traffic.step.items():
        said = why(found[where])
        assert (said["stage"], said["class"]) == ("step", "SabotagedStepError")
        assert found[where].key() == user.encode()
    assert totals(house) == traffic.valid  # and what came after a step that raised is in it

    mend = ("--patch", 'item_id="i7"', "--topic", "views", "--reason", "$.item_id", "--yes", "--json")
    assert house.attune("dead-letters", "replay", "--all", *mend).json["sent"] == 4
    (torn,) = [where for where, (bad, _) in traffic.poison.items() if bad.kind == "not JSON" and bad.key == "u1"]
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"event_id": "torn", "user_id": "u1", "item_id": "i1", "ts_ms": START_MS}))
    torn_id = "-".join(map(str, torn))
    assert house.attune("dead-letters", "replay", torn_id, "--edit-file", str(mended), "--yes").code == 0
    traffic.valid.update({("u0", "views"): 1, ("u1", "views"): 2, ("u2", "views"): 1, ("u3", "views"): 1})
    traffic.event("views", "u9", "i9")
    traffic.flush()
    eventually(lambda: house.lag(BEHAVIOUR_GROUP) == 0, 30, 0.3, "lag 0")
    assert totals(house) == traffic.valid
    assert dead_letters(house).keys() == found.keys()


def test_a_worker_whose_every_step_raises_stops_and_says_so(house: House) -> None:
    traffic = Traffic(house)
    for n in range(30):
        traffic.event("views", "u1", "i1", f"raise-{n}")
    traffic.flush()
    eventually(lambda: "more than 10 failures a minute" in house.log.read_text(), 60, 0.3, "a stop that says why")
    assert house.worker.poll() is None


@pytest.fixture
def patient_house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    options = {"test_sabotage": "raise", "min_interval_ms": "60000"}
    running = House(clean_kafka, tmp_path / "worker.log", "--role", "behaviour", **options)
    yield running
    running.close()


def test_a_timer_that_raises_is_dropped_and_nobody_else_waits(patient_house: House) -> None:
    house, traffic = patient_house, Traffic(patient_house)
    traffic.row(1)
    for n in range(3):  # the second and third come within the interval: a list is due later
        traffic.event("views", "raise-u", f"i{n}")
    for n in range(40):
        traffic.event("saves", f"u{n % PEOPLE}", "i1")
    traffic.flush()
    eventually(lambda: "attune: dropped a recommend timer of person" in house.log.read_text(), 60, 0.3, "it is said")
    for n in range(40):
        traffic.event("views", f"u{n % PEOPLE}", "i2")
    traffic.event("views", "raise-u", "i3")
    traffic.flush()
    eventually(lambda: house.lag(BEHAVIOUR_GROUP) == 0, 60, 0.3, "lag 0")
    assert totals(house) + Counter({("raise-u", "views"): 4}) == traffic.valid
    assert +Counter(house.attune("profile", "raise-u", "--json").lines[0]["totals"]) == {"views": 4}
    assert "starts again" not in house.log.read_text()
    assert "raise-u" not in house.log.read_text().replace("SabotagedStepError('raise-u')", "")
