"""What people act on together: decayed, action-weighted, symmetric co-visitation with bounded lists.

An action on x after a history of up to ten distinct items adds to the pair of x and each of them: the product's square
root of both actions' weights, halved for every `taste_half_life_d` between the two actions. Pair weights are levels
(processors/decay.py) of half-life `covisitation_half_life_d`.

Room: an item lists at most 100 neighbours. When the 101st arrives, the 80 of the largest decayed weight stay (ties: the
lower number goes), so that trimming costs little per arrival and a newcomer has 20 arrivals' time to prove itself.
Levels of one half-life rank alike at any time, so what goes is the lightest now and for ever, unless it returns. A
stored weight never exceeds the true one, and is exact for an item that never had more than 100 neighbours.

Similarity is the cosine c(x, y) / (√(n(x) n(y)) + shrinkage), with n the decayed action weight of an item: Sarwar,
Karypis, Konstan, Riedl: Item-based collaborative filtering, WWW 2001; shrinkage as in Bell and Koren, ICDM 2007.
"""

from collections.abc import Collection, Sequence
from math import exp2, log2
from struct import Struct as Layout
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.actions import weights
from processors.decay import EMPTY, add
from processors.growing import grown
from processors.pack import Pack
from processors.popularity import DAY_MS

MAX_NEIGHBOURS: Final = 100
KEPT_NEIGHBOURS: Final = 80
SHRINKAGE: Final = 5.0

_LAYOUTS: Final = tuple(Layout(f"<{n}d{n}i") for n in range(MAX_NEIGHBOURS + 1))
"""How n neighbours travel: their levels, then their numbers, little-endian: 12 bytes a neighbour."""


class Covisitation:
    """The learner's half, by item number."""

    def __init__(self, pack: Pack) -> None:
        self._half_life_ms = pack.covisitation_half_life_d * DAY_MS
        self._gap_half_life_ms = pack.taste_half_life_d * DAY_MS
        self._half_log2 = tuple(0.5 * log2(weight) if weight > 0.0 else EMPTY for weight in weights(pack.actions))
        self.mass: list[float] = []
        self.neighbours: list[dict[int, float]] = []

    def append(self, mass: float = EMPTY, neighbours: dict[int, float] | None = None) -> None:
        """Make room for the next item number."""
        self.mass.append(mass)
        self.neighbours.append({} if neighbours is None else neighbours)

    def learn_one(self, number: int, ts_ms: int, weight: float, history: Sequence[tuple[int, int, int]]) -> None:
        """Count the pairs of one item with each (number, action, ts_ms) of a history; `weight` > 0 is the action's."""
        half_life_ms, half_log2 = self._half_life_ms, self._half_log2
        self.mass[number] = add(self.mass[number], ts_ms, weight, half_life_ms)
        mine = self.neighbours[number]
        base = ts_ms / half_life_ms + 0.5 * log2(weight)
        for other, other_action, other_ms in history:
            gained = base + half_log2[other_action] - abs(ts_ms - other_ms) / self._gap_half_life_ms
            theirs = self.neighbours[other]
            level = mine.get(other, EMPTY)
            mirrored = theirs.get(number, EMPTY)
            mine[other] = raised = _joined(level, gained)
            theirs[number] = raised if mirrored == level else _joined(mirrored, gained)
            if len(theirs) > MAX_NEIGHBOURS:
                _trim(theirs)
            if len(mine) > MAX_NEIGHBOURS:
                _trim(mine)

    def forget(self, gone: Collection[int]) -> list[int]:
        """Make numbers free; returns those of the items that listed one of them, in order."""
        for number in gone:
            self.mass[number] = EMPTY
            self.neighbours[number] = {}
        dropped = set(gone)
        changed = []
        for number, listed in enumerate(self.neighbours):
            if lost := dropped.intersection(listed):
                changed.append(number)
                for other in lost:
                    del listed[other]
        return changed

    def listed(self) -> set[int]:
        """All numbers that are anyone's neighbours."""
        return set().union(*self.neighbours)

    def payload(self, number: int) -> tuple[float, bytes]:
        """What travels of one item: its mass and its neighbours."""
        listed = self.neighbours[number]
        return self.mass[number], _LAYOUTS[len(listed)].pack(*listed.values(), *listed)


class CovisitationView:
    """The replica's half: neighbours stay packed until someone who acted on the item is ranked."""

    def __init__(self, pack: Pack) -> None:
        self._half_life_ms = pack.covisitation_half_life_d * DAY_MS
        self._half_mass: npt.NDArray[np.float64] = np.full(64, EMPTY)
        """Half an item's level: the level of the square root of its weight."""
        self._levels: list[bytes] = [b""] * 64
        self._numbers: list[bytes] = [b""] * 64
        self._newest = EMPTY

    def put(self, number: int, mass: float, packed: bytes) -> None:
        """Take over the mass and the packed neighbours of one item."""
        self._make_room(number)
        self._half_mass[number] = 0.5 * mass
        end = len(packed) * 2 // 3
        self._levels[number] = packed[:end]
        self._numbers[number] = packed[end:]
        self._newest = max(self._newest, mass)

    def forget(self, number: int) -> None:
        """Nothing is known of a number any more."""
        if number < len(self._half_mass):
            self._half_mass[number] = EMPTY
            self._levels[number] = self._numbers[number] = b""

    def neighbours(
        self, numbers: Sequence[int], now_ms: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """The neighbours of several items in one go, as three arrays of one length: the position in `numbers` of the
        item whose neighbour it is, the neighbour's number, and their similarity in [0, 1].
        """
        if numbers:
            self._make_room(max(numbers))
        packed = [self._levels[number] for number in numbers]
        levels = np.frombuffer(b"".join(packed), "<f8")
        others = np.frombuffer(b"".join([self._numbers[number] for number in numbers]), "<i4")
        owners = np.repeat(np.arange(len(packed)), [len(one) >> 3 for one in packed])
        if not len(others):
            return owners, others, levels
        self._make_room(int(others.max()))
        # Before anything was learned, similarities are as at the time of learning, lest powers overflow.
        now = max(now_ms / self._half_life_ms, self._newest - 60.0)
        mine = np.exp2(self._half_mass[list(numbers)] - 0.5 * now)
        norms = np.exp2(self._half_mass.take(others) - 0.5 * now)
        norms *= mine.take(owners)
        norms += SHRINKAGE
        similarities = np.exp2(levels - now)
        similarities /= norms
        return owners, others, np.minimum(similarities, 1.0, out=similarities)

    def _make_room(self, number: int) -> None:
        if number >= len(self._half_mass):
            self._half_mass = grown(self._half_mass, number + 1, EMPTY)
            for column in (self._levels, self._numbers):
                column.extend([b""] * (len(self._half_mass) - len(column)))


def unpacked(packed: bytes) -> dict[int, float]:
    """Neighbour number -> level, in the order in which they were packed."""
    values = _LAYOUTS[len(packed) // 12].unpack(packed)
    half = len(values) // 2
    return dict(zip(values[half:], values[:half], strict=True))


def _joined(level: float, gained: float) -> float:
    """`decay.add` of a weight that is already a level."""
    if level == EMPTY:
        return gained
    if gained > level:
        level, gained = gained, level
    gap = gained - level
    return level if gap < -60.0 else level + log2(1.0 + exp2(gap))


def _trim(listed: dict[int, float]) -> None:
    """Drop the lightest, in place; the order of those that stay is kept."""
    order = sorted(zip(listed.values(), listed, strict=True))
    for _, number in order[: len(order) - KEPT_NEIGHBOURS]:
        del listed[number]
