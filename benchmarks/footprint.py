"""What state costs: bytes a profile on a real log, memory of a worker, and how long it takes to read its state back."""

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load import HOUR_MS, behaviour, catalogue, fresh, send
from evaluation.replay_file import read_log
from processors.effects import Arrival
from processors.pack import Pack
from processors.pipeline import admit, step
from processors.profile import Profile, encode
from processors.randomness import Randomness
from processors.replica import Replica
from schemas.behaviour import Event
from schemas.catalogue import Item
from streams.settings import Settings
from tests.faults.cluster import Cluster, Process
from tests.integration.waiting import eventually


def resident_mb(process: Process) -> float:
    """Resident memory, in MB."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def profile_bytes(file: Path, pack: Pack) -> dict[str, Any]:
    """Encoded size of every person's profile after a whole log."""
    replica = Replica(pack)
    people: dict[str, Profile] = {}
    log = read_log(file)
    for item in log.catalogue.values():
        replica.put_item(item)
    for offset, record in enumerate(log.records):
        event = record.value
        if isinstance(event, Item):
            replica.put_item(event)
        elif isinstance(event, Event):
            profile = people.setdefault(event.user_id, Profile(last_recommended_ms=1 << 52))
            arrival = Arrival(event, record.topic, 0, offset, event.ts_ms)
            if admit(profile, arrival) == "apply":
                step(profile, arrival, event.ts_ms, replica, Randomness(arrival.source_id))
    sizes = sorted(len(encode(profile)) for profile in people.values())
    return {
        "file": file.name,
        "people": len(sizes),
        "median_bytes": round(statistics.median(sizes)),
        "worst_bytes": sizes[-1],
        "bars": {"median_bytes": 2_048, "worst_bytes": 8_192},
    }


def measure(settings: Settings, people: int = 100_000, items: int = 100_000) -> dict[str, Any]:
    """Memory of a worker with `people` profiles and `items` items, and the time of its recovery from the changelog."""
    fresh(settings)
    base_ms = time.time_ns() // 1_000_000 + HOUR_MS
    with TemporaryDirectory() as logs:
        cluster = Cluster(settings, Path(logs), ATTUNE_MIN_INTERVAL_MS="86400000")
        try:
            first = cluster.start("behaviour")
            cluster.start("learner")
            eventually(lambda: first.ready, 120, 0.05, "the worker ready")
            empty_mb = resident_mb(first)
            send(settings, catalogue(items, 1))
            eventually(lambda: first.status.get("replica_records", 0) >= items, 300, 0.2, "the catalogue read")
            with_items_mb = resident_mb(first)
            last: dict[int, int] = {}
            each = ((t, k, v) for n in range(3) for t, k, v in _one_each(people, items, n, last, base_ms))
            count = send(settings, each)
            eventually(lambda: first.status.get("applied", 0) >= count, 900, 0.2, "every event applied")
            full_mb = resident_mb(first)
            assert first.terminate(60) == 0
            started = time.monotonic()
            second = cluster.start("behaviour")
            eventually(lambda: second.ready, 300, 0.05, "the worker recovered")
            ready_s = time.monotonic() - started
            recovered = second.status["recovered_records"]
            recovered_mb = resident_mb(second)
        finally:
            cluster.close()
    return {
        "people": people,
        "items": items,
        "worker_mb": round(full_mb),
        "worker_mb_after_recovery": round(recovered_mb),
        "bar_mb": 1_024,
        "kb_per_item": round((with_items_mb - empty_mb) * 1024 / items, 2),
        "kb_per_profile": round((full_mb - with_items_mb) * 1024 / people, 2),
        "start_with_recovery_s": round(ready_s, 2),
        "changelog_records": recovered,
        "seconds_per_100k_records": round(ready_s * 100_000 / max(recovered, 1), 2),
    }


def _one_each(people: int, items: int, n: int, last: dict[int, int], base_ms: int) -> Any:
    """One event of every person: each has a profile of some actions, none is missing."""
    for user, (topic, _, value) in zip(
        range(people), behaviour(people, 1_000, items, 31 + n, last, base_ms), strict=True
    ):
        event = value.replace(b'"user_id": "u', b'"user_id": "w').split(b'"user_id": "w')
        rest = event[1].split(b'"', 1)[1]
        yield topic, f"u{user}".encode(), event[0] + f'"user_id": "u{user}"'.encode() + rest
