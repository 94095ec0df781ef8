"""Who may do what at the console: no token, wrong role, forged forms, guessed passwords; and what is written down."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from litestar.testing import TestClient

from serving.console.application import HEADERS, application
from serving.console.audit import Audit
from serving.console.lag_feed import LagFeed
from serving.console.lookups import (
    ChallengerNode,
    ExperimentNode,
    Letter,
    Person,
    Topology,
    UnavailableError,
    Versions,
)
from serving.console.owners import Owners
from serving.console.sessions import COOKIE, MAX_WRONG, WRONG_S, Sessions
from serving.console.state import Console
from serving.console.workers import Workers
from serving.lag.collector import Collector

PAGES = ("overview", "lag", "models", "sending", "dead-letters", "person?user=u1", "topology", "audit", "live/lag")
ACTIONS = {
    "/dead-letters/replay": {"id": "views-0-1", "confirmed": "yes"},
    "/person/erase": {"user": "u1", "again": "u1"},
    "/models/rollback": {"subject": "trees-1", "confirmed": "yes"},
    "/models/stop-experiment": {"subject": "fresher", "confirmed": "yes"},
}
NOWHERE = "127.0.0.1:1"


class Quiet:
    """Lookups that remember what was asked to be done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def letters(self, topic: str | None, reason: str | None, limit: int) -> tuple[list[Letter], int]:
        raise UnavailableError("no Kafka <here>")

    def replay(self, ids: list[str]) -> int:
        self.done += ids
        return len(ids)

    def person(self, user_id: str) -> Person:
        return Person(user_id, None, None, None)

    def erase(self, user_id: str) -> str:
        self.done.append(user_id)
        return "erase-1"

    def topology(self) -> Topology:
        return Topology((), ())

    def versions(self) -> Versions:
        trees = ChallengerNode("trees-1", True, "serve", 0, 600, 1_400, -0.02, -0.03, -0.01, "challenger")
        return Versions(trees, (ExperimentNode("fresher", {"control": 0.5, "treatment": 0.5}, 0, None, False),))

    def rollback(self, model: str) -> str:
        self.done.append(model)
        return "the blend ranks again"

    def stop_experiment(self, name: str) -> str:
        self.done.append(name)
        return "stopped"


class World:
    """A console without Kafka, and someone before it."""

    def __init__(self, directory: Path) -> None:
        self.lookups = Quiet()
        self.now_s = 0.0
        self.audit = Audit(directory)
        self.console = Console(
            lag=LagFeed(lambda: Collector(NOWHERE, timeout_s=0.1)),
            workers=Workers([NOWHERE]),
            owners=Owners(NOWHERE, {}, list),
            lookups=self.lookups,
            sessions=Sessions({"viewer": "look", "operator": "act"}, clock=lambda: self.now_s),
            audit=self.audit,
            bootstrap=NOWHERE,
            pool=ThreadPoolExecutor(2),
        )

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(each.role, each.action, each.outcome) for each in reversed(self.audit.newest())]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:  # type: ignore[type-arg]
    with TestClient(application(world.console)) as client:
        client.follow_redirects = False
        yield client


def log_in(client: TestClient, password: str) -> str:  # type: ignore[type-arg]
    """Returns the session's csrf value."""
    answer = client.post("/login", data={"password": password})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    text = client.get("/audit").text
    return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize("path", PAGES)
