"""Who is to be woken, and when: a heap per partition, filled from recovered profiles and by steps.

A heap entry is a hint; the profile says whether the timer still stands.
"""

import heapq
from collections.abc import Iterator
from typing import Literal

Kind = Literal["recommend", "erase", "mail"]
Entry = tuple[int, bytes, Kind]


class Timers:
    """Entries (due_ms, key, kind) of every owned partition, the earliest first."""

    def __init__(self) -> None:
        self._heaps: dict[int, list[Entry]] = {}

    def add(self, partition: int, due_ms: int, key: bytes, kind: Kind) -> None:
        heapq.heappush(self._heaps.setdefault(partition, []), (due_ms, key, kind))

    def next_due_ms(self, partition: int) -> int | None:
        heap = self._heaps.get(partition)
        return heap[0][0] if heap else None

    def partitions(self) -> list[int]:
        return list(self._heaps)

    def due(self, partition: int, now_ms: int) -> Iterator[Entry]:
        """Take what is due by `now_ms`, the earliest first; what is not taken stays."""
        heap = self._heaps.get(partition)
        while heap and heap[0][0] <= now_ms:
            yield heapq.heappop(heap)

    def clear(self) -> None:
        self._heaps.clear()

    def __len__(self) -> int:
        return sum(map(len, self._heaps.values()))
