"""The demo's story: a market, two people, one save, and what it changes."""

import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from attune.demo.annex import Annex
from attune.demo.crowd import Crowd
from attune.demo.letters import Letters, Told
from attune.demo.stage import Stage
from attune.demo.watch import Watch
from schemas.decisions import Recommendation, RecommendedItem
from simulation.live import LiveMarket
from streams.clock import boottime_s, wall_ms
from streams.redis_view import RedisView
from streams.settings import Settings

BACKLOG: Final = 1_500
"""How many of the latest things the crowd did are told at the start."""
START_S: Final = 60.0
ANSWER_S: Final = 20.0
BETWEEN_LISTS_S: Final = 0.15
"""Beyond the pack's least interval, lest the list come with a timer."""


class Shown(Struct, frozen=True):
    """One place of a list, as people see it."""

    rank: int
    item_id: str
    title: str
    brand: str | None
    city: str | None
    reasons: tuple[str, ...]


class Outcome(Struct, frozen=True):
    """What the story came to."""

    seed: int
    items: int
    people: int
    saver: str
    saved: Shown
    before: tuple[Shown, ...]
    after: tuple[Shown, ...]
    new_items: tuple[str, ...]
    """In the list after the save and not before."""
    new_naming_saved: int
    """How many of them give the saved item as a reason."""
    bystander: str
    bystander_list: tuple[Shown, ...]
    bystander_unchanged: bool
    save_to_redis_ms: float
    """From the save to the changed list in Redis."""
    story_s: float
    """From the start of the demo to here."""
    mails: tuple[Told, ...] = ()
    """Who heard of the jobs that were posted then, and who did not."""


class Scene(Struct, frozen=True):
    """What a teller is told while the story goes on: the name of the step, and what is known by then."""

    name: str
    facts: dict[str, Any] = {}


Teller = Callable[[Scene], None]


class Story:
    """Tells itself once (`tell`); then the market goes on until `close`."""

    def __init__(self, stage: Stage, seed: int, tell: Teller, *, page: bool = False) -> None:
        self._page = page
        self._annex: Annex | None = None
        self.url = ""
        """Where the page is, once it is started."""
        self.stage = stage
        self.seed = seed
        self.say = tell
        self.started_s = boottime_s()
        self.settings: Settings | None = None
        self.crowd: Crowd | None = None
        self.watch: Watch | None = None
        self._rows: dict[str, dict[str, Any]] = {}

    def tell(self) -> Outcome:
        """Raises CommandError, EmbeddedError or BrokerError where it cannot go on."""
        self.say(Scene("opening", {"seed": self.seed}))
        stage, settings = self.stage, self.stage.open()
        stage.start_worker()
        if self._page:
            stage.start_console()
            self.url = stage.start_window()
        market = LiveMarket(self.seed, wall_ms())
        self.watch = Watch(settings)
        crowd = self.crowd = Crowd(settings, market)
        catalogue = list(market.catalogue())
        self._rows = {record["key"]: record["value"] for record in catalogue if record["topic"] == "items"}
        crowd.send(catalogue)
        people = len(catalogue) - len(self._rows)
        crowd.send(list(market.backlog())[-BACKLOG:])
        self.say(Scene("market", {"items": len(self._rows), "people": people, "events": crowd.events}))
        stage.wait(self._caught_up, "a worker that has read the market", START_S)
        self.say(Scene("learned", {"seconds": boottime_s() - self.started_s, "events": crowd.events}))
        self.watch.live_ms = wall_ms()
        crowd.start()
        if self.url:
            self._annex = Annex(stage, self.url, self.seed)
            console = {"console": stage.console_address(), "password": stage.console_password}
            self.say(Scene("page", {"url": self.url, **console}))
        return self._save(settings, market, crowd, people)

    def close(self) -> None:
        """Stop feeding and watching."""
        if self._annex is not None:
            self._annex.close()
        if self.crowd is not None:
            self.crowd.stop()
        if self.watch is not None:
            self.watch.stop()

    def _save(self, settings: Settings, market: LiveMarket, crowd: Crowd, people: int) -> Outcome:
        view = RedisView(settings)
        looked_ms = wall_ms()
        for person in (market.saver, market.bystander):
            crowd.send(market.first_looks(person, looked_ms))
        before = self._list_after(view, market.saver, f"story-{market.saver}-view-1")
        other = self._list_after(view, market.bystander, f"story-{market.bystander}-view-1")
        other_bytes = view.recommendation(market.bystander)
        saved = self._shown(RecommendedItem(market.item_to_save, 1, 0.0, "", ()))
        self.say(Scene("before", {"person": market.saver, "list": self._shown_all(before), "saved": saved}))
        wait_s = settings.pack.min_interval_ms / 1000 + BETWEEN_LISTS_S - (wall_ms() - before.ts_ms) / 1000
        threading.Event().wait(max(wait_s, 0.0))
        save = market.save(wall_ms())
        saved_s = boottime_s()
        crowd.send([save])
        after = self._list_after(view, market.saver, save["value"]["event_id"])
        save_ms = (boottime_s() - saved_s) * 1000
        known = {item.item_id for item in before.items}
        new = tuple(item for item in after.items if item.item_id not in known)
        outcome = Outcome(
            seed=self.seed,
            items=len(self._rows),
            people=people,
            saver=market.saver,
            saved=saved,
            before=self._shown_all(before),
            after=self._shown_all(after),
            new_items=tuple(item.item_id for item in new),
            new_naming_saved=sum(_names(item, saved.title) for item in new),
            bystander=market.bystander,
            bystander_list=self._shown_all(other),
            bystander_unchanged=view.recommendation(market.bystander) == other_bytes,
            save_to_redis_ms=round(save_ms, 1),
            story_s=round(boottime_s() - self.started_s, 1),
        )
        view.close()
        self.say(Scene("after", {"outcome": outcome}))
        told = Letters(self.stage, settings, crowd).tell()
        self.say(Scene("mails", {"told": told}))
        return msgspec.structs.replace(outcome, mails=told)

    def _caught_up(self) -> bool:
        return self.crowd is not None and self.crowd.is_learned(self.stage.status())

    def _list_after(self, view: RedisView, person: str, event_id: str) -> Recommendation:
        """The list that an event caused, once Redis has it."""
        found: list[Recommendation] = []

        def arrived() -> bool:
            value = view.recommendation(person)
            if value is not None:
                found.append(msgspec.json.decode(value, type=Recommendation))
            return bool(found) and found[-1].trigger.event_id == event_id

        self.stage.wait(arrived, f"a list for {person} after {event_id}", ANSWER_S)
        return found[-1]

    def _shown_all(self, recommendation: Recommendation) -> tuple[Shown, ...]:
        return tuple(self._shown(item) for item in recommendation.items)

    def _shown(self, item: RecommendedItem) -> Shown:
        row = self._rows.get(item.item_id, {})
        city = (row.get("location") or {}).get("city")
        return Shown(item.rank, item.item_id, row.get("title", ""), row.get("brand"), city, item.reasons)


def _names(item: RecommendedItem, title: str) -> bool:
    return any(title[:60] in reason for reason in item.reasons)
