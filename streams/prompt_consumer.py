"""Faust's consumer, handing each message to its stream at once where nothing is in the way.

Faust starts four tasks for every message, so that a rebalance can cancel a delivery that waits for room in a queue:
they cost as much as all else that it does for a message. Here a delivery runs up to where it would wait. Most never do;
the others go on as Faust has them.

Those tasks also kept the queue short, by the time they take. Here that is said: after `WAITING` messages their agent is
let at them. A message that waits long makes its partition look silent (streams/order.py), and it is sought back.
"""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, Final

from faust.transport.drivers.aiokafka import Consumer
from mode.services import WaitResults

WAITING: Final = 16
PAUSE_S: Final = 0.001

Begun = Coroutine[Any, Any, Any]


class PromptConsumer(Consumer):
    """What Faust asks it to wait for is, for each message, its delivery or a suspension of flow."""

    async def wait_first(self, *awaited: Any, **how: Any) -> WaitResults:
        """What of several awaitables is done first; the others are cancelled."""
        if len(awaited) == 2:
            delivery, suspended = awaited
            try:
                waits_for = delivery.send(None)
            except StopIteration:
                suspended.close()
                await self._room()
                return WaitResults([delivery], [None], False)
            except BaseException:
                suspended.close()
                raise
            awaited = (_rest(delivery, waits_for), suspended)
        return await super().wait_first(*awaited, **how)

    async def _room(self) -> None:
        """Wait while the agent has much to take, unless a rebalance is about to empty its queue."""
        pause_s = 0.0
        while self._waiting() >= WAITING and not self.suspend_flow.is_set():
            await asyncio.sleep(pause_s)
            pause_s = PAUSE_S

    def _waiting(self) -> int:
        return max((topic.queue.qsize() for topic in self.app.topics), default=0)


async def _rest(begun: Begun, waits_for: Any) -> Any:
    """What is left of a coroutine that was begun, and waits for something."""
    return await _resumed(begun, waits_for)


@coroutine
def _resumed(begun: Begun, waits_for: Any) -> Generator[Any, Any, Any]:
    while True:
        try:
            try:
                answer = yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation, say: it is for the coroutine to take
                waits_for = begun.throw(error)
            else:
                waits_for = begun.send(answer)
        except StopIteration as ended:
            return ended.value
