"""What people act on before and after an item: decayed, directed counts in bounded rows.

An action on y whose person acted on other items before adds `GAP`^steps to the pair x → y of each of them, `steps`
being the moments between the two (0 at one time). Row x lists y with n(x → y), row y lists x with the same count in the
other column, so that one look at a row tells what followed and what preceded. Counts halve every
`covisitation_half_life_d`; they are kept as multiples of 2^((t − LANDMARK) / half-life) (forward decay, see
processors/decay.py), which doubles hold for centuries.

A row lists at most `WIDTH` items; a newcomer takes the place of the lightest, which starts again from nothing, so a
count never exceeds the true one. `out` and `into` are all that followed and preceded, listed or not.

Read for a person, items score Σ a_k n(k → c) / (out_k + SHRINKAGE) over the latest actions k of attention a_k.
"""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.growing import grown
from processors.pack import Pack
from processors.popularity import DAY_MS

WIDTH: Final = 100
GAP: Final = 0.8
SHRINKAGE: Final = 5.0
LANDMARK_MS: Final = 1_600_000_000_000
MOST_DOUBLINGS: Final = 900.0
"""Times beyond the landmark ± this many half-lives count as that."""

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int32]


class TrailRow(Struct, array_like=True, frozen=True):
    """What travels of one item: numbers (int32), then what followed and what preceded (float64), little-endian."""

    out: float = 0.0
    into: float = 0.0
    listed: bytes = b""
    followed: bytes = b""
    preceded: bytes = b""


def unit(now_ms: float, half_life_ms: float) -> float:
    """What a count of 1 at `now_ms` is kept as."""
    doublings = (now_ms - LANDMARK_MS) / half_life_ms
    return float(2.0 ** min(max(doublings, -MOST_DOUBLINGS), MOST_DOUBLINGS))


