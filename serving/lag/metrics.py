"""The values of the collector's metrics, and their exposition.

Group metrics carry group, topic and partition, `members` too (the same number on every row of a group, so that it
joins without a modifier): read it with `max by (group)`.
"""

import math
from collections.abc import Callable, Iterator, Mapping

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as PrometheusCollector

from schemas.metric_table import METRICS as TABLE
from serving.lag.row import LagRow

LABELS = ("group", "topic", "partition")
RETENTION = "kafka_topic_retention_seconds"
KEEP_ROWS_MS = 120_000
"""Rows older than this are not exposed: a dead collector must not look like a quiet night."""


METRICS: dict[str, Callable[[LagRow], float | None]] = {
    "kafka_consumergroup_lag": lambda row: row.lag,
    "kafka_consumergroup_lag_seconds": lambda row: row.lag_s,
    "kafka_consumergroup_drain_eta_seconds": lambda row: math.inf if row.eta_s is None else row.eta_s,
    "kafka_consumergroup_partition_status": lambda row: row.status,
    "kafka_consumergroup_last_commit_age_seconds": lambda row: row.last_commit_age_s,
    "kafka_consumergroup_members": lambda row: row.members,
    "kafka_consumergroup_lost_records": lambda row: row.lost_records,
    "kafka_consumergroup_never_committed": lambda row: 0 if row.committed else 1,
    "kafka_consumergroup_committed_offset": lambda row: row.offset,
    "kafka_consumergroup_end_offset": lambda row: row.end,
}
"""Metric of the table (schemas/metric_table.py) -> its value for a row; None leaves the row out."""


class Snapshot(msgspec.Struct, frozen=True):
    """What the server shows: the last rows and how the collector itself is doing. Replaced whole after each sample."""

    rows: tuple[LagRow, ...] = ()
    up: bool = False
    last_success_ms: int = 0
    duration_s: float = 0.0
    samples: int = 0
    failures: int = 0
    retention_s: Mapping[str, float] = {}
    """Topic -> how long it keeps records; compacted topics are left out."""


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
    for name, value_of in METRICS.items():
        lines = _head(name)
        for row, label in zip(rows, labels, strict=True):
            value = value_of(row)
            if value is not None:
                lines.append(f"{name}{label} {_number(value)}")
        parts.append(("\n".join(lines) + "\n").encode())
    kept = _head(RETENTION)
    kept += [
        f'{RETENTION}{{topic="{escaped(topic)}"}} {_number(seconds)}' for topic, seconds in shown.retention_s.items()
    ]
    parts.append(("\n".join(kept) + "\n").encode())
    return b"".join(parts)


def _head(name: str) -> list[str]:
    return [f"# HELP {name} {TABLE[name].help}", f"# TYPE {name} gauge"]


def escaped(label: str) -> str:
    r"""A label's value as the text format wants it.

    >>> print(escaped('a"b'))
    a\"b
    """
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return "+Inf" if value == math.inf else repr(float(value))
