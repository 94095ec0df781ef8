"""How good the lists are, live: each action judged is looked for in the list of the moment before it (prequential).

Two policies are judged alike: the list that the person would be shown, and the ten most popular items. The hit rate is
of the last 1,000 judged. The log-loss is the surprise at the *place* of the item acted on, among ten places and
"elsewhere", under the places seen before, so that it needs no score that claims to be a probability. Calibration is the
expected number of hits over the hits seen. Drift: ADWIN (Bifet, Gavaldà: Learning from time-changing data with adaptive
windowing, SDM 2007) on the live hits.
"""

from collections import deque
from collections.abc import Sequence
from math import log
from typing import Final

from river.drift import ADWIN

from processors.profile import Profile
from processors.recommend import recommend
from processors.replica import Replica

PLACES: Final = 10
WINDOW: Final = 1_000
PRIOR: Final = 1.0
"""Pseudo-count of each place before anything was judged."""
MEMORY: Final = 0.999
"""Of place counts, per judged action: about the window."""


class PolicyQuality:
    """One policy's places, as they came."""

    def __init__(self) -> None:
        self._counts = [PRIOR] * (PLACES + 1)
        self._hits: deque[bool] = deque(maxlen=WINDOW)
        self._losses: deque[float] = deque(maxlen=WINDOW)
        self._expected: deque[float] = deque(maxlen=WINDOW)

    def judge(self, item_id: str, listed: Sequence[str]) -> bool:
        """Take one action's item and the list before it. Returns whether it stood there."""
        shown = list(listed[:PLACES])
        place = shown.index(item_id) if item_id in shown else PLACES
        total = sum(self._counts)
        self._losses.append(-log(self._counts[place] / total))
        self._expected.append(1.0 - self._counts[PLACES] / total)
        self._hits.append(place < PLACES)
        self._counts = [PRIOR * (1.0 - MEMORY) + MEMORY * count for count in self._counts]
        self._counts[place] += 1.0
        return place < PLACES

    @property
    def hit_rate(self) -> float:
        """Share of hits, in [0, 1].

        >>> quality = PolicyQuality()
        >>> quality.judge("a", ["b", "a"]), quality.judge("c", ["a"]), quality.hit_rate
        (True, False, 0.5)
        """
        return sum(self._hits) / len(self._hits) if self._hits else 0.0

    @property
    def log_loss(self) -> float:
        """In nats; log 11 before anything is known."""
        return sum(self._losses) / len(self._losses) if self._losses else log(PLACES + 1)

    @property
    def calibration(self) -> float | None:
        """Expected hits over hits; None before the first hit."""
        hits = sum(self._hits)
        return sum(self._expected) / hits if hits else None


class LiveQuality:
    """The live lists beside popularity."""

    def __init__(self) -> None:
        self.live = PolicyQuality()
        self.popular = PolicyQuality()
        self.judged = 0
        self.drift_alarms = 0
        self._drift = ADWIN()  # type: ignore[no-untyped-call]

    def judge(self, profile: Profile, item_id: str, now_ms: int, replica: Replica) -> None:
        """Judge one action, before its person's profile and the models have seen it."""
        listed = [item.item_id for item in recommend(profile, now_ms, replica, limit=PLACES, explained=False)]
        hit = self.live.judge(item_id, listed)
        self.popular.judge(item_id, most_popular(replica, now_ms))
        self.judged += 1
        self._drift.update(float(hit))  # type: ignore[no-untyped-call]
        self.drift_alarms += bool(self._drift.drift_detected)


def most_popular(replica: Replica, now_ms: int) -> list[str]:
    """The ten most popular items of the pack's longest half-life that can be shown."""
    rows = replica.shelves.popular(now_ms)[-1]
    return [replica.catalogue.item_id(int(row)) for row in rows[:PLACES]]
