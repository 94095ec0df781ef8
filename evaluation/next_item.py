"""Protocol P1, next item, prequential: before each event the list, then the event (MODELS §1).

The target of an event is judged when its person has an earlier event, after the first part of the log (`warmup`) that
is learned only. Targets that nobody acted on before are counted, not judged, except by `cold`, which judges only them.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Annotated, Final, Literal

import numpy as np
from msgspec import Meta, Struct

from evaluation.baselines import Baselines, Candidates
from evaluation.driver import Driver
from evaluation.exposure import ExposureMeter
from evaluation.judged import Judged
from evaluation.listing import ask, judging_pack
from evaluation.metrics import rank_in_list
from evaluation.ranker import RankerMeter
from evaluation.replay_file import Progress, Record, ReplayLog
from evaluation.timeline import Held, Row, Step, timeline
from processors.growing import grown
from processors.pack import Pack
from processors.randomness import Randomness
from processors.top_list import Rows
from schemas.behaviour import Apply, Event, ItemEvent, Save, View
from schemas.catalogue import Item
from schemas.decode import Retired

_SHOW_EVERY: Final = 64
_NONE: Final[frozenset[str]] = frozenset()
LIST_SIZE: Final = 10
"""Places of a list that count as exposure."""


class NextItem(Struct, frozen=True, kw_only=True):
    """How the protocol is run. `slate` judges what the workers would have published: with caps, near-duplicates
    collapsed and the minimum interval, at the pack's list length; otherwise the best 20 are asked for at each event.
    """

    candidates: Candidates = "any"
    steps: Literal["basket", "strict"] = "basket"
    replica_delay_ms: Annotated[int, Meta(ge=0)] = 0
    warmup: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.1
    slate: bool = False
    baselines: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"warmup must be in [0, 1), not {self.warmup}")


def judge(log: ReplayLog, pack: Pack, options: NextItem, progress: Progress | None = None) -> Judged:
    """Run the protocol over a log."""
    return _Run(log, pack, options).finish(progress)


class _Run:
    def __init__(self, log: ReplayLog, pack: Pack, options: NextItem) -> None:
        self._log = log
        self._options = options
        cold = options.candidates == "cold"
        self._driver = Driver(
            pack if options.slate else judging_pack(pack),
            delay_ms=options.replica_delay_ms,
            publishes=options.slate,
        )
        self._timeline: Iterator[Row | Step] = timeline(log, cold)
        self._held = Held(log, cold)
        self._baselines = Baselines() if options.baselines else None
        self._judged = Judged()
        self._first = int(options.warmup * log.events)
        self._people: dict[str, int] = {}
        self._earlier: dict[str, int] = {}
        self._last_ms: dict[str, int] = {}
        self._own: dict[str, set[str]] = {}
        self._seen: set[str] = set()
        self._seen_rows = np.zeros(64, np.bool_)
        self._meter = RankerMeter()
        self._exposure = ExposureMeter()
        self._from_ms = 0
        self._until_ms = 0

    def finish(self, progress: Progress | None) -> Judged:
        judged, total = self._judged, self._log.events
        shown = 0
        for entry in self._timeline:
            if isinstance(entry, Row):
                self._row(entry)
            elif self._options.steps == "basket":
                for record in entry.records:
                    self._judge(entry, record, judged.events)
                    self._learn(entry, record)
            else:
                for place, record in enumerate(entry.records, judged.events):
                    self._judge(entry, record, place)
                for record in entry.records:
                    self._learn(entry, record)
            if progress is not None and judged.events - shown >= _SHOW_EVERY:
                shown = judged.events
                progress(shown, total)
        judged.exposure = self._exposure.report(self._driver.replica.catalogue)
        judged.ranker = self._meter.report(self._from_ms, self._until_ms, self._driver.pack.attribution_ms)
        return judged

    def _row(self, row: Row) -> None:
        record = row.record
        match record.value:
            case Item() as item:
                self._put(item)
            case Retired(key=item_id) if record.topic == "items":
                self._held.forget(item_id)
                self._note_seen(item_id, False)
                self._driver.retire_item(item_id)
                if self._baselines is not None:
                    self._baselines.retire(item_id)
            case fact:
                self._driver.take(record.topic, record.key, fact, row.now_ms)

    def _put(self, item: Item) -> None:
        self._held.forget(item.item_id)
        self._driver.put_item(item)
        if item.item_id in self._seen:
            self._note_seen(item.item_id)
        if self._baselines is not None:
            self._baselines.know(item.item_id)

    def _judge(self, step: Step, record: Record, place: int) -> None:
        user_id = step.user_id
        item_id = target_of(record.value)
        earlier = self._earlier.get(user_id, 0)
        if item_id is None or not earlier or place < self._first:
            return
        candidates = self._options.candidates
        if candidates == "new" and item_id in self._own.get(user_id, ()):
            return
        seen = item_id in self._seen
        judged = self._judged
        judged.never_seen += not seen
        if seen == (candidates == "cold"):
            return
        listed = self._list(step, record)
        self._exposure.take(listed[:LIST_SIZE], self._driver.replica.catalogue)
        judged.add(
            rank_in_list(listed, item_id),
            person=self._people.setdefault(user_id, len(self._people)),
            event=place,
            earlier=earlier,
            absence_ms=step.now_ms - self._last_ms[user_id],
            segment=self._driver.profiles[record.key].said("segment") or "",
            baselines=(
                self._baselines.ranks(user_id, item_id, step.now_ms, candidates) if self._baselines is not None else ()
            ),
        )

    def _list(self, step: Step, record: Record) -> list[str]:
        driver = self._driver
        left_out = self._left_out(step.user_id)
        if self._options.slate:
            driver.wake_due(driver.partition_of(record.key), step.now_ms)
            published = driver.published.get(record.key)
            items = published.items if published is not None else ()
            return [item.item_id for item in items if item.item_id not in left_out]
        driver.catch_up(step.now_ms)
        rng = Randomness(f"list/{step.user_id}/{step.now_ms}")
        return ask(driver.profiles[record.key], step.now_ms, driver.replica, rng, self._rows_of(left_out))

    def _rows_of(self, left_out: Set[str]) -> Rows:
        if left_out is self._seen:
            return np.flatnonzero(self._seen_rows)
        return np.array(self._driver.replica.catalogue.rows_of(left_out), np.intp)

    def _left_out(self, user_id: str) -> Set[str]:
        """Items that are no candidates."""
        if self._options.candidates == "any":
            return _NONE
        return self._seen if self._options.candidates == "cold" else self._own.get(user_id, _NONE)

    def _learn(self, step: Step, record: Record) -> None:
        event, user_id = record.value, step.user_id
        assert isinstance(event, Event)
        for item in self._held.release(event):
            self._put(item)
        self._driver.catch_up(step.now_ms)
        outcome = self._driver.take(record.topic, record.key, event, step.now_ms)
        self._meter.take(outcome.effects, step.now_ms, self._driver.replica)
        if self._judged.events == self._first:
            self._from_ms = step.now_ms
        self._judged.events += 1
        self._earlier[user_id] = self._earlier.get(user_id, 0) + 1
        self._last_ms[user_id] = self._until_ms = step.now_ms
        if isinstance(event, ItemEvent) and target_of(event) is not None:
            self._own.setdefault(user_id, set()).add(event.item_id)
            self._seen.add(event.item_id)
            self._note_seen(event.item_id)
            if self._baselines is not None:
                self._baselines.learn(user_id, event.item_id, event.ts_ms)

    def _note_seen(self, item_id: str, seen: bool = True) -> None:
        """Rows of retired items are used again."""
        if row := self._driver.replica.catalogue.row_of(item_id):
            self._seen_rows = grown(self._seen_rows, row + 1, False)
            self._seen_rows[row] = seen


def target_of(event: object) -> str | None:
    """The item that someone acted on of their own accord; taking a save back is no wish.

    >>> target_of(Save(event_id="e", user_id="u", ts_ms=0, item_id="i", undo=True)) is None
    True
    """
    match event:
        case Save(undo=True):
            return None
        case View() | Save() | Apply():
            return event.item_id
        case _:
            return None
