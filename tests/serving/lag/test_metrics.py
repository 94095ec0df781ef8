"""The text of /metrics, read back by prometheus_client's own parser."""

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from schemas.metric_table import COLLECTOR
from schemas.metric_table import METRICS as TABLE
from serving.lag.metrics import KEEP_ROWS_MS, METRICS, Snapshot, render
from serving.lag.row import LagRow
from serving.lag.status import Status

ROW = LagRow('g"\\\n', "t", 3, 5, 1.25, None, Status.STALL, None, 2, 4, committed=True, offset=7, end=12)


def values(shown: Snapshot, now_ms: int = 0) -> dict[str, list[float]]:
    families = text_string_to_metric_families(render(shown, now_ms).decode())
    return {family.name: [sample.value for sample in family.samples] for family in families}


def test_values_of_a_row() -> None:
    seen = values(Snapshot((ROW,), up=True))
    assert {name: value for name, value in seen.items() if name.startswith("kafka")} == {
        "kafka_consumergroup_lag": [5],
        "kafka_consumergroup_lag_seconds": [1.25],
        "kafka_consumergroup_drain_eta_seconds": [float("inf")],
        "kafka_consumergroup_partition_status": [3],
        "kafka_consumergroup_last_commit_age_seconds": [],
        "kafka_consumergroup_members": [4],
        "kafka_consumergroup_lost_records": [2],
        "kafka_consumergroup_never_committed": [0],
        "kafka_consumergroup_committed_offset": [7],
        "kafka_consumergroup_end_offset": [12],
        "kafka_topic_retention_seconds": [],
    }
    assert len(METRICS) == 10


def test_hostile_names_are_escaped() -> None:
    families = {f.name: f for f in text_string_to_metric_families(render(Snapshot((ROW,)), 0).decode())}
    assert families["kafka_consumergroup_lag"].samples[0].labels == {"group": ROW.group, "topic": "t", "partition": "3"}


def test_a_dead_collector_does_not_look_like_a_quiet_night() -> None:
    shown = Snapshot((ROW,), up=False, last_success_ms=1_000, samples=3, failures=1)
    assert values(shown, 1_000 + KEEP_ROWS_MS)["kafka_consumergroup_lag"] == [5]
    late = values(shown, 1_001 + KEEP_ROWS_MS)
    assert late["kafka_consumergroup_lag"] == []
    assert late["attune_collector_up"] == [0]
    assert late["attune_collector_last_success_timestamp_seconds"] == [1.0]


def test_a_group_without_known_members_has_no_member_metric() -> None:
    shown = Snapshot((msgspec.structs.replace(ROW, members=None),))
    assert values(shown)["kafka_consumergroup_members"] == []


def test_retention_is_said_by_topic() -> None:
    assert values(Snapshot(retention_s={"views": 60.0}))["kafka_topic_retention_seconds"] == [60.0]


def test_everything_exposed_is_in_the_table() -> None:
    families = list(text_string_to_metric_families(render(Snapshot((ROW,), up=True), 0).decode()))
    assert {f"{f.name}_total" if f.type == "counter" else f.name for f in families} == {m.name for m in COLLECTOR}
    assert all(f.documentation == TABLE[f"{f.name}_total" if f.type == "counter" else f.name].help for f in families)
