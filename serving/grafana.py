"""The Grafana dashboard, generated: `python -m serving.grafana > deploy/grafana/dashboards/attune.json`.

Panels in the order in which a woken engineer asks: is the objective at risk, how late, who falls behind, when will it
be over, which partition, did the group change, what was thrown away, Redis, models. Queries ask for metrics of the
table.
"""

import sys
from typing import Any, Final

import msgspec
from msgspec import Struct

SOURCE: Final = {"type": "prometheus", "uid": "attune-prometheus"}
CHOSEN: Final = 'group=~"$group",topic=~"$topic"'
SHARE: Final = (
    f"max by (group, topic) (kafka_consumergroup_lag_seconds{{{CHOSEN}}}"
    " / on (topic) group_left () kafka_topic_retention_seconds)"
)
LATE: Final = "attune:freshness_late_ratio:rate"
Query = tuple[str, str]


class Panel(Struct, frozen=True):
    """One panel; a query is an expression and its legend. `width` of 24."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 12
    text: str = ""


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    ("Objective: 99 % of decisions within 5 s", (
        Panel("Late decisions, by window", "percentunit", tuple(
            (f"{LATE}{window}", f"last {window}") for window in ("5m", "30m", "1h", "6h", "3d")), width=12),
        Panel("Burn: budgets of a month used per month", "short", (
            (f"{LATE}1h / 0.01", "1 h (pages at 14.4)"), (f"{LATE}6h / 0.01", "6 h (pages at 6)"),
            (f"{LATE}3d / 0.01", "3 d (ticket at 1)")), width=12),
        Panel("Event to decision", "s", tuple(
            (f"histogram_quantile({q}, sum by (le) (rate(attune_event_freshness_seconds_bucket[5m])))", f"p{q * 100:g}")
            for q in (0.5, 0.95, 0.99))),
        Panel("Probes: lost, and time to answer", "s", (
            ("sum(increase(attune_probes_lost_total[5m]))", "lost in 5 min"),
            ("histogram_quantile(0.95, sum by (le) (rate(attune_probe_seconds_bucket[5m])))", "p95"),
            ("time() - min(attune_probe_last_answer_timestamp_seconds)", "oldest last answer"),
            ("sum(rate(attune_probes_total[5m]))", "probes a second"))),
    )),
    ("Lag", (
        Panel("Lag in seconds, the worst partition", "s", (
            (f"max by (group) (kafka_consumergroup_lag_seconds{{{CHOSEN}}})", "{{group}}"),)),
        Panel("Lag in records", "short", (
            (f"sum by (group, topic) (kafka_consumergroup_lag{{{CHOSEN}}})", "{{group}} {{topic}}"),)),
        Panel("Produced and consumed a second", "ops", (
            (f"sum by (topic) (rate(kafka_consumergroup_end_offset{{{CHOSEN}}}[5m]))", "produced {{topic}}"),
            (f"sum by (group, topic) (rate(kafka_consumergroup_committed_offset{{{CHOSEN}}}[5m]))",
             "consumed {{group}} {{topic}}"))),
        Panel("When it will be drained", "s", (
            (f"max by (group, topic) (kafka_consumergroup_drain_eta_seconds{{{CHOSEN}}} < +Inf)",
             "{{group}} {{topic}}"),
            (f"count by (group) (kafka_consumergroup_drain_eta_seconds{{{CHOSEN}}} == +Inf)",
             "partitions of {{group}} that do not shrink"))),
        Panel("Partitions: status", "short", (
            (f"kafka_consumergroup_partition_status{{{CHOSEN}}}", "{{group}} {{topic}} {{partition}}"),),
            kind="status-history", width=24, text="0 OK, 1 WARN, 2 REWIND, 3 STALL, 4 STOP"),
        Panel("Partitions: seconds behind", "s", (
            (f"kafka_consumergroup_lag_seconds{{{CHOSEN}}}", "{{group}} {{topic}} {{partition}}"),),
            kind="status-history", width=24),
        Panel("Share of the retention", "percentunit", (
            (SHARE, "{{group}} {{topic}}"),)),
        Panel("Lost to retention, never committed, last commit", "short", (
            (f"sum by (group, topic) (kafka_consumergroup_lost_records{{{CHOSEN}}})", "lost {{group}} {{topic}}"),
            (f"sum by (group) (kafka_consumergroup_never_committed{{{CHOSEN}}})", "never committed {{group}}"),
            (f"max by (group) (kafka_consumergroup_last_commit_age_seconds{{{CHOSEN}}})", "last commit {{group}}, s"))),
    )),
    ("Membership and recovery", (
        Panel("Members", "short", (
            (f"max by (group) (kafka_consumergroup_members{{{CHOSEN}}})", "{{group}}"),), width=8),
        Panel("Rebalances in 10 min", "short", (
            ("max by (role) (increase(attune_rebalances_total[10m]))", "{{role}}"),
            ("sum by (role) (increase(attune_flushes_discarded_total[10m]))", "flushes discarded {{role}}")), width=8),
        Panel("Processes", "short", (
            ("sum by (role) (attune_child_up)", "up {{role}}"),
            ("sum by (role) (attune_child_ready)", "ready {{role}}"),
            ("sum by (role) (increase(attune_child_restarts_total[10m]))", "restarts {{role}}")), width=8),
        Panel("Recovery", "short", (
            ("sum by (role) (attune_recovery_remaining_records)", "records to read {{role}}"),
            ("max by (role) (attune_recovery_seconds)", "last, s {{role}}"),
            ("sum by (role) (rate(attune_recovered_records_total[5m]))", "records a second {{role}}"))),
        Panel("Zombies healed, gaps mended", "short", (
            ("sum by (role) (increase(attune_healed_records_total[10m]))", "healed {{role}}"),
            ("sum by (role) (increase(attune_order_gaps_total[10m]))", "gaps {{role}}"))),
    )),
    ("Work", (
        Panel("Records taken a second", "ops", (("sum by (topic) (rate(attune_records_total[5m]))", "{{topic}}"),)),
        Panel("Decisions a second", "ops", (
            ("sum by (topic, surface, reason) (rate(attune_decisions_total[5m]))", "{{topic}} {{surface}} {{reason}}"),
            ("sum(rate(attune_wakes_total[5m]))", "timers"))),
        Panel("Dead letters in 5 min, by reason", "short", (
            ("sum by (reason) (increase(attune_dead_letters_total[5m]))", "{{reason}}"),
            ("sum by (what) (increase(attune_failures_total[5m]))", "{{what}}s that raised"))),
        Panel("Applied, and dropped", "ops", (
            ("sum by (role) (rate(attune_events_applied_total[5m]))", "applied {{role}}"),
            ("sum by (role) (rate(attune_duplicates_total[5m]))", "duplicates {{role}}"),
            ("sum(rate(attune_events_replayed_total[5m]))", "applied before"),
            ("sum(rate(attune_events_erased_total[5m]))", "erased"))),
        Panel("Flush", "s", (
            ("histogram_quantile(0.95, sum by (le, role) (rate(attune_flush_seconds_bucket[5m])))", "p95 {{role}}"),
            ("max by (role) (attune_oldest_unflushed_seconds)", "oldest not durable {{role}}")), width=8),
        Panel("Rows a flush, flushes a second", "short", (
            ("sum by (role) (rate(attune_flush_rows_sum[5m])) / sum by (role) (rate(attune_flush_rows_count[5m]))",
             "rows {{role}}"),
            ("sum by (role) (rate(attune_flushes_total[5m]))", "flushes {{role}}"),
            ("sum by (role) (rate(attune_changelog_records_total[5m]))", "changelog {{role}}")), width=8),
        Panel("Producer queue, profiles", "short", (
            ("sum by (role) (attune_producer_queue_records)", "queue {{role}}"), ("sum(attune_profiles)", "profiles"),
            ("sum(rate(attune_examples_total[5m]))", "examples a second")), width=8),
    )),
    ("Redis", (
        Panel("Redis takes writes", "short", (("min(attune_redis_up)", "up"),), kind="stat", width=4),
        Panel("Decisions a second", "ops", (
            ("sum(rate(attune_redis_records_total[5m]))", "read"),
            ("sum(rate(attune_redis_writes_total[5m]))", "written"),
            ("sum(rate(attune_redis_refused_total[5m]))", "refused as older"),
            ("sum(rate(attune_redis_forgotten_total[5m]))", "forgotten")), width=10),
        Panel("Batches, retries, rebuilds", "s", (
            ("histogram_quantile(0.95, sum by (le) (rate(attune_redis_write_seconds_bucket[5m])))", "p95 of a batch"),
            ("sum(increase(attune_redis_retries_total[5m]))", "retries in 5 min"),
            ("sum(increase(attune_redis_rebuilds_total[5m]))", "rebuilds in 5 min")), width=10),
    )),
    ("Models", (
        Panel("Hit rate at 10", "percentunit", (
            ("avg by (policy) (attune_model_hit_rate_10)", "{{policy}}"),), width=8),
        Panel("Log-loss", "short", (("avg by (policy) (attune_model_log_loss)", "{{policy}}"),), width=8),
        Panel("Calibration: expected hits over hits", "short", (
            ("avg by (policy) (attune_model_calibration_ratio)", "{{policy}}"),), width=8),
        Panel("Drift alarms in an hour, actions judged", "short", (
            ("sum(increase(attune_model_drift_alarms_total[1h]))", "alarms"),
            ("sum(increase(attune_model_judged_total[1h]))", "judged"))),
        Panel("Age of the replica", "s", (
            ("max(attune_replica_age_seconds)", "oldest"),
            ("sum(rate(attune_replica_records_total[5m]))", "records a second"))),
    )),
    ("The watcher", (
        Panel("Collector", "s", (
            ("time() - attune_collector_last_success_timestamp_seconds", "age of the last sample"),
            ("attune_collector_sample_duration_seconds", "time of a sample"), ("attune_collector_up", "up")), width=12),
        Panel("Samples in 10 min", "short", (
            ("increase(attune_collector_samples_total[10m])", "tried"),
            ("increase(attune_collector_failures_total[10m])", "failed"))),
    )),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        panels.append({"type": "row", "title": title, "collapsed": False, "gridPos": _place(0, top, 24, 1)})
        top += 1
        left = 0
        for panel in row:
            if left + panel.width > 24:
                left, top = 0, top + 8
            panels.append(_panel(panel, left, top))
            left += panel.width
        top += 8
    for number, panel_json in enumerate(panels, 1):
        panel_json["id"] = number
    return {
        "uid": "attune",
        "title": "Attune",
        "tags": ["attune"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_variable("group"), _variable("topic")]},
        "annotations": {"list": []},
        "panels": panels,
    }


def _panel(panel: Panel, left: int, top: int) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": SOURCE,
        "gridPos": _place(left, top, panel.width, 8),
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _variable(label: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values(kafka_consumergroup_lag, {label})", "refId": label},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def rendered() -> str:
    """The committed file's text."""
    return msgspec.json.format(msgspec.json.encode(dashboard()), indent=1).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
