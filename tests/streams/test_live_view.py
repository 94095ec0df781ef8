"""A Redis that takes questions and does not answer holds nobody up, on a new connection or a kept one."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import redis

from streams.embedded import EmbeddedRedis
from streams.erased import Erased
from streams.live_view import ANSWER_S, LiveView
from streams.redis_keys import view_key
from streams.settings import read_settings

LONG_S = 20.0
"""Far more than any limit, and less than a hanging test."""


@pytest.fixture
def store() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as started:
        yield started


def view_of(url: str) -> LiveView:
    settings = read_settings({"ATTUNE_REDIS": url})
    return LiveView(settings, Erased(settings))


def test_a_listener_that_never_speaks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        view = view_of(f"redis://127.0.0.1:{listening.getsockname()[1]}/0")
        with pytest.raises((OSError, redis.RedisError)):
            asyncio.run(asyncio.wait_for(view.recommendation("u1"), LONG_S))


def test_a_pause_on_a_kept_connection_and_the_answer_after_it(store: EmbeddedRedis) -> None:
    client = redis.Redis.from_url(store.url)
    client.hset(view_key("recommendations", b"u1"), mapping={"v": 1, "d": b"kept"})
    view = view_of(store.url)

    async def ask() -> None:
        assert await view.recommendation("u1") == b"kept"
        client.execute_command("CLIENT", "PAUSE", int(ANSWER_S * 4_000), "ALL")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(view.recommendation("u1"), LONG_S)
        client.execute_command("CLIENT", "UNPAUSE")
        assert await view.recommendation("u1") == b"kept"  # not the answer to the question before
        await view.close()

    asyncio.run(ask())
    client.close()
