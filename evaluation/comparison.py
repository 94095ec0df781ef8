"""The one tool for comparing: two learners on the same events, two arms of an experiment, champion and challenger.

It may be looked at after every observation and stopped whenever it speaks (`evaluation.confidence_sequence`). The unit
of an observation must be independent of the others: for arms a *person* (all of their outcome in a closed window), for
learners a block of consecutive events, whose errors resemble each other.
"""

from __future__ import annotations

import math

import msgspec

from evaluation.confidence_sequence import Boundary, Moments
from evaluation.intervals import Estimate

BURN_IN = 100
"""Observations before anything is said: the boundary is asymptotic, and the standard deviation must have settled."""


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison says now. `winner` is None until the sequence has excluded 0, and never changes afterwards.

    `difference` is first minus second (champion minus challenger, control minus treatment: as they were named);
    None until the burn-in is over. `n` counts independent observations.
    """

    n: int
    difference: Estimate | None = None
    winner: str | None = None


class PairedState(msgspec.Struct):
    """All that a paired comparison remembers, in plain data."""

    blocks: Moments = msgspec.field(default_factory=Moments)
    open_sum: float = 0.0
    open_n: int = 0
    winner: str | None = None


class PairedComparison:
    """Two learners judged on the same events, by the difference of their gains (higher is better).

    `block` ≥ 1 consecutive events make one observation: 1 where events are independent, some tens on a log, where one
    person's events follow each other. `burn_in` ≥ 2 counts observations. `state` resumes an earlier comparison.

    >>> comparison = PairedComparison("champion", "challenger")
    >>> for n in range(400):
    ...     comparison.observe(0.0 if n % 3 else 1.0, 0.5)
    >>> comparison.verdict().winner
    'challenger'
    """

    def __init__(
        self,
        first: str,
        second: str,
        boundary: Boundary | None = None,
        block: int = 1,
        burn_in: int = BURN_IN,
        state: PairedState | None = None,
    ) -> None:
        if block < 1:
            raise ValueError(f"block must be at least 1, not {block}")
        if burn_in < 2:
            raise ValueError(f"burn_in must be at least 2, not {burn_in}")
        self.first = first
        self.second = second
        self.boundary = boundary or Boundary()
        self.block = block
        self.burn_in = burn_in
        self.state = state or PairedState()

    def observe(self, first: float, second: float) -> None:
        """Note the gains of both on one more event."""
        state = self.state
        if not math.isfinite(first - second):
            raise ValueError(f"gains must be finite, not {first} and {second}")
        state.open_sum += first - second
        state.open_n += 1
        if state.open_n < self.block:
            return
        state.blocks.add(state.open_sum / state.open_n)
        state.open_sum, state.open_n = 0.0, 0
        if state.winner is None:
            state.winner = _winner(self.first, self.second, self._interval())

    def verdict(self) -> Verdict:
        """What can be said now."""
        return Verdict(self.state.blocks.n, self._interval(), self.state.winner)

    def _interval(self) -> Estimate | None:
        seen = self.state.blocks
        if seen.n < self.burn_in:
            return None
        reach = self.boundary.reach(seen.n, seen.variance)
        return Estimate(seen.mean, seen.mean - reach, seen.mean + reach)


class ArmState(msgspec.Struct):
    """All that a comparison of two arms remembers, in plain data."""

    first: Moments = msgspec.field(default_factory=Moments)
    second: Moments = msgspec.field(default_factory=Moments)
    winner: str | None = None


class ArmComparison:
    """Two independent groups of people, judged by the difference of their mean outcomes (higher is better).

    Each person is observed once, with the outcome of their whole window. Both arms must have passed `burn_in` ≥ 2
    people. With n = n₁ + n₂ the influence of a person in arm a on the difference is ±(n/n_a)(r − mean_a), so that
    σ² = n (σ̂₁²/n₁ + σ̂₂²/n₂) enters the boundary.

    >>> comparison = ArmComparison("control", "treatment")
    >>> for n in range(2_000):
    ...     comparison.observe("control" if n % 2 else "treatment", float(n % 20 == 0) + float(n % 20 == 1))
    >>> comparison.verdict().winner is None
    True
    """

    def __init__(
        self,
        first: str,
        second: str,
        boundary: Boundary | None = None,
        burn_in: int = BURN_IN,
        state: ArmState | None = None,
    ) -> None:
        if first == second:
            raise ValueError(f"the two arms must have different names, not both {first!r}")
        if burn_in < 2:
            raise ValueError(f"burn_in must be at least 2, not {burn_in}")
        self.first = first
        self.second = second
        self.boundary = boundary or Boundary()
        self.burn_in = burn_in
        self.state = state or ArmState()

    def observe(self, arm: str, outcome: float) -> None:
        """Note the `outcome` of one more person in `arm`; raises ValueError for an arm that is neither."""
        state = self.state
        if arm == self.first:
            state.first.add(outcome)
        elif arm == self.second:
            state.second.add(outcome)
        else:
            raise ValueError(f"arm must be {self.first!r} or {self.second!r}, not {arm!r}")
        if state.winner is None:
            state.winner = _winner(self.first, self.second, self._interval())

    def verdict(self) -> Verdict:
        """What can be said now."""
        return Verdict(self.state.first.n + self.state.second.n, self._interval(), self.state.winner)

    def _interval(self) -> Estimate | None:
        one, two = self.state.first, self.state.second
        if min(one.n, two.n) < self.burn_in:
            return None
        n = one.n + two.n
        reach = self.boundary.reach(n, n * (one.variance / one.n + two.variance / two.n))
        value = one.mean - two.mean
        return Estimate(value, value - reach, value + reach)


def _winner(first: str, second: str, interval: Estimate | None) -> str | None:
    if interval is None:
        return None
    if interval.low > 0.0:
        return first
    return second if interval.high < 0.0 else None
