"""Search over a large catalogue, in one process: time of queries of many kinds, of changes, and memory.

python -m benchmarks.search [--items 100000] [--json]
"""

import argparse
import gc
import json
import random
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bars import Bar, print_bars
from processors.pack import Pack
from processors.profile import Action, Profile
from processors.replica import Replica
from schemas.behaviour import Money
from schemas.catalogue import Item, Location, Salary
from serving.search.engine import SearchEngine

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
TRADES = (
    *(
        "nurse",
        "cashier",
        "driver",
        "developer",
        "accountant",
        "teacher",
        "welder",
        "chef",
        "analyst",
        "designer",
        "manager",
    ),
    *(
        "electrician",
        "plumber",
        "barista",
        "recruiter",
        "engineer",
        "technician",
        "assistant",
        "pharmacist",
        "carpenter",
    ),
)
WAYS = (
    "senior",
    "junior",
    "night",
    "part-time",
    "weekend",
    "lead",
    "python",
    "java",
    "icu",
    "pediatric",
    "retail",
    "hotel",
)
FIELDS = ("hospital", "warehouse", "school", "bank", "restaurant", "clinic", "factory", "office", "store", "laboratory")
CITIES = (
    ("Austin", "TX", 30.27, -97.74), ("Dallas", "TX", 32.78, -96.8), ("Chicago", "IL", 41.88, -87.63),
    ("Boston", "MA", 42.36, -71.06), ("Denver", "CO", 39.74, -104.99), ("Seattle", "WA", 47.61, -122.33),
    ("Atlanta", "GA", 33.75, -84.39), ("Phoenix", "AZ", 33.45, -112.07), ("Portland", "OR", 45.52, -122.68),
    ("Miami", "FL", 25.76, -80.19),
)  # fmt: skip


def item(number: int, rng: random.Random) -> Item:
    city, region, lat, lon = rng.choice(CITIES)
    low = rng.randrange(30, 150) * 1_000.0
    syllables = [rng.choice("bcdfglmnprst") + rng.choice("aeiou") for _ in range(4)]
    words = [*TRADES, *WAYS, *FIELDS]
    return Item(
        item_id=f"job-{number}",
        title=f"{rng.choice(WAYS).title()} {rng.choice(TRADES).title()} - {rng.choice(FIELDS).title()}",
        text=" ".join(rng.choices(words, k=40)) + " " + "".join(syllables),
        brand=f"{''.join(syllables[:2]).title()} {rng.choice(('Inc', 'Group', 'Partners'))}",
        categories=(rng.choice(FIELDS),),
        location=Location(
            city=city, region=region, country="US", lat=lat + rng.gauss(0, 0.15), lon=lon + rng.gauss(0, 0.15)
        ),
        remote=rng.random() < 0.2,
        salary=Salary(min=low, max=low * 1.3, currency="USD") if rng.random() < 0.6 else None,
        price=Money(low / 1_000, "USD"),
        posted_ms=NOW_MS - int(rng.random() * 60 * DAY_MS),
    )


def query(rng: random.Random) -> str:
    trade, way, field = rng.choice(TRADES), rng.choice(WAYS), rng.choice(FIELDS)
    city, region, _, _ = rng.choice(CITIES)
    at = rng.randrange(len(trade))
    return rng.choice((
        trade,
        f"{way} {trade}",
        f"{trade} in {city}",
        f"remote {trade} jobs over {rng.randrange(40, 120)}k",
        f"{way} {trade} near {city}, {region} posted this week",
        f"{trade[:at]}{trade[at + 1:]} {field}",
        f'"{way} {trade}" {field}',
        f"{trade} {field} within 10 miles of {city} between 60k and 90k",
        trade[:4],
        f"{way} {trade} {field} {rng.choice(FIELDS)}",
        f"zzz{trade} {field} in {city}",
        "",
    ))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rng = random.Random(1)
    replica = Replica(Pack(name="jobs", models="blend"))
    items = [item(number, rng) for number in range(asked.items)]
    for made in items:
        replica.put_item(made)
    gc.collect()
    before_mb = rss_mb()
    started_s = time.process_time()
    engine = SearchEngine(replica, "jobs")
    for made in items:
        engine.put_item(made)
    engine.refresh()
    built_s = time.process_time() - started_s
    gc.collect()
    found: dict[str, Any] = {
        "items": asked.items,
        "built_cpu_s": round(built_s, 1),
        "memory_mb": round(rss_mb() - before_mb, 1),
    }
    engine.search("nurse in austin", now_ms=NOW_MS)
    person = Profile(
        actions=[Action(NOW_MS - n * 60_000, "views", n, f"job-{rng.randrange(asked.items)}", 0) for n in range(50)][
            ::-1
        ]
    )
    queries = [query(rng) for _ in range(asked.queries)]
    for name, profile in (("plain", None), ("personal", person)):
        found[name] = milliseconds(partial(_search, engine, profile), queries)
    commits = []
    for _ in range(50):
        for made in rng.sample(items, 20):
            engine.put_item(made)
        at_s = time.perf_counter()
        engine.refresh()
        commits.append((time.perf_counter() - at_s) * 1_000)
    found["refresh_of_20"] = quantiles(commits)
    print(json.dumps(found) if asked.json else "\n".join(f"{name:>14}  {value}" for name, value in found.items()))
    if not asked.json:
        print_bars(
            Bar(f"{order} search, p99 of {unit}", found[order][unit]["p99"], most=20.0)
            for order in ("plain", "personal")
            for unit in ("ms", "cpu_ms")
        )


def _search(engine: SearchEngine, profile: Profile | None, text: str) -> object:
    return engine.search(text, profile=profile, now_ms=NOW_MS)


def milliseconds(search: Callable[[str], object], queries: list[str]) -> dict[str, dict[str, float]]:
    walls: list[float] = []
    cpus: list[float] = []
    for text in queries:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        search(text)
        walls.append((time.perf_counter() - wall_s) * 1_000)
        cpus.append((time.process_time() - cpu_s) * 1_000)  # facets have a thread of their own
    return {"ms": quantiles(walls), "cpu_ms": quantiles(cpus)}


def quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 95, 99)}


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
