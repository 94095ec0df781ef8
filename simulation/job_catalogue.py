"""The jobs of a seeded market, past and future, in columns: each knows when it is posted and when it is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulation.draws import Floats, Ints, rng_of
from simulation.employers import Employers, draw_employers
from simulation.local_time import DAY_MS, START_MS
from simulation.occupations import FAMILIES, FAMILY_OF, KINDS, OCCUPATION_OF, OCCUPATIONS, setting_name
from simulation.towns import TOWNS
from simulation.world import Record

TRAITS = ("night", "weekend", "part_time", "senior", "entry_level", "people")
_TRAIT_SHARE = (0.16, 0.14, 0.3, 0.16, 0.2, 0.4)
_TRAIT_TEXT = (
    "You work the night shift from ten to six.",
    "Weekend shifts are part of the plan.",
    "Part-time hours, twenty to twenty-five a week.",
    "You bring five years of experience and lead others.",
    "No experience needed: we train you.",
    "You deal with people all day and like it.",
)
_REMOTE_FAMILIES = ("software", "finance", "office")
_TOWN_WEIGHTS = np.array([0.4, 0.18, 0.15, 0.15, 0.12])
_LIFE_DAYS = (9.0, 45.0)
_REPOST_SHARE = 0.06
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class JobCatalogue:
    """Columns over jobs, sorted by `posted_ms`; pay is yearly, in the currency of the town."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    kind: Ints
    town: Ints
    remote: Bools
    traits: Floats
    pay_min: Floats
    pay_max: Floats
    licence: Bools
    employer: Ints
    employers: Employers
    appeal: Floats
    """Of the employer and the advertisement, standard normal: what makes some jobs popular with everybody."""
    posted_ms: Ints
    gone_ms: Ints
    index: dict[str, int] = field(repr=False)

    @property
    def large(self) -> Bools:
        """Whether the employer is a large one."""
        out: Bools = self.employers.large[self.employer]
        return out

    def standing_still(self, live: int) -> JobCatalogue:
        """`live` jobs of these, posted before the start and open for ever."""
        count = min(live, int((self.posted_ms < START_MS).sum()))
        last = int((self.posted_ms < START_MS).sum())
        rows = slice(last - count, last)
        ids = self.ids[rows]
        return JobCatalogue(
            ids=ids,
            titles=self.titles[rows],
            kind=self.kind[rows],
            town=self.town[rows],
            remote=self.remote[rows],
            traits=self.traits[rows],
            pay_min=self.pay_min[rows],
            pay_max=self.pay_max[rows],
            licence=self.licence[rows],
            employer=self.employer[rows],
            employers=self.employers,
            appeal=self.appeal[rows],
            posted_ms=self.posted_ms[rows],
            gone_ms=np.full(count, START_MS + 36_500 * DAY_MS, dtype=np.int64),
            index={name: i for i, name in enumerate(ids)},
        )

    def record(self, i: int) -> Record:
        """The `items` record of job `i`."""
        kind, town = int(self.kind[i]), TOWNS[int(self.town[i])]
        family = FAMILIES[int(FAMILY_OF[kind])]
        occupation = OCCUPATIONS[int(OCCUPATION_OF[kind])]
        tags = [name for name, on in zip(TRAITS, self.traits[i], strict=True) if on]
        sentences = [text for text, on in zip(_TRAIT_TEXT, self.traits[i], strict=True) if on]
        where = "from home" if self.remote[i] else f"in {town.name}"
        text = f"{occupation.name} {where}, {setting_name(kind)}: {', '.join(family.words)}. {' '.join(sentences)}"
        if self.licence[i]:
            text += " A valid licence is required."
        value: dict[str, Any] = {
            "item_id": self.ids[i],
            "kind": "job",
            "title": self.titles[i],
            "text": text,
            "brand": self.employers.names[int(self.employer[i])],
            "categories": [family.name, occupation.name],
            "tags": tags,
            "location": town.location(),
            "remote": bool(self.remote[i]),
            "salary": {
                "min": float(self.pay_min[i]),
                "max": float(self.pay_max[i]),
                "currency": town.currency,
                "period": "year",
            },
            "posted_ms": int(self.posted_ms[i]),
            "expires_ms": int(self.gone_ms[i]),
            "available": True,
            "url": f"https://jobs.example/{self.ids[i]}",
            "attributes": {"licence": "required" if self.licence[i] else "none"},
        }
        return {"topic": "items", "key": self.ids[i], "value": value}


