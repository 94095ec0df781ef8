"""What a process measures, as Prometheus reads it."""

import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.metric_table import METRICS, WORKER
from streams.counts import METRIC_OF, Counts
from streams.meter import MAX_SERIES, Meter, exposition
from streams.sink import METRIC_OF as SINK_METRIC_OF
from streams.sink import SinkCounts


def shown(meter: Meter) -> str:
    return exposition(
        [(name, {"role": "x", "child": "0"} | own, value) for name, own, value in meter.samples()], WORKER
    )


def test_a_histogram_is_cumulated_and_an_edge_belongs_to_its_bucket() -> None:
    meter = Meter()
    for value in (0.04, 5.0, 5.1, 4_000.0):
        meter.observe("attune_event_freshness_seconds", value)
    found = {(name, labels.get("le")): value for name, labels, value in meter.samples()}
    assert found["attune_event_freshness_seconds_bucket", "5.0"] == 2
    assert found["attune_event_freshness_seconds_bucket", "10.0"] == 3
    assert found["attune_event_freshness_seconds_bucket", "+Inf"] == 4
    assert found["attune_event_freshness_seconds_count", None] == 4
    assert found["attune_event_freshness_seconds_sum", None] == pytest.approx(4_010.14)


def test_a_name_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Meter().count("attune_surprise_total")


def test_the_series_of_a_metric_are_bounded() -> None:
    meter = Meter()
    for number in range(10 * MAX_SERIES):
        meter.count("attune_dead_letters_total", f"reason {number}")
    samples = meter.samples()
    assert len(samples) == MAX_SERIES + 1
    assert sum(value for _, _, value in samples) == 10 * MAX_SERIES


def test_counts_lead_to_metrics_of_the_table() -> None:
    assert set(METRIC_OF) <= set(Counts.__struct_fields__)
    assert set(SINK_METRIC_OF) <= set(SinkCounts.__struct_fields__)
    assert {*METRIC_OF.values(), *SINK_METRIC_OF.values()} <= set(METRICS)


def test_prometheus_reads_hostile_labels_as_they_are() -> None:
    meter = Meter()
    hostile = 'a "quoted" \\ line\nand another'
    meter.count("attune_records_total", hostile)
    (family,) = text_string_to_metric_families(shown(meter))
    assert [sample.labels["topic"] for sample in family.samples] == [hostile]


def test_promtool_has_nothing_against_the_whole_table() -> None:
    meter = Meter()
    for metric in WORKER:
        if metric.kind == "histogram":
            meter.observe(metric.name, 1.0)
        else:
            meter.set(metric.name, 1.0, *("x" for _ in metric.labels))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=shown(meter).encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, b"")
    broken = shown(meter).replace("# HELP attune_wakes_total Timers that went off.\n", "")
    again = subprocess.run(["promtool", "check", "metrics"], input=broken.encode(), capture_output=True, check=False)
    assert again.returncode != 0
