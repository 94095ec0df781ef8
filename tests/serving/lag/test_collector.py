"""The collector on a real Kafka: every case on-call has been woken by."""

import contextlib
import os
import pathlib
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from serving.lag.collector import Collector
from serving.lag.errors import BrokerUnreachableError, LagError
from serving.lag.row import LagRow
from serving.lag.status import Status
from tests.integration.broker import Broker
from tests.integration.waiting import eventually
from tests.serving.lag.scene import commit, delete_before, now_ms, only, send, timestamps

NewTopic = Callable[..., str]
HOUR_MS = 3_600_000


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex[:12]}"


def look(bootstrap: str, *groups: str, **options: Any) -> list[LagRow]:
    with Collector(bootstrap, groups=groups, **options) as collector:
        return collector.sample()


@contextlib.contextmanager
def member(bootstrap: str, group: str, topic: str) -> Iterator[Consumer]:
    """A live member that has been given its partitions and has committed nothing."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    consumer.subscribe([topic])

    def assigned() -> list[TopicPartition]:
        consumer.poll(0.1)
        return consumer.assignment()

    eventually(assigned, 30)
    yield consumer
    consumer.close()


def test_idle_topic_is_well(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 20)
    commit(bootstrap, group, topic, {0: 20})
    row = only(look(bootstrap, group, clock=lambda: now_ms() + 24 * HOUR_MS))
    assert (row.lag, row.lag_s, row.eta_s, row.status, row.lost_records) == (0, 0.0, 0.0, Status.OK, 0)
    assert row.last_commit_age_s is not None
    assert row.last_commit_age_s >= 24 * 3600


def test_lag_in_records_and_exact_seconds(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(2)
    now = now_ms()
    send(bootstrap, topic, 50, ts_ms=[now - HOUR_MS + n * 1_000 for n in range(50)])
    commit(bootstrap, group, topic, {0: 13})
    at = now + 5_000
    truth = timestamps(bootstrap, topic, 0, 50)
    row = only(look(bootstrap, group, clock=lambda: at))
    assert row.lag == 37
    assert row.lag_s == (at - truth[13]) / 1000
    assert row.exact


def test_no_members_and_never_committed(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(3)
    send(bootstrap, topic, 10, partition=0)
    send(bootstrap, topic, 10, partition=1)
    delete_before(bootstrap, topic, 1, 4)
    commit(bootstrap, group, topic, {0: 10})
    rows = look(bootstrap, group, clock=lambda: now_ms() + HOUR_MS)
    assert [(row.lag, row.committed, row.members, row.lost_records) for row in rows] == [
        (0, True, 0, 0),
        (6, False, 0, 0),
        (0, False, 0, 0),
    ]
    assert [row.status for row in rows] == [Status.OK, Status.STOP, Status.OK]


def test_members_that_never_committed_are_seen(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(2)
    send(bootstrap, topic, 7, partition=1)
    with member(bootstrap, group, topic):
        rows = look(bootstrap, group)
    assert [(row.partition, row.lag, row.members, row.committed) for row in rows] == [
        (0, 0, 1, False),
        (1, 7, 1, False),
    ]


def test_retention_overtakes_a_group(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    now = now_ms()
    send(bootstrap, topic, 30, ts_ms=[now - HOUR_MS + n * 1_000 for n in range(30)])
    commit(bootstrap, group, topic, {0: 5})
    delete_before(bootstrap, topic, 0, 18)
    row = only(look(bootstrap, group, clock=lambda: now))
    assert (row.lag, row.lost_records) == (25, 13)
    assert row.lag_s == (HOUR_MS - 18_000) / 1000


@pytest.mark.parametrize("skew_ms", [HOUR_MS, -HOUR_MS], ids=["ahead", "behind"])
def test_clock_skew(bootstrap: str, new_topic: NewTopic, group: str, skew_ms: int) -> None:
    topic = new_topic(1)
    now = now_ms()
    send(bootstrap, topic, 5, ts_ms=[now + skew_ms] * 5)
    commit(bootstrap, group, topic, {0: 2})
    row = only(look(bootstrap, group, clock=lambda: now))
    assert row.lag == 3
    assert row.lag_s == (0.0 if skew_ms > 0 else 3600.0)


def transactional(bootstrap: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions(30)
    return producer


def test_transaction_markers_are_no_lag(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    producer = transactional(bootstrap)
    for _ in range(2):
        producer.begin_transaction()
        producer.produce(topic, b"x", partition=0)
        producer.commit_transaction(30)
    commit(bootstrap, group, topic, {0: 3})  # the record after last: the second marker
    row = only(look(bootstrap, group, clock=lambda: now_ms() + HOUR_MS))
    assert (row.end, row.lag, row.lag_s, row.eta_s, row.status) == (4, 0, 0.0, 0.0, Status.OK)
    commit(bootstrap, group, topic, {0: 1})  # the first marker: one record is left behind it
    row = only(look(bootstrap, group))
    assert row.lag == 3
    assert row.lag_s < 60


def test_aborted_records_are_no_lag(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    producer = transactional(bootstrap)
    producer.begin_transaction()
    producer.produce(topic, b"x", partition=0)
    producer.flush(10)
    producer.abort_transaction(30)
    commit(bootstrap, group, topic, {0: 0})
    assert only(look(bootstrap, group)).lag == 0


def test_an_open_transaction_is_named(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 3)
    producer = transactional(bootstrap)
    producer.begin_transaction()
    producer.produce(topic, b"x", partition=0)
    producer.flush(10)
    commit(bootstrap, group, topic, {0: 3})
    row = only(look(bootstrap, group))
    assert (row.lag, row.note) == (1, "open transaction, no members")
    producer.abort_transaction(30)


def send_same_key(bootstrap: str, topic: str, ts_ms: list[int]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for stamp in ts_ms:
        producer.produce(topic, b"v", key=b"same", partition=0, timestamp=stamp)
    assert producer.flush(10) == 0


def test_compacted_topic(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(
        1,
        cleanup_policy="compact",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.001",
        delete_retention_ms="0",
    )
    now = now_ms()
    send_same_key(bootstrap, topic, [now - HOUR_MS + number * 1_000 for number in range(20)])

    def survivors() -> dict[int, int] | None:
        send_same_key(bootstrap, topic, [now_ms()])
        left = timestamps(bootstrap, topic, 0, 1)
        return left if min(left) > 4 else None

    first = eventually(survivors, 60, every_s=0.5)
    assert first is not None
    commit(bootstrap, group, topic, {0: 4})
    at = now_ms()
    row = only(look(bootstrap, group, clock=lambda: at))
    first = timestamps(bootstrap, topic, 0, 1)
    assert row.lag == row.end - 4
    assert row.lag_s == (at - first[min(first)]) / 1000
    assert row.lost_records == 0


def test_a_reset_by_hand_is_a_rewind_then_a_stop(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 100)
    commit(bootstrap, group, topic, {0: 90})
    commit(bootstrap, group, topic, {0: 100})
    at = commit(bootstrap, group, topic, {0: 10})
    row = only(look(bootstrap, group, clock=lambda: at - 1))
    assert (row.lag, row.status) == (90, Status.REWIND)
    assert only(look(bootstrap, group, clock=lambda: at + HOUR_MS)).status is Status.STOP


def test_a_stuck_consumer_is_a_stall_even_for_a_collector_that_came_later(
    bootstrap: str, new_topic: NewTopic, group: str
) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 100, ts_ms=[now_ms() - HOUR_MS] * 100)
    at = [commit(bootstrap, group, topic, {0: 40}) for _ in range(4)][-1]
    row = only(look(bootstrap, group, clock=lambda: at - 1))
    assert (row.lag, row.status, row.eta_s) == (60, Status.STALL, None)


def test_a_slow_consumer_is_a_warning(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    now, seen = [now_ms()], list[LagRow]()
    with Collector(bootstrap, groups=[group], clock=lambda: now[0]) as collector:
        send(bootstrap, topic, 1_000, ts_ms=[now[0] - HOUR_MS] * 1_000)
        for step in range(12):
            now[0] = commit(bootstrap, group, topic, {0: 10 * step})
            seen.append(only(collector.sample()))
            send(bootstrap, topic, 50)
    assert seen[-1].status is Status.WARN
    assert seen[-1].eta_s is None


def test_eta_and_trend_of_a_group_that_catches_up(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 1_000, ts_ms=[now_ms() - HOUR_MS] * 1_000)
    commit(bootstrap, group, topic, {0: 0})
    now = now_ms()
    with Collector(bootstrap, groups=[group], clock=lambda: now) as collector:
        collector.sample()
        commit(bootstrap, group, topic, {0: 600})
        now += 60_000
        row = only(collector.sample())
    assert row.lag == 400
    assert row.eta_s == pytest.approx(40, rel=0.05)
    assert row.trend[-1] == 400
    assert 1_000 in row.trend


def test_interpolated_seconds_are_near_the_exact_ones(
    bootstrap: str, new_topic: NewTopic, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic(1)
    now = now_ms()
    send(bootstrap, topic, 600, ts_ms=[now - (600 - n) * 1_000 for n in range(600)])
    commit(bootstrap, group, topic, {0: 150})
    exact = only(look(bootstrap, group, clock=lambda: now))
    monkeypatch.setattr("serving.lag.tracker.Tracker.targets", lambda _: [])
    estimated = only(look(bootstrap, group, clock=lambda: now))
    assert (exact.exact, exact.lag_s) == (True, 450.0)
    assert not estimated.exact
    assert estimated.lag_s == pytest.approx(450, abs=5)


def test_history_survives_a_restart(
    bootstrap: str, new_topic: NewTopic, group: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.lag.commit_log.CommitLog.read", lambda *_: ([], None))  # only the file remembers
    topic = new_topic(1)
    send(bootstrap, topic, 100)
    commit(bootstrap, group, topic, {0: 50})
    now = now_ms()
    with Collector(bootstrap, groups=[group], state_dir=tmp_path, clock=lambda: now) as first:
        first.sample()
        commit(bootstrap, group, topic, {0: 20})
        now += 20_000
        assert only(first.sample()).status is not Status.WARN
        first.save()
    now += 200_000
    with Collector(bootstrap, groups=[group], state_dir=tmp_path, clock=lambda: now) as second:
        row = only(second.sample())
    assert row.last_commit_age_s == 200.0
    assert row.status is Status.STOP
    assert row.trend[-8:].count(None) == 0


def test_an_unknown_group_has_no_rows(bootstrap: str, group: str) -> None:
    assert look(bootstrap, group) == []


def test_all_groups(bootstrap: str, new_topic: NewTopic, group: str) -> None:
    topic = new_topic(1)
    commit(bootstrap, group, topic, {0: 0})
    with Collector(bootstrap, groups=None) as collector:
        assert group in {row.group for row in collector.sample()}


def test_a_paused_broker_is_reported_and_survived(
    bootstrap: str, new_topic: NewTopic, broker: Broker, group: str
) -> None:
    topic = new_topic(1)
    commit(bootstrap, group, topic, {0: 0})
    with Collector(bootstrap, groups=[group], timeout_s=2.0) as collector:
        assert collector.sample()
        broker.pause()
        with pytest.raises(BrokerUnreachableError):
            collector.sample()
        broker.resume()

        def again() -> bool:
            with contextlib.suppress(BrokerUnreachableError):
                return bool(collector.sample())
            return False

        assert eventually(again, 30)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_thousand_partitions_times_twenty_groups(bootstrap: str, new_topic: NewTopic) -> None:
    """Five seconds and 300 MB, measured in a process of its own, rendering of /metrics included."""
    topic = new_topic(1_000)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 100})
    for number in range(20_000):
        producer.produce(topic, b"x" * 50, partition=number % 1_000)
        producer.poll(0)
    assert producer.flush(60) == 0
    groups = [f"{topic}-{number}" for number in range(20)]
    for number, name in enumerate(groups):
        commit(bootstrap, name, topic, {p: (p + number) % 20 for p in range(1_000)})
    script = pathlib.Path(__file__).with_name("measure.py")
    environment = os.environ | {"PYTHONPATH": str(script.parents[3])}
    command = [sys.executable, str(script), bootstrap, *groups]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    rows, slowest_s, rss_mb, render_s, cpu_s = (float(word) for word in done.stdout.split())
    print(f"sample {slowest_s:.2f} s, render {render_s:.2f} s, {rss_mb:.0f} MB, cpu {cpu_s:.2f} s")
    assert rows == 20_000
    assert rss_mb <= 300


def test_a_collector_sees_again_after_the_broker_was_killed_and_restarted(
    bootstrap: str, new_topic: NewTopic, group: str, broker: Broker
) -> None:
    topic = new_topic(1)
    send(bootstrap, topic, 10)
    commit(bootstrap, group, topic, {0: 3})
    with Collector(bootstrap, groups=[group], timeout_s=2.0) as collector:
        assert only(collector.sample()).lag == 7
        broker.kill()
        with pytest.raises(BrokerUnreachableError):
            collector.sample()
        broker.restart()

        def again() -> int:
            try:
                return only(collector.sample()).lag
            except LagError:
                return -1

        eventually(lambda: again() == 7, 30, 0.2, "the same lag again")
