"""The sink on a real Kafka and a real Redis, both of which are hurt."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from streams.admin import create_topics
from streams.embedded import EmbeddedRedis
from streams.producing import make_producer
from streams.redis_keys import POSITIONS, view_key
from streams.redis_view import RedisView, redis_client
from streams.settings import Settings, read_settings
from streams.sink import Sink
from streams.sink_scripts import ADVANCE, KEEP
from streams.topics import SINK_GROUP
from tests.integration.waiting import eventually

RECS = "recommendations"


@pytest.fixture
def store() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as started:
        yield started


@pytest.fixture
def settings(clean_kafka: str, store: EmbeddedRedis) -> Settings:
    made = read_settings({}, bootstrap=clean_kafka, redis=store.url, partitions=4, erasure_key="secret", session_s=6.0)
    create_topics(made)
    return made


def publish(settings: Settings, rows: list[tuple[str, str | None]], topic: str = RECS) -> None:
    producer = make_producer(settings)
    for key, value in rows:
        producer.produce(topic, key=key.encode(), value=None if value is None else value.encode())
    assert producer.flush(20) == 0


@contextmanager
def running(settings: Settings) -> Iterator[Sink]:
    sink, stopping = Sink(settings), threading.Event()
    thread = threading.Thread(target=sink.run, args=(stopping,))
    thread.start()
    try:
        yield sink
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def seen(settings: Settings, user_id: str, topic: str = RECS) -> str | None:
    view = RedisView(settings)
    try:
        found = view.recommendation(user_id) if topic == RECS else view.send_time(user_id)
        return None if found is None else found.decode()
    finally:
        view.close()


def lag(settings: Settings) -> int:
    consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": SINK_GROUP})
    try:
        places = [TopicPartition(RECS, n) for n in range(4)]
        behind = 0
        for tp in consumer.committed(places, timeout=5):
            _, end = consumer.get_watermark_offsets(TopicPartition(RECS, tp.partition), timeout=5)
            behind += end - max(tp.offset, 0)
        return behind
    finally:
        consumer.close()


def test_the_newest_of_each_person_is_in_redis_and_committed(settings: Settings) -> None:
    publish(settings, [(f"u{n % 50}", json.dumps({"n": n})) for n in range(5_000)])
    publish(settings, [("u1", '{"at": 9}')], "send-times")
    with running(settings) as sink:
        eventually(lambda: sink.ready, 20, what="a sink that caught up")
        assert [seen(settings, f"u{n}") for n in range(50)] == [json.dumps({"n": 4_950 + n}) for n in range(50)]
        assert seen(settings, "u1", "send-times") == '{"at": 9}'
        publish(settings, [("u7", "live")])
        eventually(lambda: seen(settings, "u7") == "live", 10)
        eventually(lambda: lag(settings) == 0, 10, what="lag 0")
    assert sink.counts.records == 5_002
    assert seen(settings, "nobody") is None


def test_an_older_record_is_refused_and_a_tombstone_stays(store: EmbeddedRedis, settings: Settings) -> None:
    client = redis_client(settings)
    keep = client.register_script(KEEP.replace("{forgotten_s}", "60"))
    keys = ["view", "forgotten"]
    assert keep(keys, [7, "seven"]) == 1
    assert keep(keys, [6, "six"]) == 0
    assert keep(keys, [7, "again"]) == 0
    assert client.hget("view", "d") == b"seven"
    assert keep(keys, [8]) == 2
    assert client.exists("view") == 0
    assert keep(keys, [5, "five"]) == 0
    assert client.exists("view") == 0
    assert 0 < client.ttl("forgotten") <= 60
    assert keep(keys, [9, "back"]) == 1
    assert client.exists("forgotten") == 0
    client.close()


def test_a_position_moves_on_only_where_redis_holds_what_came_before(store: EmbeddedRedis, settings: Settings) -> None:
    client = redis_client(settings)
    advance = client.register_script(ADVANCE)
    assert advance(["positions"], ["t-0", -1, 10]) == [-1, 10]
    assert advance(["positions"], ["t-0", 10, 20]) == [10, 20]
    assert advance(["positions"], ["t-0", 5, 6]) == [20, 20]
    client.delete("positions")
    assert advance(["positions"], ["t-0", 20, 30]) == [-1, -1]
    client.close()


def test_a_forgotten_person_leaves_nothing_that_names_them(settings: Settings) -> None:
    publish(settings, [("erika", "first"), ("max", "his")])
    with running(settings) as sink:
        eventually(lambda: seen(settings, "erika") == "first")
        publish(settings, [("erika", None)])
        eventually(lambda: seen(settings, "erika") is None)
        eventually(lambda: sink.counts.forgotten == 1)
        client = redis_client(settings)
        assert [key for key in client.scan_iter() if b"erika" in key] == []
        assert seen(settings, "max") == "his"
        publish(settings, [("erika", "back")])
        eventually(lambda: seen(settings, "erika") == "back")
        client.close()


def test_redis_stopped_and_started_again_costs_nothing(store: EmbeddedRedis, settings: Settings) -> None:
    publish(settings, [("u1", "before")])
    with running(settings) as sink:
        eventually(lambda: sink.ready)
        store.stop()
        publish(settings, [(f"u{n % 100}", str(n)) for n in range(10_000)])
        eventually(lambda: sink.counts.retries > 3, 10)
        assert not sink.ready
        assert lag(settings) > 0
        store.start()
        newest = [str(9_900 + n) for n in range(100)]
        eventually(lambda: [seen(settings, f"u{n}") for n in range(100)] == newest, 20)
        eventually(lambda: sink.ready)
        eventually(lambda: lag(settings) == 0, 10, what="lag 0")


@pytest.mark.parametrize("when", ["idle", "before records"])
def test_a_flushed_redis_is_filled_again_from_the_beginning(when: str, settings: Settings) -> None:
    publish(settings, [(f"u{n % 100}", str(n)) for n in range(3_000)])
    with running(settings) as sink:
        eventually(lambda: sink.ready)
        client = redis_client(settings)
        client.flushall()
        if when == "before records":
            publish(settings, [("u1", "newest")])
        eventually(lambda: sink.counts.rebuilds > 0, 10)
        newest = {f"u{n}": str(2_900 + n) for n in range(100)}
        newest |= {"u1": "newest"} if when == "before records" else {}
        eventually(lambda: {user_id: seen(settings, user_id) for user_id in newest} == newest, 20)
        eventually(lambda: sink.ready)
        client.close()


def test_a_redis_that_came_back_older_is_brought_up_to_date(store: EmbeddedRedis, settings: Settings) -> None:
    publish(settings, [(f"u{n}", "old") for n in range(50)])
    with running(settings) as sink:
        eventually(lambda: sink.ready)
        client = redis_client(settings)
        client.save()
        publish(settings, [(f"u{n}", "new") for n in range(50)])
        eventually(lambda: all(seen(settings, f"u{n}") == "new" for n in range(50)))
        assert store.process is not None
        store.process.kill()
        store.process.wait()
        store.start()
        eventually(lambda: all(seen(settings, f"u{n}") == "new" for n in range(50)), 20)
        assert sink.counts.rebuilds > 0
        client.close()


def test_a_sink_that_starts_while_redis_is_away_waits_for_it(store: EmbeddedRedis, settings: Settings) -> None:
    store.stop()
    publish(settings, [("u1", "one")])
    with running(settings) as sink:
        eventually(lambda: sink.counts.retries > 2, 20)
        assert not sink.ready
        store.start()
        eventually(lambda: seen(settings, "u1") == "one", 20)


def test_a_new_sink_goes_on_where_redis_is_whatever_kafka_says(settings: Settings) -> None:
    publish(settings, [(f"u{n}", "1") for n in range(20)])
    with running(settings) as first:
        eventually(lambda: first.ready)
    client = redis_client(settings)
    client.delete(view_key(RECS, b"u3"), POSITIONS)
    with running(settings) as second:
        eventually(lambda: seen(settings, "u3") == "1", 20)
        eventually(lambda: second.ready)
        assert second.counts.written >= 1
        assert second.counts.refused >= 19
    client.close()


def test_two_sinks_share_the_work_and_agree(settings: Settings) -> None:
    with running(settings) as first:
        eventually(lambda: first.ready)
        with running(settings) as second:
            publish(settings, [(f"u{n % 100}", str(n)) for n in range(2_000)])
            eventually(lambda: all(seen(settings, f"u{n}") == str(1_900 + n) for n in range(100)), 20)
            eventually(lambda: second.ready, 20)
        publish(settings, [(f"u{n}", "after") for n in range(100)])
        eventually(lambda: all(seen(settings, f"u{n}") == "after" for n in range(100)), 20)


def test_redis_errors_are_redis_errors(settings: Settings, store: EmbeddedRedis) -> None:
    store.stop()
    with pytest.raises(redis.RedisError):
        RedisView(settings).recommendation("u1")
