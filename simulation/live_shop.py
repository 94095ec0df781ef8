"""A small shop that never ends, in present time: the other market of `attune demo`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from simulation.local_time import DAY_MS, START_MS
from simulation.shop import ShopWorld
from simulation.world import Record

_ON_OFFER_DAYS = 30
"""What is on offer stays so much longer: nothing new comes."""


class LiveShop:
    """`users` people and `goods` on offer, drawn by `seed`; `now_ms` is the present, UTC.

    >>> shop = LiveShop(seed=1, now_ms=1_800_000_000_000, users=60, goods=300)
    >>> next(shop.feed(rate_per_s=0, clock_ms=lambda: 1_800_000_000_500))["value"]["ts_ms"]
    1800000000500
    """

    def __init__(self, seed: int, now_ms: int, users: int = 200, goods: int = 600) -> None:
        self._world = ShopWorld(seed, users, days=1, live_goods=goods)
        self._shift_ms = now_ms - START_MS
        self._now_ms = now_ms

    def catalogue(self) -> Iterator[Record]:
        """What is on offer, put there before now; then `users`."""
        for record in self._world.catalogue():
            value = record["value"]
            if value is not None and record["topic"] == "items":
                value["posted_ms"] = min(value["posted_ms"] + self._shift_ms, self._now_ms)
                value["expires_ms"] += self._shift_ms + _ON_OFFER_DAYS * DAY_MS
            yield _moved(record, self._shift_ms)

    def backlog(self) -> Iterator[Record]:
        """What the crowd did before now, in time order."""
        for record in self._world.history():
            yield _moved(record, self._shift_ms)

    def feed(
        self, rate_per_s: float, clock_ms: Callable[[], int], sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[Record]:
        """Behaviour of the crowd without end, about `rate_per_s` records a second (0: as fast as it is taken)."""
        begun, count, last = clock_ms(), 0, 0
        for record in self._world.advance(START_MS + 36_000 * DAY_MS, lambda user_id, ts_ms: None):
            if record["value"] is None or "ts_ms" not in record["value"]:
                continue  # the shelf stays as it is
            wait_s = count / rate_per_s - (clock_ms() - begun) / 1000 if rate_per_s > 0 else 0.0
            if wait_s > 0:
                sleep(wait_s)
            count += 1
            last = max(last, clock_ms())
            yield {**record, "value": {**record["value"], "ts_ms": last}}


def _moved(record: Record, by_ms: int) -> Record:
    value = record["value"]
    if value is None or "ts_ms" not in value:
        return record
    return {**record, "value": {**value, "ts_ms": value["ts_ms"] + by_ms}}
