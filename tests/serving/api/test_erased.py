"""From the moment that an erasure is accepted no process tells what is from before it, and a returning person is new.

Two processes of `attune serve` and no worker: the erasure is never carried out unless a test plays the worker.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import redis

from processors.profile import Action, Profile, encode
from schemas.decisions import Recommendation, RecommendedItem, SendTime, Trigger
from schemas.partitioning import partition_of
from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.producing import make_producer
from streams.redis_keys import view_key
from streams.settings import read_settings
from streams.topics import PROFILES_CHANGELOG
from tests.cli.command import ROOT, environment
from tests.integration.slate import Slate
from tests.integration.waiting import eventually
from tests.serving.api.site import SCOPES, settings_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

ITEM = "job-1"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Pair:
    """Two processes of the API; `keep` does as a worker and the sink do."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.store = EmbeddedRedis().start()
        config = directory / "attune.toml"
        config.write_text(settings_file({"all": SCOPES}))
        names = environment(bootstrap=bootstrap, redis=self.store.url, partitions="4", config=str(config))
        self.settings = read_settings(names)
        create_topics(self.settings)
        self._producer = make_producer(self.settings)
        self._redis = redis.Redis.from_url(self.store.url)
        self._servers = [
            subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "serve"], env=names, cwd=ROOT, stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        urls = [server.stdout.readline().decode().strip() for server in self._servers if server.stdout is not None]
        bearer = {"Authorization": "Bearer token-all"}
        self.one, self.other = (httpx.Client(base_url=url, headers=bearer, timeout=20.0) for url in urls)
        self.both = (self.one, self.other)
        self.both[0].put(f"/v1/items/{ITEM}", json={"title": "Night nurse"})
        for client in self.both:
            eventually(lambda c=client: c.get("/readyz").json()["items"] == 1, 60, what="the catalogue")
            eventually(lambda c=client: c.get("/readyz").status_code == 200, 60, what="readiness")

    def keep(self, *people: str, ts_ms: int, erased_ms: int | None = None, totals: int = 1) -> None:
        """A profile, a list and a send time of each, of that time."""
        for person in people:
            key = person.encode()
            seen = [Action(ts_ms, "views", 1, ITEM, 0)] if totals else []
            profile = Profile(
                applied={"views": ts_ms}, actions=seen, totals={"views": totals} if totals else {},
                last_event_ms=ts_ms, erased_ms=erased_ms,
            )  # fmt: skip
            partition = partition_of(key, self.settings.partitions)
            self._producer.produce(PROFILES_CHANGELOG, key=key, value=encode(profile), partition=partition)
            place = RecommendedItem(ITEM, 1, 0.9, "taste", ("because",), 0.5)
            listed = Recommendation("r", person, "site", ts_ms, Trigger("views", "e", ts_ms), (place,), "learning-1")
            planned = SendTime("d", person, ts_ms, ts_ms, "UTC", "habit")
            for topic, decided in (("recommendations", listed), ("send-times", planned)):
                held = {"v": ts_ms, "d": msgspec.json.encode(decided)}
                self._redis.hset(view_key(topic, key), mapping=held)
        self._producer.flush(20)

    def close(self) -> None:
        for server in self._servers:
            server.terminate()
        for server in self._servers:
            assert server.wait(20) == 0
            if server.stdout is not None:
                server.stdout.close()
        for client in self.both:
            client.close()
        self._redis.close()
        self.store.close()


@pytest.fixture(scope="module")
def pair(slate: Slate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    slate.wipe()
    running = Pair(slate.bootstrap, Path(tmp_path_factory.mktemp("pair")))
    try:
        yield running
    finally:
        running.close()
        slate.wipe()


def is_known(client: httpx.Client, person: str) -> bool:
    told = client.get(f"/v1/users/{person}")
    assert told.status_code in {200, 404}, told.text
    return told.status_code == 200 and bool(told.json()["profile"])


def tells_nothing(client: httpx.Client, person: str) -> bool:
    """Whether no route has anything of before."""
    answers = (client.get(f"/v1/users/{person}"), client.get(f"/v1/send-times/{person}"))
    listed = client.get(f"/v1/recommendations/{person}", params={"limit": 1}).json()
    searched = client.get("/v1/search", params={"q": "nurse", "user_id": person}).json()
    return (
        all(answer.status_code == 404 for answer in answers)
        and listed["origin"] == "popular"
        and not searched["is_personal"]
    )


def test_what_is_from_before_is_told_by_no_process(pair: Pair) -> None:
    pair.keep("Í", ts_ms=now_ms() - 1_000)
    for client in pair.both:
        eventually(lambda c=client: is_known(c, "Í"), 20, what="the profile")
        assert client.get("/v1/recommendations/Í", params={"limit": 1}).json()["origin"] == "stored"
        assert client.get("/v1/send-times/Í").status_code == 200
    assert pair.one.delete("/v1/users/Í").status_code == 202
    assert tells_nothing(pair.one, "Í")
    assert pair.other.get("/v1/users/Í").status_code == 404
    eventually(lambda: tells_nothing(pair.other, "Í"), 5, what="the other process")


def test_subject_access_waits_until_it_knows_what_other_processes_accepted(pair: Pair) -> None:
    people = [f"gone-{n}" for n in range(40)]
    pair.keep(*people, ts_ms=now_ms() - 1_000)
    eventually(lambda: all(is_known(pair.other, person) for person in people), 20, what="the profiles")
    for person in people:
        assert pair.one.delete(f"/v1/users/{person}").status_code == 202
        assert pair.other.get(f"/v1/users/{person}").status_code == 404, person


def test_who_comes_back_is_a_new_person(pair: Pair) -> None:
    pair.keep("back", ts_ms=now_ms() - 1_000)
    eventually(lambda: is_known(pair.one, "back"), 20, what="the profile")
    asked_ms = pair.one.delete("/v1/users/back").json()["ts_ms"]
    pair.keep("back", ts_ms=asked_ms, erased_ms=asked_ms, totals=0)  # the worker has emptied the profile
    assert all(client.get("/v1/users/back").status_code == 404 for client in pair.both)
    pair.keep("back", ts_ms=asked_ms + 1, erased_ms=asked_ms)  # and this is what came after
    for client in pair.both:
        eventually(lambda c=client: is_known(c, "back"), 20, what="the new profile")
        assert client.get("/v1/recommendations/back", params={"limit": 1}).json()["origin"] == "stored"
        assert client.get("/v1/send-times/back").status_code == 200
    again_ms = pair.other.delete("/v1/users/back").json()["ts_ms"]
    assert again_ms > asked_ms
    assert tells_nothing(pair.other, "back")
    assert pair.one.get("/v1/users/back").status_code == 404
