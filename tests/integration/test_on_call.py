"""What on-call sees of a real run: a real Prometheus scrapes it, evaluates the rules, and the right alert fires."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.metric_table import METRICS, Source
from streams.embedded import EmbeddedRedis
from streams.redis_keys import view_key
from streams.redis_view import redis_client
from streams.scan import scan
from tests.integration.house import House
from tests.integration.prometheus import Prometheus
from tests.integration.waiting import eventually
from tests.integration.watched import Collector, page, worker_address

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    with EmbeddedRedis() as store:
        house = House(clean_kafka, tmp_path / "worker.log", redis=store.url, clock="wall")
        try:
            yield house
        finally:
            house.close()


def row(topic: str, key: str, **value: object) -> str:
    return json.dumps({"topic": topic, "key": key, "value": value})


def exposed(text: str, source: Source) -> set[str]:
    names = {f"{f.name}_total" if f.type == "counter" else f.name for f in text_string_to_metric_families(text)}
    return names & {name for name, metric in METRICS.items() if metric.source == source}


def test_a_watched_run(house: House, tmp_path: Path) -> None:
    items = [row("items", f"i{n}", item_id=f"i{n}", title=f"Baker number {n}", brand=f"b{n}") for n in range(30)]
    views = [
        row(
            "views",
            f"u{n % 7}",
            event_id=f"e{n}",
            user_id=f"u{n % 7}",
            item_id=f"i{n % 30}",
            ts_ms=1_700_000_000_000 + n,
        )
        for n in range(300)
    ]
    twice = [*views[:5]]
    broken = [row("views", "u1", event_id=f"b{n}", user_id="u1", item_id="", ts_ms=1_700_000_000_000) for n in range(3)]
    collector = Collector(house.names, tmp_path / "lag.log", "--probe", "1")
    try:
        worker = worker_address(house)
        targets = {"attune-workers": [worker], "attune-lag": [collector.address]}
        with Prometheus(tmp_path / "prometheus", targets) as prometheus:
            eventually(
                lambda: re.search(r"\bready\b *$", house.log.read_text(), re.MULTILINE),
                90,
                0.2,
                "a worker that is ready",
            )
            fed = house.attune("produce", "-", "--json", stdin="\n".join([*items, *views, *twice]))
            assert fed.code == 0, fed.err
            answered = "attune_probe_last_answer_timestamp_seconds"
            eventually(lambda: len(prometheus.query(answered)) == 4, 120, 0.5, "an answered probe on every partition")
            assert house.attune("produce", "-", "--json", stdin="\n".join(broken)).code == 0
            eventually(
                lambda: prometheus.query('ALERTS{alertname="DeadLetters",alertstate="firing"}'), 60, 0.5, "the alert"
            )
            assert {rule["health"] for rule in prometheus.rules()} == {"ok"}
            firing = {rule["name"] for rule in prometheus.rules() if rule.get("state") == "firing"}
            assert {name for name in firing if not name.startswith("Freshness")} == {"DeadLetters"}, (
                "lateness is the load's"
            )
            late = prometheus.query("max(attune:freshness_late_ratio:rate5m)")
            assert 0.0 <= late[()] <= 1.0
            duplicates = prometheus.query('sum(attune_duplicates_total{role="behaviour"})')
            assert duplicates[()] == 5
            reasons = prometheus.query("sum by (reason) (attune_dead_letters_total) > 0")
            assert reasons == {(("reason", "range"),): 3.0}

        text = page(worker)
        absent = {name for name, metric in METRICS.items() if metric.source == "worker"} - exposed(text, "worker")
        assert absent <= {"attune_model_calibration_ratio", "attune_recovery_seconds"}, "both may have no value yet"
        for address in (worker, collector.address):
            checked = subprocess.run(
                ["promtool", "check", "metrics"], input=page(address).encode(), capture_output=True, check=False
            )
            assert (checked.returncode, checked.stderr) == (0, b""), checked.stderr.decode()
        watcher = page(collector.address)
        for source in ("collector", "prober"):
            assert exposed(watcher, source) == {name for name, m in METRICS.items() if m.source == source}  # type: ignore[arg-type]
    finally:
        collector.close()
    probes_stop_at_kafka(house)


def probes_stop_at_kafka(house: House) -> None:
    """A probe is answered on Kafka, teaches nothing, and leaves nothing in Redis."""
    answered = {
        message.key() or b""
        for message in scan(house.settings, "recommendations", range(house.settings.partitions))
        if (message.key() or b"").startswith(b"attune-probe-")
    }
    assert len(answered) == house.settings.partitions
    store = redis_client(house.settings)
    assert store.exists(view_key("recommendations", b"u1"))
    assert not any(store.exists(view_key("recommendations", key)) for key in answered)
    store.close()
    assert not any(message.key() == b"item/attune-probe" for message in scan(house.settings, "model", [0])), (
        "no model knows the probes' item"
    )
