"""Protocol P4: how good the probabilities are that lists carry, on what was really shown (MODELS §1).

Each place that an impression or a mail shows is one case, predicted with the heads as they are at that moment from the
features of the decision; what follows within the attribution window is its outcome, as the pipeline itself joins it.
Places whose window the log does not cover, and those of the first part of the log, are not counted.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.effects import Effect, Learn
from processors.replica import Replica
from processors.response import ACTED, SHOWN, unpacked

Floats = npt.NDArray[np.float64]
WEEK_MS: Final = 7 * 86_400_000
DECILE_POSITIVES: Final = 100
"""A decile with fewer says little, and is not reported."""
LEAST: Final = 1e-12


class Head(Struct, frozen=True, kw_only=True):
    """One head. `calibration` is Σp/Σy, 1 where it is right on the whole; None where nothing happened.

    `normalised_entropy` is the mean log loss over that of the constant rate (He et al., ADKDD 2014): below 1 the head
    says something. `weeks` and `deciles` are Σp/Σy by week of the log and by tenth of p, with at least 100 positives.
    """

    n: int
    positives: int
    calibration: float | None
    normalised_entropy: float | None
    auc: float | None
    weeks: list[float]
    deciles: list[float]


class RankerReport(Head, frozen=True, kw_only=True):
    """p(click), and beside it p(apply | click) on what was acted on."""

    apply: Head


class RankerMeter:
    """Takes the effects of each step, before anything is learned from them.

    >>> RankerMeter().report(0, 0, 1) is None
    True
    """

    def __init__(self) -> None:
        self._places: dict[tuple[int, int], int] = {}
        self._at_ms: array[int] = array("q")
        self._p: array[float] = array("d")
        self._p_apply: array[float] = array("d")
        self._outcome: array[int] = array("b")

    def take(self, effects: Iterable[Effect], at_ms: int, replica: Replica) -> None:
        """Note what an event says of lists that were shown."""
        for effect in effects:
            for feedback in effect.example.feedback if isinstance(effect, Learn) else ():
                keys = [(feedback.shown, place) for place in feedback.places]
                if feedback.outcome != SHOWN:
                    for key in keys:
                        if key in self._places:
                            self._outcome[self._places[key]] = feedback.outcome
                    continue
                clicks, applies = replica.responses.probabilities(unpacked(feedback.features))
                for key, click, then in zip(keys, clicks.tolist(), (applies / clicks).tolist(), strict=False):
                    self._places[key] = len(self._p)
                    self._at_ms.append(at_ms)
                    self._p.append(click)
                    self._p_apply.append(then)
                    self._outcome.append(SHOWN)

    def report(self, from_ms: int, until_ms: int, window_ms: int) -> RankerReport | None:
        """What was shown at or after `from_ms`, and a whole window before `until_ms`; None where nothing was."""
        at_ms = np.array(self._at_ms, np.int64)
        counted = (at_ms >= from_ms) & (at_ms + window_ms <= until_ms)
        if not counted.any():
            return None
        week = (at_ms[counted] - at_ms[counted].min()) // WEEK_MS
        outcome, p, p_apply = (np.array(column)[counted] for column in (self._outcome, self._p, self._p_apply))
        acted = outcome >= ACTED
        apply = judged(p_apply[acted], outcome[acted] > ACTED, week[acted])
        return RankerReport(**msgspec.structs.asdict(judged(p, acted, week)), apply=apply)


def judged(p: Floats, happened: npt.NDArray[np.bool_], week: npt.NDArray[np.int64]) -> Head:
    """The figures of one head.

    >>> told = judged(np.array([0.1, 0.9, 0.5]), np.array([False, True, True]), np.zeros(3, np.int64))
    >>> told.calibration, told.auc
    (0.75, 1.0)
    """
    n, positives = len(p), int(happened.sum())
    if not positives or positives == n:
        return Head(n=n, positives=positives, calibration=None, normalised_entropy=None, auc=None, weeks=[], deciles=[])
    safe = np.clip(p, LEAST, 1.0 - LEAST)
    loss = -np.where(happened, np.log(safe), np.log1p(-safe)).mean()
    rate = positives / n
    constant = -(rate * np.log(rate) + (1.0 - rate) * np.log1p(-rate))
    tenths = np.array_split(np.argsort(p, kind="stable"), 10)
    return Head(
        n=n,
        positives=positives,
        calibration=float(p.sum() / positives),
        normalised_entropy=float(loss / constant),
        auc=_auc(p, happened),
        weeks=_ratios(p, happened, [np.flatnonzero(week == number) for number in np.unique(week)]),
        deciles=_ratios(p, happened, tenths),
    )


def _ratios(p: Floats, happened: npt.NDArray[np.bool_], parts: Iterable[npt.NDArray[np.intp]]) -> list[float]:
    return [float(p[part].sum() / happened[part].sum()) for part in parts if happened[part].sum() >= DECILE_POSITIVES]


def _auc(p: Floats, happened: npt.NDArray[np.bool_]) -> float:
    """The chance that something that happened has the larger p; ties count half (Mann and Whitney)."""
    _, code, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[code]
    positives = int(happened.sum())
    above = float(ranks[happened].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * (len(p) - positives))
