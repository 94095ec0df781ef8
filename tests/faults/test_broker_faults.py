"""The broker is away, or slow. The supervisor of `attune worker` is alone with it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from streams.embedded import EmbeddedRedis
from streams.redis_view import RedisView, redis_client
from tests.faults.cluster import Cluster
from tests.faults.oracle import read
from tests.faults.proxy import SlowProxy
from tests.faults.settle import begin, settle
from tests.faults.traffic import Sender, catalogue, events, send
from tests.faults.verdict import Verdict, judge
from tests.integration.broker import Broker, free_ports
from tests.integration.house import House
from tests.integration.waiting import eventually, let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

Figure = Callable[[str], None]


@pytest.fixture
def store() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as started:
        yield started


@pytest.fixture
def house(clean_kafka: str, store: EmbeddedRedis, tmp_path: Path) -> Iterator[House]:
    running = House(clean_kafka, tmp_path / "worker.log", "--count", "2", redis=store.url, min_interval_ms="0")
    yield running
    if running.worker.poll() is None:
        running.close()


def live(house: House, seed: int, count: int, rate: float) -> Sender:
    send(house.settings, catalogue(300))
    eventually(lambda: house.lag() == 0, 60, 0.3, "workers that run")
    return Sender(house.settings, events(seed, count), rate).start()


def caught_up(house: House) -> bool:
    """Whether nothing lags, as far as a broker that has just come back can say."""
    try:
        return house.lag() == 0
    except KafkaException:
        return False


def at_rest(house: House, sender: Sender) -> Verdict:
    assert sender.done.wait(180)
    eventually(lambda: caught_up(house), 120, 0.5, "lag 0")
    house.close()
    verdict = judge(house.settings.bootstrap, house.settings.partitions, house.settings.pack)
    assert verdict.exact, f"{verdict}\n{house.log.read_text()[-3_000:]}"
    return verdict


@pytest.mark.parametrize("pause_s", [5, 60])
def test_a_broker_that_is_paused(pause_s: int, house: House, broker: Broker, figure: Figure) -> None:
    sender = live(house, 301, 12_000, 500.0)
    let_pass(4, "some way into the traffic")
    broker.pause()
    let_pass(pause_s, "the fault is a length of time")
    broker.resume()
    verdict = at_rest(house, sender)
    restarts = house.log.read_text().count("starts again")
    figure(f"{verdict.records} records, {restarts} restarts by the supervisor")


def test_a_broker_killed_and_restarted(house: House, broker: Broker, figure: Figure) -> None:
    sender = live(house, 302, 12_000, 500.0)
    for _ in range(2):
        let_pass(4, "some way into the traffic")
        broker.kill()
        let_pass(3, "clients notice")
        broker.start()
    verdict = at_rest(house, sender)
    restarts = house.log.read_text().count("starts again")
    figure(f"{verdict.records} records, killed twice, {restarts} restarts by the supervisor")


def test_redis_down_and_flushed(house: House, store: EmbeddedRedis, figure: Figure) -> None:
    sender = live(house, 303, 30_000, 500.0)
    let_pass(3, "some way into the traffic")
    before_mb = house.resident_mb("sink")
    store.stop()
    let_pass(60, "the fault is a length of time")
    after_mb = house.resident_mb("sink")
    assert after_mb < before_mb + 100
    store.start()
    let_pass(2, "the sink goes on")
    client = redis_client(house.settings)
    client.flushall()
    client.close()
    assert sender.done.wait(120)
    eventually(lambda: house.lag() == 0, 120, 0.5, "lag 0")
    newest = {m.key() or b"": m.value() for m in read(house.settings.bootstrap, "recommendations")}
    view = RedisView(house.settings)
    users = [key.decode() for key in newest]
    eventually(lambda: view.recommendations(users) == list(newest.values()), 30, 0.5, "the view, whole again")
    view.close()
    verdict = at_rest(house, sender)
    figure(
        f"{verdict.records} records, {len(users)} people in Redis as on Kafka; the sink had {before_mb:.0f} MB"
        f" before, {after_mb:.0f} MB at the end of the minute"
    )


def test_every_byte_takes_10_ms(make_cluster: Callable[..., Cluster], figure: Figure) -> None:
    """Each way; an empty producer never comes about, and every flush must end all the same."""
    (port,) = free_ports(1)
    slow = Broker({"advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"})
    with SlowProxy(port, int(slow.bootstrap.rpartition(":")[2]), 0.010), slow:
        cluster = make_cluster(f"127.0.0.1:{port}")
        sender = begin(cluster, 2, 304, 12_000, 600.0)
        let_pass(6, "some way into the traffic")
        cluster.processes[0].kill()
        cluster.keep("behaviour", 2)
        assert sender.done.wait(120)
        verdict = settle(cluster)
        assert verdict.exact, str(verdict)
        longest = max(p.status.get("flush_ms_max", 0.0) for p in cluster.processes)
        figure(f"{verdict.records} records, the longest flush {longest:.0f} ms")
        cluster.close()
