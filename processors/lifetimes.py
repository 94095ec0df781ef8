"""When the learner forgets an item: a while after it can no longer be recommended, on the clock of what was learned.

The clock is the latest time of any action learned; it is looked at once for each new day of it (UTC), before the action
that begins the day is learned, so that what is forgotten is a function of the lessons alone, whenever rows are flushed.

- An item that is over (expired, retired, or only ever met in people's histories) goes `forget_after_d` after that, and
  after anybody dealt with it or went on from it last.
- Any other goes when nothing of that happened for `IDLE_HALF_LIVES` half-lives of co-visitation: what is left of its
  counts is less than the last bit of the numbers that replicas hold.

What comes back is learned anew.
"""

from typing import Final

from processors.pack import Pack
from processors.popularity import DAY_MS

IDLE_HALF_LIVES: Final = 24.0
"""2^-24 is the precision of a float32."""
OVER: Final = 1
"""The end of an item that nobody is known to have acted on: long ago."""
_DAY_MS: Final = int(DAY_MS)


class Lifetimes:
    """By item number: when the item was last met, and when it ends or ended (0 where no end is known)."""

    def __init__(self, pack: Pack) -> None:
        self._after_ms = pack.forget_after_d * DAY_MS
        self._idle_ms = IDLE_HALF_LIVES * pack.covisitation_half_life_d * DAY_MS
        self.last_ms: list[int] = []
        """0 where a number is free, or its row is older than this file."""
        self.until_ms: list[int] = []
        self.clock_ms = 0

    def append(self, last_ms: int = 0, until_ms: int = 0) -> None:
        """Make room for the next number. The clock is the latest time of all: it needs no row of its own."""
        self.last_ms.append(last_ms)
        self.until_ms.append(until_ms)
        self.clock_ms = max(self.clock_ms, last_ms)

    def due(self, ts_ms: int) -> list[int]:
        """The numbers to forget before an action of `ts_ms` is learned, in order; advances the clock."""
        clock_ms = self.clock_ms
        if ts_ms <= clock_ms:
            return []
        self.clock_ms = ts_ms
        if ts_ms // _DAY_MS == clock_ms // _DAY_MS:
            return []
        over_ms, idle_ms = ts_ms - self._after_ms, ts_ms - self._idle_ms
        return [
            number
            for number, (last_ms, until_ms) in enumerate(zip(self.last_ms, self.until_ms, strict=True))
            if last_ms and last_ms <= over_ms and (until_ms <= over_ms if until_ms else last_ms <= idle_ms)
        ]

    def met(self, number: int, ts_ms: int) -> None:
        """Somebody dealt with an item, or went on from it."""
        self.last_ms[number] = max(self.last_ms[number], ts_ms, 1)

    def acted_on(self, number: int, until_ms: int) -> None:
        """Somebody acted on an item; `until_ms` is the example's: 0 tells nothing new."""
        if until_ms:
            self.until_ms[number] = max(until_ms, 0)
        elif self.until_ms[number] == OVER:
            self.until_ms[number] = 0

    def end(self, number: int) -> None:
        """An item was retired: it is over by now."""
        known_ms, now_ms = self.until_ms[number], max(self.clock_ms, OVER)
        self.until_ms[number] = min(known_ms, now_ms) if known_ms else now_ms

    def clear(self, number: int) -> None:
        """A number is free."""
        self.last_ms[number] = self.until_ms[number] = 0
