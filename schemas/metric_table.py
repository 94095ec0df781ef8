"""Every metric, once: name, type, help, labels, buckets, and who exposes it.

Workers, collector and prober expose what stands here; the Grafana dashboard, the alert rules and the console may ask
for nothing else (tests/deploy/test_dashboard.py). Base units; labels are bounded: no user, no item, no id.

| source | where | more labels |
|---|---|---|
| `worker` | `/metrics` of `attune worker`, its children's figures | role, child |
| `collector` | `/metrics` of `attune lag serve` | |
| `prober` | the same page | |
"""

from typing import Final, Literal

from msgspec import Struct

Source = Literal["worker", "collector", "prober"]

CHILD_LABELS: Final = ("role", "child")
PARTITION_LABELS: Final = ("group", "topic", "partition")

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
WAITS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
"""The objective, 5 s, is an edge."""
SIZES: Final = (1.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)

REASONS: Final = ("json", "missing", "range", "type", "key", "size", "nesting", "characters", "future", "step", "other")
"""Classes of dead letters; the letter itself says the field."""


class Metric(Struct, frozen=True):
    """One metric. `labels` are its own, beside those of its source."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    source: Source = "worker"
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def all_labels(self) -> tuple[str, ...]:
        """As they are exposed.

        >>> Metric("attune_wakes_total", "counter", "Timers that went off.").all_labels
        ('role', 'child')
        """
        return (*(CHILD_LABELS if self.source == "worker" else ()), *self.labels)

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which a query finds it.

        >>> Metric("attune_flush_seconds", "histogram", "…").series
        ('attune_flush_seconds_bucket', 'attune_flush_seconds_sum', 'attune_flush_seconds_count')
        """
        if self.kind == "histogram":
            return tuple(f"{self.name}{end}" for end in ("_bucket", "_sum", "_count"))
        return (self.name,)


def _counter(name: str, text: str, *labels: str, source: Source = "worker") -> Metric:
    return Metric(name, "counter", text, source, labels)


def _gauge(name: str, text: str, *labels: str, source: Source = "worker") -> Metric:
    return Metric(name, "gauge", text, source, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], source: Source = "worker") -> Metric:
    return Metric(name, "histogram", text, source, (), buckets)


WORKER: Final = (
    _gauge("attune_child_up", "1 while the child process lives."),
    _gauge("attune_child_ready", "1 while the child says that it works."),
    _counter("attune_child_restarts_total", "Times the supervisor started this child again."),
    _histogram(
        "attune_event_freshness_seconds",
        "From an event's Kafka timestamp to the delivery of the decision it led to.",
        WAITS,
    ),
    _counter("attune_records_total", "Input records taken, applied or not.", "topic"),
    _counter("attune_events_applied_total", "Events applied to a profile; by the learner, examples learned."),
    _counter("attune_events_replayed_total", "Records that were applied before a crash or rebalance, and dropped."),
    _counter("attune_duplicates_total", "Events whose id was applied before, and dropped."),
    _counter("attune_events_erased_total", "Events dropped because their person was erased later."),
    _counter("attune_dead_letters_total", "Records that could not be used, by class of reason.", "reason"),
    _counter(
        "attune_decisions_total", "Decisions published, by topic, surface and what led to them.",
        "topic", "surface", "reason",
    ),
    _counter("attune_examples_total", "Examples sent to the learner."),
    _counter("attune_wakes_total", "Timers that went off."),
    _counter("attune_failures_total", "Steps and wakes that raised; more than ten a minute stop the process.", "what"),
    _counter("attune_rebalances_total", "Rebalances this process went through."),
    _counter("attune_order_gaps_total", "Gaps in the order of records, mended by reading again."),
    _gauge("attune_recovery_remaining_records", "Changelog records still to be read before work begins."),
    _gauge("attune_recovery_seconds", "How long the last recovery took."),
    _counter("attune_recovered_records_total", "Changelog records read in recoveries."),
    _counter("attune_changelog_records_total", "Records written to the changelog."),
    _counter("attune_healed_records_total", "Records of a zombie that were overwritten again."),
    _counter("attune_flushes_total", "Times that profiles or models were made durable."),
    _counter("attune_flushes_discarded_total", "Flushes thrown away because membership was lost."),
    _histogram("attune_flush_seconds", "Time of a flush: outputs, state, commit.", SECONDS),
    _histogram("attune_flush_rows", "Rows that a flush wrote.", SIZES),
    _gauge("attune_oldest_unflushed_seconds", "Age of the oldest event that is applied and not durable yet."),
    _gauge("attune_producer_queue_records", "Records handed to the producer and not delivered yet."),
    _gauge("attune_profiles", "Profiles that this process holds."),
    _gauge("attune_replica_age_seconds", "Time since the replica took its newest record of `items` or `model`."),
    _counter("attune_replica_records_total", "Records of `items` and `model` that the replica took."),
    _counter("attune_redis_records_total", "Decisions read for Redis."),
    _counter("attune_redis_writes_total", "Decisions written to Redis."),
    _counter("attune_redis_refused_total", "Decisions older than what Redis holds."),
    _counter("attune_redis_forgotten_total", "Tombstones of erased people carried out in Redis."),
    _counter("attune_redis_retries_total", "Writes tried again because Redis was away."),
    _counter("attune_redis_rebuilds_total", "Partitions read again because Redis held less than it should."),
    _histogram("attune_redis_write_seconds", "Time that Redis took for a batch.", SECONDS),
    _gauge("attune_redis_up", "1 while Redis takes writes."),
    _counter("attune_model_judged_total", "Actions on which lists were judged before they were learned from."),
    _gauge("attune_model_hit_rate_10", "Share of the last 1,000 judged actions whose item was listed.", "policy"),
    _gauge("attune_model_log_loss", "Mean surprise in nats at the place of the item acted on.", "policy"),
    _gauge("attune_model_calibration_ratio", "Expected hits over hits; 1 is calibrated.", "policy"),
    _counter("attune_model_drift_alarms_total", "Times that ADWIN saw the live hit rate change."),
)  # fmt: skip

