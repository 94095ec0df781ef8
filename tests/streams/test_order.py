"""The rule of order against a real log: gaps are mended, silence is noticed, and neither holds up the event loop."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from faust.types import TP

from streams.log_reader import LogReader
from streams.order import Order
from streams.settings import Settings
from tests.integration.waiting import eventually

PARTITIONS = 24
RECORDS = 3


class Seeks:
    """Stands where Faust's consumer stands, and notes where it is sought to."""

    def __init__(self, tps: set[Any]) -> None:
        self.tps = tps
        self.sought: dict[Any, int] = {}

    def assignment(self) -> set[Any]:
        return self.tps

    async def seek_wait(self, offsets: dict[Any, int]) -> None:
        """In the consumer's thread, as Faust's: there is no `seek` here, which would run beside it."""
        self.sought |= offsets


def write(bootstrap: str, topic: str, partitions: range) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for partition in partitions:
        for n in range(RECORDS):
            producer.produce(topic, f"{n}".encode(), partition=partition)
    assert producer.flush(30) == 0


def message(tp: Any, offset: int) -> Any:
    return SimpleNamespace(topic=tp.topic, partition=tp.partition, tp=tp, offset=offset)


class Stateless:
    """Stands where the changelog stands: `meanwhile` happens while it is read."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.meanwhile = meanwhile

    async def recover(self, partitions: frozenset[int], holds: Callable[[], bool]) -> bool:
        self.meanwhile()
        return holds()


async def taken_up(order: Order, tps: set[Any], changelog: Any, recovered: Any) -> None:
    """What comes of an assignment: the group gives it out, Faust tells of it."""
    order.granted()
    await order.assigned(tps, changelog, recovered)


def nothing(partitions: frozenset[int]) -> dict[tuple[str, int], int]:
    return {}


def order_of(bootstrap: str, topic: str, tps: set[Any]) -> tuple[Order, Seeks]:
    seeks = Seeks(tps)
    app = SimpleNamespace(rebalancing=False, should_stop=False, consumer=seeks)
    return Order(app, Settings(bootstrap=bootstrap), "test-order", frozenset({topic})), seeks


async def retried(order: Order, met: Callable[[], bool]) -> None:
    """Tick as a worker does until `met`; the ticks themselves never wait."""
    loop = asyncio.get_running_loop()

    async def tick() -> bool:
        order.retry()
        return met()

    def ticked() -> bool:
        return asyncio.run_coroutine_threadsafe(tick(), loop).result(5.0)

    await asyncio.to_thread(eventually, ticked, 20.0)


async def test_many_gaps_at_once_are_all_sought_back(bootstrap: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic(partitions=PARTITIONS)
    write(bootstrap, topic, range(PARTITIONS))
    tps = {TP(topic, partition) for partition in range(PARTITIONS)}
    order, seeks = order_of(bootstrap, topic, tps)
    await taken_up(order, tps, Stateless(), nothing)
    for tp in tps:
        assert not await order.accepts(message(tp, 1))
    assert order.gaps == PARTITIONS
    await retried(order, lambda: len(seeks.sought) == PARTITIONS)
    assert set(seeks.sought.values()) == {0}
    for tp in tps:
        assert await order.accepts(message(tp, 0))
        assert await order.accepts(message(tp, 1))
    assert not order.missing


async def test_partitions_of_which_nothing_comes_are_looked_at(bootstrap: str, new_topic: Callable[..., str]) -> None:
    """Everything that waited was skipped, and nothing new shows the gap. Empty partitions are left alone."""
    topic = new_topic(partitions=PARTITIONS)
    write(bootstrap, topic, range(10))
    tps = {TP(topic, partition) for partition in range(PARTITIONS)}
    order, seeks = order_of(bootstrap, topic, tps)
    await taken_up(order, tps, Stateless(), nothing)
    heard = TP(topic, 0)
    assert await order.accepts(message(heard, 0))
    await retried(order, lambda: len(seeks.sought) == 9)
    assert set(seeks.sought) == {TP(topic, partition) for partition in range(1, 10)}
    assert order.gaps == 9


async def test_a_partition_that_falls_silent_before_its_end_is_looked_at_again(
    bootstrap: str, new_topic: Callable[..., str]
) -> None:
    """Some came, the rest was skipped; nothing is written any more that would show it."""
    topic = new_topic(partitions=2)
    write(bootstrap, topic, range(2))
    tps = {TP(topic, 0), TP(topic, 1)}
    order, seeks = order_of(bootstrap, topic, tps)
    await taken_up(order, tps, Stateless(), nothing)
    assert await order.accepts(message(TP(topic, 0), 0))
    for offset in range(RECORDS):
        assert await order.accepts(message(TP(topic, 1), offset))
    await retried(order, lambda: bool(seeks.sought))
    assert seeks.sought == {TP(topic, 0): 1}
    for offset in (1, 2):
        assert await order.accepts(message(TP(topic, 0), offset))
    assert not order.missing


async def test_where_the_rule_is_off_nothing_is_sought(bootstrap: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic(partitions=1)
    write(bootstrap, topic, range(1))
    tp = TP(topic, 0)
    order, seeks = order_of(bootstrap, topic, {tp})
    order.enforced = False
    await taken_up(order, {tp}, Stateless(), nothing)
    assert await order.accepts(message(tp, 2))
    assert not order.missing
    assert seeks.sought == {}


async def test_a_spare_worker_is_assigned_nothing_and_knows_it(bootstrap: str, new_topic: Callable[..., str]) -> None:
    """More workers than partitions: the last one is ready, and waits."""
    order, _ = order_of(bootstrap, new_topic(partitions=1), set())
    assert not order.is_assigned
    await taken_up(order, set(), Stateless(), nothing)
    assert order.is_assigned
    assert order.next == {}
    order.released()
    assert not order.is_assigned


async def test_what_is_committed_while_the_state_is_read_is_taken_again(
    bootstrap: str, new_topic: Callable[..., str]
) -> None:
    """An old owner wrote and committed late: the state lacks it."""
    topic = new_topic(partitions=1)
    write(bootstrap, topic, range(1))
    tp = TP(topic, 0)
    order, _ = order_of(bootstrap, topic, {tp})

    def commit() -> None:
        owner = Consumer({"bootstrap.servers": bootstrap, "group.id": "test-order", "enable.auto.commit": False})
        owner.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
        owner.close()

    await taken_up(order, {tp}, Stateless(commit), nothing)
    assert order.next == {(topic, 0): 0}
    await taken_up(order, {tp}, Stateless(), nothing)
    assert order.next == {(topic, 0): 2}


async def test_an_assignment_that_ended_while_its_state_was_read_is_not_taken_up(
    bootstrap: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic(partitions=1)
    tp = TP(topic, 0)
    order, _ = order_of(bootstrap, topic, {tp})
    told: list[frozenset[int]] = []

    def recovered(partitions: frozenset[int]) -> dict[tuple[str, int], int]:
        told.append(partitions)
        return {}

    await taken_up(order, {tp}, Stateless(order.released), recovered)
    assert (order.is_assigned, order.next, told) == (False, {}, [])
    await taken_up(order, {tp}, Stateless(), recovered)
    assert (order.is_assigned, told) == (True, [frozenset({0})])


async def test_an_assignment_that_was_taken_away_before_it_was_told_of_is_not_taken_up(
    bootstrap: str, new_topic: Callable[..., str]
) -> None:
    """Faust was busy with the one before, and tells of it when the group has begun to give out anew."""
    topic = new_topic(partitions=1)
    tp = TP(topic, 0)
    order, _ = order_of(bootstrap, topic, {tp})
    order.granted()
    order.released()
    await order.assigned({tp}, Stateless(), nothing)
    assert not order.is_assigned
    order.granted()
    await order.assigned({tp}, Stateless(), nothing)
    assert order.is_running


def test_the_log_tells_real_offsets_only(bootstrap: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic(partitions=3)
    write(bootstrap, topic, range(2))
    reader = LogReader(Settings(bootstrap=bootstrap), "test-order")
    places = {(topic, 0): 1, (topic, 1): 0, (topic, 2): 0}
    assert reader.offsets_from(places, 3.0) == {(topic, 0): [1, 2], (topic, 1): [0, 1, 2]}
    assert reader.committed([(topic, 0), (topic, 2)]) == {(topic, 0): -1001, (topic, 2): -1001}
    assert reader.ends([(topic, 0), (topic, 2)]) == {(topic, 0): (0, 3), (topic, 2): (0, 0)}
