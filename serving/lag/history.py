"""When did a partition's end pass an offset? The history of end offsets, and interpolation in it."""

from bisect import bisect_left, bisect_right

import msgspec

POINTS = 96
"""Points kept per partition; beyond that the one is dropped that matters least for its age."""


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """When a record was appended: `ts_ms`, surely within [`low_ms`, `high_ms`] of the collector's clock.

    `low_ms` is None when the record is older than the history: then `ts_ms` is only an upper bound.
    """

    ts_ms: int
    low_ms: int | None
    high_ms: int


class EndHistory(msgspec.Struct):
    """(time, end offset) pairs of one partition, both never decreasing.

    Flat stretches keep both their ends, so that a burst after an idle night is dated to the burst. Beyond `POINTS`
    the point is dropped whose gap is smallest *in proportion to its age*: a record's age stays known to a few percent
    however long the history gets.
    """

    times_ms: list[int] = []
    ends: list[int] = []

    def add(self, now_ms: int, end: int) -> bool:
        """Add what was just seen. False, and a fresh start, when the end went back: the topic was made anew."""
        times, ends = self.times_ms, self.ends
        if ends and end < ends[-1]:
            self.times_ms, self.ends = [now_ms], [end]
            return False
        if times and now_ms <= times[-1]:
            return True
        if len(ends) >= 2 and ends[-1] == end == ends[-2]:
            times[-1] = now_ms
            return True
        times.append(now_ms)
        ends.append(end)
        if len(times) > POINTS:
            self._drop_one(now_ms)
        return True

    def seed(self, points: list[tuple[int, int]]) -> None:
        """Put older points (from lookups by timestamp) before the first one, cut to be non-decreasing."""
        if not self.times_ms:
            return
        ceiling = self.ends[0]
        for ts_ms, end in sorted(points, reverse=True):
            if ts_ms < self.times_ms[0]:
                ceiling = min(ceiling, end)
                self.times_ms.insert(0, ts_ms)
                self.ends.insert(0, ceiling)

    def appended_at(self, offset: int) -> Estimate | None:
        """When the record at `offset` was appended; None if the end has not passed it.

        >>> history = EndHistory([0, 1000], [0, 10])
        >>> history.appended_at(4)
        Estimate(ts_ms=500, low_ms=0, high_ms=1000)
        """
        after = bisect_right(self.ends, offset)
        if after == len(self.ends):
            return None
        high_ms = self.times_ms[after]
        if after == 0:
            return Estimate(high_ms, None, high_ms)
        low_ms, low, high = self.times_ms[after - 1], self.ends[after - 1], self.ends[after]
        return Estimate(low_ms + (high_ms - low_ms) * (offset + 1 - low) // (high - low), low_ms, high_ms)

    def end_at(self, ts_ms: int) -> int | None:
        """The end offset at a time, interpolated; None before the history."""
        after = bisect_left(self.times_ms, ts_ms)
        if after == len(self.times_ms):
            return self.ends[-1] if self.ends else None
        if after == 0:
            return self.ends[0] if self.times_ms[0] == ts_ms else None
        t0, t1, e0, e1 = self.times_ms[after - 1], self.times_ms[after], self.ends[after - 1], self.ends[after]
        return e0 + (e1 - e0) * (ts_ms - t0) // (t1 - t0)

    def ends_since(self, ts_ms: int) -> list[int]:
        """The end at a time (interpolated) and all that were seen after it."""
        then = self.end_at(ts_ms)
        later = self.ends[bisect_left(self.times_ms, ts_ms) :]
        return later if then is None else [then, *later]

    def _drop_one(self, now_ms: int) -> None:
        times = self.times_ms
        cheapest = min(
            range(1, len(times) - 1), key=lambda i: (times[i + 1] - times[i - 1]) / (now_ms - times[i] + 1_000)
        )
        del times[cheapest], self.ends[cheapest]
