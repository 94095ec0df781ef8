"""Intervals that may be looked at after every observation, for as long as one likes.

A confidence *sequence* covers the truth at all times at once with probability 1 − α, so that stopping when it excludes
0 is no cheating. This is the normal-mixture boundary of Robbins in its asymptotic form (Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas, *Time-uniform central limit theory and asymptotic confidence sequences*, Annals of Statistics 52,
2024, theorem 2.2): after t observations of standard deviation σ̂

    mean ± σ̂ √( 2 (tρ² + 1) / (t²ρ²) · log( √(tρ² + 1) / α ) )
"""

from __future__ import annotations

import math

import msgspec

ALPHA = 0.05
"""The chance of ever raising a false alarm, however often one looks."""


class Moments(msgspec.Struct):
    """Count, mean and sum of squared deviations of a series, updated in place (Welford 1962).

    >>> moments = Moments()
    >>> for value in (1.0, 2.0, 3.0):
    ...     moments.add(value)
    >>> moments.mean, moments.variance
    (2.0, 1.0)
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Take one more finite `value` in; raises ValueError for NaN and infinities, which would poison the rest."""
        if not math.isfinite(value):
            raise ValueError(f"an observation must be finite, not {value}")
        self.n += 1
        step = value - self.mean
        self.mean += step / self.n
        self.squares += step * (value - self.mean)

    @property
    def variance(self) -> float:
        """The sample variance; infinite below two observations."""
        return self.squares / (self.n - 1) if self.n > 1 else math.inf


class Boundary(msgspec.Struct, frozen=True):
    """The half-width of the confidence sequence at any time.

    `alpha` in (0, 1) is the chance of ever missing the truth; `tightest_at` ≥ 1 the number of observations at which
    the sequence is made tightest: the size of experiment one expects. Wrong guesses cost width, never validity.

    >>> boundary = Boundary(alpha=0.05, tightest_at=1_000)
    >>> round(boundary.reach(1_000, 1.0), 3)  # a fixed-size test would give 0.062, and could be read only once
    0.096
    """

    alpha: float = ALPHA
    tightest_at: int = 1_000

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha must be in (0, 1), not {self.alpha}")
        if self.tightest_at < 1:
            raise ValueError(f"tightest_at must be at least 1, not {self.tightest_at}")

    @property
    def rho_squared(self) -> float:
        """The variance of the mixture over effects (Waudby-Smith et al., appendix B.2)."""
        twice = -2.0 * math.log(self.alpha)
        return (twice + math.log(twice + 1.0)) / self.tightest_at

    def reach(self, n: int, variance: float) -> float:
        """Half the width of the interval of the mean of `n` ≥ 1 observations of that `variance`."""
        if n < 1:
            return math.inf
        spread = n * self.rho_squared + 1.0
        return math.sqrt(
            variance * 2.0 * spread / (n * n * self.rho_squared) * math.log(math.sqrt(spread) / self.alpha)
        )
