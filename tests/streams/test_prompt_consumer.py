"""Deliveries: at once where nothing is in the way, and cancelled by a rebalance where something is."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from streams.faust_app import make_app, messages
from streams.prompt_consumer import WAITING, PromptConsumer
from streams.settings import read_settings


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()


@pytest.fixture
def consumer(loop: asyncio.AbstractEventLoop) -> PromptConsumer:
    app = make_app(read_settings({"ATTUNE_BOOTSTRAP": "127.0.0.1:1"}), "deliveries", 1)
    assert isinstance(app.consumer, PromptConsumer)
    return app.consumer


async def suspension(suspended: asyncio.Event) -> None:
    await suspended.wait()


def test_a_delivery_that_need_not_wait_is_made_without_a_task(
    loop: asyncio.AbstractEventLoop, consumer: PromptConsumer
) -> None:
    tasks: list[Any] = []
    delivered: list[int] = []

    def counted(loop: asyncio.AbstractEventLoop, coro: Any) -> asyncio.Task[Any]:
        tasks.append(coro)
        return asyncio.Task(coro, loop=loop)

    async def deliver(n: int) -> None:
        delivered.append(n)

    async def run() -> None:
        for n in range(3):
            await consumer.wait_first(deliver(n), suspension(asyncio.Event()))

    loop.set_task_factory(counted)
    loop.run_until_complete(run())
    assert delivered == [0, 1, 2]
    assert len(tasks) == 1, "the test's own"


def test_one_that_waits_goes_on_where_it_was(loop: asyncio.AbstractEventLoop, consumer: PromptConsumer) -> None:
    steps: list[object] = []

    async def run() -> None:
        room, more = loop.create_future(), loop.create_future()

        async def deliver() -> None:
            steps.append("begun")
            steps.append(await room)
            try:
                await more
            except OSError as error:
                steps.append(error.args[0])

        loop.call_soon(room.set_result, "room")
        loop.call_later(0.01, more.set_exception, OSError("full"))
        await consumer.wait_first(deliver(), suspension(asyncio.Event()))

    loop.run_until_complete(run())
    assert steps == ["begun", "room", "full"]


def test_one_that_waits_ends_when_flow_is_suspended(loop: asyncio.AbstractEventLoop, consumer: PromptConsumer) -> None:
    ended: list[str] = []

    async def run() -> None:
        suspended = asyncio.Event()

        async def deliver() -> None:
            try:
                await loop.create_future()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

        loop.call_soon(suspended.set)
        await consumer.wait_first(deliver(), suspension(suspended))
        await asyncio.sleep(0)

    loop.run_until_complete(run())
    assert ended == ["cancelled"]


@pytest.mark.parametrize("waits", [False, True])
def test_what_a_delivery_raises_is_raised(
    waits: bool, loop: asyncio.AbstractEventLoop, consumer: PromptConsumer
) -> None:
    async def deliver() -> None:
        if waits:
            await asyncio.sleep(0)
        raise OSError("broken")

    async def run() -> None:
        with pytest.raises(OSError, match="broken"):
            await consumer.wait_first(deliver(), suspension(asyncio.Event()))

    loop.run_until_complete(run())


def test_an_agent_is_let_at_what_was_delivered_before_much_waits(
    loop: asyncio.AbstractEventLoop, consumer: PromptConsumer
) -> None:
    waiting: list[int] = []

    async def run() -> None:
        channel = consumer.app.topic("views").clone(is_iterator=True)
        consumer.app.topics.add(channel)
        consumer.app.flow_control.resume()
        taken = asyncio.create_task(take(channel.queue, 100))
        for n in range(100):
            await consumer.wait_first(channel.queue.put(n), suspension(asyncio.Event()))
            waiting.append(channel.queue.qsize())
        assert await taken == list(range(100))

    async def take(queue: Any, count: int) -> list[int]:
        return [await queue.get() for _ in range(count)]

    loop.run_until_complete(asyncio.wait_for(run(), 10.0))
    assert max(waiting) < WAITING
    assert len(set(waiting)) > WAITING // 2, "not one by one"


def test_a_rebalance_is_not_held_up_by_what_waits(loop: asyncio.AbstractEventLoop, consumer: PromptConsumer) -> None:
    async def run() -> None:
        channel = consumer.app.topic("views").clone(is_iterator=True)
        consumer.app.topics.add(channel)
        consumer.app.flow_control.resume()
        loop.call_later(0.01, consumer.suspend_flow.set)
        for n in range(2 * WAITING):
            await consumer.wait_first(channel.queue.put(n), suspension(asyncio.Event()))

    loop.run_until_complete(asyncio.wait_for(run(), 10.0))


def test_messages_of_an_assignment_before_and_of_a_rebalance_are_left(
    loop: asyncio.AbstractEventLoop, consumer: PromptConsumer
) -> None:
    app = consumer.app
    app.consumer_generation_id = 2

    async def run() -> list[str]:
        stream = app.stream(app.topic("views"))

        def put(name: str, generation: int) -> None:
            message = SimpleNamespace(name=name, generation_id=generation)
            stream.channel.queue.force_put_nowait(SimpleNamespace(message=message))

        def go_on() -> None:
            app.flow_control.resume()
            put("after", 2)

        app.flow_control.resume()
        put("of the assignment before", 1)
        put("now", 2)
        seen: list[str] = []
        async for message in messages(app, stream):
            seen.append(message.name)
            if message.name == "after" or len(seen) > 2:
                break
            app.flow_control.suspend()
            put("in a rebalance", 2)
            loop.call_soon(go_on)
        return seen

    assert loop.run_until_complete(asyncio.wait_for(run(), 10.0)) == ["now", "after"]
