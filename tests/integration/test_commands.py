"""The commands on a running worker: a real Kafka, a real Redis, real processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.scan import scan
from streams.settings import read_settings
from tests.cli.command import ROOT, Finished, attune, environment
from tests.integration.waiting import eventually

pytestmark = pytest.mark.slow
SECRET = "of-the-test"


class House:
    """A worker with all of its roles."""

    def __init__(self, bootstrap: str, redis: str, log: Path) -> None:
        self.names = {
            "bootstrap": bootstrap,
            "redis": redis,
            "partitions": "4",
            "erasure_key": SECRET,
            "session_s": "6",
        }
        self.settings = read_settings(environment(**self.names))
        create_topics(self.settings)
        with log.open("wb") as out:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "worker"],
                env=environment(**self.names),
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def attune(self, *arguments: str, **more: Any) -> Finished:
        return attune(*arguments, **{**self.names, **more})


@pytest.fixture
def house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    with EmbeddedRedis() as store:
        running = House(clean_kafka, store.url, tmp_path / "worker.log")
        yield running
        running.worker.terminate()
        assert running.worker.wait(40) == 0, (tmp_path / "worker.log").read_text()


def row(topic: str, key: str, **value: Any) -> str:
    return json.dumps({"topic": topic, "key": key, "value": value})


def event(topic: str, n: int, user_id: str, item_id: str) -> str:
    return row(topic, user_id, event_id=f"e{n}", user_id=user_id, item_id=item_id, ts_ms=1_700_000_000_000 + n * 60_000)


def test_from_a_file_to_a_list_to_a_mended_letter_to_being_forgotten(house: House) -> None:
    items = [row("items", f"i{n}", item_id=f"i{n}", title=f"Baker number {n}", brand=f"b{n}") for n in range(30)]
    events = [event("views", n, "u1", f"i{n}") for n in range(5)] + [event("saves", 7, "u1", "i7")]
    broken = row("views", "u1", event_id="e99", user_id="u1", item_id="", ts_ms=1_700_009_000_000)
    done = house.attune("produce", "-", "--json", stdin="\n".join([*items, *events, broken]))
    assert done.json["records"] == 37

    eventually(lambda: house.attune("recommend", "u1").code == 0, 60, what="a list in Redis")
    eventually(lambda: profile(house)["totals"]["saves"] == 1, 30, 0.3, "a profile in the changelog")
    assert profile(house)["totals"]["views"] == 5
    assert profile(house)["stated"] == {}
    shown = house.attune("recommend", "u1")
    assert "Baker number" in shown.out
    newest = house.attune("recommend", "u1", "--json").json
    assert newest["user_id"] == "u1"
    assert all(item["reasons"] for item in newest["items"])
    first = newest["items"][0]
    told = house.attune("explain", "u1", first["item_id"], "--json").json
    assert told["published"] == first
    assert told["contributions"]
    assert told["rank"] is not None or told["why_not"]
    assert house.attune("explain", "u1", "i99", "--json").json["why_not"][0]["code"] == "unknown"
    assert "Baker number" in house.attune("explain", "u1", first["item_id"]).out
    assert house.attune("explain", "u2", "i1").code == 1
    unknown = house.attune("recommend", "u2")
    assert unknown.code == 1
    assert unknown.err.startswith("error: nothing is recommended to u2")

    (letter,) = eventually(lambda: house.attune("dead-letters", "list", "--json").json, 20, 0.3, "a dead letter")
    assert letter["message"].startswith("$.item_id")
    patch = ("--patch", 'item_id="i9"', "--yes")
    assert house.attune("dead-letters", "replay", letter["id"], *patch).code == 0
    eventually(lambda: profile(house)["totals"]["views"] == 6, 30, 0.3, "the mended event in the profile")

    gone = house.attune("erase", "u1", "--yes", "--wait", "--json")
    assert gone.code == 0, gone.err
    assert gone.json["accepted"] is True
    eventually(lambda: house.attune("recommend", "u1").code == 1, 20, 0.3, "no list in Redis")
    erased = profile(house)
    assert erased["erased_ms"] == gone.json["ts_ms"]
    assert set(erased["totals"].values()) == {0}
    assert erased["last_actions"] == []
    lagging = house.attune("lag", "--json").json
    assert {r["group"] for r in lagging} >= {"attune.behaviour", "attune.sink"}


def profile(house: House) -> dict[str, Any]:
    done = house.attune("profile", "u1", "--json")
    told: dict[str, Any] = done.lines[0] if done.code == 0 else {"totals": {"views": 0, "saves": 0}, "stated": {}}
    return told


def test_a_letter_that_fails_again_counts_its_attempts(house: House) -> None:
    broken = row("views", "u1", event_id="e1", user_id="u1", item_id="", ts_ms=1_700_009_000_000)
    assert house.attune("produce", "-", stdin=broken).code == 0
    (letter,) = eventually(lambda: house.attune("dead-letters", "list", "--json").json, 60, 0.3, "a dead letter")
    assert letter["attempt"] == 1
    assert house.attune("dead-letters", "replay", letter["id"], "--yes").code == 0
    second = eventually(lambda: house.attune("dead-letters", "list", "--json").json[1:], 20, 0.3, "a second letter")[0]
    found = {entry["id"]: entry for entry in house.attune("dead-letters", "list", "--json").json}
    assert sorted(entry["attempt"] for entry in found.values()) == [1, 2]
    assert {entry["first_failure_ms"] for entry in found.values()} == {letter["first_failure_ms"]}
    assert second["topic"] == "views"
    assert len(list(scan(house.settings, "views", range(4)))) == 2
