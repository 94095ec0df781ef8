"""When to write to one person: the hours that are allowed, what each is worth, and one of them drawn.

What is not allowed is left out before anything is drawn. The decision tells its alternatives and all propensities.
"""

from collections.abc import Callable
from functools import lru_cache
from math import expm1, log
from typing import Final

import numpy as np
from msgspec import Struct

from processors.consent import day_starts_ms, may_go_from_ms
from processors.hour_estimate import Shape, activity_prior, hour_estimate
from processors.hour_tables import HoursView
from processors.mail_credit import credited
from processors.mail_rules import MailRules
from processors.profile import Profile
from processors.send_policy import EXPLORED, WAIT_COST_PER_H, draw, propensities
from processors.sending import Plan, Sending
from processors.site_hours import active_hours
from processors.week import DAY_MS, FOLD, HOUR_MS, Doubles, Indexes, moved
from processors.zones import (
    Hour,
    Zone,
    local_day,
    local_hours,
    offset_ms,
    zone_by_activity,
    zone_by_longitude,
    zone_named,
)
from schemas.decisions import SendAlternative, SendTime, Window

HORIZON_D: Final = 3
"""Days beyond the first allowed moment in which an allowed hour is looked for."""
PERSONAL_PSEUDO_SENDS: Final = 8.0
"""Sends at the usual rate with which a person's own rate starts."""
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WHY_ZONE: Final = {
    "told": "",
    "place": ", zone inferred from the place",
    "activity": ", zone inferred from the hours on the site",
    "default": ", no zone known",
}


class Known(Struct):
    """All that a decision reads of a person, computed once."""

    user_id: str
    zone: Zone
    segment: str
    successes: Doubles
    exposure: Doubles
    activity: Doubles
    rate: float
    """The reward that a mail at a usual hour is expected to earn."""
    omega: Doubles | None = None
    """What `omega_of` has found."""


def zone_of(profile: Profile, state: Sending, activity: Doubles, view: HoursView) -> Zone:
    """The zone told, else that of the longitude, else the one that hours on the site suggest, else UTC."""
    told = profile.said("tz")
    if isinstance(told, str) and zone_named(told) is not None:
        return Zone(told, "told")
    location = profile.said("location")
    lon = location.get("lon") if isinstance(location, dict) else None
    if isinstance(lon, int | float):
        return Zone(zone_by_longitude(lon), "place")
    inferred = zone_by_activity(activity, view.population)
    return Zone("UTC", "default") if inferred is None else Zone(inferred, "activity")


