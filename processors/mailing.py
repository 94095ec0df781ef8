"""The mail of one person: what events say about it, the next mail's hour, and the mail itself when its hour has come.

A *plan* stands from one mail to the next. It is made when there is none and somebody may be written to, and anew when
what it stands on changes: the zone, consent, or the hour that was missed. What is learned meanwhile changes the next
plan, not this one: each plan is one draw with one propensity. The profile keeps when the person is to be looked at
again (`due_ms`), so that nothing is lost with a process; all ids follow from events and times.
"""

from hashlib import blake2b
from typing import Final

from msgspec.structs import replace

from processors.campaigns import alert
from processors.campaigns.moment import Moment
from processors.consent import Refusal, Suppression, may_go_from_ms, refusal
from processors.effects import Arrival, Effect, Planned, Stale, Wake
from processors.mail_credit import WINDOW_MS, take_leave, take_response, take_send, take_start, take_visit
from processors.mail_labelling import taught
from processors.mail_or_not import mail_or_not
from processors.mail_rules import MailRules
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from processors.send_decision import decide, known_of, plan_of
from processors.sending import SENT, SILENCE, TAUGHT, Sending
from processors.site_hours import move_hours
from processors.ways import DEFAULT_WAYS, Ways
from processors.week import DAY_MS, HOUR_MS
from processors.zones import local_day, local_slot, offset_ms, zone_named
from schemas.behaviour import Apply, Click, ItemEvent, Open, Preference, Search, Send, Unsubscribe
from schemas.catalogue import User
from schemas.decisions import SendTime
from schemas.decode import Retired

CAMPAIGN: Final = "digest"
ALERT: Final = "alert"
STALE_MS: Final = 7 * DAY_MS
"""A due older than this on the clock in force mails nobody: else a replay of old data would mail everybody."""
LATE_MS: Final = HOUR_MS
"""On the wall clock a mail that missed its hour by more is planned anew."""
LOOK_AGAIN_MS: Final = DAY_MS
"""When a person for whom no hour was found is looked at again."""


def observe(profile: Profile, arrival: Arrival) -> None:
    """Take what an event says about mail, in place. Runs after the fold of the event."""
    event = arrival.event
    state = profile.sending
    match event:
        case ItemEvent():
            send_id = None if event.origin is None or event.origin.surface != "email" else event.origin.send_id
            if state is None and send_id is None:
                return  # hours on the site are read from the actions: nothing to keep yet
            state = _state(profile)
            state.seen_ms = max(state.seen_ms, event.ts_ms)
            if send_id is not None:
                take_visit(state, send_id, event.ts_ms)
            if isinstance(event, Apply):
                take_start(state, event.ts_ms)
        case Search() if state is not None:
            state.seen_ms = max(state.seen_ms, event.ts_ms)
        case Send():
            state = _state(profile)
            take_send(state, event, state.told_zone or "UTC", 0.0)
        case Open() | Click():
            state = _state(profile)
            if take_response(state, event):
                state.seen_ms = max(state.seen_ms, event.ts_ms)
        case Unsubscribe():
            state = _state(profile)
            state.left_ms = max(state.left_ms, event.ts_ms)
            take_leave(state, event.ts_ms)
        case User():
            _hear_zone(profile, _state(profile), arrival.appended_ms if event.ts_ms is None else event.ts_ms)
        case _:
            pass


def replan(
    profile: Profile,
    user_id: str,
    cause_id: str,
    event: object,
    now_ms: int,
    replica: Replica,
    ways: Ways = DEFAULT_WAYS,
) -> list[Effect]:
    """Bring the plan in line with what is known after an event; returns what is to be published, and the timer."""
    state = profile.sending
    if state is None or not profile.totals.get("users"):
        return []  # nobody without a row in `users` has an address
    plan = state.plan
    if plan is not None and not isinstance(event, User | Preference | Unsubscribe | Retired):
        return []
    if plan is None and state.due_ms is not None and not isinstance(event, User | Preference | Unsubscribe | Retired):
        return []
    rules = replica.pack.mail.of(CAMPAIGN)
    now_ms = max(now_ms, profile.last_event_ms)
    refused = _withdrawn(event) or refusal(profile, state, user_id, rules, now_ms)
    if refused is not None:
        return _refuse(profile, state, user_id, refused, cause_id, now_ms)
    if plan is not None and plan.tz == known_zone(profile, plan.tz) and not isinstance(event, Preference):
        return []
    return _plan(profile, state, user_id, cause_id, now_ms, replica, rules, ways)


def mail_due(
    profile: Profile,
    user_id: str,
    due_ms: int,
    clock_ms: int,
    is_wall: bool,
    replica: Replica,
    wake_id: str,
    ways: Ways = DEFAULT_WAYS,
) -> list[Effect]:
    """The person is to be looked at: teach what is settled, and mail, or say why not; then plan the next mail.

    `clock_ms` is the clock in force, `is_wall` whether it is the wall's. Nothing happens where the profile knows of no
    such due any more.
    """
    state = profile.sending
    if state is None or state.due_ms != due_ms:
        return []
    state.due_ms = None
    plan, rules = state.plan, replica.pack.mail.of(CAMPAIGN)
    state.plan = None
    late_ms = clock_ms - due_ms
    if late_ms > STALE_MS:
        return [Stale("mail")]
    now_ms = clock_ms if is_wall and late_ms > LATE_MS else due_ms
    effects: list[Effect] = list(taught(profile, state, user_id, now_ms, replica))
    refused = refusal(profile, state, user_id, rules, now_ms)
    if refused is not None:
        return [*effects, *_refuse(profile, state, user_id, refused, wake_id, now_ms)]
    first_day = 0
    if plan is not None and plan.send_at_ms == due_ms and now_ms == due_ms:
        first_day = local_day(plan.tz, now_ms) + 1
        effects += mail_or_not(profile, state, user_id, plan.slot, now_ms, replica, rules, wake_id, ways)
    return effects + _plan(profile, state, user_id, wake_id, now_ms, replica, rules, ways, first_day)


