"""What on-call is told of hurt groups: real consumers, the collector, and a Prometheus with the rules that ship.

How long a condition has to hold (`for`) is a sixth of what ships, or the test would take twelve minutes. Everything
else is as it ships: the rules' expressions, and the status rules with their windows.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.lag.status import Status
from streams.embedded import EmbeddedRedis
from tests.faults.groups import PRODUCED, Groups
from tests.faults.traffic import Sender, catalogue, events, send
from tests.integration.house import House
from tests.integration.prometheus import Prometheus
from tests.integration.waiting import eventually
from tests.integration.watched import Collector, worker_address

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

Figure = Callable[[str], None]

HURRY = 6
EXPECTED: dict[str, tuple[Status, set[str]]] = {
    "keeps-up": (Status.OK, set()),
    "slow": (Status.WARN, {"LagDoesNotShrink"}),
    "stuck": (Status.STALL, {"PartitionStands", "LagDoesNotShrink"}),
    "stopped": (Status.STOP, {"PartitionStands", "LagDoesNotShrink"}),
    "gone-back": (Status.REWIND, {"OffsetRewound"}),
    "overtaken": (Status.STOP, {"PartitionStands", "LagDoesNotShrink", "LagNearsRetention", "RecordsLost"}),
}
WITHIN_S = {
    "OffsetRewound": 10, "RecordsLost": 60, "LagNearsRetention": 60,
    "PartitionStands": 120 + 120 / HURRY, "LagDoesNotShrink": 30 + 600 / HURRY,
}  # fmt: skip
"""From the fault to the alert. A group that had caught up counts as stopped after 100 s without a zero lag; the
retention of the topic overtaken is 20 s."""

PAGES = 'ALERTS{severity="page",alertname!~"Freshness.*"}'
"""An objective of hours and days says little to a Prometheus that is minutes old: what was late is counted instead."""
RATE_PER_S = 50.0
LATE = """
sum(attune_event_freshness_seconds_count) - sum(attune_event_freshness_seconds_bucket{le="5.0"})
+ (sum(attune_probes_lost_total) or vector(0))
"""


def test_each_hurt_group_has_its_status_and_its_alert(
    new_topic: Callable[..., str], bootstrap: str, tmp_path: Path, figure: Figure
) -> None:
    short = {"retention.ms": "20000", "segment.ms": "2000"}
    topics = {scene: new_topic(1, **(short if scene == "overtaken" else {})) for scene in EXPECTED}
    scene_of = {topic: scene for scene, topic in topics.items()}
    wanted = [option for topic in topics.values() for option in ("--group", topic)]
    collector = Collector({"bootstrap": bootstrap}, tmp_path / "lag.log", *wanted)
    try:
        with (
            Groups(bootstrap, topics) as groups,
            Prometheus(tmp_path / "prometheus", {"attune-lag": [collector.address]}, HURRY) as prometheus,
        ):

            def statuses() -> dict[str, Status]:
                found = prometheus.query("kafka_consumergroup_partition_status")
                return {scene_of[dict(labels)["group"]]: Status(int(value)) for labels, value in found.items()}

            def firing() -> set[tuple[str, str]]:
                found = prometheus.query('ALERTS{alertstate="firing"}')
                return {
                    (scene_of[dict(labels)["group"]], dict(labels)["alertname"])
                    for labels in found
                    if "group" in dict(labels)
                }

            consumed = "kafka_consumergroup_committed_offset > 50 and kafka_consumergroup_lag == 0"
            eventually(lambda: len(prometheus.query(consumed)) == len(EXPECTED), 60, 0.5, "six groups that keep up")
            assert firing() == set()

            member = groups.members
            for act in (
                lambda: setattr(member["slow"], "takes", PRODUCED // 2),
                lambda: setattr(member["stuck"], "takes", 0),
                member["stopped"].leave,
                lambda: member["gone-back"].go_back(PRODUCED + 1),
                member["overtaken"].leave,
            ):
                groups.order(act)
            hurt_s = time.monotonic()
            status_s: dict[str, float] = {}
            alert_s: dict[tuple[str, str], float] = {}
            expected = {(scene, alert) for scene, (_, alerts) in EXPECTED.items() for alert in alerts}

            def all_seen() -> bool:
                after_s = time.monotonic() - hurt_s
                for scene, status in statuses().items():
                    if status == EXPECTED[scene][0]:
                        status_s.setdefault(scene, after_s)
                for alert in firing():
                    alert_s.setdefault(alert, after_s)
                return len(status_s) == len(EXPECTED) and expected <= set(alert_s)

            eventually(all_seen, 240, 0.5, "every status and alert")
            assert set(alert_s) == expected, "nobody is woken for anything else"
            late = {alert: after_s for alert, after_s in alert_s.items() if after_s > WITHIN_S[alert[1]]}
            assert late == {}
            for scene, (status, alerts) in EXPECTED.items():
                told = ", ".join(f"{alert} {alert_s[scene, alert]:.0f} s" for alert in sorted(alerts))
                figure(f"{scene}: {status.name} {status_s[scene]:.0f} s, {told or 'no alert'}")
    finally:
        collector.close()


def test_a_rolling_restart_of_two_workers_wakes_nobody(clean_kafka: str, tmp_path: Path, figure: Figure) -> None:
    """With the rules as they ship. What is not even pending once all is well again cannot fire later."""
    store = EmbeddedRedis().start()
    houses = [House(clean_kafka, tmp_path / "worker-0.log", redis=store.url)]
    houses.append(House(clean_kafka, tmp_path / "worker-1.log", "--role", "behaviour", redis=store.url))
    collector = Collector(houses[0].names, tmp_path / "lag.log", "--probe", "1")
    sender = Sender(houses[0].settings, events(7, 40_000), RATE_PER_S)
    try:
        send(houses[0].settings, catalogue(100))
        targets = {"attune-workers": [worker_address(house) for house in houses], "attune-lag": [collector.address]}
        with Prometheus(tmp_path / "prometheus", targets) as prometheus:
            answered = "attune_probe_last_answer_timestamp_seconds"
            eventually(lambda: len(prometheus.query(answered)) == 4, 120, 0.5, "an answered probe on every partition")
            sender.start()

            def well() -> bool:
                """Every child works, probes are answered, nothing is far behind, and no page is even pending."""
                assert prometheus.query("count(attune_child_ready == 1)") == {(): 4.0}
                assert prometheus.query("kafka_consumergroup_partition_status >= 2") == {}
                assert prometheus.query("kafka_consumergroup_lag_seconds > 30") == {}
                assert prometheus.query(f"time() - {answered} > 30") == {}
                assert prometheus.query(PAGES) == {}
                return True

            eventually(well, 120, 0.5, "two workers that work")
            took_s: list[float] = []
            for number, options in enumerate(((), ("--role", "behaviour"))):
                begun_s = time.monotonic()
                port = targets["attune-workers"][number].rpartition(":")[2]
                houses[number].close()
                log = tmp_path / f"worker-{number}-again.log"
                houses[number] = House(clean_kafka, log, *options, redis=store.url, worker_port=port)
                eventually(well, 180, 0.5, "two workers that work again")
                took_s.append(time.monotonic() - begun_s)
                assert not sender.done.is_set(), "the restart is made under load"
            fired = prometheus.query('max_over_time(ALERTS{alertstate="firing"}[1h])')
            tickets = sorted({dict(labels)["alertname"] for labels in fired if dict(labels)["severity"] != "page"})
            assert prometheus.query(f'max_over_time({PAGES[:-1]},alertstate="firing"}}[1h])') == {}
            late_in_an_hour = prometheus.query(LATE)[()] / (RATE_PER_S * 3_600)
            assert late_in_an_hour < 14.4 * 0.01, "what FreshnessBurnsFast asks of an hour"
            pending = prometheus.query('max_over_time(ALERTS{alertstate="pending"}[1h])')
            rebalances = prometheus.query("max(increase(attune_rebalances_total[10m]))")[()]
            pondered = sorted({dict(labels)["alertname"] for labels in pending})
            figure(
                f"well again {took_s[0]:.0f} s and {took_s[1]:.0f} s after each SIGTERM; "
                f"late {late_in_an_hour:.2%} of an hour's decisions; "
                f"{rebalances:.0f} rebalances; pending for a while: {', '.join(pondered) or 'nothing'}; "
                f"tickets: {', '.join(tickets) or 'none'}"
            )
    finally:
        sender.stop()
        collector.close()
        for house in houses:
            house.close()
        store.close()
