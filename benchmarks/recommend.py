"""What a list, a lesson and an item cost: `python -m benchmarks.recommend [--json] [--items 10000 100000]`.

Times are CPU time of the one thread, so that other work on the machine does not blur them; wall time is beside it.
Worlds are synthetic and seeded: items in clusters of taste, Zipf 1.0 popularity, people with 50 actions.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator

import msgspec
import numpy as np

from processors.learner import Learner
from processors.pack import Pack
from processors.profile import Action, Profile
from processors.recommend import recommend
from processors.replica import Replica
from schemas.behaviour import Money
from schemas.catalogue import Item, Location, Salary
from schemas.learning import Example, Lesson

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
CLUSTER = 200
"""Items of one taste."""
PACK = Pack(name="jobs")


def catalogue(count: int, rng: np.random.Generator) -> Iterator[Item]:
    vocabulary = [f"w{i:x}ord{i * 7919 % 1000}" for i in range(4_000)]
    for i in range(count):
        cluster, city = i // CLUSTER, int(rng.integers(300))
        title = [vocabulary[(cluster * 7 + int(k)) % 4_000] for k in rng.zipf(1.5, 4) % 40]
        yield Item(
            item_id=f"item-{i:07d}",
            title=f"{' '.join(title)} {vocabulary[int(rng.zipf(1.3)) % 4_000]}",
            brand=f"brand {int(rng.integers(count // 20 + 1))}",
            categories=(f"category {cluster % 97}",),
            location=Location(
                lat=float(25 + city % 20),
                lon=float(-120 + city // 5),
                city=f"city {city}",
                region=f"region {city % 50}",
                country="US",
            ),
            salary=Salary(max=float(rng.integers(30_000, 120_000))),
            price=Money(1.0, "USD"),
            posted_ms=NOW_MS - int(rng.integers(60 * DAY_MS)),
            expires_ms=NOW_MS + int(rng.integers(60 * DAY_MS)),
        )


def picks(count: int, items: int, rng: np.random.Generator) -> list[list[int]]:
    """Histories of 11 items, mostly of one cluster; popularity within and between clusters is Zipf."""
    clusters = np.minimum(rng.zipf(1.2, count), items // CLUSTER) - 1
    inner = np.exp(rng.random((count, 11)) * np.log(CLUSTER)).astype(int) - 1
    strays = rng.random((count, 11)) < 0.2
    chosen = clusters[:, None] * CLUSTER + inner
    chosen[strays] = (np.exp(rng.random(int(strays.sum())) * np.log(items))).astype(int) - 1
    spread = rng.permutation(items)
    return [list(dict.fromkeys(row)) for row in spread[chosen].tolist()]


def examples(count: int, items: int, rng: np.random.Generator) -> list[Example]:
    made = []
    for i, (target, *history) in enumerate(picks(count, items, rng)):
        ts_ms = NOW_MS - (count - i) * 1_000
        past = tuple((f"item-{k:07d}", 0, ts_ms - 60_000 * n) for n, k in enumerate(history))
        made.append(Example(i % 12, i, ts_ms, 0, f"item-{target:07d}", past))
    return made


def people(count: int, items: int, rng: np.random.Generator) -> list[Profile]:
    """People with 50 actions each."""
    made = []
    for _ in range(count):
        history = [item for row in picks(6, items, rng) for item in row][:50]
        actions = [
            Action(NOW_MS - (50 - k) * 3_600_000, "views", k, f"item-{item:07d}", k % 2)
            for k, item in enumerate(history)
        ]
        affinities = {
            "brand": {f"brand {int(rng.integers(items // 20 + 1))}": (10.0 + k, -np.inf) for k in range(16)},
            "category": {f"category {k}": (10.0 + k, -np.inf) for k in range(16)},
            "region": {f"region {k}": (10.0 + k, -np.inf) for k in range(16)},
        }
        made.append(Profile(actions=actions, affinities=affinities))
    return made


def resident_bytes() -> int:
    with open("/proc/self/statm") as status:  # noqa: PTH123 (a pseudo file)
        return int(status.read().split()[1]) * resource.getpagesize()


def percentiles(values: list[int]) -> dict[str, float]:
    p50, p95, p99 = (float(value) / 1_000.0 for value in np.percentile(values, [50, 95, 99]))
    return {"p50": round(p50, 1), "p95": round(p95, 1), "p99": round(p99, 1)}


def measure(items: int, lessons: int, requests: int, pack: Pack = PACK) -> dict[str, object]:
    rng = np.random.default_rng(7)
    before = resident_bytes()
    replica = Replica(pack)
    rows = list(catalogue(items, rng))
    made_bytes = resident_bytes()
    started = time.thread_time_ns()
    for item in rows:
        replica.put_item(item)
    put_us = (time.thread_time_ns() - started) / 1_000.0 / items
    del rows
    taught = examples(lessons, items, rng)
    learner = Learner(pack)
    started = time.thread_time_ns()
    for start in range(0, lessons, 100):
        learner.learn(Lesson("views", tuple(taught[start : start + 100])), start)
    learn_us = (time.thread_time_ns() - started) / 1_000.0 / lessons
    started = time.thread_time_ns()
    published = learner.dirty_rows()
    encode_us = (time.thread_time_ns() - started) / 1_000.0 / len(published)
    state = resident_bytes()
    started = time.thread_time_ns()
    for key, value in published.items():
        replica.apply_row(key, value)
    apply_us = (time.thread_time_ns() - started) / 1_000.0 / len(published)
    crowd = people(200, items, rng)
    cpu: list[int] = []
    wall: list[int] = []
    for i in range(requests):
        profile = crowd[i % len(crowd)]
        cpu_started, wall_started = time.thread_time_ns(), time.perf_counter_ns()
        listed = recommend(profile, NOW_MS + i, replica)
        cpu.append(time.thread_time_ns() - cpu_started)
        wall.append(time.perf_counter_ns() - wall_started)
        if len(listed) != PACK.list_size:
            raise AssertionError(f"{len(listed)} items in a list")
    return {
        "items": items,
        "put_item_us": round(put_us, 2),
        "learn_us": round(learn_us, 2),
        "learn_per_s": round(1e6 / learn_us),
        "encode_row_us": round(encode_us, 2),
        "apply_row_us": round(apply_us, 2),
        "model_rows": len(published),
        "model_bytes_per_row": round(sum(map(len, published.values())) / len(published)),
        "recommend_cpu_us": percentiles(cpu),
        "recommend_wall_us": percentiles(wall),
        "warm_recommend_cpu_us": percentiles(cpu[len(crowd) :] or cpu),
        "resident_mb_before_after": [before >> 20, made_bytes >> 20, state >> 20, resident_bytes() >> 20],
    }


def replica_bytes_per_item(items: int, pack: Pack = PACK) -> int:
    """Growth of the process for a replica alone, catalogue and text, without models."""
    rng = np.random.default_rng(7)
    replica = Replica(pack)
    before = resident_bytes()
    for item in catalogue(items, rng):
        replica.put_item(item)
    return (resident_bytes() - before) // items


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--lessons", type=int, default=200_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--models", choices=["spine", "blend"], default="spine")
    options = parser.parse_args()
    pack = msgspec.structs.replace(PACK, models=options.models, history_items=10 if options.models == "spine" else 20)
    results = {
        "replica_bytes_per_item": replica_bytes_per_item(max(options.items), pack),
        "runs": [measure(items, options.lessons, options.requests, pack) for items in options.items],
    }
    if options.json:
        print(json.dumps(results))
        return
    print(f"replica: {results['replica_bytes_per_item']} bytes an item, without models")
    for run in results["runs"]:  # type: ignore[attr-defined]
        print("\n".join(f"{name:<26}{value}" for name, value in run.items()), end="\n\n")


if __name__ == "__main__":
    main()
