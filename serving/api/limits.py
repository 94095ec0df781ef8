"""Not too often, and not too long: a token bucket, and a breaker that stops asking what does not answer."""

from asyncio import timeout
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

BURST_S: Final = 2.0
OPEN_S: Final = 1.0
"""How long a breaker stays open: then one call tries again."""

Answer = TypeVar("Answer")


class Bucket:
    """A token bucket (`rate_per_s` over time, twice as many at once).

    >>> bucket = Bucket(1.0)
    >>> [bucket.take(now_s) for now_s in (0.0, 0.0, 0.0, 1.5)]
    [0.0, 0.0, 1.0, 0.0]
    """

    def __init__(self, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._left = self._most = max(rate_per_s * BURST_S, 1.0)
        self._seen_s = 0.0

    def take(self, now_s: float) -> float:
        """Take one. Returns 0, or in how many seconds there will be one."""
        self._left = min(self._left + max(now_s - self._seen_s, 0.0) * self._rate_per_s, self._most)
        self._seen_s = now_s
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._rate_per_s


class AwayError(Exception):
    """Something does not answer: it failed, took too long, or did so a moment ago."""


class Breaker:
    """Calls one thing behind the API; after a failure it is left alone for a second.

    `timeout_s` None: the thing has a time limit of its own.
    """

    def __init__(
        self, name: str, timeout_s: float | None, failures: type[Exception], clock_s: Callable[[], float]
    ) -> None:
        self.name = name
        self._timeout_s = timeout_s
        self._failures = failures
        self._clock_s = clock_s
        self._open_until_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the thing is left alone just now."""
        return self._clock_s() < self._open_until_s

    def fail(self) -> None:
        """It failed, as somebody else saw."""
        self._open_until_s = self._clock_s() + OPEN_S

    async def call(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask. Raises AwayError."""
        if self.is_open:
            raise AwayError(self.name)
        try:
            if self._timeout_s is None:
                return await ask()
            async with timeout(self._timeout_s):
                return await ask()
        except (TimeoutError, OSError, self._failures) as error:
            self.fail()
            raise AwayError(f"{self.name}: {error!r}") from None
