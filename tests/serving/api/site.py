"""The API as a site team runs it: `attune serve` beside `attune worker`, on a real Kafka and a real Redis."""

import hashlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import httpx

from attune.client import Attune
from schemas.access import Scope
from streams.embedded import EmbeddedRedis
from tests.cli.command import ROOT, environment
from tests.integration.house import House
from tests.integration.waiting import eventually

SCOPES = get_args(Scope)
RULES = """
[[rules]]
name = "spring"
kind = "pin"
items = ["item:job-7"]
until_ms = 4102444800000
surface = "email"
position = 2
"""


def settings_file(tokens: Mapping[str, Iterable[str]]) -> str:
    """`attune.toml` with a token of its own name for each entry."""
    lines = [
        'user_token_key = "a key for tests"',
        'erasure_key = "another"',
        'cors_origins = ["https://shop.example"]',
    ]
    for name, scopes in tokens.items():
        shown = ", ".join(f'"{scope}"' for scope in scopes)
        digest = hashlib.sha256(f"token-{name}".encode()).hexdigest()
        lines.append(f'[api_tokens.{name}]\nsha256 = "{digest}"\nscopes = [{shown}]\nrate_per_s = 100000.0')
    return "\n".join([*lines, RULES])


def job(number: int) -> dict[str, Any]:
    """A small, plain job."""
    trade = ("night nurse", "welder", "java developer", "pastry cook")[number % 4]
    return {
        "title": f"{trade.title()} {number}",
        "brand": f"Employer {number % 9}",
        "categories": [trade],
        "location": {"city": ("Austin", "Boston")[number % 2], "region": ("TX", "MA")[number % 2], "country": "US"},
        "remote": number % 5 == 0,
        "salary": {"max": 40_000 + 1_000 * number, "currency": "USD"},
        "posted_ms": 1_700_000_000_000,
    }


def event(user_id: str, item_id: str = "job-3", **more: Any) -> dict[str, Any]:
    """A view, or another event that bears an item, of now."""
    return {
        "event_id": uuid.uuid4().hex,
        "user_id": user_id,
        "item_id": item_id,
        "ts_ms": time.time_ns() // 10**6,
        **more,
    }


class Site:
    """Everything that runs; `client` has a token with every scope."""

    def __init__(self, bootstrap: str, directory: Path, *, erasure_complete_ms: int = 2_000) -> None:
        self.redis = EmbeddedRedis().start()
        config = directory / "attune.toml"
        tokens = {"all": SCOPES, **{scope: (scope,) for scope in SCOPES}, "none": ()}
        config.write_text(settings_file(tokens))
        self.names = {
            "bootstrap": bootstrap,
            "partitions": "4",
            "session_s": "6",
            "redis": self.redis.url,
            "config": str(config),
            "erasure_complete_ms": str(erasure_complete_ms),
            "flush_ms": "50",
            "state_dir": str(directory),
        }
        names = {
            name: value for name, value in self.names.items() if name not in {"bootstrap", "partitions", "session_s"}
        }
        self.house = House(bootstrap, directory / "worker.log", clock="wall", **names)
        with (directory / "serve.log").open("wb") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "serve"],
                env=environment(**self.names),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.server.stdout is not None
        self.log = directory / "serve.log"
        self.url = self.server.stdout.readline().decode().strip()
        assert self.url, self.log.read_text()
        self.client = self.as_("all")

    def as_(self, name: str | None) -> httpx.Client:
        """A client with the token of that name."""
        headers = {} if name is None else {"Authorization": f"Bearer token-{name}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20.0)

    def stock(self, jobs: int = 40) -> None:
        """Jobs in, and waiting until they are there."""
        with Attune(self.url, "token-all", tries=10) as attune:  # a Kafka that has just started may be slow
            for number in range(jobs):
                attune.put_item(f"job-{number}", **job(number))
        eventually(lambda: self.client.get("/readyz").json()["items"] >= jobs, 60, what="the catalogue")
        eventually(lambda: self.client.get("/readyz").status_code == 200, 60, what="readiness")

    def tell(self, *events: tuple[str, dict[str, Any]]) -> httpx.Response:
        """Events of any topic."""
        return self.client.post("/v1/events", json=[{"topic": topic, "value": value} for topic, value in events])

    def list_of(self, user_id: str, **parameters: Any) -> dict[str, Any]:
        """A list, that has to be had."""
        answer = self.client.get(f"/v1/recommendations/{user_id}", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def user_token(self, user_id: str) -> str:
        """A browser's token."""
        return str(self.client.post(f"/v1/user-tokens/{user_id}").json()["token"])

    def close(self) -> None:
        """A clean end of everything."""
        self.client.close()
        self.server.terminate()
        try:
            assert self.server.wait(20) == 0, self.log.read_text()
        finally:
            if self.server.poll() is None:
                self.server.kill()
            if self.server.stdout is not None:
                self.server.stdout.close()
            self.house.close()
            self.redis.close()


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """A problem's body, after looking at its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.content)
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    return found
