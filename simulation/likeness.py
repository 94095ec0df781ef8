"""How much a world looks like a real log: ``python -m simulation.likeness --data DIR`` prints docs/worlds.md's tables.

Both sides are cut to the same number of days, and a world to as many events per item as its reference has, for what is
compared (repeats, gaps, sessions, concentration) depends on how long and how densely one looks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from zlib import crc32

from simulation.local_time import DAY_MS, HOUR_MS, day_of, offset_ms
from simulation.world import Record, make_world

SESSION_GAP_MS = 30 * 60_000
_USERS, _DAYS = 1500, 42


@dataclass(frozen=True)
class Look:
    """One thing a person did: `day_hour` is their local hour; `person` may be a session where the log knows no more."""

    ts_ms: int
    person: str
    item: str
    day_hour: int


@dataclass(frozen=True)
class Reference:
    """A real log, the world it stands for, and what of it is comparable (the reasons are in docs/worlds.md)."""

    world: str
    log: str
    topic: str
    zone_h: int
    by_session: bool
    compared: frozenset[str]


REFERENCES = (
    Reference(
        "jobs",
        "jobs.jsonl.gz",
        "views",
        -6,
        False,
        frozenset(
            {"repeat_share", "gap_in_session_s", "gap_between_sessions_h", "events_per_session", "top_tenth", "hours"}
        ),
    ),
    Reference(
        "shop",
        "clicks.jsonl.gz",
        "views",
        2,
        True,
        frozenset({"repeat_share", "gap_in_session_s", "events_per_session", "top_tenth", "hours"}),
    ),
    Reference(
        "shop",
        "retail.jsonl.gz",
        "applies",
        0,
        False,
        frozenset({"repeat_share", "gap_between_sessions_h", "sessions_per_person", "top_tenth"}),
    ),
)


def statistics(looks: list[Look]) -> dict[str, float]:
    """Shares in [0, 1]; gaps are medians in the unit of their name; the rest are means."""
    by_person: dict[str, list[Look]] = {}
    for look in sorted(looks, key=lambda x: x.ts_ms):
        by_person.setdefault(look.person, []).append(look)
    inside, between, sessions = [], [], 0
    for own in by_person.values():
        gaps = [(b.ts_ms - a.ts_ms) for a, b in pairwise(own)]
        inside += [g / 1000 for g in gaps if g <= SESSION_GAP_MS]
        between += [g / HOUR_MS for g in gaps if g > SESSION_GAP_MS]
        sessions += 1 + sum(g > SESSION_GAP_MS for g in gaps)
    counts = sorted(Counter(look.item for look in looks).values(), reverse=True)
    return {
        "repeat_share": sum(len(own) - len({x.item for x in own}) for own in by_person.values()) / len(looks),
        "gap_in_session_s": median(inside or [0.0]),
        "gap_between_sessions_h": median(between or [0.0]),
        "sessions_per_person": sessions / len(by_person),
        "events_per_session": len(looks) / sessions,
        "top_tenth": sum(counts[: max(1, len(counts) // 10)]) / len(looks),
        "events_per_item": len(looks) / len(counts),
    }


def hours(looks: list[Look]) -> list[float]:
    """Share of events by local hour of the day."""
    counts = Counter(look.day_hour for look in looks)
    return [counts[h] / len(looks) for h in range(24)]


def from_log(path: Path, topic: str, zone_h: int, days: float) -> list[Look]:
    """The last `days` of a replay file, in a fixed zone (`zone_h` hours east of UTC)."""
    looks = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["topic"] == topic:
                v = record["value"]
                local = (v["ts_ms"] // HOUR_MS + zone_h) % 24
                looks.append(Look(v["ts_ms"], v["user_id"], v["item_id"], local))
    end = max(look.ts_ms for look in looks)
    return [look for look in looks if look.ts_ms > end - days * DAY_MS]


def from_world(name: str, topic: str, by_session: bool, users: int = _USERS, seed: int = 1) -> list[Look]:
    """What people of a world do on their own over its history and `_DAYS` days, nobody being recommended anything."""
    world = make_world(name, seed, users, _DAYS)
    zones = {r["key"]: r["value"].get("tz") for r in world.catalogue() if r["topic"] == "users"}

    def own() -> Iterator[Record]:
        yield from world.history()
        yield from world.advance(world.start_ms + _DAYS * DAY_MS, lambda user_id, ts_ms: None)

    looks = []
    for record in own():
        v = record["value"]
        if record["topic"] != topic or v.get("stage") == "start":
            continue
        ts, zone = int(v["ts_ms"]), zones.get(record["key"]) or "UTC"
        hour = (ts + offset_ms(zone, day_of(ts))) // HOUR_MS % 24 if zone != "UTC" else -1
        looks.append(Look(ts, v["session_id"] if by_session else v["user_id"], v["item_id"], hour))
    return looks


def thinned(looks: list[Look], events_per_item: float) -> list[Look]:
    """A fixed random part of the events, so that there are so many per item."""
    luck = [crc32(f"{look.person} {look.item} {look.ts_ms}".encode()) / 2**32 for look in looks]
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        some = [look for look, u in zip(looks, luck, strict=True) if u < middle]
        if some and len(some) / len({look.item for look in some}) > events_per_item:
            high = middle
        else:
            low = middle
    return [look for look, u in zip(looks, luck, strict=True) if u < high]


def compare(reference: Reference, data: Path, seed: int = 1) -> list[tuple[str, float, float, float, bool]]:
    """Rows (statistic, world, log, how far off, compared): off is relative, for hours the share that lies elsewhere."""
    world = from_world(reference.world, reference.topic, reference.by_session, seed=seed)
    span = (max(x.ts_ms for x in world) - min(x.ts_ms for x in world)) / DAY_MS
    log = from_log(data / reference.log, reference.topic, reference.zone_h, span)
    real = statistics(log)
    ours = statistics(world) | {"top_tenth": statistics(thinned(world, real["events_per_item"]))["top_tenth"]}
    rows = [
        (
            name,
            ours[name],
            real[name],
            abs(ours[name] / real[name] - 1) if real[name] else 0.0,
            name in reference.compared,
        )
        for name in real
    ]
    known = hours([x for x in world if x.day_hour >= 0])
    moved = sum(abs(a - b) for a, b in zip(known, hours(log), strict=True)) / 2
    night_ours, night_real = sum(known[:6]), sum(hours(log)[:6])
    rows.append(
        (
            "hours (share from 0 to 6; off: share elsewhere)",
            night_ours,
            night_real,
            moved,
            "hours" in reference.compared,
        )
    )
    return rows


def tables(data: Path, seed: int = 1) -> Iterable[str]:
    """Markdown, one table per reference."""
    for reference in REFERENCES:
        yield f"\n### {reference.world} against {reference.log.split('.')[0]} ({reference.topic})\n"
        yield "| statistic | world | log | off |\n|---|---|---|---|"
        for name, ours, real, off, compared in compare(reference, data, seed):
            verdict = f"{off:.0%}{' **over**' if off > 0.25 else ''}" if compared else f"({off:.0%}, not comparable)"
            yield f"| {name} | {ours:.3g} | {real:.3g} | {verdict} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the real logs")
    parser.add_argument("--seed", type=int, default=1, help="seed of the worlds")
    chosen = parser.parse_args()
    for line in tables(chosen.data, chosen.seed):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
