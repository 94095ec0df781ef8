"""How many events a second, as a ratio to a Faust agent that does nothing, on the same Kafka in the same run.

A backlog of events of Zipf-distributed people waits in the topics; then one worker and the learner are started, with
the spine's models unless the part says otherwise, and timed from their first commit. The rate counted is events /
max(seconds of the behaviour group, seconds of all groups - 10): the rate at which all lag is gone within 10 s. The
behaviour group's own rate stands beside it.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.load import (
    BACKLOG_TOPICS,
    EVERY_4TH_MS,
    HOUR_MS,
    MIX,
    NOOP,
    SPINE,
    VIEWS,
    LagClock,
    Record,
    behaviour,
    catalogue,
    drained,
    everyone,
    fresh,
    lists_made,
    processes,
    send,
    watch,
)
from streams.role import command
from streams.settings import PACKAGED, Settings
from streams.topics import BEHAVIOUR_GROUP

GRACE_S = 10.0
DAY_MS = 86_400_000
PARTS: dict[str, dict[str, Any]] = {
    "state path": {"min_interval_ms": DAY_MS, "share": 1.0, "with_items": 0, "mix": MIX},
    "state path, 1 % poison": {"min_interval_ms": DAY_MS, "share": 1.0, "with_items": 0, "mix": MIX, "poison": 100},
    "a list for every 4th event": {"min_interval_ms": EVERY_4TH_MS, "share": 0.4, "with_items": 1, "mix": VIEWS},
    "a list for every event": {"min_interval_ms": 0, "share": 0.2, "with_items": 1, "mix": MIX},
}
"""Events of a person are timed so that the interval of the second makes a list due at every fourth."""
PARTS["a list for every 4th event, packs as they ship"] = {**PARTS["a list for every 4th event"], "config": PACKAGED}
BARS = {
    "state path": 0.5,
    "state path, 1 % poison": 0.4,
    "a list for every 4th event": 0.2,
    "a list for every event": 0.08,
    "a list for every 4th event, packs as they ship": 0.1,
}


def noop_rate(settings: Settings) -> float:
    """Events a second of an agent that does nothing, over everything that is in the input topics."""
    group = f"bench.noop.{time.time_ns()}"
    clock = LagClock(settings, group, BACKLOG_TOPICS)
    with processes(settings, [sys.executable, "-c", NOOP, group]) as running:
        return clock.behind() / drained({group: clock}, running)[group]


def spoiled(records: Iterator[Record], every: int) -> Iterator[Record]:
    """The same, with one of `every` records cut short: a dead letter each."""
    for n, (topic, key, value) in enumerate(records):
        yield topic, key, value[:-9] if every and n % every == 0 else value


def measure(settings: Settings, name: str, people: int, items: int, events: int, workers: int = 1) -> dict[str, Any]:
    """One part: warm the profiles, let a backlog wait, drain it, and the same backlog by the no-op agent twice."""
    plan = PARTS[name]
    events = int(events * plan["share"])
    items = items if plan["with_items"] else 0
    fresh(settings)
    base_ms = time.time_ns() // 1_000_000 + HOUR_MS
    last: dict[int, int] = {}
    environ = {
        "ATTUNE_MIN_INTERVAL_MS": str(int(plan["min_interval_ms"])),
        "ATTUNE_CONFIG": str(plan.get("config", SPINE)),
    }
    if items:
        send(settings, catalogue(items, 1))
    send(settings, everyone(people, max(items, 10_000), 5, last, base_ms))
    send(settings, behaviour(people, people, max(items, 10_000), 7, last, base_ms))
    with processes(settings, command("behaviour"), command("learner"), **environ) as running:
        drained(watch(settings), running)
    backlog = behaviour(events, people, max(items, 10_000), 11, last, base_ms, plan["mix"])
    send(settings, spoiled(backlog, plan.get("poison", 0)))
    clocks, lists = watch(settings), lists_made(settings)
    with processes(settings, *[command("behaviour")] * workers, command("learner"), **environ) as running:
        seconds = drained(clocks, running)
    lists = lists_made(settings) - lists
    noop = statistics.median([noop_rate(settings), noop_rate(settings)])
    own = events / seconds[BEHAVIOUR_GROUP]
    counted = events / max(seconds[BEHAVIOUR_GROUP], max(seconds.values()) - GRACE_S)
    return {
        "part": name,
        "workers": workers,
        "events": events,
        "items": items,
        "lists": lists,
        "events_per_s": round(counted),
        "behaviour_events_per_s": round(own),
        "noop_events_per_s": round(noop),
        "ratio": round(counted / noop, 3),
        "behaviour_ratio": round(own / noop, 3),
        "bar": BARS[name],
        "seconds": {group: round(value, 2) for group, value in seconds.items()},
    }
