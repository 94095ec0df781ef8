"""The short way answers as the long way does, and opens no door that the routes keep shut. On a real Redis."""

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
import redis
from litestar.testing import TestClient
from litestar.types import ASGIApp
from redis.exceptions import RedisError

from processors.pack import Pack
from processors.profile import Profile
from schemas.access import Grant
from schemas.catalogue import Item
from schemas.decisions import Recommendation, RecommendedItem, Trigger
from serving.api.access import Doors
from serving.api.application import application
from serving.api.express import Express
from serving.api.limits import Breaker
from serving.api.measures import Measures
from serving.api.parts import Parts
from serving.storefront import Storefront
from streams.clock import boottime_s, wall_ms
from streams.embedded import EmbeddedRedis
from streams.erased import Erased
from streams.live_view import LiveView
from streams.redis_keys import view_key
from streams.settings import read_settings

HOUR_MS = 3_600_000
LONG_WAY = {"Origin": "https://elsewhere.example"}
"""A request from another page never takes the short way."""


class Nobody:
    """People of whom nothing is known."""

    ready = True

    def profile(self, user_id: str) -> Profile | None:
        return None


class Counter:
    """Counts the answers of the short way."""

    def __init__(self, express: Express) -> None:
        self._express = express
        self.answered = 0

    async def list_for(self, *request: Any) -> bytes | None:
        body = await self._express.list_for(*request)
        self.answered += body is not None
        return body


class Desk:
    """The API over a storefront and a Redis, without a Kafka; `express` counts."""

    def __init__(self, store: EmbeddedRedis) -> None:
        grant = {"sha256": "", "rate_per_s": 1000.0}
        grants = {
            name: msgspec.convert({**grant, "sha256": hashlib.sha256(name.encode()).hexdigest(), **more}, Grant)
            for name, more in {
                "lists": {"scopes": ["lists"]},
                "events": {"scopes": ["events"]},
                "slow": {"scopes": ["lists"], "rate_per_s": 1.0},
            }.items()
        }
        self.storefront = Storefront(Pack(name="jobs"))
        for number in range(60):
            self.storefront.put_item(Item(item_id=f"i{number}", title=f"Baker {number}", posted_ms=wall_ms() - HOUR_MS))
        self.storefront.is_ready = True
        self.doors = Doors(grants, "a key", wall_ms)
        nothing = cast("Any", None)
        settings = read_settings({"ATTUNE_REDIS": store.url})
        self.erased = Erased(settings)
        self.parts = Parts(
            storefront=self.storefront,
            engine=nothing,
            decisions=LiveView(settings, self.erased),
            people=Nobody(),
            receipts=nothing,
            erased=self.erased,
            news=nothing,
            publisher=nothing,
            doors=self.doors,
            measures=Measures(),
            redis=Breaker("redis", None, RedisError, boottime_s),
            portrait=nothing,
            clock_ms=wall_ms,
        )
        self.app: Any = application(self.parts, origins=["https://elsewhere.example"])
        self.express = self.app._express = Counter(self.app._express)
        self._redis = redis.Redis.from_url(store.url)

    def publish(self, user_id: str, age_ms: int = 0, surface: str = "site") -> None:
        """A list of thirty items, as the sink writes it."""
        at_ms = wall_ms() - age_ms
        places = tuple(
            RecommendedItem(f"i{n}", n + 1, 1.0 - n / 100, "taste", (f"because {n}",), 0.5) for n in range(30)
        )
        known = Recommendation(
            "views-0-1",
            user_id,
            cast("Any", surface),
            at_ms,
            Trigger("views", "e1", at_ms),
            places,
            "learning-7",
        )
        self._redis.hset(
            view_key("recommendations", user_id.encode()), mapping={"v": 1, "d": msgspec.json.encode(known)}
        )


@pytest.fixture(scope="module")
def store() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as started:
        yield started


@pytest.fixture
def desk(store: EmbeddedRedis) -> Desk:
    return Desk(store)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient[Any]]:
    with TestClient(cast("ASGIApp", desk.app)) as client:  # type: ignore[arg-type]
        yield client


def told(answer: Any) -> dict[str, Any]:
    """What an answer says, without what differs from one request to the next."""
    body = json.loads(answer.content)
    return {key: value for key, value in body.items() if key not in {"age_ms", "request_id"}}


