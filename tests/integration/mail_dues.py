"""Mail that falls due while workers die: what is fed, and what the same events come to in one process."""

import json
import random
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from processors.effects import Arrival, Mailing, Planned
from processors.pack import Pack
from processors.pipeline import Rules, admit, pending, step, wake
from processors.profile import Profile, encode, skim
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import Event
from schemas.catalogue import Item, User
from schemas.decode import decode
from streams.scan import scan
from streams.settings import Settings
from tests.faults.cluster import Cluster
from tests.faults.settle import stop_all
from tests.faults.traffic import send
from tests.faults.verdict import behind
from tests.integration.waiting import eventually

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_743_033_600_000
"""2025-03-27 00:00 UTC: Europe changes its clocks three days later, America did before."""
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata")
DAYS = 9

Row = tuple[str, str, dict[str, Any]]


def catalogue() -> list[Row]:
    return [
        ("items", f"i{n}", {"item_id": f"i{n}", "title": f"Nurse {n}", "posted_ms": START_MS - n * HOUR_MS})
        for n in range(40)
    ]


def people(seed: int, count: int) -> list[Row]:
    rng = random.Random(seed)
    return [
        ("users", f"u{n}", {"user_id": f"u{n}", "ts_ms": START_MS, "tz": rng.choice(ZONES), "email_opt_in": True})
        for n in range(count)
    ]


def views(seed: int, count: int, each: int) -> list[Row]:
    """Looks over nine days, in the order of time; a few of the people leave on the way."""
    rng = random.Random(seed + 1)
    rows: list[tuple[int, Row]] = []
    for n in range(count):
        for k in range(each):
            ts_ms = START_MS + 60_000 + rng.randrange(DAYS * DAY_MS)
            value = {"event_id": f"v{n}-{k}", "user_id": f"u{n}", "item_id": f"i{rng.randrange(40)}", "ts_ms": ts_ms}
            rows.append((ts_ms, ("views", f"u{n}", value)))
    rows.sort(key=lambda row: row[0])
    return [row for _, row in rows]


def expected(settings: Settings, pack: Pack) -> tuple[set[tuple[str, int]], set[tuple[str, str]]]:
    """(person, due_ms) of every mail, and (person, decision) of every plan, by one process from what Kafka holds."""
    replica = Replica(pack)
    profiles: dict[str, Profile] = {}
    clock: dict[int, int] = {}
    mails: set[tuple[str, int]] = set()
    plans: set[tuple[str, str]] = set()
    home: dict[str, int] = {}

    def note(user_id: str, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Mailing):
                mails.add((user_id, effect.digest.due_ms))
            elif isinstance(effect, Planned):
                plans.add((user_id, effect.decision.decision_id))

    def until(user_id: str, now_ms: int) -> None:
        profile = profiles[user_id]
        while (due := next((w for w in pending(skim(encode(profile))) if w.kind == "mail"), None)) is not None:
            if due.due_ms > now_ms:
                return
            luck = Randomness(f"{user_id}/{due.due_ms}")
            note(user_id, wake(profile, user_id, due, replica, luck, clock_ms=now_ms))

    for topic in ("items", "users", "views"):
        for message in scan(settings, topic, range(settings.partitions)):
            partition, offset = message.partition() or 0, message.offset() or 0
            fact = decode(topic, message.key() or b"", message.value(), message.timestamp()[1])
            if isinstance(fact, Item):
                replica.put_item(fact)
                continue
            assert isinstance(fact, User | Event)
            now_ms = fact.ts_ms or 0
            clock[partition] = max(clock.get(partition, 0), now_ms)
            user_id = fact.user_id
            home[user_id] = partition
            profile = profiles.setdefault(user_id, Profile())
            until(user_id, clock[partition])
            arrival = Arrival(fact, topic, partition, offset, message.timestamp()[1])
            assert admit(profile, arrival) == "apply"
            note(user_id, step(profile, arrival, now_ms, replica, Randomness(arrival.source_id), Rules()))
    for user_id, partition in home.items():
        until(user_id, clock[partition])
    return mails, plans


def published(settings: Settings, topic: str) -> list[dict[str, Any]]:
    """The first of every id, as consumers take it."""
    found: dict[str, dict[str, Any]] = {}
    for message in scan(settings, topic, range(settings.partitions)):
        value = json.loads(message.value() or b"null")
        if value is not None:
            found.setdefault(value.get("digest_id") or value["decision_id"], value)
    return list(found.values())


CONFIG = """
[packs.jobs.mail]
min_new_items = 0
"""


def waiting(settings: Settings) -> bool:
    """Whether the workers lag. No learner runs: what it learns would depend on when it learned it."""
    return any(not place.startswith("learning-") for place in behind(settings.bootstrap, settings.partitions))


def trial(cluster: Cluster, seed: int, count: int = 40, each: int = 30) -> str:
    """Feed people and looks while workers are killed, join and leave; every decision comes once, and the right one."""
    settings, rng = cluster.settings, random.Random(seed)
    send(settings, iter(catalogue()))
    cluster.keep("behaviour", 1)
    eventually(cluster.all_ready, 60, 0.3, "a worker that runs")
    send(settings, iter(people(seed, count)))
    eventually(lambda: not waiting(settings), 60, 0.3, "everybody taken")
    rows = views(seed, count, each)
    parts = 4
    for part in range(parts):
        send(settings, iter(rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]))
        running = cluster.running("behaviour")
        if rng.random() < 0.6:
            running[0].kill()  # with dues and outputs under way
        else:
            cluster.start("behaviour")  # a rebalance
        cluster.keep("behaviour", 1)
    eventually(lambda: cluster.all_ready() and not waiting(settings), 90, 0.3, "every look taken")
    stop_all(cluster)

    mails, plans = expected(settings, settings.pack)
    digests, decisions = published(settings, "digests"), published(settings, "send-times")
    told = [(digest["user_id"], digest["due_ms"]) for digest in digests]
    assert len(told) == len(set(told)) > count
    assert set(told) == mails, (sorted(set(told) - mails)[:3], sorted(mails - set(told))[:3])
    assert {(decision["user_id"], decision["decision_id"]) for decision in decisions} == plans
    zones = {row[1]: row[2]["tz"] for row in people(seed, count)}
    for user_id, due_ms in told:
        local = datetime.fromtimestamp(due_ms / 1000, ZoneInfo(zones[user_id]))
        assert 7 <= local.hour < 23
        assert (local.minute, local.second) == (0, 0)
    days = Counter(
        (user_id, datetime.fromtimestamp(due_ms / 1000, ZoneInfo(zones[user_id])).date()) for user_id, due_ms in told
    )
    assert set(days.values()) == {1}
    return f"{len(told)} mails, {len(decisions)} decisions"
