"""The job market: openings come and go; people search in episodes, commute, apply, and are sometimes hired."""

from __future__ import annotations

import math

import numpy as np

from simulation.draws import Floats, Ints, Luck
from simulation.job_catalogue import draw_jobs
from simulation.local_time import DAY_MS, START_MS, day_of
from simulation.mailbox import MailedMarket
from simulation.occupations import FAMILIES, FAMILY_OF, OCCUPATION_OF, OCCUPATIONS, setting_name
from simulation.people import DORMANT, HISTORY_DAYS, MISLED, NEWCOMER, REGULAR, SPARSE, draw_people
from simulation.rhythm import SEGMENTS
from simulation.seekers import draw_seekers
from simulation.towns import METRO_OF, METROS, TOWNS, distances_km
from simulation.variants import variant_named
from simulation.world import Record

SAVE, START, FINISH, HIRE, UNDO = range(5)
_MIDDLE = 2.3
_FLAT_FIT = 0.3


class JobsWorld(MailedMarket):
    """``make_world("jobs:VARIANT", ...)``. `live_jobs` openings at a time (default: 0.6 per person, at least 300).

    `still`: openings never expire or arrive, interest never ends: for a live feed without end.
    """

    gap_median_s = 82.0
    back_in_session = 0.32
    again_share = 0.53

    def __init__(
        self, seed: int, users: int, days: int, variant: str = "base", live_jobs: int | None = None, still: bool = False
    ) -> None:
        chosen = variant_named(variant)
        metros = max(2, min(METROS, users // 100))
        live = live_jobs if live_jobs is not None else max(300, int(0.6 * users))
        people = draw_people(seed, users, days, metros, chosen, still)
        self.jobs = draw_jobs(seed, live, -HISTORY_DAYS, days + 1, metros)
        if still:
            self.jobs = self.jobs.standing_still(live)
        self.seekers = draw_seekers(seed, people)
        self._distance_km = distances_km()
        self._appeal, self._log_pay = 0.25 * self.jobs.appeal, np.log(self.jobs.pay_max)
        self._reach: dict[tuple[int, int], Ints] = {}
        self._tastes: dict[int, tuple[int, Floats]] = {}
        self._hired: set[int] = set()
        cohorts = {
            "regular": people.cohort == REGULAR,
            "newcomer": people.cohort == NEWCOMER,
            "dormant": people.cohort == DORMANT,
            "returning_caregiver": people.cohort == SPARSE,
            "career_changer": people.cohort == MISLED,
            "traveller": people.traveller,
            "machine_opens": people.machine,
        }
        large = self.jobs.large
        super().__init__(
            seed, days, chosen, people, self.jobs, (cohorts, {"small_employer": ~large, "large_employer": large})
        )
        self.open_mailboxes()

    def within_reach(self, p: int, ts_ms: int) -> Ints:
        """Openings of the metropolitan area, and remote ones of its country."""
        metro, day = int(METRO_OF[self.people.town[p]]), day_of(ts_ms)
        rows = self._reach.get((metro, day))
        if rows is None:
            if len(self._reach) > 200:
                self._reach.clear()
            jobs = self.jobs
            begin = START_MS + day * DAY_MS
            country = TOWNS[metro * 5].country
            same_country = np.array([t.country == country for t in TOWNS])
            near = (METRO_OF[jobs.town] == metro) | (jobs.remote & same_country[jobs.town])
            rows = np.flatnonzero(near & (jobs.posted_ms < begin + DAY_MS) & (jobs.gone_ms > begin))
            self._reach[metro, day] = rows
        live: Ints = rows[(self.jobs.posted_ms[rows] <= ts_ms) & (self.jobs.gone_ms[rows] > ts_ms)]
        return live

    def fit(self, p: int, rows: Ints, ts_ms: int) -> Floats:
        """Logistic in taste, shifts and their interactions, distance over commute, pay over floor, licence."""
        if not self.variant.taste:
            return np.full(rows.size, _FLAT_FIT)
        jobs, seekers = self.jobs, self.seekers
        z = self._taste(p, ts_ms)[jobs.kind[rows]] + self._appeal[rows]
        traits = jobs.traits[rows]
        after = ts_ms >= START_MS + self.people.switch_day[p] * DAY_MS
        z = z + traits @ (seekers.traits_after[p] if after else seekers.traits_before[p])
        home = jobs.remote[rows]
        z += seekers.interaction[p, 0] * traits[:, 0] * traits[:, 2] + seekers.interaction[p, 1] * home * traits[:, 3]
        far = -0.9 * np.minimum(self._distance_km[self.people.town[p]] / seekers.commute_km[p], 4.0) ** 1.3
        z += np.where(home, seekers.remote[p], far[jobs.town[rows]])
        over = self._log_pay[rows] - math.log(seekers.floor[p])
        z += np.minimum(seekers.pay_weight[p] * over, 0.8) - 1.5 * (over < 0.0)
        out: Floats = 1.0 / (1.0 + np.exp(-1.2 * (z - _MIDDLE)))
        return out

    def _taste(self, p: int, ts_ms: int) -> Floats:
        """Logits over kinds in the week of `ts_ms`: taste turns slowly towards what they will want later; licences."""
        week = day_of(ts_ms) // 7
        known = self._tastes.get(p)
        switch = self.people.switch_day[p]
        after = ts_ms >= START_MS + switch * DAY_MS
        stamp = week * 2 + int(after)
        if known is not None and known[0] == stamp:
            return known[1]
        s = self.seekers
        angle = min(1.4, float(s.drift_per_day[p]) * (week * 7 + HISTORY_DAYS))
        taste: Floats = np.cos(angle) * (s.after[p] if after else s.before[p]) + np.sin(angle) * s.later[p]
        taste = taste - 3.0 * ~s.licensed[p, OCCUPATION_OF]
        self._tastes[p] = (stamp, taste)
        return taste

    def appeal(self, rows: Ints, ts_ms: int) -> Floats:
        """Employers people know, and what is new: half-life of two weeks."""
        age_days = (ts_ms - self.jobs.posted_ms[rows]) / DAY_MS
        out: Floats = 0.6 * self.jobs.appeal[rows] + 0.5 * np.exp2(-np.maximum(age_days, 0.0) / 14.0)
        return out

    def query(self, i: int, luck: Luck) -> str:
        """Occupation, sometimes the setting or the town."""
        kind, form = int(self.jobs.kind[i]), luck.below(4)
        name = OCCUPATIONS[int(OCCUPATION_OF[kind])].name.lower()
        if form == 1:
            return f"{name} {setting_name(kind).lower()}"
        if form == 2:
            return f"{name} {TOWNS[int(self.jobs.town[i])].name.lower()}"
        if form == 3:
            return f"{FAMILIES[int(FAMILY_OF[kind])].name} jobs"
        return name

    def after_view(
        self, p: int, i: int, fit: float, ts_ms: int, origin: Record | None, session: str, own: bool
    ) -> None:
        """Save, start an application, complete it (long forms cost the impatient), be hired."""
        user, job = self.people.ids[p], self.jobs.ids[i]
        shared: Record = {"user_id": user, "item_id": job, "session_id": session}
        if origin is not None:
            shared["origin"] = origin
        need = self.need(p, ts_ms) * (0.2 if p in self._hired else 1.0)
        stem = f"{p}-{i}"
        if self.choice(p, i, SAVE) < 0.22 * fit and (p, -i - 1) not in self.applied:
            self.applied.add((p, -i - 1))
            self.timeline.record(ts_ms + 20_000, "saves", user, {"event_id": f"k{stem}", "kind": "save", **shared})
            if self.choice(p, i, UNDO) < 0.06:
                self.timeline.record(
                    ts_ms + 90_000, "saves", user, {"event_id": f"x{stem}", "kind": "save", "undo": True, **shared}
                )
        if (p, i) in self.applied or self.choice(p, i, START) >= 0.34 * fit * need:
            return
        self.applied.add((p, i))
        started = ts_ms + 45_000
        self.timeline.record(
            started,
            "applies",
            user,
            {"event_id": f"t{stem}", "stage": "start", **shared},
            lambda: self.ledger_if_open("apply_starts", p, i),
        )
        if self.choice(p, i, FINISH) >= 0.3 + 0.6 * float(self.people.patience[p]):
            return

        def complete() -> None:
            now = self.timeline.now_ms
            if now >= self.start_ms:
                self.ledger.applied(p, i, now, fit)
            if self.choice(p, i, HIRE) < 0.05 * fit:
                self._hired.add(p)

        self.timeline.record(
            started + 240_000, "applies", user, {"event_id": f"a{stem}", "stage": "complete", **shared}, complete
        )

    def dismissal_reason(self, p: int, i: int) -> str:
        """The worst thing about it."""
        if (
            self._distance_km[self.people.town[p], self.jobs.town[i]] > self.seekers.commute_km[p]
            and not self.jobs.remote[i]
        ):
            return "place"
        return "pay" if self.jobs.pay_max[i] < self.seekers.floor[p] else "other"

    def after_start(self) -> None:
        """Most career changers say what they want now; their saved searches stay as they were."""
        for p in np.flatnonzero((self.people.cohort == MISLED) & self.seekers.wants_change_said):
            when = max(self.start_ms, START_MS + int(self.people.switch_day[p] * DAY_MS)) + 3_600_000 * (
                int(p) % 20 + 1
            )
            wanted = OCCUPATIONS[int(self.seekers.occupation[p])].name
            value = {
                "event_id": f"w{p}",
                "user_id": self.people.ids[int(p)],
                "titles": [wanted],
                "min_salary": float(self.seekers.floor[p]),
            }
            self.timeline.record(when, "preferences", self.people.ids[int(p)], value)

    def user_record(self, p: int, ts_ms: int) -> Record:
        """What the site was told: zone missing for a tenth, saved searches by the taste people had when they came."""
        town, said = TOWNS[int(self.people.town[p])], self.seekers
        name = OCCUPATIONS[int(said.old_occupation[p])].name
        filters = {
            "city": town.name,
            "region": town.region,
            "country": town.country,
            "radius_km": round(float(said.commute_km[p])),
        }
        family = FAMILIES[int(said.old_occupation[p]) // 4].name
        queries = [name.lower(), f"{family} jobs"][: int(said.searches[p])]
        value: Record = {
            "user_id": self.people.ids[p],
            "ts_ms": ts_ms,
            "locale": {"US": "en-US", "GB": "en-GB", "IE": "en-IE"}.get(town.country, f"en-{town.country}"),
            "location": town.location(),
            "segment": SEGMENTS[int(self.people.rhythms.segment[p])],
            "email_opt_in": bool(self.people.opt_in[p]),
            "frequency": "daily",
            "preferences": {
                "titles": [name],
                "places": [town.name],
                "min_salary": float(said.floor[p]),
                "remote": bool(said.remote[p] > 0.9),
            },
            "alerts": [{"alert_id": f"al{p}-{n}", "query": q, "filters": filters} for n, q in enumerate(queries)],
        }
        if self.people.tz_known[p]:
            value["tz"] = town.tz
        return {"topic": "users", "key": self.people.ids[p], "value": value}
