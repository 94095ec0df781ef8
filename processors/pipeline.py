"""The way of one event: admit it, learn from it, fold it into the profile, decide whether a new list is due.

The heart of Attune. Workers, in-process evaluation, simulations and golden tests all drive these functions, so that
training and serving cannot drift apart. Pure: the same arguments give the same profile and the same effects.
"""

from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct

from processors.actions import UNSAVE, action_of, evidence, weights
from processors.arms import Arms
from processors.blend import names_of
from processors.campaigns.watched import watch
from processors.candidate_sample import candidate_sample
from processors.effects import Arrival, Effect, Learn, Recommend, Untaught, Wake
from processors.erasure import complete, erase
from processors.feedback import acted, remember, shown
from processors.fold import fold
from processors.identity import hash64
from processors.mailing import mail_due, observe, replan
from processors.profile import LAST_EVENT_IDS, Profile, Skimmed
from processors.queries import query_of
from processors.randomness import Randomness
from processors.recommend import decide
from processors.replica import Replica
from processors.teaching import may_teach
from processors.visits import GAP_MS, before, deed_of
from processors.ways import DEFAULT_WAYS, Ways
from schemas.behaviour import (
    Apply,
    Dismissal,
    Erasure,
    Event,
    Impression,
    ItemEvent,
    Preference,
    Save,
    Search,
    Send,
    Surface,
    View,
)
from schemas.decisions import Recommendation, Trigger
from schemas.decode import Retired
from schemas.learning import ENDLESS, Example, Feedback

SHOWING: Final = (Impression, Send)
"""Events that say which places of a list were seen."""
LIST_CHANGING: Final = (View, Save, Apply, Dismissal, Preference, Search)
"""Events that make a new list due."""

Admission = Literal["apply", "applied", "duplicate", "erased"]


class Rules(Struct, frozen=True):
    """What the settings say beside the pack."""

    surface: Surface = "site"
    erasure_key: str = ""
    erasure_complete_ms: int = 15 * 86_400_000
    teaches: bool = True
    """Whether steps teach the models; an evaluation may look without."""
    arms: Arms | None = None
    """The experiments that decisions belong to."""
    mails: bool = True
    """Whether mail is planned; an evaluation of lists does without."""
    ways: Ways = DEFAULT_WAYS


DEFAULT_RULES: Final = Rules()


def admit(profile: Profile, arrival: Arrival) -> Admission:
    """Whether a record is to be applied: `applied` was before a crash, `duplicate` repeats an event id of the last 64,
    `erased` happened before its person asked to be forgotten. Advances the profile's offsets, so it is asked once.
    """
    topic, event = arrival.topic, arrival.event
    if arrival.offset <= profile.applied.get(topic, -1):
        return "applied"
    profile.applied[topic] = arrival.offset
    if not isinstance(event, Event):
        return "apply"
    if profile.erased_ms is not None and event.ts_ms <= profile.erased_ms and not isinstance(event, Erasure):
        return "erased"
    hashed = hash64(f"{topic}/{event.event_id}")
    if hashed in profile.event_ids:
        return "duplicate"
    profile.event_ids.append(hashed)
    if len(profile.event_ids) > LAST_EVENT_IDS:
        del profile.event_ids[0]
    return "apply"


def step(
    profile: Profile, arrival: Arrival, now_ms: int, replica: Replica, rng: Randomness, rules: Rules = DEFAULT_RULES
) -> list[Effect]:
    """Apply one admitted record to the profile it is given, in place; what is to be done about it is returned.

    `now_ms` is the event's own time, so that old logs replay as they happened; `Learn` carries the features as they
    were before the event.
    """
    event, pack = arrival.event, replica.pack
    if isinstance(event, Erasure):
        return erase(profile, arrival, event, rules.erasure_key, rules.erasure_complete_ms)
    effects: list[Effect] = []
    item = None
    if isinstance(event, ItemEvent):
        item = replica.item(event.item_id)
        action = action_of(event)
        if action is not None and action != UNSAVE:
            list_id = event.origin.rec_id or event.origin.send_id if event.origin is not None else None
            feedback = acted(profile, event.item_id, action, event.ts_ms, list_id, pack)
            if rules.teaches and not may_teach(profile, arrival, event, pack):
                effects.append(Untaught())
            elif rules.teaches:
                until_ms = 0 if item is None else item.expires_ms or ENDLESS
                effects.append(Learn(_example(profile, arrival, event, action, now_ms, replica, feedback, until_ms)))
    elif isinstance(event, SHOWING):
        feedback = shown(profile, event, replica)
        if feedback and rules.teaches:
            effects.append(
                Learn(Example(arrival.partition, arrival.offset, event.ts_ms, -1, "", (), feedback=feedback))
            )
    fold(profile, arrival, item, pack)
    if isinstance(event, LIST_CHANGING):
        decided_ms = max(now_ms, profile.last_event_ms)
        last_ms = profile.last_recommended_ms
        if last_ms is None or decided_ms - last_ms >= pack.min_interval_ms:
            trigger = Trigger(arrival.topic, event.event_id, event.ts_ms)
            effects.append(_list(profile, event.user_id, arrival.source_id, trigger, decided_ms, replica, rng, rules))
        elif profile.wake_ms is None:
            profile.wake_ms = last_ms + pack.min_interval_ms
            effects.append(Wake(profile.wake_ms))
    observe(profile, arrival)
    if profile.sending is not None and isinstance(event, ItemEvent):
        watch(profile.sending, event, replica)
    if rules.mails and profile.sending is not None:
        user_id = event.key if isinstance(event, Retired) else event.user_id
        seen = _seen_by(user_id, max(now_ms, profile.last_event_ms), replica, rules)
        planned = replan(profile, user_id, arrival.source_id, event, now_ms, seen, rules.ways)
        effects += planned if rules.arms is None else rules.arms.borne(user_id, planned)
    return effects


