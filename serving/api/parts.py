"""What the API is built from; the composition root (`attune/cli/serve.py`) brings the real things."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from msgspec import Struct

from processors.merchandising import Rule
from processors.profile import Profile
from serving.api.access import Doors
from serving.api.limits import Breaker
from serving.api.measures import Measures
from serving.api.publisher import Publisher
from serving.search.engine import SearchEngine
from serving.storefront import Storefront


class Decisions(Protocol):
    """The newest decisions, where a site reads them. Raises what its breaker knows as a failure."""

    def recommendation(self, user_id: str) -> Awaitable[bytes | None]:
        """The newest list as it was published, or None."""

    def send_time(self, user_id: str) -> Awaitable[bytes | None]:
        """The newest send time, or None."""


class People(Protocol):
    """Profiles, a moment behind the workers that own them."""

    @property
    def ready(self) -> bool:
        """Whether everyone who was there at the start is known."""

    def profile(self, user_id: str) -> Profile | None:
        """A copy; None for a person never seen, or forgotten, or whose erasure was accepted."""


class Stage(Struct, frozen=True):
    """How far an erasure has come."""

    stage: str
    ts_ms: int | None = None


class Receipts(Protocol):
    """Receipts of erasures."""

    def stage(self, receipt_id: str) -> Stage | None:
        """What is known of the erasure that `erasures-PARTITION-OFFSET` asked for."""


class Erased(Protocol):
    """Who asked to be forgotten: whatever is from before is not told, by `Decisions`, `People` or `News`."""

    @property
    def ready(self) -> bool:
        """Whether everyone who asked before the start is known."""

    def note(self, user_id: str, ts_ms: int) -> None:
        """An erasure was accepted."""

    def know(self) -> Awaitable[None]:
        """Wait until what other processes accepted is known, too."""


class News(Protocol):
    """New lists, as they come."""

    def subscribe(self, user_id: str) -> "asyncio.Queue[bytes]":
        """A queue that gets every new list of a person from now on."""

    def unsubscribe(self, user_id: str, queue: "asyncio.Queue[bytes]") -> None:
        """No more."""


class Limits(Struct, frozen=True):
    """What the settings say."""

    rules: tuple[Rule, ...] = ()
    list_fresh_ms: int = 6 * 3_600_000
    user_token_s: int = 900
    user_token_most_s: int = 3_600


class Parts(Struct, frozen=True):
    """Everything a request may need."""

    storefront: Storefront
    engine: SearchEngine
    decisions: Decisions
    people: People
    receipts: Receipts
    erased: Erased
    news: News
    publisher: Publisher
    doors: Doors
    measures: Measures
    redis: Breaker
    portrait: Callable[[str, Profile], dict[str, Any]]
    clock_ms: Callable[[], int]
    limits: Limits = Limits()
