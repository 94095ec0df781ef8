"""What a behaviour worker measures of itself, up to now."""

from typing import TYPE_CHECKING

from streams.clock import boottime_s, wall_ms
from streams.meter import Meter

if TYPE_CHECKING:
    from streams.behaviour import BehaviourWorker


def measure(worker: "BehaviourWorker") -> Meter:
    """Bring the worker's meter up to date."""
    meter, writer, quality = worker.meter, worker.writer, worker.quality
    worker.counts.measure(meter)
    meter.set("attune_order_gaps_total", worker.order.gaps)
    meter.set("attune_recovered_records_total", worker.changelog.records)
    meter.set("attune_recovery_remaining_records", worker.changelog.remaining)
    meter.set("attune_profiles", len(worker.table.rows))
    meter.set("attune_replica_records_total", worker.reader.records)
    if worker.reader.last_read_ms:
        meter.set("attune_replica_age_seconds", (wall_ms() - worker.reader.last_read_ms) / 1000)
    since_s = writer.unflushed_s
    meter.set("attune_oldest_unflushed_seconds", 0.0 if since_s is None else boottime_s() - since_s)
    meter.set("attune_producer_queue_records", len(writer.producer))
    meter.set("attune_model_judged_total", quality.judged)
    meter.set("attune_model_drift_alarms_total", quality.drift_alarms)
    if quality.judged:
        for policy, found in (("live", quality.live), ("popular", quality.popular)):
            meter.set("attune_model_hit_rate_10", found.hit_rate, policy)
            meter.set("attune_model_log_loss", found.log_loss, policy)
            if (calibration := found.calibration) is not None:
                meter.set("attune_model_calibration_ratio", calibration, policy)
    return meter
