"""The rows with the largest keys of a changing set, without ever sorting the set.

Up to `2 * depth` rows are listed, and `floor` is a bound on (key, row) of all that are not; of equal keys the higher
row is the larger. A row is listed when it exceeds the floor, so the list always holds exactly the rows above it;
removals make it shorter, and when fewer than `depth` rows are left it is filled again from the whole set. What `top`
returns is thus a function of the set and of `now_ms` alone, whatever the history of reads.
"""

from collections.abc import Callable
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Scan = Callable[[], tuple[Rows, npt.NDArray[np.float64]]]
"""All rows of the set that can still be recommended at the time asked about, and their keys."""

LOWEST: Final = (-inf, -1)
SLACK: Final = 32
"""Rows listed beyond twice the depth before the list is cut: cutting is rare then."""


class TopList:
    """The largest `depth` of a set of rows by key, the largest first."""

    __slots__ = ("_answer", "_answer_from_ms", "_answer_until_ms", "_depth", "_filled_ms", "_floor", "_keys")

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._keys: dict[int, float] = {}
        self._floor = LOWEST
        self._filled_ms: float = -inf
        self._answer: Rows | None = None
        self._answer_from_ms: float = inf
        self._answer_until_ms: float = -inf

    def put(self, row: int, key: float) -> None:
        """A row joined the set, or its key changed. Before a row's `until_ms` changes it is to be discarded."""
        keys = self._keys
        if (key, row) > self._floor:
            if keys.get(row) == key:
                return
            keys[row] = key
            self._answer = None
            if len(keys) > 2 * self._depth + SLACK:
                self._cut()
        elif keys.pop(row, None) is not None:
            self._answer = None

    def discard(self, row: int) -> None:
        """A row left the set."""
        if self._keys.pop(row, None) is not None:
            self._answer = None

    def top(self, now_ms: int, until_ms: npt.NDArray[np.int64], scan: Scan) -> Rows:
        """The top rows that can be recommended before a moment (column `until_ms`) that lies after `now_ms`.

        `scan` is called only where the list has run short.
        """
        if self._answer is not None and self._answer_from_ms <= now_ms < self._answer_until_ms:
            return self._answer
        if now_ms < self._filled_ms:
            self._fill(now_ms, scan)
        live, dropped_ms = self._live(now_ms, until_ms)
        if len(live) < self._depth and self._floor > LOWEST:
            self._fill(now_ms, scan)
            live, dropped_ms = self._live(now_ms, until_ms)
        self._answer = live = live[: self._depth]
        self._answer_from_ms = max(dropped_ms, self._filled_ms)
        self._answer_until_ms = int(until_ms[live].min()) if len(live) else inf
        return live

    def _live(self, now_ms: int, until_ms: npt.NDArray[np.int64]) -> tuple[Rows, float]:
        """The listed rows that are still live, in order, and when the last of the others ceased to be."""
        listed = np.fromiter(self._keys, np.intp, len(self._keys))
        keys = np.fromiter(self._keys.values(), np.float64, len(self._keys))
        until = until_ms[listed]
        alive = until > now_ms
        dropped_ms = -inf
        if not alive.all():
            dropped_ms = float(until[~alive].max())
            listed, keys = listed[alive], keys[alive]
        order = np.argsort(-keys)
        ordered = keys[order]
        if (ordered[1:] == ordered[:-1]).any():  # of equal keys the higher row is the larger
            order = np.lexsort((-listed, -keys))
        return listed[order], dropped_ms

    def _cut(self) -> None:
        order = sorted(((key, row) for row, key in self._keys.items()), reverse=True)
        kept = 2 * self._depth
        self._floor = order[kept]
        self._keys = {row: key for key, row in order[:kept]}

    def _fill(self, now_ms: int, scan: Scan) -> None:
        rows, keys = scan()
        kept = 2 * self._depth
        self._floor = LOWEST
        if len(rows) > kept:
            bound = -np.partition(-keys, kept)[kept]
            near = np.flatnonzero(keys >= bound)
            order = near[np.lexsort((-rows[near], -keys[near]))]
            outside = order[kept]
            self._floor = (float(keys[outside]), int(rows[outside]))
            rows, keys = rows[order[:kept]], keys[order[:kept]]
        self._keys = dict(zip(rows.tolist(), keys.tolist(), strict=True))
        self._answer = None
        self._filled_ms = now_ms