def wake(
    profile: Profile,
    user_id: str,
    due: Wake,
    replica: Replica,
    rng: Randomness,
    rules: Rules = DEFAULT_RULES,
    clock_ms: int | None = None,
    is_wall: bool = False,
) -> list[Effect]:
    """A timer of this person is due; nothing happens where the profile knows no such timer any more.

    `clock_ms` is the clock in force, None where nothing can be late; `is_wall` says whether it is the wall's.
    """
    if due.kind == "erase":
        return complete(profile, user_id, rules.erasure_key) if profile.complete_ms == due.due_ms else []
    if due.kind == "mail":
        clock_ms = due.due_ms if clock_ms is None else clock_ms
        seen, cause_id = _seen_by(user_id, due.due_ms, replica, rules), wake_id(user_id, due)
        mailed = mail_due(profile, user_id, due.due_ms, clock_ms, is_wall, seen, cause_id, rules.ways)
        return mailed if rules.arms is None else rules.arms.borne(user_id, mailed)
    if profile.wake_ms != due.due_ms:
        return []
    rec_id = wake_id(user_id, due)
    decided_ms = max(due.due_ms, profile.last_event_ms)
    return [_list(profile, user_id, rec_id, Trigger("wake", rec_id, due.due_ms), decided_ms, replica, rng, rules)]


def wake_id(user_id: str, due: Wake) -> str:
    """The deterministic id of what a timer causes."""
    return f"wake-{blake2b(f'{user_id}/{due.kind}/{due.due_ms}'.encode(), digest_size=16).hexdigest()}"


def pending(profile: Skimmed) -> list[Wake]:
    """The timers that a recovered profile has."""
    timers: list[Wake] = []
    if profile.wake_ms is not None:
        timers.append(Wake(profile.wake_ms))
    if profile.complete_ms is not None:
        timers.append(Wake(profile.complete_ms, "erase"))
    if profile.sending is not None and profile.sending.due_ms is not None:
        timers.append(Wake(profile.sending.due_ms, "mail"))
    return timers


def drop_timer(profile: Profile, due: Wake) -> None:
    """Let a timer be that fails whenever it goes off."""
    if due.kind == "mail" and profile.sending is not None:
        profile.sending.due_ms = None
    elif due.kind == "recommend":
        profile.wake_ms = None


def _seen_by(user_id: str, now_ms: int, replica: Replica, rules: Rules) -> Replica:
    """The replica under the pack of the person's arms."""
    return replica if rules.arms is None else replica.under(rules.arms.side(user_id, now_ms).pack)


def _list(
    profile: Profile,
    user_id: str,
    rec_id: str,
    trigger: Trigger,
    now_ms: int,
    replica: Replica,
    rng: Randomness,
    rules: Rules,
) -> Recommend:
    side = rules.arms.side(user_id, now_ms) if rules.arms is not None else None
    by_mail = rules.surface == "email"
    decided = decide(profile, now_ms, replica if side is None else replica.under(side.pack), rng, by_mail=by_mail)
    remember(profile, rec_id, [item.item_id for item in decided.items], decided.features, now_ms)
    profile.last_recommended_ms = now_ms
    profile.wake_ms = None
    return Recommend(
        Recommendation(
            rec_id=rec_id,
            user_id=user_id,
            surface=rules.surface,
            ts_ms=now_ms,
            trigger=trigger,
            items=decided.items,
            model_version=replica.version,
            arm=None if side is None else side.arm,
        )
    )


def _example(
    profile: Profile,
    arrival: Arrival,
    event: ItemEvent,
    action: int,
    now_ms: int,
    replica: Replica,
    feedback: tuple[Feedback, ...],
    until_ms: int,
) -> Example:
    others = [known for known in profile.latest_actions() if known.item_id != event.item_id]
    history = [(known.item_id, known.kind, known.ts_ms) for known in others[: replica.pack.history_items]]
    place = (arrival.topic, arrival.offset, event.ts_ms, event.item_id)
    chains = replica.pack.models == "blend"
    candidates = candidate_sample(profile, event.item_id, arrival.source_id, now_ms, replica)
    return Example(
        partition=arrival.partition,
        offset=arrival.offset,
        ts_ms=event.ts_ms,
        action=action,
        item_id=event.item_id,
        history=tuple(history),
        weight=weights(replica.pack.actions)[action] * evidence(event.dwell_ms),
        candidates=candidates,
        features=len(names_of(replica.pack)) if candidates else 0,
        deed=deed_of(*place) if chains else 0,
        after=before(profile, *place) if chains else 0,
        feedback=feedback,
        query=_query(profile, event),
        until_ms=until_ms,
    )


def _query(profile: Profile, event: ItemEvent) -> int:
    """What led to an action: its own query, or the last search of the half hour before."""
    if event.query:
        return query_of(event.query)
    asked = [asked for asked in profile.queries if event.ts_ms - GAP_MS < asked.ts_ms <= event.ts_ms]
    return query_of(asked[-1].text) if asked else 0
