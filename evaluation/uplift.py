"""Whether mails of a higher predicted uplift bring more: in a world where every mail is withheld by the toss of a coin.

The pipeline's own labels, 48 hours after each mail that went or was withheld: the uplift that was predicted, and
whether an apply-start followed. Labels are cut into tenths of the prediction by seed; the uplift of a tenth is the rate
of apply-starts after mails that went less that after mails withheld. Price and cost of leaving are off, so that only
the coin decides. Figures are simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from evaluation.policies.audience import Audience
from evaluation.policies.mailing_lists import MailingLists
from evaluation.policies.policy import pipelines_own
from evaluation.world_run import WorldRun
from processors.effects import Effect, TeachMail
from processors.pack import Pack
from processors.send_decision import LEARNED
from schemas.mail_labels import MailLabel
from simulation.world import make_world

TENTHS: Final = 10
Counts = npt.NDArray[np.float64]
"""Tenths × (mails that went, apply-starts after them, withheld, apply-starts after those, predicted uplift summed)."""


class LabelLists(MailingLists):
    """The pipeline with its mail, and what it teaches of settled mails."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack, LEARNED)
        self.labels: list[MailLabel] = []

    def note(self, key: bytes, effects: list[Effect]) -> None:
        self.labels += [effect.label for effect in effects if isinstance(effect, TeachMail)]
        super().note(key, effects)


class Tenth(Struct, frozen=True):
    """Mails of like predicted uplift, all seeds together; `error` is the standard error of `uplift`."""

    tenth: int
    sent: int
    withheld: int
    predicted: float
    rate_sent: float
    rate_withheld: float
    uplift: float
    error: float


def labels_of(users: int, days: int, seed: int, pack: Pack) -> list[MailLabel]:
    """Live through one world in which a coin decides."""
    mail = msgspec.structs.replace(pack.mail, explored=0.5, leave_cost=0.0, budget_per_week=16.0)
    lists = LabelLists(msgspec.structs.replace(pack, mail=mail))
    world = make_world("jobs", seed, users, days)
    WorldRun(world, pipelines_own(lists), Audience(), days).finish()
    return lists.labels


def counted(labels: Sequence[MailLabel]) -> Counts:
    """Count the labels of one seed by tenth of their predicted uplift, the lowest first."""
    counts = np.zeros((TENTHS, 5))
    ordered = sorted(labels, key=lambda label: (label.uplift, label.id))
    for place, label in enumerate(ordered):
        tenth = counts[place * TENTHS // len(ordered)]
        tenth[2 if label.is_withheld else 0] += 1.0
        tenth[3 if label.is_withheld else 1] += float(label.started)
        tenth[4] += label.uplift
    return counts


def tenths_of(counts: Counts) -> list[Tenth]:
    """What the counts say.

    >>> found = tenths_of(np.array([[100.0, 6.0, 50.0, 1.0, 3.0]]))[0]
    >>> round(found.uplift, 4), round(found.error, 4), found.predicted
    (0.04, 0.0309, 0.02)
    """
    found = []
    for place, (sent, starts, withheld, without, predicted) in enumerate(counts.tolist(), 1):
        rate, base = starts / max(sent, 1.0), without / max(withheld, 1.0)
        error = (rate * (1.0 - rate) / max(sent, 1.0) + base * (1.0 - base) / max(withheld, 1.0)) ** 0.5
        mean = predicted / max(sent + withheld, 1.0)
        found.append(Tenth(place, int(sent), int(withheld), mean, rate, base, rate - base, error))
    return found
