"""Reading what the sink wrote: for the CLI, and for whoever serves a site."""

from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.redis_keys import view_key
from streams.settings import Settings

ANSWER_S: Final = 5.0


def redis_client(settings: Settings) -> "redis.Redis":
    """A client that fails at once where Redis is away; whoever uses it decides whether to try again."""
    client: redis.Redis = redis.Redis.from_url(
        settings.redis,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )
    return client


class RedisView:
    """The newest decision of each person, as bytes of JSON. Raises redis.RedisError where Redis is away."""

    def __init__(self, settings: Settings) -> None:
        self._redis = redis_client(settings)

    def recommendation(self, user_id: str) -> bytes | None:
        """The newest list, or None for a person who has none (or was forgotten)."""
        return self._newest("recommendations", user_id)

    def send_time(self, user_id: str) -> bytes | None:
        """The newest send time, or None."""
        return self._newest("send-times", user_id)

    def recommendations(self, user_ids: list[str]) -> list[bytes | None]:
        """The newest lists of many people, in one round trip."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for user_id in user_ids:
                pipeline.hget(view_key("recommendations", user_id.encode()), "d")
            found: list[bytes | None] = pipeline.execute()
        return found

    def _newest(self, topic: str, user_id: str) -> bytes | None:
        found: Any = self._redis.hget(view_key(topic, user_id.encode()), "d")
        return found if isinstance(found, bytes) else None

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()