COLLECTOR: Final = (
    *(
        Metric(name, "gauge", text, "collector", PARTITION_LABELS)
        for name, text in (
            ("kafka_consumergroup_lag", "Records behind."),
            ("kafka_consumergroup_lag_seconds", "Age of the record at the committed offset; 0 when caught up."),
            (
                "kafka_consumergroup_drain_eta_seconds",
                "Lag divided by consume rate minus produce rate; +Inf when not shrinking.",
            ),
            ("kafka_consumergroup_partition_status", "0 OK, 1 WARN, 2 REWIND, 3 STALL, 4 STOP."),
            (
                "kafka_consumergroup_last_commit_age_seconds",
                "Time since the last commit; absent when no commit is known.",
            ),
            ("kafka_consumergroup_members", "Members of the group."),
            (
                "kafka_consumergroup_lost_records",
                "Records between the committed offset and the log's start: lost to retention.",
            ),
            (
                "kafka_consumergroup_never_committed",
                "1 where the group has never committed; its lag is counted from the log's start.",
            ),
            ("kafka_consumergroup_committed_offset", "Committed offset, or the log's start."),
            ("kafka_consumergroup_end_offset", "End of the partition's log."),
        )
    ),
    Metric(
        "kafka_topic_retention_seconds", "gauge", "How long the topic keeps records.", "collector", ("topic",)
    ),
    _gauge("attune_collector_up", "1 when the last sample succeeded.", source="collector"),
    _gauge(
        "attune_collector_last_success_timestamp_seconds", "When the last sample succeeded.", source="collector"
    ),
    _gauge("attune_collector_sample_duration_seconds", "How long the last sample took.", source="collector"),
    _counter("attune_collector_samples_total", "Samples tried.", source="collector"),
    _counter("attune_collector_failures_total", "Samples that failed.", source="collector"),
)  # fmt: skip

PROBER: Final = (
    _counter("attune_probes_total", "Probe events sent.", "partition", source="prober"),
    _counter(
        "attune_probes_lost_total", "Probe events without a decision within the deadline.", "partition",
        source="prober",
    ),
    _histogram("attune_probe_seconds", "From sending a probe event to reading its decision.", WAITS, source="prober"),
    _gauge(
        "attune_probe_last_answer_timestamp_seconds", "When a probe's decision was last read.", "partition",
        source="prober",
    ),
)  # fmt: skip

METRICS: Final = {metric.name: metric for metric in (*WORKER, *COLLECTOR, *PROBER)}
SERIES: Final = {series: metric for metric in METRICS.values() for series in metric.series}
"""Every name that a query may ask for."""


def reason_of(field: str, text: str) -> str:
    """The class of a dead letter from what its `Invalid` says.

    >>> reason_of("$", "Object missing required field `item_id`")
    'missing'
    >>> reason_of("$.ts_ms", "Expected `int`, got `str`")
    'type'
    """
    if field == "key":
        return "key"
    for mark, reason in _MARKS:
        if mark in text:
            return reason
    return "other"


_MARKS: Final = (
    ("missing required field", "missing"),
    ("control character", "characters"),
    ("more than 24 h after", "future"),
    ("nested deeper", "nesting"),
    ("bytes, the limit", "size"),
    ("malformed", "json"),
    ("truncated", "json"),
    ("utf-8", "json"),
    ("trailing characters", "json"),
    ("of length", "range"),
    ("matching regex", "range"),
    ("`int` >", "range"),
    ("`int` <", "range"),
    ("`float` >", "range"),
    ("`float` <", "range"),
    ("Invalid enum", "range"),
    ("Expected", "type"),
    ("null value", "type"),
)