def known_of(
    profile: Profile, state: Sending, user_id: str, view: HoursView, now_ms: int, before_ms: int | None = None
) -> Known:
    """What is known at `now_ms`, or was known before `before_ms`."""
    as_of_ms = now_ms if before_ms is None else before_ms
    activity = active_hours(profile, state, as_of_ms)
    zone = zone_of(profile, state, activity, view)
    successes, exposure, sends = credited(state, as_of_ms, before_ms)
    if zone.why != "told":
        local = moved(offset_ms(zone.name, as_of_ms) // HOUR_MS)
        activity, successes, exposure = activity[local], successes[local], exposure[local]
    base = view.base_rate
    won = float(np.add.reduce(successes))
    rate = base * (won + PERSONAL_PSEUDO_SENDS * base) / ((sends + PERSONAL_PSEUDO_SENDS) * base)
    segment = profile.said("segment")
    return Known(user_id, zone, segment if isinstance(segment, str) else "", successes, exposure, activity, rate)


def decide(
    profile: Profile,
    state: Sending,
    known: Known,
    view: HoursView,
    rules: MailRules,
    now_ms: int,
    decision_id: str,
    unit: float,
    day: int,
    hour_model: "HourModel",
) -> SendTime:
    """The next mail's time, from `now_ms` on; `unit` in [0, 1) is the luck of the draw.

    `day` is the first day of the person's calendar that may be chosen.

    Without an allowed hour within days, a suppression: `cap` or `quiet_hours`.
    """
    from_ms, held_by = may_go_from_ms(profile, state, rules, known.zone.name, now_ms)
    from_ms = max(from_ms, day_starts_ms(known.zone.name, day)) if day else from_ms
    candidates = allowed_hours(known.zone.name, from_ms, rules)
    hours = candidates.hours
    if not hours:
        return SendTime(
            decision_id, known.user_id, now_ms, None, known.zone.name,
            f"no hour is allowed within {HORIZON_D} days", suppressed="quiet_hours",
        )  # fmt: skip
    if known.zone.why == "default":
        values = np.where(candidates.slots % 24 == rules.fallback_hour, 0.0, -1.0)
    else:
        values = hour_model.values(known, view, candidates)
    found = propensities(values - candidates.wait_costs, hour_model.explored)
    place = draw(found, unit)
    chances = found.tolist()
    usual = values[candidates.fallback] if candidates.fallback >= 0 else values.mean()
    lift = expm1(float(values[place] - usual))
    hour = hours[place]
    window = Window(hours[0].at_ms, hours[-1].at_ms + HOUR_MS)
    others = list(map(SendAlternative, *candidates.columns, chances))
    del others[place]
    return SendTime(
        decision_id=decision_id,
        user_id=known.user_id,
        ts_ms=now_ms,
        send_at_ms=hour.at_ms,
        tz=known.zone.name,
        reason=_reason(known, view, rules, hour, lift, held_by),
        slot=hour.slot,
        propensity=chances[place],
        window=window,
        alternatives=tuple(others),
        expected_lift=lift,
    )


class HourModel(Struct, frozen=True):
    """How the allowed hours are valued, in log reward; and the share of sends that go at any of them."""

    values: Callable[[Known, HoursView, "Candidates"], Doubles]
    explored: float = EXPLORED


def hour_values(known: Known, view: HoursView, slots: Indexes) -> Doubles:
    """The logarithms of L and theta at slots of the week, added."""
    shape = view.shape(known.segment)
    theta = hour_estimate(known.successes, known.exposure, omega_of(known, view, shape), shape)
    values: Doubles = np.log(view.lift(known.segment)[slots] * theta[FOLD[slots]])
    return values


def omega_of(known: Known, view: HoursView, shape: Shape) -> Doubles:
    """What their activity says, by slot of the fold: computed once for a decision."""
    if known.omega is None:
        known.omega = activity_prior(known.activity, view.usual_hours(shape), shape.activity)
    return known.omega


LEARNED: Final = HourModel(lambda known, view, candidates: hour_values(known, view, candidates.slots))


def plan_of(decision: SendTime) -> Plan:
    """What the profile keeps of a decision that is no suppression."""
    assert decision.send_at_ms is not None
    assert decision.slot is not None
    return Plan(decision.send_at_ms, decision.slot, decision.tz)


class Candidates(Struct, frozen=True):
    """The hours that a mail may go in, the earliest first, and what is the same for everybody of a zone."""

    hours: tuple[Hour, ...]
    slots: Indexes
    wait_costs: Doubles
    """In log reward."""
    columns: tuple[tuple[int, ...], tuple[int, ...]]
    """When each of the hours begins (ms, UTC), and their slots of the week."""
    fallback: int
    """Place of the fallback hour, -1 where it is none of them."""


def allowed_hours(zone: str, from_ms: int, rules: MailRules) -> Candidates:
    """The hours within the deadline; where none of them is allowed, those of the first day that has any."""
    return _candidates(zone, from_ms, rules.clocks, rules.holiday_days, rules.deadline_h, rules.fallback_hour)


@lru_cache(maxsize=4096)
def _candidates(
    zone: str, from_ms: int, clocks: tuple[int, ...], holidays: frozenset[int], deadline_h: int, fallback_hour: int
) -> Candidates:
    """Most people of a zone wait from the same midnight on."""
    hours = _first_allowed(zone, from_ms, clocks, holidays, deadline_h)
    of_day = [hour.slot % 24 for hour in hours]
    return Candidates(
        tuple(hours),
        np.array([hour.slot for hour in hours], np.intp),
        WAIT_COST_PER_H * np.array([(hour.at_ms - from_ms) / HOUR_MS for hour in hours]),
        (tuple(hour.at_ms for hour in hours), tuple(hour.slot for hour in hours)),
        of_day.index(fallback_hour) if fallback_hour in of_day else -1,
    )


def _first_allowed(
    zone: str, from_ms: int, clocks: tuple[int, ...], holidays: frozenset[int], deadline_h: int
) -> list[Hour]:
    for day in range(HORIZON_D):
        start_ms = from_ms + day * DAY_MS
        hours = local_hours(zone, start_ms, start_ms + max(DAY_MS, deadline_h * HOUR_MS))
        allowed = [hour for hour in hours if hour.slot % 24 in clocks]
        if holidays:
            allowed = [hour for hour in allowed if local_day(zone, hour.at_ms) not in holidays]
        within = [hour for hour in allowed if hour.at_ms < start_ms + deadline_h * HOUR_MS]
        if within or allowed:
            return within or allowed[:1]
    return []


def _reason(known: Known, view: HoursView, rules: MailRules, hour: Hour, lift: float, held_by: str) -> str:
    when = f"{WEEKDAYS[hour.slot // 24]} {hour.slot % 24:02d}:00 there{WHY_ZONE[known.zone.why]}"
    slot = int(FOLD[hour.slot])
    shape = view.shape(known.segment)
    omega = omega_of(known, view, shape).item(slot)
    answered = (shape.kappa + known.successes.item(slot)) / (shape.kappa + known.exposure.item(slot))
    parts = {
        f"as is usual for {known.segment or 'everybody'}": abs(log(view.lift(known.segment).item(hour.slot))),
        "when they come to the site": abs(shape.beta * log(omega)),
        "when they answered mails": abs(log(answered)),
    }
    told = max(parts, key=parts.__getitem__)
    why = told if parts[told] > 1e-3 else "nothing speaks for another hour yet"
    against = f", {lift:+.0%} against {rules.fallback_hour:02d}:00" if abs(lift) >= 0.005 else ""
    return f"{when}: {why}{against}" + (f"; not before, at most {held_by}" if held_by else "")
