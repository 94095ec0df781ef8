"""The role `behaviour` over a Faust that skips messages: `python -m tests.faults.skipping_behaviour`.

Faust does so around rebalances, when it pleases. Here each message at an offset that `EVERY` divides is skipped when it
comes first, and given to the agent when it is sought back.
"""

import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import faust

import streams.behaviour
from streams.faust_app import messages
from streams.roles.behaviour import behaviour
from streams.roles.faust_process import start_faust

EVERY: Final = 50


async def skipping(app: faust.App, stream: Any) -> AsyncIterator[Any]:
    """The messages of a stream, without those that are skipped."""
    skipped: set[tuple[Any, int]] = set()
    async for message in messages(app, stream):
        place = message.tp, message.offset
        if message.offset % EVERY or place in skipped:
            yield message
        else:
            skipped.add(place)


if __name__ == "__main__":
    streams.behaviour.messages = skipping
    sys.exit(start_faust(behaviour))
