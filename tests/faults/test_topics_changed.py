"""An input topic is widened or made anew under a running group: the worker says which, and nothing is skipped."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from streams.admin import create_topics
from tests.faults.cluster import Cluster
from tests.faults.settle import begin, catch_up
from tests.faults.traffic import events, send
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


def said(cluster: Cluster) -> str:
    return "\n".join(p.log.read_text() for p in cluster.processes if not p.alive)


def test_a_topic_is_widened(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster()
    begin(cluster, 1, 601, 2_000, 1_000.0).done.wait(60)
    catch_up(cluster, 1)
    admin = AdminClient({"bootstrap.servers": cluster.settings.bootstrap})
    admin.create_partitions([NewPartitions("views", 6)])["views"].result(20)
    worker = cluster.start("behaviour")
    eventually(lambda: not worker.alive, 60, 0.3, "a worker that refuses")
    assert "views has 6" in said(cluster)
    assert worker.popen.returncode == 1
    figure("a new worker refuses and names the topic")


def test_a_topic_is_made_anew(make_cluster: Callable[..., Cluster], figure: Callable[[str], None]) -> None:
    cluster = make_cluster()
    begin(cluster, 1, 602, 4_000, 1_000.0).done.wait(60)
    catch_up(cluster, 1)
    running = cluster.processes[0]
    admin = AdminClient({"bootstrap.servers": cluster.settings.bootstrap})
    admin.delete_topics(["views"], operation_timeout=20)["views"].result(20)
    eventually(lambda: "views" not in admin.list_topics(timeout=10).topics, 20, 0.3, "the end of the topic")
    create_topics(cluster.settings)
    send(cluster.settings, events(603, 2_000))
    eventually(lambda: not running.alive, 90, 0.3, "the worker's stop")
    assert "views" in said(cluster)
    again = cluster.start("behaviour")
    eventually(lambda: not again.alive, 60, 0.3, "a refusal")
    assert "views" in again.log.read_text()
    figure(f"stopped ({running.popen.returncode}), and refused from then on ({again.popen.returncode})")
