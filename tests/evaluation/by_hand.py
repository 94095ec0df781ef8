"""Protocol P1 written down a second time, as slowly and plainly as possible: the oracle of `evaluation.next_item`.

Each target is judged by a system built from nothing for it alone, which is given only what came before. Nothing here
uses the timeline or the driver.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec

from processors.effects import Arrival, Learn
from processors.learner import MARKER_KEY, Learner
from processors.pack import Pack
from processors.pipeline import Rules, admit, step
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.replica import Replica
from schemas.catalogue import Item
from schemas.decode import decode
from schemas.learning import Lesson
from schemas.partitioning import partition_of
from tests.evaluation.small_logs import Line

TARGETS = ("views", "saves", "applies")


def salted(text: str) -> bytes:
    return hashlib.blake2b(f"attune|{text}".encode(), digest_size=8).digest()


def ordered(rows: list[Line]) -> list[tuple[int, Line]]:
    """Everything but the head of the catalogue, (time, row), steps together and shuffled."""
    dated, now_ms = [], None
    for row in rows:
        if "ts_ms" in (row["value"] or {}) and row["topic"] != "users":
            now_ms = row["value"]["ts_ms"] if now_ms is None else max(now_ms, row["value"]["ts_ms"])
            dated.append((row["value"]["ts_ms"], row))
        elif now_ms is not None or row["topic"] == "users":
            dated.append((now_ms if now_ms is not None else -1, row))
    first_ms = min(at for at, row in dated if at >= 0)
    told: list[tuple[int, Line]] = []
    for at in sorted({at for at, _ in dated}):
        block = [row for when, row in dated if when == at]
        others = [row for row in block if row["topic"] in ("users", "items")]
        events = [row for row in block if row["topic"] not in ("users", "items")]
        people = list(dict.fromkeys(row["key"] for row in events))
        for person in people:
            theirs = [row for row in events if row["key"] == person]
            theirs.sort(
                key=lambda row: (
                    salted(f"{row['key']}|{row['value']['ts_ms']}|{row['value'].get('item_id', '')}"),
                    row["topic"],
                    row["value"]["event_id"],
                )
            )
            others += theirs
        told += [(max(at, first_ms), row) for row in others]
    return told


def head(rows: list[Line]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row["topic"] == "items":
            found.pop(row["key"], None)
            if row["value"] is not None:
                found[row["key"]] = row["value"]
        elif row["topic"] != "users":
            break
    return found


class System:
    """All parts, wired by hand. What is learned waits in `lessons` until it is told to the replica."""

    def __init__(self, pack: Pack) -> None:
        self.replica, self.learner = Replica(pack), Learner(pack)
        self.profiles: dict[str, Profile] = {}
        self.offsets: Counter[tuple[str, int]] = Counter()
        self.lessons: list[tuple[int, Lesson]] = []
        self.learned = 0

    def put(self, value: dict[str, Any]) -> None:
        self.replica.put_item(msgspec.convert(value, Item))
        row = self.replica.catalogue.row_of(value["item_id"])
        self.replica.catalogue.twin[row] = 0

    def happen(self, now_ms: int, row: Line) -> None:
        key = row["key"].encode()
        partition = partition_of(key, 12)
        offset = self.offsets[row["topic"], partition]
        self.offsets[row["topic"], partition] += 1
        event: Any = decode(row["topic"], key, msgspec.json.encode(row["value"]))
        arrival = Arrival(event, row["topic"], partition, offset, now_ms)
        profile = self.profiles.setdefault(row["key"], Profile(last_recommended_ms=0))
        assert admit(profile, arrival) == "apply"
        for effect in step(profile, arrival, now_ms, self.replica, Randomness(arrival.source_id), Rules(mails=False)):
            if isinstance(effect, Learn):
                self.lessons.append((now_ms, Lesson(row["topic"], (effect.example,))))

    def tell(self, until_ms: int) -> None:
        """Whatever was learned until then goes to the replica, example by example."""
        while self.lessons and self.lessons[0][0] <= until_ms:
            self.learner.learn(self.lessons.pop(0)[1], self.learned)
            for key, value in self.learner.dirty_rows().items():
                self.replica.apply_row(key, value)
            self.replica.apply_row(MARKER_KEY, self.learner.marker(self.learned))
            self.learned += 1

    def list_for(self, person: str, now_ms: int) -> list[str]:
        everything = recommend(self.profiles[person], now_ms, self.replica, None, limit=1_000)
        return [item.item_id for item in everything]


def judged_by_hand(
    rows: list[Line], pack: Pack, candidates: str, steps: str = "basket", delay_ms: int = 0
) -> list[tuple[int, float]]:
    """(place of the event, rank) of every target, without a warm-up. Quadratic."""
    free = msgspec.structs.replace(pack, max_per_brand=10**6, max_seen=10**6, min_interval_ms=1 << 62)
    told = ordered(rows)
    places = [n for n, (_, row) in enumerate(told) if row["topic"] not in ("users", "items")]
    found = []
    for number, place in enumerate(places):
        now_ms, row = told[place]
        person, target = row["key"], row["value"].get("item_id")
        if row["topic"] not in TARGETS or row["value"].get("undo"):
            continue
        known = told[:place]
        if steps == "strict":
            known = [(at, one) for at, one in known if one["key"] != person or one["value"].get("ts_ms") != now_ms]
        acted = [one for _, one in known if one["topic"] in TARGETS and one["value"] and not one["value"].get("undo")]
        own = {one["value"]["item_id"] for one in acted if one["key"] == person}
        seen = {one["value"]["item_id"] for one in acted}
        if not any(one["key"] == person and one["topic"] not in ("users", "items") for _, one in known):
            continue
        if (target in seen) == (candidates == "cold") or (candidates == "new" and target in own):
            continue
        system = lived(free, rows, known, now_ms, delay_ms, cold=candidates == "cold")
        listed = system.list_for(person, now_ms)
        if candidates == "new":
            listed = [item_id for item_id in listed if item_id not in own]
        if candidates == "cold":
            listed = [item_id for item_id in listed if item_id not in seen]
        found.append((number, float(listed[:20].index(target) + 1) if target in listed[:20] else float("inf")))
    return found


def lived(
    pack: Pack, rows: list[Line], known: list[tuple[int, Line]], now_ms: int, delay_ms: int, *, cold: bool
) -> System:
    """A system that was told `known` and nothing else, as it stands at `now_ms`."""
    system = System(pack)
    waiting = head(rows)
    if cold:
        for item_id in sorted(waiting, key=salted):
            system.put(waiting[item_id])
        waiting = {}

    def post(until_ms: int) -> None:
        due = [
            (value["posted_ms"], salted(item_id), item_id) for item_id, value in waiting.items() if "posted_ms" in value
        ]
        for posted_ms, _, item_id in sorted(due):
            if posted_ms <= until_ms:
                system.put(waiting.pop(item_id))

    for at, row in known:
        post(at)
        if row["topic"] == "items":
            waiting.pop(row["key"], None)
            if row["value"] is None:
                system.replica.retire_item(row["key"])
            else:
                system.put(row["value"])
            continue
        if row["topic"] != "users":
            if (item_id := row["value"].get("item_id")) in waiting:
                system.put(waiting.pop(item_id))
            system.tell(at - delay_ms)
        system.happen(at, row)
    post(now_ms)
    system.tell(now_ms - delay_ms)
    return system
