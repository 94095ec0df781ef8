"""The metrics of the collector, each named once in `METRICS`, and their exposition.

Group metrics carry group, topic and partition, `members` too (the same number on every row of a group, so that it
joins without a modifier): read it with `max by (group)`.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as PrometheusCollector

from serving.lag.row import LagRow

LABELS = ("group", "topic", "partition")
KEEP_ROWS_MS = 120_000
"""Rows older than this are not exposed: a dead collector must not look like a quiet night."""


class LagMetric(NamedTuple):
    """A metric with one value per row; None leaves the row out."""

    name: str
    help: str
    value: Callable[[LagRow], float | None]


METRICS = (
    LagMetric("kafka_consumergroup_lag", "Records behind.", lambda row: row.lag),
    LagMetric(
        "kafka_consumergroup_lag_seconds",
        "Age of the record at the committed offset; 0 when caught up.",
        lambda row: row.lag_s,
    ),
    LagMetric(
        "kafka_consumergroup_drain_eta_seconds",
        "Lag divided by consume rate minus produce rate; +Inf when not shrinking.",
        lambda row: math.inf if row.eta_s is None else row.eta_s,
    ),
    LagMetric(
        "kafka_consumergroup_partition_status", "0 OK, 1 WARN, 2 REWIND, 3 STALL, 4 STOP.", lambda row: row.status
    ),
    LagMetric(
        "kafka_consumergroup_last_commit_age_seconds",
        "Time since the last commit; absent when no commit is known.",
        lambda row: row.last_commit_age_s,
    ),
    LagMetric("kafka_consumergroup_members", "Members of the group.", lambda row: row.members),
    LagMetric(
        "kafka_consumergroup_lost_records",
        "Records between the committed offset and the log's start: lost to retention.",
        lambda row: row.lost_records,
    ),
    LagMetric(
        "kafka_consumergroup_never_committed",
        "1 where the group has never committed; its lag is counted from the log's start.",
        lambda row: 0 if row.committed else 1,
    ),
    LagMetric("kafka_consumergroup_committed_offset", "Committed offset, or the log's start.", lambda row: row.offset),
    LagMetric("kafka_consumergroup_end_offset", "End of the partition's log.", lambda row: row.end),
)


class Snapshot(msgspec.Struct, frozen=True):
    """What the server shows: the last rows and how the collector itself is doing. Replaced whole after each sample."""

    rows: tuple[LagRow, ...] = ()
    up: bool = False
    last_success_ms: int = 0
    duration_s: float = 0.0
    samples: int = 0
    failures: int = 0


class OwnMetrics(PrometheusCollector):
    """How the collector itself is doing."""

    def __init__(self, shown: Snapshot) -> None:
        self._shown = shown

    def collect(self) -> Iterator[Metric]:
        """Five metrics without labels."""
        shown = self._shown
        yield GaugeMetricFamily("attune_collector_up", "1 when the last sample succeeded.", value=shown.up)
        yield GaugeMetricFamily(
            "attune_collector_last_success_timestamp_seconds",
            "When the last sample succeeded.",
            value=shown.last_success_ms / 1000,
        )
        yield GaugeMetricFamily(
            "attune_collector_sample_duration_seconds", "How long the last sample took.", value=shown.duration_s
        )
        yield CounterMetricFamily("attune_collector_samples", "Samples tried.", value=shown.samples)
        yield CounterMetricFamily("attune_collector_failures", "Samples that failed.", value=shown.failures)


def render(shown: Snapshot, now_ms: int) -> bytes:
    """The text of /metrics: the collector's own metrics, and the rows' while they are fresh.

    The rows are written here and not through prometheus_client, which takes ten times as long (2 s for 20,000 rows).
    """
    registry = CollectorRegistry()
    registry.register(OwnMetrics(shown))
    rows = shown.rows if now_ms - shown.last_success_ms <= KEEP_ROWS_MS else ()
    labels = [
        f'{{group="{escaped(row.group)}",topic="{escaped(row.topic)}",partition="{row.partition}"}}' for row in rows
    ]
    parts = [generate_latest(registry)]
    for metric in METRICS:
        lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        for row, label in zip(rows, labels, strict=True):
            value = metric.value(row)
            if value is not None:
                lines.append(f"{metric.name}{label} {_number(value)}")
        parts.append(("\n".join(lines) + "\n").encode())
    return b"".join(parts)


def escaped(label: str) -> str:
    r"""A label's value as the text format wants it.

    >>> print(escaped('a"b'))
    a\"b
    """
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return "+Inf" if value == math.inf else repr(float(value))
