"""Reading what the sink wrote from a server that answers many at once.

Connections are redis-py's, with its TLS, passwords and time limits; its pool and its client are left out, because they
cost more than the rest of a request.
"""

from asyncio import timeout
from typing import Any, Final

import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostError

from streams.erased import Erased
from streams.redis_keys import view_key
from streams.settings import Settings

ANSWER_S: Final = 0.25
CONNECT_S: Final = 0.5
MOST_IDLE: Final = 32


class LiveView:
    """The newest decision of each person, as bytes of JSON.

    Raises redis.RedisError, OSError or TimeoutError where Redis is away.

    What is from before an erasure is not told, although the sink may not have taken it away yet.
    """

    def __init__(self, settings: Settings, erased: Erased) -> None:
        self._erased = erased
        self._pool = redis.asyncio.ConnectionPool.from_url(
            settings.redis,
            socket_timeout=None,  # one limit around question and answer: with theirs, each question is a task
            socket_connect_timeout=CONNECT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._idle: list[AbstractConnection] = []

    async def recommendation(self, user_id: str) -> bytes | None:
        """The newest list, or None."""
        return await self._newest("recommendations", user_id)

    async def send_time(self, user_id: str) -> bytes | None:
        """The newest send time, or None."""
        return await self._newest("send-times", user_id)

    async def close(self) -> None:
        """Give the connections back."""
        while self._idle:
            await self._idle.pop().disconnect()

    async def _newest(self, topic: str, user_id: str) -> bytes | None:
        found = await self._stored(view_key(topic, user_id.encode()))
        return None if found is None or self._erased.covers_decision(user_id, found) else found

    async def _stored(self, key: bytes) -> bytes | None:
        while self._idle:
            try:
                return await self._ask(self._idle.pop(), key)
            except LostError:
                continue  # closed by the other side while nobody looked
        return await self._ask(self._pool.make_connection(), key)  # type: ignore[no-untyped-call]

    async def _ask(self, connection: AbstractConnection, key: bytes) -> bytes | None:
        try:
            if not connection.is_connected:
                async with timeout(CONNECT_S):
                    await connection.connect()  # type: ignore[no-untyped-call]
            async with timeout(ANSWER_S):
                await connection.send_command("HGET", key, "d")
                found: Any = await connection.read_response()
        except BaseException:  # whatever it was, also being cancelled: what is on the wire is no longer known
            await connection.disconnect(nowait=True)
            raise
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            await connection.disconnect()
        return found if isinstance(found, bytes) else None
