"""Changelogs are compacted, and everything is recovered from what is left."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from streams.topics import CHANGELOGS, PROFILES_CHANGELOG
from tests.faults.cluster import Cluster
from tests.faults.oracle import read
from tests.faults.settle import begin, catch_up, settle, stop_all
from tests.faults.traffic import events, send
from tests.integration.waiting import eventually, let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def compact_at_once(bootstrap: str) -> None:
    eager = {"min.compaction.lag.ms": "0", "segment.ms": "500", "min.cleanable.dirty.ratio": "0.01"}
    admin = AdminClient({"bootstrap.servers": bootstrap})
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in eager.items()]
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries) for name in CHANGELOGS]
    for done in admin.incremental_alter_configs(wanted).values():
        done.result(20)


def test_compaction_and_a_cold_recovery(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster()
    settings = cluster.settings
    sender = begin(cluster, 1, 401, 8_000, 800.0)
    assert sender.done.wait(120)
    catch_up(cluster, 1)
    before = {topic: sum(1 for _ in read(settings.bootstrap, topic)) for topic in CHANGELOGS}
    compact_at_once(settings.bootstrap)
    let_pass(1, "longer than a segment")
    send(settings, events(402, 2_000))  # rolls the segments
    catch_up(cluster, 1)
    stop_all(cluster)

    def compacted() -> dict[str, int]:
        left = {topic: sum(1 for _ in read(settings.bootstrap, topic)) for topic in CHANGELOGS}
        assert all(left[topic] < before[topic] / 2 for topic in CHANGELOGS), f"{before} {left}"
        return left

    left = eventually(compacted, 60, 1.0, "changelogs that were compacted")
    cluster.keep("behaviour", 1)
    cluster.keep("learner", 1)
    send(settings, events(403, 2_000))
    verdict = settle(cluster, 1)
    assert verdict.exact, str(verdict)
    figure(f"{before[PROFILES_CHANGELOG]} records of the changelog became {left[PROFILES_CHANGELOG]}")
