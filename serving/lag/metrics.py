"""The metrics of the collector, each named once in `METRICS`, and their exposition.

Group metrics carry group, topic and partition, `members` too (the same number on every row of a group, so that it
joins without a modifier): read it with `max by (group)`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
from prometheus_client import CollectorRegistry
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


class LagExposition(PrometheusCollector):
    """Turns the current snapshot into metric families, one at a time so that memory stays flat."""

    def __init__(self, current: Callable[[], Snapshot], clock: Callable[[], int]) -> None:
        self._current = current
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not sample."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The collector's own metrics, then one family per lag metric while the rows are fresh."""
        shown = self._current()
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
        fresh = self._clock() - shown.last_success_ms <= KEEP_ROWS_MS
        labels = [(row.group, row.topic, str(row.partition)) for row in shown.rows] if fresh else []
        for metric in METRICS:
            family = GaugeMetricFamily(metric.name, metric.help, labels=LABELS)
            for row, label in zip(shown.rows, labels, strict=False):
                value = metric.value(row)
                if value is not None:
                    family.add_metric(label, value)
            yield family


def registry(current: Callable[[], Snapshot], clock: Callable[[], int]) -> CollectorRegistry:
    """A registry of its own, holding the collector's metrics only."""
    own = CollectorRegistry()
    own.register(LagExposition(current, clock))
    return own
