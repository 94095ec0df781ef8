"""The lag, sampled for the console in a thread: the last rows, and ten minutes of what each group did."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from serving.lag.collector import Collector
from serving.lag.errors import LagError
from serving.lag.row import LagRow
from serving.lag.status import Status

EVERY_S: Final = 2.0
KEPT: Final = 300
"""Samples: ten minutes."""


class GroupPoint(Struct, frozen=True):
    """A group at one moment: sums over its partitions, and the worst seconds."""

    at_s: float
    end: int
    committed: int
    lag: int
    lag_s: float


class View(Struct, frozen=True):
    """What the feed knows. `error` says why there is no newer sample; rows stay as they were last seen."""

    rows: tuple[LagRow, ...] = ()
    at_s: float = 0.0
    took_s: float = 0.0
    error: str = "no sample yet"
    error_since_s: float = 0.0
    since_s: dict[tuple[str, str, int], float] = {}
    """When the status of a partition became what it is."""


class LagFeed:
    """Samples with a collector of its own, made anew after every failure: the commit log tells it what went before."""

    def __init__(self, collector: Callable[[], Collector], clock: Callable[[], float] = time.time) -> None:
        self._make = collector
        self._clock = clock
        self.view = View()
        self.history: dict[str, deque[GroupPoint]] = {}

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set."""
        while not stop.is_set():
            try:
                with self._make() as collector:
                    while not stop.is_set():
                        began_s = time.monotonic()
                        self.take(tuple(collector.sample()), time.monotonic() - began_s)
                        stop.wait(max(0.1, EVERY_S - (time.monotonic() - began_s)))
            except LagError as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the pages say it, and the feed goes on
                self._failed(repr(error))
            stop.wait(EVERY_S)

    def take(self, rows: tuple[LagRow, ...], took_s: float = 0.0) -> None:
        """A sample came in."""
        now_s = self._clock()
        known = {(row.group, row.topic, row.partition): row.status for row in self.view.rows}
        since_s = {}
        for row in rows:
            at = row.group, row.topic, row.partition
            since_s[at] = self.view.since_s.get(at, now_s) if known.get(at) == row.status else now_s
        self.view = View(rows, now_s, took_s, "", 0.0, since_s)
        groups: dict[str, list[LagRow]] = {}
        for row in rows:
            groups.setdefault(row.group, []).append(row)
        for group, of_group in groups.items():
            history = self.history.setdefault(group, deque(maxlen=KEPT))
            history.append(
                GroupPoint(
                    now_s,
                    sum(row.end for row in of_group),
                    sum(row.offset for row in of_group),
                    sum(row.lag for row in of_group),
                    max(row.lag_s for row in of_group),
                )
            )

    def _failed(self, reason: str) -> None:
        before = self.view
        since_s = before.error_since_s or self._clock()
        self.view = View(before.rows, before.at_s, before.took_s, reason, since_s, before.since_s)


def troubled(rows: tuple[LagRow, ...]) -> list[LagRow]:
    """Rows that are not OK, or lost records, the worst first."""
    bad = [row for row in rows if row.status is not Status.OK or row.lost_records]
    return sorted(bad, key=lambda row: (-int(row.status), -row.lag_s, -row.lag))
