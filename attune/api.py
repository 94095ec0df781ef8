"""The composition root of the HTTP API: the real parts, started and stopped with the server."""

import asyncio
import ctypes
import gc
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from litestar.types import ASGIApp, ControllerRouterHandler
from redis.exceptions import RedisError

from processors.profile import Profile
from schemas.behaviour import Erasure, ItemEvent, Search
from serving.api.access import Doors
from serving.api.application import application
from serving.api.limits import Breaker
from serving.api.measures import Measures
from serving.api.parts import Limits, Parts, Stage
from serving.api.publisher import Publisher
from serving.search.engine import SearchEngine
from serving.storefront import Shelf, Storefront
from streams.clock import boottime_s, wall_ms
from streams.erased import Erased
from streams.live_view import LiveView
from streams.onlookers import News, Profiles, Receipts, Searchers
from streams.portrait import portrait
from streams.producing import make_producer
from streams.replica_reader import ReplicaReader
from streams.settings import Settings

DRAIN_S: Final = 0.004
"""The longest that the catalogue may hold up requests once it has been read."""
FIRST_DRAIN_S: Final = 0.05
DRAIN_EVERY_S: Final = 0.02
SWITCH_S: Final = 0.0005
"""How soon a thread that reads Kafka makes way for the one that answers; Python's default is ten times as long."""
REFRESH_EVERY_S: Final = 0.5
"""How far search may be behind the catalogue."""
KAFKA_S: Final = 3.0
M_ARENA_MAX: Final = -8
"""A parameter of glibc's `mallopt` (malloc.h)."""


class Site:
    """The parts of one process, and the life of what is behind them."""

    def __init__(self, settings: Settings, *shelves: Shelf) -> None:
        _few_arenas()
        self.settings = settings
        self.storefront = Storefront(settings.pack, *shelves)
        self.engine = SearchEngine(self.storefront, settings.pack.name)
        self.storefront.also(self.engine)
        self.searchers = Searchers(settings)
        self.reader = ReplicaReader(settings, self.storefront, patient=True)
        self.erased = Erased(settings)
        self.people = Profiles(settings, self.erased)
        self.receipts = Receipts(settings)
        self.news = News(settings, self.erased)
        self.view = LiveView(settings, self.erased)
        deadline = {"message.timeout.ms": int(KAFKA_S * 1000) - 500, "log_level": 0}
        self.publisher = Publisher(
            make_producer(settings, **deadline), Breaker("kafka", KAFKA_S, Exception, boottime_s)
        )
        self.parts = Parts(
            storefront=self.storefront,
            engine=self.engine,
            decisions=self.view,
            people=self.people,
            receipts=_Stages(self.receipts),
            erased=self.erased,
            news=self.news,
            publisher=self.publisher,
            doors=Doors(settings.api_tokens, settings.user_token_key, wall_ms),
            measures=Measures(),
            redis=Breaker("redis", None, RedisError, boottime_s),
            portrait=self.portrait,
            clock_ms=wall_ms,
            limits=Limits(settings.rules, int(settings.list_fresh_s * 1000), settings.user_token_s),
        )

    def portrait(self, user_id: str, profile: Profile) -> dict[str, Any]:
        """Everything that a profile says, as plain values."""
        return portrait(user_id, profile, self.settings.pack)

    @asynccontextmanager
    async def life(self, _: Any) -> AsyncIterator[None]:
        """From the start of the server to its end."""
        tails = (self.erased.tail, self.people.tail, self.receipts.tail, self.news.tail, self.searchers.tail)
        starting = threading.Thread(target=self.reader.start, daemon=True)
        starting.start()
        for tail in tails:
            tail.start()
        sys.setswitchinterval(SWITCH_S)
        draining = asyncio.create_task(self._drain())
        try:
            yield
        finally:
            draining.cancel()
            self.news.end()
            for stop in (*[tail.stop for tail in tails], self.reader.stop, self.publisher.close):
                await asyncio.to_thread(stop)
            await self.view.close()

    async def _drain(self) -> None:
        """Take over what the reader has read, a little at a time: the replica belongs to the thread that ranks."""
        refreshed_s = 0.0
        while True:
            taken = self.reader.drain(DRAIN_S if self.reader.ready else FIRST_DRAIN_S)
            self._suggest()
            if self.reader.ready and boottime_s() - refreshed_s >= REFRESH_EVERY_S:
                refreshed_s = boottime_s()
                self.engine.refresh()
            if self.reader.ready and not self.storefront.is_ready:
                _freeze_garbage()
                self.storefront.is_ready = True
            await asyncio.sleep(0 if taken and not self.reader.ready else DRAIN_EVERY_S)

    def _suggest(self) -> None:
        suggestions = self.engine.suggestions
        for event in self.searchers.taken():
            match event:
                case Search():
                    suggestions.searched(event)
                case ItemEvent():
                    suggestions.acted(event)
                case Erasure(user_id=user_id):
                    suggestions.forget(user_id)


def _libc(name: str) -> Any:
    """A function of the C library, or one that does nothing where that has no such (other than glibc)."""
    found = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    return found if found is not None else lambda *_: 0


def _few_arenas() -> None:
    """Two arenas for all of librdkafka's threads: by default there are eight a core, each with holes of its own."""
    _libc("mallopt")(M_ARENA_MAX, 2)


def _freeze_garbage() -> None:
    """The catalogue lives as long as the process: the collector need not look at it again and again.

    What reading it took goes back to the system.
    """
    gc.collect()
    _libc("malloc_trim")(0)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _Stages:
    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    def stage(self, receipt_id: str) -> Stage | None:
        """What is known of an erasure."""
        found = self._receipts.stage(receipt_id)
        return None if found is None else Stage(*found)


def api(settings: Settings, more: Sequence[ControllerRouterHandler] = (), site: Site | None = None) -> ASGIApp:
    """The API for `settings`; `more` are routes beside its own. Logs go to stderr, without what variables held."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    site = site or Site(settings)
    return application(site.parts, settings.cors_origins, site.life, more)
