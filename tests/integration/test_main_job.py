"""The main job: a file in, and for every person a list that is new, valid, and the same in Redis; nothing lags.

Two workers, the learner and the sink on a real Kafka and a real Redis, driven by `attune` as a user would. The real
logs where `ATTUNE_DATA` says they are; generated ones everywhere.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processors.experiment import Experiment, arm_of
from streams.embedded import EmbeddedRedis
from streams.redis_view import RedisView
from streams.scan import scan
from tests.integration.house import House
from tests.integration.main_job import Row, fault, lines, told
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

START_MS = 1_700_000_000_000
DAY_MS = 86_400_000
EXPERIMENT = Experiment(
    name="size", arms={"control": 0.6, "short": 0.4}, packs={"short": {"list_size": 6}}, holdout=0.1, started_ms=1
)
EXPERIMENTS = """
[[experiments]]
name = "size"
arms = { control = 0.6, short = 0.4 }
packs = { short = { list_size = 6 } }
holdout = 0.1
started_ms = 1

[packs.shop]
models = "spine"  # `jobs` goes through with the learned blend; half a million purchases would take it an hour
"""


def newest_lists(house: House) -> dict[str, bytes]:
    """The last recommendation of each person on Kafka, as bytes."""
    found: dict[str, bytes] = {}
    for message in scan(house.settings, "recommendations", range(house.settings.partitions)):
        found[(message.key() or b"").decode()] = message.value() or b""
    return found


def decided_in(house: House, topic: str) -> set[bytes | None]:
    """For whom something was decided since the experiment began: rows that are read while the log's clock still stands
    at 0 have their decisions before it, and how many those are is a matter of speed.
    """
    read = scan(house.settings, topic, range(house.settings.partitions))
    told = [(message.key(), json.loads(message.value())) for message in read if message.value() is not None]
    return {key for key, said in told if said.get("ts_ms", said.get("due_ms")) >= EXPERIMENT.started_ms}


def in_redis(house: House, users: list[str]) -> dict[str, bytes | None]:
    view = RedisView(house.settings)
    try:
        return dict(zip(users, view.recommendations(users), strict=True))
    finally:
        view.close()


def wrong_arm(recommendation: dict[str, Any]) -> str | None:
    """What is wrong with the arm of a list, if anything."""
    arm = arm_of(EXPERIMENT, recommendation["user_id"])
    if recommendation["arm"] != f"size:{arm}":
        return f"bears {recommendation['arm']}, not size:{arm}"
    return "is longer than its arm's" if arm == "short" and len(recommendation["items"]) > 6 else None


def run(path: Path, domain: str, bootstrap: str, log: Path, limit: int | None, timeout_s: float) -> dict[str, Any]:
    """Everything the main job promises, for one file. Returns what was counted."""
    known = told(lines(path, limit))
    users = sorted(known.active)
    some = ("--limit", str(limit)) if limit else ()
    config = log.with_suffix(".toml")
    config.write_text(EXPERIMENTS)
    with EmbeddedRedis() as store:
        house = House(bootstrap, log, "--count", "2", redis=store.url, domain=domain, config=str(config))
        try:
            fed = house.attune("produce", str(path), *some, "--json", timeout_s=timeout_s)
            assert fed.code == 0, fed.err
            try:
                eventually(lambda: house.lag() == 0, timeout_s, 0.5, "lag 0")
            except TimeoutError as error:
                raise AssertionError(f"{error}: {house.attune('lag').out}\n{log.read_text()[-2_000:]}") from None

            def complete() -> dict[str, bytes]:
                lists = newest_lists(house)
                faults = {user: fault(domain, json.loads(lists[user]), known.people[user], known) for user in lists}
                assert {user: wrong for user, wrong in faults.items() if wrong} == {}
                assert lists.keys() == known.active
                assert {user: wrong for user in lists if (wrong := wrong_arm(json.loads(lists[user])))} == {}
                assert house.lag() == 0
                return lists

            eventually(complete, 30, 1.0, "a valid list for everyone")

            def same_everywhere() -> bool:
                lists = complete()  # a list that waited for its interval may come after the lag is gone
                shown = house.attune("recommend", users[0], "--json")
                return in_redis(house, users) == lists and shown.json == json.loads(lists[users[0]])

            eventually(same_everywhere, 30, 0.5, "the same in Redis")
            profiles = house.attune("profile", "--users-file", "-", "--json", stdin="\n".join(known.people))
            totals = {kept["user_id"]: +Counter(kept["totals"]) for kept in profiles.lines}
            assert totals == {user: person.totals for user, person in known.people.items()}
            status = house.attune("experiment", "status", "size", "--json").json  # read from Kafka
            assert (status["misassigned"], status["split_alarm"]) == (0, False)
            decided = {
                key for topic in ("recommendations", "send-times", "digests") for key in decided_in(house, topic)
            }
            assert sum(arm["exposed"] for arm in status["arms"].values()) == len(decided) >= len(known.active)
            lagging = house.attune("lag", "--json").json
            assert {row["group"] for row in lagging} >= {"attune.behaviour", "attune.learner", "attune.sink"}
            assert [row for row in lagging if row["lag"]] == []
            assert list(scan(house.settings, "dead-letters", range(house.settings.partitions))) == []
        finally:
            house.close()
    return {"records": fed.json["records"], "people": len(users), "items": len(known.items)}


def generated(people: int = 300, items: int = 500) -> Iterator[Row]:
    """A market in which every filter has something to do: what expires, is gone, pays too little, was dismissed or
    applied for.
    """
    rnd = random.Random(11)
    for n in range(items):
        value: Row = {"item_id": f"j{n}", "title": f"Nurse {n % 90}", "brand": f"b{n % 120}", "posted_ms": START_MS}
        value |= {"salary": {"max": 20_000 + 100 * (n % 300)}} if n % 3 else {}
        value |= {"expires_ms": START_MS + DAY_MS} if n % 7 == 0 else {}
        value |= {"available": False} if n % 11 == 0 else {}
        yield {"topic": "items", "key": f"j{n}", "value": value}
    for n in range(people):  # rows without a time of their own: the log's clock still stands at its beginning
        yield {"topic": "users", "key": f"u{n}", "value": {"user_id": f"u{n}", "tz": "Europe/London"}}
    for n in range(0, items, 13):
        yield {"topic": "items", "key": f"j{n}", "value": None}
    for n in range(6_000):
        topic = rnd.choices(("views", "saves", "applies", "dismissals", "preferences"), (60, 12, 12, 12, 4))[0]
        user = f"u{int(people * rnd.random() ** 2)}" if n >= people else f"u{n}"
        event: Row = {"event_id": f"e{n}", "user_id": user, "ts_ms": START_MS + 2 * DAY_MS + n * 700}
        if topic == "preferences":
            event["min_salary"] = rnd.randrange(20_000, 40_000)
        else:
            event["item_id"] = f"j{int(items * rnd.random() ** 2)}"
        if topic == "dismissals" and rnd.random() < 0.2:
            event["undo"] = True
        yield {"topic": topic, "key": user, "value": event}


@pytest.mark.minutes
def test_generated_jobs(clean_kafka: str, tmp_path: Path) -> None:
    file = tmp_path / "generated.jsonl.gz"
    with gzip.open(file, "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in generated())
    run(file, "jobs", clean_kafka, tmp_path / "worker.log", None, 240)


@pytest.mark.minutes
def test_jobs(clean_kafka: str, data_dir: Path, tmp_path: Path) -> None:
    run(data_dir / "jobs.jsonl.gz", "jobs", clean_kafka, tmp_path / "worker.log", None, 240)


@pytest.mark.minutes
@pytest.mark.timeout(700)
def test_the_first_of_retail(clean_kafka: str, data_dir: Path, tmp_path: Path) -> None:
    run(data_dir / "retail.jsonl.gz", "shop", clean_kafka, tmp_path / "worker.log", 50_000, 540)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_all_of_retail(clean_kafka: str, data_dir: Path, tmp_path: Path) -> None:
    run(data_dir / "retail.jsonl.gz", "shop", clean_kafka, tmp_path / "worker.log", None, 1_600)
