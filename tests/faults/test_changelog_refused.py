"""The broker takes no changelog record any more: the worker stops, commits nothing past the loss, and goes on later."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from streams.topics import PROFILES_CHANGELOG
from tests.faults.cluster import Cluster
from tests.faults.settle import begin, catch_up, settle
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

TOO_SMALL, USUAL = "60", "3145728"
"""Bytes of a batch: the first is less than any record with its header."""


def take_at_most(bootstrap: str, topic: str, size: str) -> None:
    entry = ConfigEntry("max.message.bytes", size, incremental_operation=AlterConfigOpType.SET)
    wanted = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.incremental_alter_configs([wanted]).values():
        done.result(20)


def test_a_changelog_that_takes_nothing(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster()
    sender = begin(cluster, 1, 140, 8_000, 400.0)
    worker = cluster.running("behaviour")[0]
    eventually(lambda: worker.status.get("applied", 0) > 500, 60, 0.2, "work")
    take_at_most(cluster.settings.bootstrap, PROFILES_CHANGELOG, TOO_SMALL)
    eventually(lambda: not worker.alive, 60, 0.1, "the end of the worker")
    code = worker.popen.returncode
    assert code not in {0, None}
    said = worker.log.read_text()
    assert PROFILES_CHANGELOG in said, said[-2_000:]
    again = cluster.start("behaviour")
    eventually(lambda: not again.alive, 90, 0.2, "the end of its successor, too: it cannot write either")
    take_at_most(cluster.settings.bootstrap, PROFILES_CHANGELOG, USUAL)
    assert sender.done.wait(120)
    catch_up(cluster, 1, 180.0)
    verdict = settle(cluster, 1)
    assert verdict.exact, str(verdict)
    figure(f"exit code {code}; {verdict.records} records, exact once it is taken again")