@pytest.mark.parametrize("query", ["", "?limit=3", "?limit=50"])
def test_both_ways_say_the_same(desk: Desk, client: TestClient[Any], query: str) -> None:
    desk.publish("ada")
    desk.storefront.retire_item("i2")
    bearer = {"Authorization": "Bearer lists"}
    short = client.get(f"/v1/recommendations/ada{query}", headers=bearer)
    by_short = desk.express.answered
    long = client.get(f"/v1/recommendations/ada{query}", headers=bearer | LONG_WAY)
    assert (short.status_code, long.status_code) == (200, 200)
    assert desk.express.answered == by_short
    assert by_short == (0 if query == "?limit=50" else 1), "29 items are left: for 50 another list is made"
    if by_short:
        assert told(short) == told(long)
        assert "i2" not in {place["item_id"] for place in told(short)["items"]}
        assert told(short)["origin"] == "stored"
    for name in ("content-type", "x-content-type-options"):
        assert short.headers[name] == long.headers[name]
    assert short.headers["x-request-id"] != long.headers["x-request-id"]


@pytest.mark.parametrize(
    "path",
    [
        *("nobody", "old", "mailed", "%61da", "a/da"),
        *("ada?surface=email", "ada?exclude=i1", "ada?limit=0", "ada?limit=051", "ada?explain=true"),
    ],
)
def test_what_is_not_plain_goes_the_long_way(desk: Desk, client: TestClient[Any], path: str) -> None:
    desk.publish("ada")
    desk.publish("old", age_ms=7 * HOUR_MS)
    desk.publish("mailed", surface="email")
    bearer = {"Authorization": "Bearer lists"}
    short = client.get(f"/v1/recommendations/{path}", headers=bearer)
    assert desk.express.answered == 0
    assert short.status_code == client.get(f"/v1/recommendations/{path}", headers=bearer | LONG_WAY).status_code


def test_the_short_way_opens_no_door(desk: Desk, client: TestClient[Any]) -> None:
    desk.publish("ada")
    own, _ = desk.doors.user_token("ada", 60)
    another, _ = desk.doors.user_token("ben", 60)
    for token, status in (("events", 403), ("made up", 401), (another, 403), (own + "x", 401)):
        refused = client.get("/v1/recommendations/ada", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == status
    assert client.get("/v1/recommendations/ada").status_code == 401
    assert client.post("/v1/recommendations/ada", headers={"Authorization": "Bearer lists"}).status_code == 405
    assert desk.express.answered == 0
    assert client.get("/v1/recommendations/ada", headers={"Authorization": f"Bearer {own}"}).status_code == 200
    assert client.get(f"/v1/recommendations/ada?token={own}").status_code == 200, "as event streams give it"
    assert desk.express.answered == 1


@pytest.mark.parametrize("user", ["ada", "nobody"])
def test_each_request_is_counted_once(desk: Desk, client: TestClient[Any], user: str) -> None:
    desk.publish("ada")
    began_s = time.monotonic()
    codes = [
        client.get(f"/v1/recommendations/{user}", headers={"Authorization": "Bearer slow"}).status_code
        for _ in range(4)
    ]
    allowed = 2 + int(time.monotonic() - began_s)
    assert codes[:2] == [200, 200], "a burst of two seconds"
    assert codes.count(200) <= allowed
    assert codes[-1] == 429 or allowed >= 4


def test_a_redis_that_is_away_is_left_to_the_long_way(
    desk: Desk, client: TestClient[Any], store: EmbeddedRedis
) -> None:
    bearer = {"Authorization": "Bearer lists"}
    desk.publish("ada")
    store.stop()
    try:
        away = client.get("/v1/recommendations/ada", headers=bearer)
        assert away.status_code == 200
        assert away.json()["degraded"] == ["redis"]
        assert desk.express.answered == 0
    finally:
        store.start()


def test_a_list_from_before_an_erasure_is_not_told(desk: Desk, client: TestClient[Any]) -> None:
    desk.publish("eve", age_ms=1_000)
    bearer = {"Authorization": "Bearer lists"}
    for more in ({}, LONG_WAY):
        assert told(client.get("/v1/recommendations/eve", headers=bearer | more))["origin"] == "stored"
    desk.erased.note("eve", wall_ms())
    for more in ({}, LONG_WAY):
        assert told(client.get("/v1/recommendations/eve", headers=bearer | more))["origin"] == "popular"
    desk.publish("eve", age_ms=-1_000)  # decided since: the list of a new person
    assert told(client.get("/v1/recommendations/eve", headers=bearer))["origin"] == "stored"