class Trails:
    """The learner's half, by item number; number 0 is no item and marks free places."""

    def __init__(self, pack: Pack) -> None:
        self._half_life_ms = pack.covisitation_half_life_d * DAY_MS
        self._listed: Numbers = np.zeros((64, WIDTH), np.int32)
        self._followed: Doubles = np.zeros((64, WIDTH))
        self._preceded: Doubles = np.zeros((64, WIDTH))
        self._out: Doubles = np.zeros(64)
        self._into: Doubles = np.zeros(64)
        self._count = 0

    def append(self, row: TrailRow | None = None) -> None:
        """Make room for the next item number."""
        number = self._count
        self._count += 1
        self._listed = grown(self._listed, self._count, 0)
        self._followed, self._preceded = (
            grown(self._followed, self._count, 0.0),
            grown(self._preceded, self._count, 0.0),
        )
        self._out, self._into = grown(self._out, self._count, 0.0), grown(self._into, self._count, 0.0)
        if row is not None:
            listed = np.frombuffer(row.listed, "<i4")
            self._listed[number, : len(listed)] = listed
            self._followed[number, : len(listed)] = np.frombuffer(row.followed, "<f8")
            self._preceded[number, : len(listed)] = np.frombuffer(row.preceded, "<f8")
            self._out[number], self._into[number] = row.out, row.into

    def learn_one(self, number: int, ts_ms: int, history: Sequence[tuple[int, int, int]]) -> None:
        """Count one item after distinct other (number, action, ts_ms), the latest first."""
        if not history:
            return
        others = np.array([other for other, _, _ in history], np.intp)
        gains = unit(ts_ms, self._half_life_ms) * GAP ** np.array(steps([at_ms for _, _, at_ms in history], ts_ms))
        weights = self._followed[others] + self._preceded[others]
        same = self._listed[others] == number
        places = np.where(same.any(axis=1), same.argmax(axis=1), weights.argmin(axis=1))
        fresh = self._listed[others, places] != number
        if fresh.any():
            self._listed[others, places] = number
            self._followed[others[fresh], places[fresh]] = 0.0
            self._preceded[others[fresh], places[fresh]] = 0.0
        self._followed[others, places] += gains
        self._out[others] += gains
        self._precede(number, others, gains)

    def _precede(self, number: int, others: npt.NDArray[np.intp], gains: Doubles) -> None:
        listed, preceded, followed = self._listed[number], self._preceded[number], self._followed[number]
        same = listed == others[:, None]
        known = same.any(axis=1)
        preceded[same.argmax(axis=1)[known]] += gains[known]
        missing = np.flatnonzero(~known)[: WIDTH // 2]
        if len(missing):
            places = np.argsort(followed + preceded, kind="stable")[: len(missing)]
            listed[places] = others[missing]
            preceded[places] = gains[missing]
            followed[places] = 0.0
        self._into[number] += gains.sum()

    def forget(self, gone: Collection[int]) -> list[int]:
        """Make numbers free; returns those of the items that listed one of them, in order. What was counted in all
        (`out`, `into`) stays: it happened.
        """
        numbers = np.array(sorted(gone), np.intp)
        for column in (self._listed, self._followed, self._preceded, self._out, self._into):
            column[numbers] = 0
        free = np.zeros(self._count, np.bool_)
        free[numbers] = True
        lost = free[self._listed[: self._count]]
        changed = np.flatnonzero(lost.any(axis=1)).tolist()
        for number in changed:
            kept = np.flatnonzero(~lost[number])
            for column in (self._listed, self._followed, self._preceded):
                held = column[number, kept]
                column[number] = 0
                column[number, : len(kept)] = held
        return changed

    def listed(self) -> set[int]:
        """All numbers that are in anyone's row."""
        return set(np.unique(self._listed[: self._count]).tolist()) - {0}

    def payload(self, number: int) -> TrailRow:
        """What travels of one item."""
        listed = self._listed[number]
        filled = int(np.count_nonzero(listed))
        return TrailRow(
            float(self._out[number]),
            float(self._into[number]),
            listed[:filled].tobytes(),
            self._followed[number, :filled].tobytes(),
            self._preceded[number, :filled].tobytes(),
        )


_PLACE: Final = np.dtype([("number", "<i4"), ("followed", "<f4"), ("preceded", "<f4")])
"""A place of a row in the replica; the counts are shares of `out` and `into`, so that singles suffice."""


class Trodden(Struct, frozen=True):
    """What trails say for one person: arrays of one length; which deed speaks, for which number, and how much."""

    owners: npt.NDArray[np.intp]
    numbers: Numbers
    followed: Doubles
    preceded: Doubles
    of_latest: int
    """How many, at the beginning, are of the latest deed."""


class TrailsView:
    """The replica's half: each row as long as what it lists, for most list far fewer than `WIDTH`."""

    def __init__(self, pack: Pack) -> None:
        self._half_life_ms = pack.covisitation_half_life_d * DAY_MS
        self._rows: list[bytes] = []
        """Places of the dtype `_PLACE`, by number."""
        self._out: Doubles = np.zeros(64)
        self._into: Doubles = np.zeros(64)

    def put(self, number: int, row: TrailRow) -> None:
        """Take over the row of one item."""
        self._out, self._into = grown(self._out, number + 1, 0.0), grown(self._into, number + 1, 0.0)
        self._rows += [b""] * (number + 1 - len(self._rows))
        places = np.zeros(len(row.listed) >> 2, _PLACE)
        places["number"] = np.frombuffer(row.listed, "<i4")
        if row.out > 0.0:
            places["followed"] = np.frombuffer(row.followed, "<f8") / row.out
        if row.into > 0.0:
            places["preceded"] = np.frombuffer(row.preceded, "<f8") / row.into
        self._rows[number] = places.tobytes()
        self._out[number], self._into[number] = row.out, row.into

    def forget(self, number: int) -> None:
        """Nothing is known of a number any more."""
        if number < len(self._rows):
            self._rows[number] = b""
            self._out[number] = self._into[number] = 0.0

    def read(self, numbers: npt.NDArray[np.intp], attention: Doubles, now_ms: int) -> Trodden:
        """What followed and preceded several items, each with its attention. Unknown numbers say nothing."""
        known = len(self._rows)
        held = [self._rows[number] if number < known else b"" for number in numbers.tolist()]
        counts = np.array([len(row) for row in held], np.intp) // _PLACE.itemsize
        places = np.frombuffer(b"".join(held), _PLACE)
        numbers = np.where(numbers < known, numbers, 0)
        own = unit(now_ms, self._half_life_ms)
        out, into = self._out.take(numbers) / own, self._into.take(numbers) / own
        owners = np.arange(len(held)).repeat(counts)
        return Trodden(
            owners,
            np.ascontiguousarray(places["number"]),
            (attention * out / (out + SHRINKAGE)).take(owners) * places["followed"],
            (attention * into / (into + SHRINKAGE)).take(owners) * places["preceded"],
            int(counts[0]) if held else 0,
        )


def steps(times_ms: Sequence[int], now_ms: int) -> list[int]:
    """How many moments lie between each time, the latest first, and now; 0 at one time.

    >>> steps([9, 9, 7, 3], 9), steps([8, 7, 7], 9)
    ([0, 0, 1, 2], [1, 2, 2])
    """
    count, last, found = 0, now_ms, []
    for ts_ms in times_ms:
        count += ts_ms != last
        last = ts_ms
        found.append(count)
    return found
