"""Who belongs to the group changes under load: joins, leaves, a partition that comes back, a storm, a zombie."""

import random
from collections.abc import Callable
from itertools import cycle, islice
from typing import Final

import pytest

from streams.clock import boottime_s
from streams.producing import Batch, make_producer, produce
from streams.topics import PROFILES_CHANGELOG
from tests.faults.cluster import Cluster
from tests.faults.oracle import read
from tests.faults.settle import begin, catch_up, settle, stop_all
from tests.faults.traffic import Sender, events
from tests.integration.waiting import eventually, let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

MILLION: Final = 1_000_000
Make = Callable[..., Cluster]
Figure = Callable[[str], None]


def test_a_worker_joins_and_leaves(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster()
    sender = begin(cluster, 1, 101, 12_000, 600.0)
    second = cluster.start("behaviour")
    eventually(lambda: second.status.get("applied", 0) > 100, 60, 0.3, "work for the second")
    assert second.terminate() == 0
    assert not sender.done.is_set()
    sender.done.wait(120)
    verdict = settle(cluster, 1)
    assert verdict.exact, str(verdict)
    figure(f"{verdict.records} records, {verdict.repeated_recommendations} ids sent twice")


def test_a_partition_leaves_and_comes_back(make_cluster: Make, figure: Figure) -> None:
    """The first worker keeps running: what it had in memory of the partition must not be used again."""
    cluster = make_cluster()
    sender = begin(cluster, 1, 102, 14_000, 500.0)
    first = cluster.processes[0]
    for _ in range(2):
        guest = cluster.start("behaviour")
        eventually(lambda guest=guest: guest.status.get("applied", 0) > 50, 60, 0.3, "work for the guest")
        guest.kill()
        eventually(lambda: first.status.get("ready"), 60, 0.3, "the first worker again")
    sender.done.wait(120)
    assert first.alive
    verdict = settle(cluster, 1)
    assert verdict.exact, str(verdict)
    figure(f"{verdict.records} records, came back twice")


def test_a_rebalance_after_a_million_changelog_records(make_cluster: Make, figure: Figure) -> None:
    """Every row as often as it takes, then a guest that comes under live traffic, and dies."""
    cluster = make_cluster()
    settings = cluster.settings
    sender = begin(cluster, 1, 105, 3_000, 800.0)
    assert sender.done.wait(120)
    catch_up(cluster, 1)
    stop_all(cluster)
    rows = [(m.key(), m.value(), m.partition() or 0) for m in read(settings.bootstrap, PROFILES_CHANGELOG)]
    batch, producer = Batch(), make_producer(settings, **{"compression.type": "lz4"})
    for key, value, partition in islice(cycle(rows), MILLION):
        batch.sent += 1
        produce(producer, PROFILES_CHANGELOG, key, value, batch.delivered, partition=partition)
    assert producer.flush(120) == 0
    assert batch.done == MILLION

    began_s = boottime_s()
    cluster.keep("learner", 1)
    first = cluster.start("behaviour")
    eventually(lambda: first.ready, 120, 0.1, "a worker that has read a million records")
    cold_s = boottime_s() - began_s
    assert first.status["recovered_records"] >= MILLION
    sender = Sender(settings, events(106, 12_000), 400.0).start()
    guest = cluster.start("behaviour")
    eventually(lambda: guest.status.get("applied", 0) > 50, 90, 0.1, "work for the guest")
    guest.kill()
    killed_s = boottime_s()
    eventually(lambda: first.ready and first.status["rebalances"] >= 3, 90, 0.1, "the first worker again")
    back_s = boottime_s() - killed_s
    assert sender.done.wait(120)
    assert first.alive
    verdict = settle(cluster, 1)
    assert verdict.exact, str(verdict)
    figure(
        f"{MILLION:,} records: ready {cold_s:.0f} s after the start; what the dead guest had is taken up {back_s:.0f} s"
        f" after its kill; {verdict.records:,} events exact"
    )


def test_a_storm_of_rebalances(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster()
    sender = begin(cluster, 2, 103, 12_000, 500.0)
    rnd = random.Random(103)
    for _ in range(4):
        cluster.start("behaviour")
        let_pass(rnd.uniform(0.3, 1.0), "joins come close after one another")
        cluster.start("behaviour")
        let_pass(rnd.uniform(1.0, 3.0), "somewhere into the rebalance")
        workers = cluster.running("behaviour")
        workers[0].terminate()
        workers[-1].kill()
    sender.done.wait(120)
    ended_s = boottime_s()
    catch_up(cluster, 2)
    caught_s = boottime_s() - ended_s
    verdict = settle(cluster)
    assert verdict.exact, str(verdict)
    assert caught_s < 60
    figure(f"{verdict.records} records, 8 joins, 4 leaves, 4 kills; lag 0 after {caught_s:.0f} s")


def test_a_worker_that_was_stopped_for_45_s(make_cluster: Make, figure: Figure) -> None:
    """Its lease ends it; what it may have written late is dominated at recovery, and written again."""
    cluster = make_cluster()
    sender = begin(cluster, 2, 104, 32_000, 500.0)
    zombie = cluster.processes[0]
    eventually(lambda: zombie.status.get("applied", 0) > 500, 60, 0.3, "work for the one to be stopped")
    zombie.stop()
    let_pass(45, "the fault is a length of time")
    zombie.resume()
    eventually(lambda: not zombie.alive, 20, 0.1, "the end of the zombie")
    assert "longer than the lease" in zombie.log.read_text()
    assert not sender.done.is_set()
    sender.done.wait(120)
    verdict = settle(cluster)
    assert verdict.exact, str(verdict)
    healed = sum(p.status.get("healed", 0) for p in cluster.processes)
    assert healed >= verdict.went_back
    figure(f"{verdict.records} records, {verdict.went_back} of them went back, {healed} healed")
