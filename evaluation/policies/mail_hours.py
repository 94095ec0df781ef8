"""Other ways to value the hours of a mail: parts of the learned way left out, and controls that are known to fail.

An open-hour histogram learns the schedule it was sent on; Thompson sampling of every hour of every person by itself has
too few mails to learn from (docs/sending.md).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from evaluation.policies.audience import Audience
from processors.hour_estimate import hour_estimate
from processors.hour_tables import HoursView
from processors.randomness import Randomness
from processors.send_decision import Candidates, HourModel, Known, omega_of
from processors.week import FOLD, Doubles

TEN: Final = 10


def _at_ten(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
    return np.array([0.0 if hour.slot % 24 == TEN else -9.0 for hour in candidates.hours])


def _of_the_segment(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
    values: Doubles = np.log(view.lift(known.segment)[candidates.slots])
    return values


def _without_activity(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
    shape = msgspec.structs.replace(view.shape(known.segment), beta=0.0)
    theta = hour_estimate(known.successes, known.exposure, omega_of(known, view, shape), shape)
    slots = candidates.slots
    values: Doubles = np.log(view.lift(known.segment)[slots]) + np.log(theta[FOLD[slots]])
    return values


FIXED: Final = HourModel(_at_ten, 0.0)
SEGMENT_ONLY: Final = HourModel(_of_the_segment)
NO_ACTIVITY: Final = HourModel(_without_activity)


def open_histogram(audience: Audience) -> HourModel:
    """The hour at which the person has opened most mails, machines and all; ten while there is none."""

    def values(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
        person = audience.people.get(known.user_id)
        opened = person.opened_hours if person is not None else [0] * 24
        return np.array([float(opened[h.slot % 24]) + 0.5 * (h.slot % 24 == TEN) for h in candidates.hours])

    return HourModel(values)


def independent_thompson(audience: Audience) -> HourModel:
    """A draw from Beta(1 + opened, 1 + unopened) for each hour of the person, by itself."""

    def values(known: Known, view: HoursView, candidates: Candidates) -> Doubles:
        person = audience.people.get(known.user_id)
        rng = Randomness(f"thompson/{known.user_id}/{candidates.hours[0].at_ms}").generator
        drawn = []
        for hour in candidates.hours:
            sent, opened = (0, 0) if person is None else person.answered_by_hour.get(hour.slot % 24, (0, 0))
            drawn.append(float(rng.beta(1 + opened, 1 + max(0, sent - opened))))
        return np.log(np.array(drawn) + 1e-6)

    return HourModel(values, 0.0)
