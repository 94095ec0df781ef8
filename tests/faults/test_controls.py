"""Negative controls: with a rule switched off the verdict must be that something is wrong.

Each test passes when the sabotaged system is caught, and so shows that the trials beside it can fail.
"""

import sys
from collections.abc import Callable

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.topics import BEHAVIOUR_GROUP
from tests.faults.cluster import Cluster
from tests.faults.settle import begin, catch_up, settle, stop_all
from tests.faults.traffic import Sender, events, send
from tests.faults.verdict import Verdict
from tests.integration.broker import Broker
from tests.integration.waiting import eventually, let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]

Make = Callable[..., Cluster]
Figure = Callable[[str], None]
SEEDS = 3
FLUSH_S = 1.0
FLUSH_MS = str(round(1000 * FLUSH_S))
BEHIND = 100


def test_without_dedupe_repeated_events_count_twice(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster(ATTUNE_TEST_SABOTAGE="dedupe")
    assert begin(cluster, 1, 701, 3_000, 800.0).done.wait(60)
    verdict = settle(cluster, 1, cold=False)
    assert not verdict.exact
    assert verdict.wrong_profiles
    figure(f"caught: {len(verdict.wrong_profiles)} of {verdict.people} profiles wrong")


def kill_with_offsets_behind(cluster: Cluster, kills: int) -> int:
    """Kill the worker, and let its group have committed less than its state holds, as after a kill between the two.

    That moment is some milliseconds long, so it is not waited for: the committed offsets are moved back by hand.
    Returns how many records the group will read again.
    """
    admin = AdminClient({"bootstrap.servers": cluster.settings.bootstrap, "log_level": 0})
    again = 0
    for _ in range(kills):
        cluster.keep("behaviour", 1)
        (worker,) = cluster.running("behaviour")
        eventually(lambda worker=worker: worker.status.get("applied", 0) > 300, 60, 0.1, "work")
        worker.kill()
        asked = ConsumerGroupTopicPartitions(BEHAVIOUR_GROUP)
        committed = admin.list_consumer_group_offsets([asked])[BEHAVIOUR_GROUP].result().topic_partitions
        moved = [TopicPartition(tp.topic, tp.partition, max(tp.offset - BEHIND, 0)) for tp in committed]
        back = ConsumerGroupTopicPartitions(BEHAVIOUR_GROUP, moved)
        eventually(lambda back=back: altered(admin, back), 60, 0.5, "a group without members")
        again += sum(tp.offset - to.offset for tp, to in zip(committed, moved, strict=True))
    return again


def altered(admin: AdminClient, offsets: ConsumerGroupTopicPartitions) -> bool:
    """Whether the broker took the offsets; it refuses while the dead member's session lasts."""
    try:
        result = admin.alter_consumer_group_offsets([offsets])[BEHAVIOUR_GROUP].result()
    except KafkaException:
        return False
    return all(tp.error is None for tp in result.topic_partitions)


def test_without_dedupe_a_kill_between_state_and_commit_counts_twice(make_cluster: Make, figure: Figure) -> None:
    """No producer repeats anything here: what counts twice are events whose state was durable and not committed."""
    cluster = make_cluster(ATTUNE_TEST_SABOTAGE="dedupe")
    sender = begin(cluster, 1, 702, 10_000, 500.0, repeats=0.0)
    again = kill_with_offsets_behind(cluster, 2)
    assert sender.done.wait(60)
    verdict = settle(cluster, 1, cold=False)
    assert verdict.wrong_profiles
    figure(f"caught: {len(verdict.wrong_profiles)} of {verdict.people} profiles wrong after {again} records again")


def test_the_same_kills_do_no_harm_where_the_rule_holds(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster()
    sender = begin(cluster, 1, 702, 10_000, 500.0, repeats=0.0)
    again = kill_with_offsets_behind(cluster, 2)
    assert sender.done.wait(60)
    verdict = settle(cluster, 1, cold=False)
    assert verdict.exact, str(verdict)
    figure(f"exact after {again} records again; {verdict.repeated_recommendations} ids sent twice")


def skip(cluster: Cluster, seed: int) -> Sender:
    """Faust skips messages of each partition, the last ones too, as it does around rebalances when it pleases."""
    cluster.played_by["behaviour"] = [sys.executable, "-m", "tests.faults.skipping_behaviour"]
    return begin(cluster, 1, seed, 4_000, 800.0)


def test_without_the_order_rule_what_faust_skips_is_lost(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster(ATTUNE_TEST_SABOTAGE="order")
    assert skip(cluster, 801).done.wait(60)
    try:
        verdict = settle(cluster, 1, cold=False)
    except AssertionError as stalled:  # the last message of a partition was skipped: its lag never goes
        if "lag 0 on every partition" not in str(stalled):
            raise
        figure(f"caught: {str(stalled).splitlines()[0][:120]}")
        return
    assert verdict.wrong_profiles
    figure(f"caught: {len(verdict.wrong_profiles)} of {verdict.people} profiles wrong")


def test_what_faust_skips_is_sought_back_where_the_rule_holds(make_cluster: Make, figure: Figure) -> None:
    cluster = make_cluster()
    assert skip(cluster, 801).done.wait(60)
    verdict = settle(cluster, 1, cold=False)
    assert verdict.exact, str(verdict)
    gaps = sum(process.status.get("order_gaps", 0) for process in cluster.processes)
    assert gaps > 0
    figure(f"exact; {gaps} gaps")


def haunt(cluster: Cluster, broker: Broker, seed: int) -> Verdict:
    """A worker is stopped, its successor does all the work, and the stopped one goes on and writes what it had.

    The broker rests when the worker is stopped, so that this is within a flush: the worker has asked already whether
    the group still knows it.
    """
    sender = begin(cluster, 1, seed, 6_000, 600.0)
    zombie = cluster.processes[0]
    eventually(lambda: zombie.status.get("applied", 0) > 1_000, 60, 0.1, "work for the one to be stopped")
    broker.pause()
    let_pass(2 * FLUSH_S, "a flush begins, and waits for the broker")
    zombie.stop()
    broker.resume()
    assert sender.done.wait(60)
    catch_up(cluster, 1)
    zombie.resume()
    let_pass(3, "the zombie writes")
    stop_all(cluster)
    cluster.keep("behaviour", 1)
    cluster.keep("learner", 1)
    send(cluster.settings, events(seed + 50, 3_000))
    return settle(cluster, 1, cold=False)


def test_without_dominance_and_lease_a_zombie_is_believed(make_cluster: Make, broker: Broker, figure: Figure) -> None:
    for seed in range(900, 900 + SEEDS):
        cluster = make_cluster(ATTUNE_TEST_SABOTAGE="dominance,lease", ATTUNE_FLUSH_MS=FLUSH_MS)
        verdict = haunt(cluster, broker, seed)
        if not verdict.exact:
            figure(f"caught at seed {seed - 899} of {SEEDS}: {len(verdict.wrong_profiles)} profiles wrong")
            return
        cluster.close()
    pytest.fail(f"not caught in {SEEDS} hauntings")


def test_dominance_alone_heals_what_a_zombie_wrote(make_cluster: Make, broker: Broker, figure: Figure) -> None:
    """Without the lease it writes; whoever recovers next overrules it, and writes the right record again."""
    for seed in range(900, 900 + SEEDS):
        cluster = make_cluster(ATTUNE_TEST_SABOTAGE="lease", ATTUNE_FLUSH_MS=FLUSH_MS)
        verdict = haunt(cluster, broker, seed)
        assert verdict.exact, str(verdict)
        if verdict.went_back:
            healed = sum(p.status.get("healed", 0) for p in cluster.processes)
            assert healed > 0
            figure(f"exact; {verdict.went_back} records went back, {healed} healed")
            return
        cluster.close()
    pytest.fail(f"in {SEEDS} hauntings no zombie wrote")


def test_the_same_zombie_does_no_harm_where_the_rules_hold(make_cluster: Make, broker: Broker, figure: Figure) -> None:
    verdict = haunt(make_cluster(ATTUNE_FLUSH_MS=FLUSH_MS), broker, 900)
    assert verdict.exact, str(verdict)
    figure(f"exact; {verdict.went_back} records went back")
