"""The simple models that stand beside every figure: four popularities, own recency and co-visitation.

They rank every item that may be recommended; ties count half. They learn at once, whatever the delay of the pipeline.
"""

from __future__ import annotations

from itertools import islice
from math import nan
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from evaluation.cooccurrence import CoOccurrence
from processors.decay import EMPTY, add

NAMES: Final = ("popularity_all", "popularity_7d", "popularity_1d", "popularity_1h", "own_recency", "covisitation")
Candidates = Literal["any", "new", "cold"]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_DAY_MS: Final = 86_400_000.0
_HALF_LIVES_MS: Final = (7 * _DAY_MS, _DAY_MS, _DAY_MS / 24)
_COVISITATION_HALF_LIFE_MS: Final = 30 * _DAY_MS
_SHRINKAGE: Final = 5.0
CONTEXT: Final = 20
"""Co-visitation learns from and reads with the latest so many items of a person."""
FADING: Final = 0.8
"""What an item says for each moment that the person acted at since."""


class Baselines:
    """All six, over items that are told to them as the catalogue is."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._levels: list[Floats] = [np.full(64, nan) for _ in range(4)]
        """By popularity and item; EMPTY where nobody acted on it."""
        self._gone: set[int] = set()
        self._viewed: set[int] = set()
        self._own: dict[str, dict[int, int]] = {}
        """By person: item -> last time, the latest last."""
        self._pairs = CoOccurrence(_COVISITATION_HALF_LIFE_MS, _SHRINKAGE)

    def know(self, item_id: str) -> None:
        """The item may be recommended from now on."""
        self._gone.discard(self._code(item_id))

    def retire(self, item_id: str) -> None:
        """The item may not be recommended any more."""
        self._gone.add(self._code(item_id))

    def learn(self, user_id: str, item_id: str, ts_ms: int) -> None:
        """A person acted on an item."""
        code = self._code(item_id)
        total, *decayed = self._levels
        total[code] = max(float(total[code]), 0.0) + 1.0
        for levels, half_life_ms in zip(decayed, _HALF_LIVES_MS, strict=True):
            levels[code] = add(float(levels[code]), ts_ms, 1.0, half_life_ms)
        own = self._own.setdefault(user_id, {})
        own.pop(code, None)
        self._pairs.learn(code, list(islice(reversed(own), CONTEXT)), ts_ms)
        own[code] = ts_ms
        self._viewed.add(code)

    def visit(self, user_id: str, item_id: str, ts_ms: int) -> None:
        """A person acted on an item, and nobody else is to learn from it."""
        own = self._own.setdefault(user_id, {})
        code = self._code(item_id)
        own.pop(code, None)
        own[code] = ts_ms

    def leave(self, user_id: str) -> None:
        """This person will not come back: make room."""
        self._own.pop(user_id, None)

    def ranks(self, user_id: str, item_id: str, ts_ms: int, candidates: Candidates) -> tuple[float, ...]:
        """The place of the target by each model, in the order of `NAMES`."""
        target = self._code(item_id)
        count = len(self._codes)
        own = self._own.get(user_id, {})
        if candidates == "cold":
            left_out = self._gone | self._viewed
            left_out.discard(target)
            return (_middle(count - len(left_out)),) * len(NAMES)
        left_out = self._gone.union(own) if candidates == "new" else set(self._gone)
        left_out.discard(target)
        absent = np.fromiter(left_out, np.intp, len(left_out))
        places = [_place(levels[:count], target, absent) for levels in self._levels]
        listed = [ts_ms for code, ts_ms in own.items() if code not in left_out]
        places.append(_recency(listed, own.get(target), count - len(left_out)))
        context, says = _context(own)
        places.append(_place(self._pairs.scores(context, says, count, ts_ms), target, absent))
        return tuple(places)

    def _code(self, item_id: str) -> int:
        code = self._codes.get(item_id)
        if code is None:
            code = self._codes[item_id] = len(self._codes)
            if code >= len(self._levels[0]):
                self._levels = [np.concatenate([levels, np.full(len(levels), nan)]) for levels in self._levels]
            for levels in self._levels:
                levels[code] = EMPTY
        return code


def _context(own: dict[int, int]) -> tuple[list[int], list[float]]:
    """The latest items, the latest first, and what each says: all of one moment the same.

    >>> _context({7: 100, 8: 200, 9: 200})[1]
    [1.0, 1.0, 0.8]
    """
    context: list[int] = []
    says: list[float] = []
    say, last_ms = 1.0, None
    for code, ts_ms in islice(reversed(own.items()), CONTEXT):
        if last_ms is not None and ts_ms != last_ms:
            say *= FADING
        last_ms = ts_ms
        context.append(code)
        says.append(say)
    return context, says


def _place(scores: Floats, target: int, absent: Places) -> float:
    """1-based, ties half; `absent` items do not count."""
    mine = scores[target]
    above, tied = np.count_nonzero(scores > mine), np.count_nonzero(scores == mine) - 1
    if len(absent):
        theirs = scores[absent]
        above -= np.count_nonzero(theirs > mine)
        tied -= np.count_nonzero(theirs == mine)
    return float(1.0 + above + tied / 2.0)


def _recency(listed: list[int], mine: int | None, count: int) -> float:
    """The place of an item last acted on at `mine` among `listed` times and `count` items in all."""
    if mine is None:
        return len(listed) + _middle(count - len(listed))
    return 1.0 + sum([ts_ms > mine for ts_ms in listed]) + (listed.count(mine) - 1) / 2.0


def _middle(count: int) -> float:
    """The place of any of `count` tied items."""
    return (count + 1) / 2.0
