"""Small random logs with everything that the protocol has a rule for: baskets, posted dates, a retired item."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

from processors.pack import Pack

START_MS = 1_600_000_000_000
HOUR_MS = 3_600_000
WORDS = ("nurse", "driver", "cook", "clerk", "night", "senior", "part", "remote")
CITIES = (("Austin", "TX"), ("Dallas", "TX"), ("Boston", "MA"))

Line = dict[str, Any]

JOBS = Pack(name="jobs")
SHOP = Pack(name="shop", applied="allow")


def catalogue(rng: random.Random, items: int = 24, posted_share: float = 0.3) -> list[Line]:
    rows = []
    for n in range(items):
        city, region = rng.choice(CITIES)
        value: dict[str, Any] = {
            "item_id": f"i{n}",
            "title": " ".join(rng.sample(WORDS, 2)),
            "brand": f"b{n % 5}",
            "location": {"city": city, "region": region},
        }
        if rng.random() < posted_share:
            value["posted_ms"] = START_MS + rng.randrange(0, 60) * HOUR_MS
        rows.append({"topic": "items", "key": value["item_id"], "value": value})
    return rows


def behaviour(rng: random.Random, events: int = 90, people: int = 8, items: int = 24) -> list[Line]:
    rows: list[Line] = []
    ts_ms = START_MS
    while len(rows) < events:
        ts_ms += rng.randrange(1, HOUR_MS)
        user_id = f"u{rng.randrange(people)}"
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            kind = rng.choices(("views", "saves", "applies", "searches", "dismissals"), (12, 4, 2, 1, 1))[0]
            value: dict[str, Any] = {"event_id": f"e{len(rows)}", "user_id": user_id, "ts_ms": ts_ms}
            if kind == "searches":
                value["query"] = rng.choice(WORDS)
            else:
                value["item_id"] = f"i{min(int(rng.expovariate(0.15)), items - 1)}"
            if kind == "saves" and rng.random() < 0.2:
                value["undo"] = True
            rows.append({"topic": kind, "key": user_id, "value": value})
    return rows[:events]


def random_log(seed: int, events: int = 90) -> list[Line]:
    rng = random.Random(seed)
    people = [
        {"topic": "users", "key": f"u{n}", "value": {"user_id": f"u{n}", "segment": f"s{n % 2}"}} for n in range(5)
    ]
    happened = behaviour(rng, events)
    happened.insert(events // 2, {"topic": "items", "key": "i3", "value": None})
    return [*catalogue(rng), *people, *happened]


def view(n: int, user_id: str, item_id: str, ts_ms: int) -> Line:
    value = {"event_id": f"e{n}", "user_id": user_id, "item_id": item_id, "ts_ms": START_MS + ts_ms}
    return {"topic": "views", "key": user_id, "value": value}


def items(*ids: str, **fields: Any) -> list[Line]:
    return [{"topic": "items", "key": item_id, "value": {"item_id": item_id, **fields}} for item_id in ids]


def written(path: Path, rows: list[Line]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
