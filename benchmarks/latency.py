"""Event to recommendation, as a consumer of `recommendations` sees it under a steady load; and the time of a start."""

import json
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from confluent_kafka import Consumer

from benchmarks.load import EVERY_4TH_MS, HOUR_MS, behaviour, catalogue, everyone, fresh, send, watch
from streams.settings import Settings
from tests.faults.cluster import Cluster
from tests.integration.waiting import eventually


def listen(settings: Settings, into: list[float], stopping: threading.Event) -> threading.Thread:
    """Collect milliseconds from the broker's timestamp of the trigger to the arrival of its list here."""

    def run() -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap,
                "group.id": f"bench.{time.time_ns()}",
                "auto.offset.reset": "latest",
            }
        )
        consumer.subscribe(["recommendations"])
        while not stopping.is_set():
            for message in consumer.consume(500, timeout=0.02):
                value = message.value()
                if message.error() is None and value is not None:
                    emitted_ms, waited_ms = message.timestamp()[1], json.loads(value)["latency_ms"]
                    if waited_ms is not None:
                        into.append(time.time() * 1000 - emitted_ms + waited_ms)
        consumer.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def measure(settings: Settings, people: int, items: int, events_per_s: float, seconds: float = 20.0) -> dict[str, Any]:
    """Latency at `events_per_s`: a list for every fourth event, one worker, the learner, `items` in the catalogue."""
    fresh(settings)
    base_ms = time.time_ns() // 1_000_000 + HOUR_MS
    last: dict[int, int] = {}
    send(settings, catalogue(items, 1))
    latencies: list[float] = []
    stopping = threading.Event()
    with TemporaryDirectory() as logs:
        cluster = Cluster(settings, Path(logs), ATTUNE_MIN_INTERVAL_MS=str(EVERY_4TH_MS))
        try:
            started = time.monotonic()
            worker = cluster.start("behaviour")
            cluster.start("learner")
            eventually(lambda: worker.ready, 180, 0.05, "the worker ready")
            cold_start_s = time.monotonic() - started
            send(settings, everyone(people, items, 5, last, base_ms))  # warms the profiles
            clocks = watch(settings).values()
            eventually(lambda: not any(clock.behind() for clock in clocks), 300, 0.5, "everyone known and learned from")
            listener = listen(settings, latencies, stopping)
            count = int(events_per_s * seconds)
            sent_from = time.monotonic()
            send(settings, behaviour(count, people, items, 6, last, base_ms), events_per_s)
            sent_s = time.monotonic() - sent_from
            eventually(lambda: worker.status.get("applied", 0) >= people + count, 60, 0.1, "all events applied")
            stopping.set()
            listener.join(5)
        finally:
            cluster.close()
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)).round(1).tolist()
    return {
        "events_per_s": round(count / sent_s),
        "lists": len(latencies),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "bar_p99_ms": 250,
        "cold_start_s": round(cold_start_s, 2),
    }
