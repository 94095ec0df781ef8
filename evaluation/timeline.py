"""A log as protocol P1 tells it: in steps, without the order of data entry, and without a word about the future.

Events of one person at one time are one *step*; inside it the order is shuffled by a salted hash of (person, time,
item), because the order in a file is an accident. A catalogue row is held back until its item is posted, or else until
its first event: a catalogue that holds only items which will be viewed one day tells the future.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from heapq import heapify, heappop
from typing import Final

from msgspec import Struct

from evaluation.replay_file import Record, ReplayLog
from schemas.behaviour import Click, Dismissal, Event, Impression, ItemEvent, Send
from schemas.catalogue import Item

SALT: Final = "attune"


class Row(Struct, frozen=True):
    """A record that is no event: of the catalogue, or of a person."""

    record: Record
    now_ms: int


class Step(Struct, frozen=True):
    """All events of one person at one time, shuffled."""

    user_id: str
    now_ms: int
    records: tuple[Record, ...]


def timeline(log: ReplayLog, whole_catalogue: bool = False) -> Iterator[Row | Step]:
    """Rows and steps in the order in which they become known.

    `whole_catalogue` tells all items at the start (`cold`), in hashed order, because the file's may be that of first
    events. Otherwise what is held back for an event is to be asked for by whoever takes the event (`Held`).
    """
    start_ms = log.start_ms
    posted: list[tuple[int, bytes, str]] = []
    if whole_catalogue:
        for item_id in sorted(log.catalogue, key=_salted):
            yield Row(_of_catalogue(log.catalogue[item_id], start_ms), start_ms)
    else:
        posted = [
            (item.posted_ms, _salted(item_id), item_id)
            for item_id, item in log.catalogue.items()
            if item.posted_ms is not None
        ]
        heapify(posted)
    for block in _blocks(log.records):
        now_ms = max(block[0].at_ms, start_ms)
        while posted and posted[0][0] <= now_ms:
            posted_ms, _, item_id = heappop(posted)
            yield Row(_of_catalogue(log.catalogue[item_id], posted_ms), max(posted_ms, start_ms))
        people: dict[str, list[Record]] = {}
        for record in block:
            if isinstance(record.value, Event):
                people.setdefault(record.value.user_id, []).append(record)
            else:
                yield Row(record, now_ms)
        for user_id, records in people.items():
            if len(records) > 1:
                records.sort(key=_shuffle)
            yield Step(user_id, now_ms, tuple(records))


class Held:
    """Catalogue rows that wait for the first event of their item."""

    def __init__(self, log: ReplayLog, whole_catalogue: bool = False) -> None:
        self._rows: dict[str, Item] = {} if whole_catalogue else dict(log.catalogue)

    def forget(self, item_id: str) -> None:
        """The item is known by now, or retired before it ever was."""
        self._rows.pop(item_id, None)

    def release(self, event: Event) -> list[Item]:
        """The rows that an event makes known: to be told after it was judged and before it is learned."""
        rows = self._rows
        return [rows.pop(item_id) for item_id in items_named(event) if item_id in rows] if rows else []


def items_named(event: Event) -> tuple[str, ...]:
    """The items that an event speaks of."""
    match event:
        case ItemEvent() | Dismissal():
            return (event.item_id,)
        case Impression() | Send():
            return event.item_ids
        case Click(item_id=str() as item_id):
            return (item_id,)
        case _:
            return ()


def _blocks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Runs of records of one time."""
    start, end = 0, len(records)
    while start < end:
        at_ms = records[start].at_ms
        stop = start + 1
        while stop < end and records[stop].at_ms == at_ms:
            stop += 1
        yield records[start:stop]
        start = stop


def _of_catalogue(item: Item, at_ms: int) -> Record:
    return Record(at_ms, "items", item.item_id.encode(), item)


def _salted(text: str) -> bytes:
    return blake2b(f"{SALT}|{text}".encode(), digest_size=8).digest()


def _shuffle(record: Record) -> tuple[bytes, str, str]:
    event = record.value
    assert isinstance(event, Event)
    named = items_named(event)
    item_id = named[0] if named else ""
    return _salted(f"{event.user_id}|{event.ts_ms}|{item_id}"), record.topic, event.event_id
