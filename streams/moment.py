"""When a record happened, on the clock in force."""

from collections.abc import Mapping
from typing import Final, Literal

from processors.effects import Arrival
from schemas.behaviour import Event
from schemas.catalogue import User
from streams.clock import wall_ms

LONG_AGO_MS: Final = 86_400_000


def moment_of(arrival: Arrival, clock: Literal["wall", "log"], log_ms: Mapping[int, int]) -> int:
    """The event's own time. A row of `users` tells how things stand: on the log's clock at its own time.

    On the wall's clock it counts when it came, or now where that was long ago, because the topic is kept for ever.
    `log_ms` is the log's clock by partition.
    """
    event = arrival.event
    if isinstance(event, Event):
        return event.ts_ms
    if clock == "log":
        told_ms = event.ts_ms if isinstance(event, User) else None
        return log_ms.get(arrival.partition, 0) if told_ms is None else told_ms
    now_ms = wall_ms()
    return arrival.appended_ms if now_ms - arrival.appended_ms < LONG_AGO_MS else now_ms