def mail_at_once(
    profile: Profile, user_id: str, item_id: str, now_ms: int, replica: Replica, ways: Ways = DEFAULT_WAYS
) -> list[Effect]:
    """Something new that the person asked to hear of at once: a mail now, or the reason why not now.

    Consent, caps and quiet hours hold. What may not go now comes with the next planned mail: it is new until then.
    """
    state, rules = profile.sending, replica.pack.mail.of(ALERT)
    if state is None or state.plan is None or profile.said("frequency") != "instant":
        return []
    if refusal(profile, state, user_id, rules, now_ms) is not None:
        return []  # told already, with the plan that there is none
    proposal = alert.propose(Moment(profile, state, user_id, now_ms, replica))
    if proposal is None or all(pick.item_id != item_id for pick in proposal.leads):
        return []
    zone = state.plan.tz
    cause_id = f"alert-{blake2b(f'{user_id}/{item_id}'.encode(), digest_size=16).hexdigest()}"
    slot = local_slot(zone, now_ms)
    from_ms, held_by = may_go_from_ms(profile, state, rules, zone, now_ms)
    is_holiday = local_day(zone, now_ms) in rules.holiday_days
    if from_ms > now_ms or is_holiday or not rules.allows(slot % 24):
        quiet = "a holiday there" if is_holiday else f"quiet hours ({slot % 24:02d}:00 there)"
        reason = f"not now: at most {held_by}" if from_ms > now_ms else f"not now: {quiet}"
        kind: Suppression = "cap" if from_ms > now_ms else "quiet_hours"
        return [Planned(SendTime(f"{cause_id}-not", user_id, now_ms, None, zone, reason, suppressed=kind))]
    first_day = local_day(zone, now_ms) + 1
    at_once = replace(ways, always=True)
    effects = mail_or_not(profile, state, user_id, slot, now_ms, replica, rules, cause_id, at_once)
    usual = replica.pack.mail.of(CAMPAIGN)
    return effects + _plan(profile, state, user_id, cause_id, now_ms, replica, usual, ways, first_day)


def known_zone(profile: Profile, otherwise: str) -> str:
    """The zone that was told, where it is one."""
    told = profile.said("tz")
    return told if isinstance(told, str) and zone_named(told) is not None else otherwise


def _state(profile: Profile) -> Sending:
    if profile.sending is None:
        profile.sending = Sending()
    return profile.sending


def _hear_zone(profile: Profile, state: Sending, ts_ms: int) -> None:
    told = known_zone(profile, "")
    if told and not state.told_zone:
        move_hours(state, round(offset_ms(told, ts_ms) / HOUR_MS))
    state.told_zone = told or state.told_zone


def _withdrawn(event: object) -> Refusal | None:
    if isinstance(event, Retired):
        return Refusal("unsubscribed", "their producer withdrew them")
    return None


def _refuse(
    profile: Profile, state: Sending, user_id: str, refused: Refusal, cause_id: str, now_ms: int
) -> list[Effect]:
    """No mail: said once, until it changes."""
    told = f"{refused.suppressed}: {refused.reason}"
    effects: list[Effect] = []
    if state.refused != told:
        zone = known_zone(profile, "UTC")
        effects.append(
            Planned(
                SendTime(
                    decision_id=f"{cause_id}-not", user_id=user_id, ts_ms=now_ms, send_at_ms=None, tz=zone,
                    reason=refused.reason, suppressed=refused.suppressed,
                )
            )
        )  # fmt: skip
    state.refused, state.plan = told, None
    open_ms = [
        mail.at_s * 1000 + WINDOW_MS
        for mail in state.mails
        if mail.flags & (SENT | SILENCE) and not mail.flags & TAUGHT
    ]
    again = [at_ms for at_ms in (refused.until_ms, *open_ms) if at_ms is not None and at_ms > now_ms]
    state.due_ms = min(again) if again else None
    if state.due_ms is not None:
        effects.append(Wake(state.due_ms, "mail"))
    return effects


def _plan(
    profile: Profile,
    state: Sending,
    user_id: str,
    cause_id: str,
    now_ms: int,
    replica: Replica,
    rules: MailRules,
    ways: Ways,
    day: int = 0,
) -> list[Effect]:
    view = replica.hours
    known = known_of(profile, state, user_id, view, now_ms)
    decision_id = f"{cause_id}-at"
    unit = Randomness(f"{decision_id}/{user_id}").random()
    decision = decide(profile, state, known, view, rules, now_ms, decision_id, unit, day, ways.hours)
    if decision.send_at_ms is None:
        state.plan, state.due_ms = None, now_ms + LOOK_AGAIN_MS
    else:
        state.plan, state.due_ms, state.refused = plan_of(decision), decision.send_at_ms, ""
    return [Planned(decision), Wake(state.due_ms, "mail")]
