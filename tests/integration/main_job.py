"""What must be true of every person after a file went through: an independent look at the file itself.

Shares no code with `processors/`; what the packs say is written out again.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass
class Person:
    """What a file says of one person."""

    totals: Counter[str] = field(default_factory=Counter)
    last_ms: int = 0
    applied: set[str] = field(default_factory=set)
    dismissed: dict[str, int] = field(default_factory=dict)
    """Item -> when; what was taken back is not there."""
    min_salary: float | None = None


@dataclass
class Told:
    """A whole file, folded."""

    people: dict[str, Person]
    items: dict[str, Row]
    retired: set[str]

    @property
    def active(self) -> set[str]:
        """Everyone who did something, for whom there must be a list."""
        return {user for user, person in self.people.items() if person.last_ms}


def lines(path: Path, limit: int | None = None) -> Iterator[Row]:
    """The rows of a replay file."""
    with gzip.open(path) as file:
        yield from map(json.loads, islice(file, limit))


def told(rows: Iterable[Row]) -> Told:
    """Fold a file. Events of a person are taken in the order of their time."""
    people: dict[str, Person] = defaultdict(Person)
    items: dict[str, Row] = {}
    retired: set[str] = set()
    for row in sorted(rows, key=lambda row: (row["value"] or {}).get("ts_ms", 0)):
        topic, key, value = row["topic"], row["key"], row["value"]
        if topic == "items":
            if value is None:
                retired.add(key)
            else:
                items[key] = value
            continue
        person = people[key]
        person.totals[topic] += 1
        if topic == "users":
            continue
        person.last_ms = max(person.last_ms, value["ts_ms"])
        if topic == "applies":
            person.applied.add(value["item_id"])
        elif topic == "dismissals" and value.get("undo"):
            person.dismissed.pop(value["item_id"], None)
        elif topic == "dismissals":
            person.dismissed[value["item_id"]] = value["ts_ms"]
        elif topic == "preferences":
            person.min_salary = value.get("min_salary", person.min_salary)
    return Told(dict(people), items, retired)


def fault(domain: str, recommendation: Row, person: Person, known: Told) -> str | None:
    """What is wrong with a person's newest list, if anything."""
    now_ms = recommendation["ts_ms"]
    ids = [item["item_id"] for item in recommendation["items"]]
    if now_ms < person.last_ms:
        return f"is of {now_ms}, the last event of {person.last_ms}"
    if not ids or len(set(ids)) != len(ids):
        return f"{len(ids)} items, {len(set(ids))} different"
    if [item["rank"] for item in recommendation["items"]] != list(range(1, len(ids) + 1)):
        return "ranks do not count from 1"
    for item_id in ids:
        item = known.items.get(item_id)
        salary = ((item or {}).get("salary") or {}).get("max", 1e12)
        reasons = {
            "is not in the catalogue": item is None or item_id in known.retired,
            "is not available": item is not None and not item.get("available", True),
            "has expired": item is not None and item.get("expires_ms", now_ms + 1) <= now_ms,
            "is not posted yet": item is not None and item.get("posted_ms", 0) > now_ms,
            "was applied for": domain == "jobs" and item_id in person.applied,
            "was dismissed": item_id in person.dismissed,
            "pays too little": domain == "jobs"
            and None not in (salary, person.min_salary)
            and salary < person.min_salary,
        }
        if found := [reason for reason, holds in reasons.items() if holds]:
            return f"{item_id} {', '.join(found)}"
    return None
