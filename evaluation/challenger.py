"""Blend and challenger on the same examples, in shadow: each scores what was logged, before anybody learns from it.

The blend is learned anew from the log, example by example, as the learner did; the challenger is as it was fitted, and
judged only on examples that came later. The gain of either is the reciprocal rank of the item that was acted on among
the candidates drawn beside it, ties counted half; blocks of consecutive examples go to the one tool for comparing.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from evaluation.comparison import PairedComparison, Verdict
from evaluation.confidence_sequence import Boundary
from processors.blend import NAMES, Blend
from processors.challenger import Challenger, Matrix, candidates_of
from processors.challenger_rows import ChallengerState
from processors.pack import Pack
from schemas.learning import Example

Change = Literal["fit", "serve", "rollback"]

BLEND: Final = "blend"
CHALLENGER: Final = "challenger"
BLOCK: Final = 20
"""Examples to one observation: one person's follow each other."""
BURN_IN: Final = 30
MOST_TABLES: Final = 20_000
"""The latest examples are kept to fit on: some 40 MB."""


class Shadow:
    """Takes the log of lessons in order. `fitted_to` is the last offset of `learning` that the challenger has seen."""

    def __init__(self, pack: Pack, challenger: Challenger | None = None, fitted_to: int = -1) -> None:
        self._blend = Blend(pack)
        self._challenger = challenger
        self._fitted_to = fitted_to
        self._comparison = PairedComparison(BLEND, CHALLENGER, Boundary(tightest_at=200), block=BLOCK, burn_in=BURN_IN)
        self.tables: list[npt.NDArray[np.float16]] = []
        """Candidates of the latest examples, to fit on."""
        self.compared = 0
        self.sums = [0.0, 0.0]

    @property
    def weights(self) -> Matrix:
        """The blend's, by now, of the features that trees know."""
        return self._blend.weights[: len(NAMES)]

    def take(self, example: Example, offset: int) -> None:
        """One example: scored by both, then learned by the blend."""
        table = candidates_of(example)
        if table is None:
            return
        if self._challenger is not None and offset > self._fitted_to:
            gains = reciprocal_rank(table @ self.weights), reciprocal_rank(self._challenger.scores(table))
            self._comparison.observe(*gains)
            self.compared += 1
            self.sums = [total + gain for total, gain in zip(self.sums, gains, strict=True)]
        self._blend.learn_one(example, offset)
        self.tables.append(table.astype(np.float16))  # as it was sent: nothing is lost, and a quarter of the room taken
        if len(self.tables) > 2 * MOST_TABLES:
            del self.tables[:MOST_TABLES]

    def verdict(self) -> Verdict:
        """What can be said by now; it may be asked at any time."""
        return self._comparison.verdict()

    def means(self) -> tuple[float, float] | None:
        """The mean gain of blend and challenger; None before anything was compared."""
        return (self.sums[0] / self.compared, self.sums[1] / self.compared) if self.compared else None


def next_change(state: ChallengerState | None, winner: str | None, now_ms: int, refit_ms: int) -> Change | None:
    """What a keeper does next. One that won since its fit serves; one that serves and loses is rolled back; one that
    does neither for `refit_ms` is fitted anew. Who was rolled back, by whomever, does not serve again before that.
    """
    if state is None:
        return "fit"
    if state.serves:
        return "rollback" if winner == BLEND else None
    if winner == CHALLENGER and state.change == "fit":
        return "serve"
    return "fit" if now_ms - state.at_ms >= refit_ms else None


def reciprocal_rank(scores: Matrix) -> float:
    """Of the first score among all, ties counted half.

    >>> import numpy as np
    >>> reciprocal_rank(np.array([2.0, 3.0, 1.0])), reciprocal_rank(np.array([1.0, 1.0, 1.0]))
    (0.5, 0.5)
    """
    better, equal = int((scores > scores[0]).sum()), int((scores == scores[0]).sum()) - 1
    return 1.0 / (1.0 + better + equal / 2.0)
