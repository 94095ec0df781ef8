"""Job seekers: hidden tastes over kinds of work that drift, and interact with shifts, pay, distance and licences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats, Ints, rng_of
from simulation.job_catalogue import TRAITS
from simulation.occupations import (
    FAMILIES,
    FAMILY_OF,
    KINDS,
    OCCUPATION_OF,
    OCCUPATIONS,
    SETTING_OF,
    SETTINGS_PER_FAMILY,
)
from simulation.people import MISLED, SPARSE, Bools, People

_NEAR_FAMILY = np.array([1, 0, 6, 4, 3, 2, 8, 6, 6, 3, 1, 3])
"""The family people also look at, by family."""


@dataclass(frozen=True)
class Seekers:
    """Columns over people. Tastes are logits per kind of work, `before` and `after` the switch, turning to `later`."""

    before: Floats
    after: Floats
    later: Floats
    drift_per_day: Floats
    """Radians a day by which taste turns towards `later`."""
    traits_before: Floats
    traits_after: Floats
    interaction: Floats
    """Of night and part-time work together, and of remote and senior work; shape (users, 2)."""
    commute_km: Floats
    remote: Floats
    floor: Floats
    """Yearly pay below which a job is out of the question, in local currency."""
    pay_weight: Floats
    licensed: Bools
    """Shape (users, occupations)."""
    occupation: Ints
    """What they want from the switch on."""
    old_occupation: Ints
    wants_change_said: Bools
    searches: Ints
    """Number of saved searches, 0 to 2."""


def draw_seekers(seed: int, people: People) -> Seekers:
    """Everybody's tastes; parameters of the population (how sharp, how fast they drift) are drawn per seed too."""
    rng = rng_of(seed, 31)
    users = len(people.ids)
    sharp = rng.uniform(0.9, 1.15)
    popular = rng.dirichlet(np.full(len(OCCUPATIONS), 3.0))
    now = rng.choice(len(OCCUPATIONS), users, p=popular)
    old = now.copy()
    misled = people.cohort == MISLED
    old[misled] = (now[misled] + rng.integers(4, len(OCCUPATIONS) - 4, int(misled.sum()))) % len(OCCUPATIONS)
    embedding = rng.standard_normal((6, KINDS)) * 0.25
    person = rng.standard_normal((users, 6))
    setting = rng.integers(0, SETTINGS_PER_FAMILY, users)
    after = _taste(now, setting, person @ embedding, sharp)
    before = np.where(misled[:, None], _taste(old, setting, person @ embedding, sharp), after)
    side = (now // 4) * 4 + (now + 1 + rng.integers(0, 3, users)) % 4
    later = _taste(side, (setting + 1) % SETTINGS_PER_FAMILY, rng.standard_normal((users, 6)) @ embedding, sharp)

    traits = rng.standard_normal((users, len(TRAITS))) * np.array([1.1, 0.7, 0.9, 0.9, 0.7, 0.5])
    traits[:, 0] = np.where(people.rhythms.segment == 3, np.abs(traits[:, 0]) + 0.6, traits[:, 0] - 0.6)
    returning = people.cohort == SPARSE
    traits_after = traits.copy()
    traits_after[returning] = traits[returning] * 0.3 + np.array([-1.6, -0.9, 2.0, -0.4, 0.3, 0.0])
    base = np.array([o.pay_k for o in OCCUPATIONS])[now] * 1000.0
    licensed = rng.random((users, len(OCCUPATIONS))) < 0.06
    licensed[np.arange(users), now] = rng.random(users) < 0.93
    licensed[np.arange(users), old] = True
    licensed |= ~np.array([o.licence for o in OCCUPATIONS])[None, :]
    commute = rng.gamma(4.0, 6.0, users) + 5.0
    return Seekers(
        before=before,
        after=after,
        later=later,
        drift_per_day=rng.gamma(1.2, 0.006, users),
        traits_before=traits,
        traits_after=traits_after,
        interaction=rng.standard_normal((users, 2)) * 1.0,
        commute_km=np.where(returning, 0.6 * commute, commute),
        remote=rng.normal(0.4, 0.9, users),
        floor=np.round(base * rng.uniform(0.72, 0.98, users), -3),
        pay_weight=rng.gamma(2.0, 0.9, users),
        licensed=licensed,
        occupation=now.astype(np.int64),
        old_occupation=old.astype(np.int64),
        wants_change_said=rng.random(users) < 0.6,
        searches=rng.choice(3, users, p=(0.25, 0.55, 0.2)),
    )


def _taste(occupation: Ints, setting: Ints, own: Floats, sharp: float) -> Floats:
    """Logits over kinds: own occupation, then its family, a neighbouring one, a setting that is liked, and whims."""
    family = occupation // 4
    assert len(FAMILIES) == len(_NEAR_FAMILY)
    out: Floats = sharp * (
        2.6 * (OCCUPATION_OF[None, :] == occupation[:, None])
        + 1.3 * (FAMILY_OF[None, :] == family[:, None])
        + 0.7 * (FAMILY_OF[None, :] == _NEAR_FAMILY[family][:, None])
        + 0.9 * ((SETTING_OF[None, :] == setting[:, None]) & (FAMILY_OF[None, :] == family[:, None]))
        + own
    )
    return out
