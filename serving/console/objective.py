"""The objective, from the workers' own counters since the console started: what is late, how fast the budget burns."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from serving.console.workers import Totals

BUDGET: Final = 0.01
"""Of decisions that may take more than 5 s."""
WINDOWS_S: Final = (300.0, 3_600.0)


class Window(Struct, frozen=True):
    """One window. `late` is None where nothing was decided; `covered_s` is how much of it is known."""

    seconds: float
    covered_s: float
    late: float | None

    @property
    def burn(self) -> float | None:
        """Budgets used per budget's time: 1 uses up exactly what is allowed.

        >>> Window(300.0, 300.0, 0.02).burn
        2.0
        """
        return None if self.late is None else self.late / BUDGET


def window(history: Sequence[Totals], seconds: float) -> Window:
    """The share of late decisions within the last `seconds`; a restart of a worker begins its counts anew."""
    if len(history) < 2:
        return Window(seconds, 0.0, None)
    newest = history[-1]
    inside = [point for point in history if newest.at_s - point.at_s <= seconds]
    late = judged = 0.0
    for before, after in pairwise(inside):
        if after.judged >= before.judged:
            judged += after.judged - before.judged
            late += max(after.late - before.late, 0.0)
        else:
            judged += after.judged
            late += after.late
    return Window(seconds, newest.at_s - inside[0].at_s, late / judged if judged else None)


def rate(history: Sequence[Totals], field: str, seconds: float = 10.0) -> float | None:
    """A total's growth a second, over the last ten seconds."""
    if len(history) < 2:
        return None
    newest = history[-1]
    before = next(point for point in history if newest.at_s - point.at_s <= seconds)
    apart_s = newest.at_s - before.at_s
    grown = float(getattr(newest, field)) - float(getattr(before, field))
    return max(grown, 0.0) / apart_s if apart_s > 0 else None
