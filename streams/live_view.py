"""Reading what the sink wrote from a server that answers many at once."""

from typing import Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from streams.redis_keys import view_key
from streams.settings import Settings

ANSWER_S: Final = 0.25
MOST_CONNECTIONS: Final = 32


class LiveView:
    """The newest decision of each person, as bytes of JSON. Raises redis.RedisError where Redis is away."""

    def __init__(self, settings: Settings) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.redis,
            max_connections=MOST_CONNECTIONS,
            timeout=ANSWER_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = redis.asyncio.Redis(connection_pool=pool)

    async def recommendation(self, user_id: str) -> bytes | None:
        """The newest list, or None."""
        return await self._newest("recommendations", user_id)

    async def send_time(self, user_id: str) -> bytes | None:
        """The newest send time, or None."""
        return await self._newest("send-times", user_id)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _newest(self, topic: str, user_id: str) -> bytes | None:
        found: Any = await self._redis.hget(view_key(topic, user_id.encode()), "d")
        return found if isinstance(found, bytes) else None
