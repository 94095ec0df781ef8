"""How well search finds, on a log without queries: known items, mistyped ones, and what people viewed next.

`known_item` and `typo`: three words of a title, the whole catalogue in the index, the place of that very item.
`plain` and `personal`: for the last tenth of the views, the first two words of the viewed title, asked for just before
the view by the person who viewed; items enter the index with their first event, so that only items seen before are
asked for; relevance alone beside the person's own order. Nothing after the view is known to anything. They hold people
with an earlier event; the others are `unknown_plain` and `unknown_personal`.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from evaluation.driver import Driver
from evaluation.metrics import hit, rank_in_list, reciprocal_rank
from evaluation.replay_file import Progress, Record, ReplayLog
from evaluation.search_queries import first_words, known_item
from evaluation.timeline import Held, Row, timeline
from processors.identity import hash64
from processors.pack import Pack
from schemas.behaviour import Event, View
from schemas.catalogue import Item
from schemas.decode import Retired
from serving.search.engine import DEFAULT_SETTINGS, SearchEngine, SearchSettings

LIST: Final = 100
"""Places that are judged: what stands behind them counts nothing."""
KNOWN_ITEMS: Final = 2_000
"""At most so many, drawn by their ids."""
JUDGED: Final = 0.1
"""The last share of the views."""
_SHOW_EVERY: Final = 64


class Quality(Struct, frozen=True):
    """Mean reciprocal rank and hit rates over `n` queries; 0 without any."""

    n: int
    mrr: float
    hr1: float = msgspec.field(name="hr@1")
    hr10: float = msgspec.field(name="hr@10")


class SearchQuality(Struct, frozen=True):
    """The report."""

    known_item: Quality
    typo: Quality
    plain: Quality
    personal: Quality
    unknown_plain: Quality
    unknown_personal: Quality


def judge_search(
    log: ReplayLog,
    pack: Pack,
    settings: SearchSettings = DEFAULT_SETTINGS,
    progress: Progress | None = None,
    judged: tuple[float, float] = (1.0 - JUDGED, 1.0),
) -> SearchQuality:
    """Run all four over a log; `judged` is the stretch of the views that is asked for, as shares of all views."""
    known, mistyped = _known_items(log, pack, settings)
    views = _Views(log, pack, settings, judged)
    views.run(progress)
    return SearchQuality(
        _quality(known),
        _quality(mistyped),
        *[
            _quality([rank for rank, is_known in zip(ranks, views.is_known, strict=True) if is_known is wanted])
            for wanted in (True, False)
            for ranks in (views.plain, views.personal)
        ],
    )


def _known_items(log: ReplayLog, pack: Pack, settings: SearchSettings) -> tuple[list[float], list[float]]:
    items = dict(log.catalogue)
    now_ms = log.start_ms
    for record in log.records:
        now_ms = max(now_ms, record.at_ms)
        if isinstance(record.value, Item):
            items[record.value.item_id] = record.value
        elif isinstance(record.value, Retired) and record.topic == "items":
            items.pop(record.key.decode(), None)
    driver = Driver(pack)
    engine = SearchEngine(driver.replica, pack.name, settings)
    for item in items.values():
        engine.put_item(item)
    engine.refresh()
    asked = [made for item in items.values() if (made := known_item(item)) is not None]
    asked.sort(key=lambda made: (hash64(f"known/{made.item_id}"), made.item_id))
    known: list[float] = []
    mistyped: list[float] = []
    for made in asked[:KNOWN_ITEMS]:
        for query, ranks in ((made.query, known), (made.mistyped, mistyped)):
            found = engine.search(query, now_ms=now_ms, limit=LIST, with_facets=False)
            ranks.append(rank_in_list([place.item_id for place in found.items], made.item_id))
    return known, mistyped


class _Views:
    def __init__(self, log: ReplayLog, pack: Pack, settings: SearchSettings, judged: tuple[float, float]) -> None:
        self._log = log
        views = sum(1 for record in log.records if isinstance(record.value, View))
        self._first, self._end = (int(share * views) for share in judged)
        self._driver = Driver(pack)
        self._engine = SearchEngine(self._driver.replica, pack.name, settings)
        self._held = Held(log)
        self._titles: dict[str, str] = {}
        self.plain: list[float] = []
        self.personal: list[float] = []
        self.is_known: list[bool] = []

    def run(self, progress: Progress | None) -> None:
        views = events = 0
        for entry in timeline(self._log):
            if isinstance(entry, Row):
                self._row(entry.record, entry.now_ms)
                continue
            for record in entry.records:
                if isinstance(record.value, View):
                    if self._first <= views < self._end:
                        self._judge(record, record.value, entry.now_ms)
                    views += 1
                    if views >= self._end:
                        return
                self._learn(record, entry.now_ms)
                events += 1
                if progress is not None and not events % _SHOW_EVERY:
                    progress(events, self._log.events)

    def _row(self, record: Record, now_ms: int) -> None:
        match record.value:
            case Item() as item:
                self._put(item)
            case Retired(key=item_id) if record.topic == "items":
                self._held.forget(item_id)
                self._titles.pop(item_id, None)
                self._driver.retire_item(item_id)
                self._engine.retire_item(item_id)
            case fact:
                self._driver.take(record.topic, record.key, fact, now_ms)

    def _put(self, item: Item) -> None:
        self._held.forget(item.item_id)
        self._titles[item.item_id] = item.title
        self._driver.put_item(item)
        self._engine.put_item(item)

    def _judge(self, record: Record, view: View, now_ms: int) -> None:
        query = first_words(self._titles.get(view.item_id, ""))
        if query is None:
            return
        self._driver.catch_up(now_ms)
        self._engine.refresh()
        profile = self._driver.profiles.get(record.key)
        for asker, ranks in ((None, self.plain), (profile, self.personal)):
            found = self._engine.search(query, profile=asker, now_ms=now_ms, limit=LIST, with_facets=False)
            ranks.append(rank_in_list([place.item_id for place in found.items], view.item_id))
        self.is_known.append(profile is not None and bool(profile.actions))

    def _learn(self, record: Record, now_ms: int) -> None:
        event = record.value
        assert isinstance(event, Event)
        for item in self._held.release(event):
            self._put(item)
        self._driver.catch_up(now_ms)
        self._driver.take(record.topic, record.key, event, now_ms)


def _quality(ranks: list[float]) -> Quality:
    if not ranks:
        return Quality(0, 0.0, 0.0, 0.0)
    means = [float(values.mean()) for values in (reciprocal_rank(ranks, LIST), hit(ranks, 1), hit(ranks, 10))]
    return Quality(len(ranks), *[round(mean, 4) for mean in means])
