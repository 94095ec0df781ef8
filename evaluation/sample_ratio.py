"""Is the traffic split as it was meant to be? The alarm that comes before any reading of an experiment.

A split that drifts from its plan (a bot filter that drops one arm, a cache that pins people) makes every difference
meaningless. The test is sequential and multinomial (Lindon and Malek, *Anytime-valid inference for multinomial count
data*, NeurIPS 2022): with a Dirichlet(κθ) prior around the planned shares θ,

    evidence = B(κθ + counts) / B(κθ) / Π θ_k^counts_k

is a martingale from 1 under the plan, so it exceeds 1/α at any time with probability at most α.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

ALPHA = 0.001
"""The chance of ever crying wolf over a healthy split: small, because the alarm stops the experiment."""


class SampleRatio:
    """The running evidence against a planned split.

    `shares` by arm are above 0 and sum to 1; `alpha` in (0, 1); `concentration` κ > 0 is how near to the plan, in
    pseudo-people, a broken split is expected to lie (1,000: a few per cent off). Observe each person once.

    >>> split = SampleRatio({"control": 0.5, "treatment": 0.5})
    >>> for n in range(4_000):
    ...     split.observe("control" if n % 5 < 3 else "treatment")
    >>> split.alarm, split.counts
    (True, {'control': 2400, 'treatment': 1600})
    """

    def __init__(self, shares: Mapping[str, float], alpha: float = ALPHA, concentration: float = 1_000.0) -> None:
        if len(shares) < 2 or min(shares.values()) <= 0.0 or not math.isclose(sum(shares.values()), 1.0):
            raise ValueError(f"shares must be at least two, above 0 and sum to 1, not {dict(shares)}")
        if not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha must be in (0, 1), not {alpha}")
        if not concentration > 0.0:
            raise ValueError(f"concentration must be above 0, not {concentration}")
        self.shares = dict(shares)
        self.alpha = alpha
        self.concentration = concentration
        self.counts = dict.fromkeys(self.shares, 0)
        self.log_evidence = 0.0
        self.alarm = False

    def observe(self, arm: str) -> None:
        """Note that one more person came into `arm`; raises ValueError for an arm that was not planned."""
        if arm not in self.shares:
            raise ValueError(f"arm must be one of {sorted(self.shares)}, not {arm!r}")
        share = self.shares[arm]
        seen = sum(self.counts.values())
        predicted = (self.concentration * share + self.counts[arm]) / (self.concentration + seen)
        self.log_evidence += math.log(predicted / share)
        self.counts[arm] += 1
        self.alarm = self.alarm or self.log_evidence >= -math.log(self.alpha)