def test_without_a_token_nothing_is_shown(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    assert client.get(f"/{path}").status_code == 401
    assert client.get(f"/{path}", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get(f"/{path}", headers={"authorization": "Basic act"}).status_code == 401
    assert client.get(f"/{path}", headers={"accept": "text/html"}).headers["location"] == "/login"
    client.cookies.set(COOKIE, "made up")
    assert client.get(f"/{path}").status_code == 401


@pytest.mark.parametrize("path", [path for path in PAGES if not path.startswith("live")])
def test_every_page_opens_without_kafka_and_workers(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    answer = client.get(f"/{path}", headers={"authorization": "Bearer look"})
    assert answer.status_code == 200
    assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_want_an_operator_and_a_form_of_ours(client: TestClient, world: World, path: str) -> None:  # type: ignore[type-arg]
    form = ACTIONS[path]
    assert client.post(path, data=form).status_code == 401
    assert client.post(path, data=form, headers={"authorization": "Bearer look"}).status_code == 403
    viewers = log_in(client, "look")
    assert client.post(path, data={**form, "csrf": viewers}).status_code == 403
    log_in(client, "act")
    assert client.post(path, data=form).status_code == 403
    assert client.post(path, data={**form, "csrf": viewers}).status_code == 403
    assert world.lookups.done == []
    refused = [each for each in world.outcomes() if each[2].startswith("refused")]
    assert len(refused) == 4, "what was refused is written down"


@pytest.mark.parametrize("path", ACTIONS)
def test_an_operator_acts_by_form_and_by_token(client: TestClient, world: World, path: str) -> None:  # type: ignore[type-arg]
    csrf = log_in(client, "act")
    assert client.post(path, data={**ACTIONS[path], "csrf": csrf}).status_code in {200, 201, 302, 303}
    client.cookies.clear()
    token = {"authorization": "Bearer act"}
    assert client.post(path, data=ACTIONS[path], headers=token).status_code in {200, 201, 302, 303}
    assert len(world.lookups.done) == 2
    named = path.rpartition("/")[2]
    outcomes = [each for each in world.outcomes() if each[1] == named]
    assert [outcome == "asked" for _, _, outcome in outcomes] == [True, False, True, False]


def test_a_replay_is_confirmed_and_an_erasure_typed_twice(client: TestClient, world: World) -> None:  # type: ignore[type-arg]
    token = {"authorization": "Bearer act", "accept": "text/html"}
    asked = client.post("/dead-letters/replay", data={"id": "views-0-1"}, headers=token)
    assert "Send 1 letter back?" in asked.text
    assert client.post("/person/erase", data={"user": "u1", "again": "u2"}, headers=token).status_code == 400
    for path, question in (("rollback", "Let the blend rank again?"), ("stop-experiment", "Let nobody else in?")):
        assert question in client.post(f"/models/{path}", data={"subject": "x"}, headers=token).text
    assert world.lookups.done == []


def test_guessing_is_slowed_down_and_written_down(client: TestClient, world: World) -> None:  # type: ignore[type-arg]
    for _ in range(MAX_WRONG):
        assert client.post("/login", data={"password": "guess"}).status_code == 401
    assert client.post("/login", data={"password": "act"}).status_code == 429
    world.now_s += WRONG_S + 1
    assert client.post("/login", data={"password": "act"}).status_code == 303
    assert [outcome for _, _, outcome in world.outcomes()] == ["refused: wrong password"] * MAX_WRONG + ["ok"]


def test_no_secret_admits_nobody() -> None:
    sessions = Sessions({"viewer": "", "operator": ""})
    assert sessions.role_of("") is None
    assert sessions.find(None, "Bearer ") is None


def test_a_session_ends(client: TestClient, world: World) -> None:  # type: ignore[type-arg]
    csrf = log_in(client, "act")
    assert client.post("/logout", data={"csrf": "forged"}).status_code == 303
    log_in(client, "act")
    csrf = client.get("/audit").text.partition('name="csrf" value="')[2].partition('"')[0]
    kept = client.cookies.get(COOKIE)
    client.post("/logout", data={"csrf": csrf})
    client.cookies.set(COOKIE, str(kept))
    assert client.get("/audit").status_code == 401


def test_the_log_is_private_and_hostile_words_stay_words(client: TestClient, world: World, tmp_path: Path) -> None:  # type: ignore[type-arg]
    token = {"authorization": "Bearer act", "accept": "text/html"}
    hostile = '<script>alert("x")</script>\n'
    client.post("/person/erase", data={"user": hostile, "again": hostile}, headers=token)
    assert world.audit.path.stat().st_mode & 0o077 == 0
    lines = world.audit.path.read_text().splitlines()
    subjects = {json.loads(line)["subject"] for line in lines}
    assert subjects == {world.audit.alias(hostile)}, "the log outlives people, and names none"
    assert world.audit.alias(hostile) not in {world.audit.alias("u1"), Audit(tmp_path, "a secret").alias(hostile)}
    assert "<script>alert" not in client.get("/audit", headers=token).text
    assert "no Kafka &lt;here&gt;" in client.get("/dead-letters", headers=token).text
    assert "<script>alert" not in client.get("/person", params={"user": hostile}, headers=token).text
