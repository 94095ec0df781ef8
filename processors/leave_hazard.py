"""How likely a mail makes somebody leave, by how much mail they got of late: shrunk, and never falling with volume.

People who are mailed a lot and are still there are the tolerant ones, so that rates by volume flatter volume. A tenth
of people have their volume drawn for them (`volume_arm`); a mail to one of them counts fully, to all others a quarter.
"""

from typing import Final, Literal

import numpy as np

from processors.experiment import unit_of
from processors.week import Doubles

VOLUME_SALT: Final = "attune/volume"
ARM_SHARE: Final = 0.05
"""Of people in each of the two arms."""
CHOSEN_WEIGHT: Final = 0.25
EDGES: Final = (0.25, 0.75, 1.25, 2.0, 3.0, 4.5)
"""Fatigue at which the next bin begins: fatigue is the number of mails of late, halved every three days."""
PRIOR_MAILS: Final = 400.0
PRIOR_HAZARD: Final = 0.002


def volume_arm(user_id: str) -> Literal["low", "high"] | None:
    """`low`: at most one mail a week; `high`: as many as the caps allow; None: as the price says."""
    unit = unit_of(VOLUME_SALT, user_id)
    if unit < ARM_SHARE:
        return "low"
    return "high" if unit < 2 * ARM_SHARE else None


def fatigue_bin(fatigue: float) -> int:
    """The bin of a fatigue ≥ 0."""
    return int(np.searchsorted(EDGES, fatigue, side="right"))


def hazards(mails: Doubles, left: Doubles) -> Doubles:
    """The hazard of each bin, from mails and those after which somebody left: pooled where it would fall.

    >>> found = hazards(np.array([1e4, 1e4, 0, 0, 0, 0, 0.0]), np.array([10, 40, 0, 0, 0, 0, 0.0]))
    >>> [round(float(h), 4) for h in found[:3]]
    [0.001, 0.0039, 0.0039]
    """
    total = PRIOR_MAILS + float(mails.sum())
    usual = (PRIOR_MAILS * PRIOR_HAZARD + float(left.sum())) / total
    weights = mails + PRIOR_MAILS / len(mails)
    rates = (left + usual * PRIOR_MAILS / len(mails)) / weights
    return pooled_rising(rates, weights)


def pooled_rising(values: Doubles, weights: Doubles) -> Doubles:
    """The closest non-decreasing values (pool adjacent violators; Barlow and others, 1972).

    >>> pooled_rising(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    blocks: list[list[float]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v1, w1, n1), (v2, w2, n2) = blocks[-2], blocks.pop()
            blocks[-1] = [(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, n1 + n2]
    return np.repeat([block[0] for block in blocks], [int(block[2]) for block in blocks]).astype(np.float64)
