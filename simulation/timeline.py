"""What will happen, in time order: records to be yielded, and moments at which something is decided."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from simulation.world import Record

Moment = Callable[[int], None]
Note = Callable[[], None]


class Timeline:
    """A queue by (time, order of arrival). Nothing can be put before the time already reached."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._queue: list[tuple[int, int, Record | None, Moment | Note | None]] = []
        self._count = 0

    def moment(self, ts_ms: int, act: Moment) -> None:
        """At `ts_ms`, call ``act(ts_ms)``."""
        self._count += 1
        heapq.heappush(self._queue, (max(ts_ms, self.now_ms), self._count, None, act))

    def record(self, ts_ms: int, topic: str, key: str, value: Record, note: Note | None = None) -> None:
        """Yield a record at `ts_ms`, which is written into it; `note` is called just before."""
        self._count += 1
        ts_ms = max(ts_ms, self.now_ms)
        if topic != "items":
            value["ts_ms"] = ts_ms
        heapq.heappush(self._queue, (ts_ms, self._count, {"topic": topic, "key": key, "value": value}, note))

    def until(self, ts_ms: int) -> Iterator[Record]:
        """Let everything before `ts_ms` happen."""
        queue = self._queue
        while queue and queue[0][0] < ts_ms:
            self.now_ms, _, record, act = heapq.heappop(queue)
            if record is None:
                assert act is not None
                act(self.now_ms)  # type: ignore[call-arg]
            else:
                if act is not None:
                    act()  # type: ignore[call-arg]
                yield record
        self.now_ms = max(self.now_ms, ts_ms)