def draw_jobs(seed: int, live: int, first_day: int, last_day: int, metros: int) -> JobCatalogue:
    """Jobs posted so that about `live` are open on any day of [`first_day`, `last_day`] (days since the start)."""
    rng = rng_of(seed, 11)
    begin = first_day - int(_LIFE_DAYS[1])
    count = int(live * (last_day - begin) / (sum(_LIFE_DAYS) / 2))
    employers = draw_employers(rng, max(30, count // 14), len(FAMILIES), metros)
    posted = np.sort(rng.uniform(begin, last_day, count))
    life = rng.uniform(*_LIFE_DAYS, count)
    employer = _employ(rng, employers, count)
    family_draw = np.where(rng.random(count) < 0.75, employers.family[employer], rng.integers(0, len(FAMILIES), count))
    kind = family_draw * (KINDS // len(FAMILIES)) + rng.integers(0, KINDS // len(FAMILIES), count)
    metro = np.where(employers.metro[employer] < 0, rng.integers(0, metros, count), employers.metro[employer])
    town = metro * 5 + rng.choice(5, count, p=_TOWN_WEIGHTS)
    traits = (rng.random((count, len(TRAITS))) < _TRAIT_SHARE).astype(np.float64)
    traits[:, 4] *= 1.0 - traits[:, 3]
    may_remote = np.isin(FAMILY_OF[kind], [n for n, f in enumerate(FAMILIES) if f.name in _REMOTE_FAMILIES])
    remote = may_remote & (rng.random(count) < 0.35)
    appeal = 0.7 * rng.standard_normal(len(employers.names))[employer] + 0.7 * rng.standard_normal(count)

    again = np.flatnonzero(rng.random(count) < _REPOST_SHARE)
    again = again[again > 20]
    of = (again - rng.integers(1, 21, len(again))).astype(np.int64)
    for column in (employer, kind, town, traits, remote):
        column[again] = column[of]

    base = np.array([o.pay_k for o in OCCUPATIONS])[OCCUPATION_OF[kind]]
    pay = base * np.exp(
        0.14 * rng.standard_normal(count) + 0.18 * traits[:, 3] - 0.1 * traits[:, 4] + 0.06 * traits[:, 0]
    )
    licence = np.array([o.licence for o in OCCUPATIONS])[OCCUPATION_OF[kind]]
    form = rng.integers(0, 3, count)
    form[again] = form[of]
    titles = tuple(_title(int(kind[i]), traits[i], bool(remote[i]), int(form[i])) for i in range(count))
    ids = tuple(f"j{i:06d}" for i in range(count))
    return JobCatalogue(
        ids=ids,
        titles=titles,
        kind=kind.astype(np.int64),
        town=town.astype(np.int64),
        remote=remote,
        traits=traits,
        pay_min=np.round(pay * 0.92) * 1000.0,
        pay_max=np.round(pay * 1.1) * 1000.0,
        licence=licence,
        employer=employer,
        employers=employers,
        appeal=appeal,
        posted_ms=(START_MS + posted * DAY_MS).astype(np.int64),
        gone_ms=(START_MS + (posted + life) * DAY_MS).astype(np.int64),
        index={name: i for i, name in enumerate(ids)},
    )


def _employ(rng: np.random.Generator, employers: Employers, count: int) -> Ints:
    """Large employers post about half of all jobs."""
    big, small = np.flatnonzero(employers.large), np.flatnonzero(~employers.large)
    out = np.where(rng.random(count) < 0.5, rng.choice(big, count), rng.choice(small, count))
    return out.astype(np.int64)


def _title(kind: int, traits: Floats, remote: bool, form: int) -> str:
    """A title as people write them, with the words that carry what it is.

    >>> _title(0, np.array([1.0, 0, 0, 0, 0, 0]), False, 0)
    'Night-shift Registered Nurse, ICU'
    """
    name, setting = OCCUPATIONS[int(OCCUPATION_OF[kind])].name, setting_name(kind)
    night, weekend, part_time, senior, entry = (bool(t) for t in traits[:5])
    lead = "Senior " if senior else "Entry-level " if entry else ""
    shift = "Night-shift " if night else "Weekend " if weekend else ""
    tail = " (Part-time)" if part_time else ""
    home = " - Remote" if remote else ""
    if form == 0:
        return f"{shift}{lead}{name}, {setting}{tail}{home}"
    if form == 1:
        return f"{lead}{setting} {name}{' - Nights' if night else ' - Weekends' if weekend else ''}{tail}{home}"
    return f"{'Part-time ' if part_time else ''}{shift}{lead}{name} - {setting}{home}"
