"""How much better or worse than usual an hour of the week is for the people of a segment, relative to 1.

The rate of a slot is rewards over expected rewards, pooled over neighbouring hours and the other days, and shrunk:
a segment's towards everybody's, everybody's towards 1. How strongly is learned from settled mails, by the likelihood
of how rewards fell over sends (processors/hour_learning.py): where nobody's hours are shared, tables of a few hundred
rewards are noise that would drown what is known of the person; where a segment has hours of its own they are soon
believed.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from processors.hour_learning import Evidence, score
from processors.week import WEEK, Doubles, week_kernel

STRENGTHS: Final[Doubles] = np.array([10.0, 40.0, 160.0, 640.0, 2_560.0])
"""Candidates for the weight of what is believed without data, in expected rewards."""
POOLED_H: Final = 1.5
LEAST: Final = 1e-3


class Table(Struct):
    """Rewards, expected rewards and sends by slot of the week (168), decayed."""

    successes: Doubles
    exposure: Doubles
    sends: float = 0.0

    @classmethod
    def empty(cls) -> "Table":
        return cls(np.zeros(WEEK), np.zeros(WEEK))


class Shrinkage(Struct, frozen=True):
    """What is believed to be worth how many expected rewards: 1 for everybody, everybody's for a segment."""

    everybody: float = 160.0
    segment: float = 160.0


def lift(table: Table, towards: Doubles, strength: float) -> Doubles:
    """L(s) for 168 slots; `towards` is what is believed without data.

    >>> bool((lift(Table.empty(), np.ones(168), 160.0) == 1.0).all())
    True
    """
    total, exposed = float(table.successes.sum()), float(table.exposure.sum())
    if total <= 0.0 or exposed <= 0.0:
        return towards
    near = week_kernel(POOLED_H)
    rate: Doubles = (near @ table.successes * (exposed / total) + strength * towards) / (
        near @ table.exposure + strength
    )
    return np.maximum(rate, LEAST)


def lifts_at(slot: int, everybody: Table, segment: Table | None) -> Doubles:
    """L at one slot under each pair of strengths: everybody's by row, the segment's by column."""
    towards = _by_strength(slot, everybody, np.ones(len(STRENGTHS)))
    if segment is None:
        return np.repeat(towards[:, None], len(STRENGTHS), axis=1)
    return _by_strength(slot, segment, towards[:, None])


def learned_shrinkage(evidence: Evidence) -> Shrinkage:
    """The strengths to shrink with: geometric means under the posterior over the candidates, all as likely at first."""
    total = score(evidence)
    weights = np.exp(total - total.max())
    weights /= weights.sum()
    logs = np.log(STRENGTHS)
    return Shrinkage(float(np.exp(weights.sum(axis=1) @ logs)), float(np.exp(weights.sum(axis=0) @ logs)))


def _by_strength(slot: int, table: Table, towards: Doubles) -> Doubles:
    total, exposed = float(table.successes.sum()), float(table.exposure.sum())
    if total <= 0.0 or exposed <= 0.0:
        return np.broadcast_to(towards, np.broadcast_shapes(towards.shape, STRENGTHS.shape))
    near = week_kernel(POOLED_H)[slot]
    won, due = near @ table.successes * (exposed / total), near @ table.exposure
    found: Doubles = np.maximum((won + STRENGTHS * towards) / (due + STRENGTHS), LEAST)
    return found
