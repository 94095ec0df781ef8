"""Whether the mail whose hour has come goes: what it holds, what it is worth, and two draws that keep that honest.

Of mails worth sending `explored` are withheld at random, of those that are not as many go: without both nobody could
tell what sending does. Each is a decision with its reason.
"""

from functools import partial
from typing import Final

import numpy as np

from processors.campaigns import ledger
from processors.campaigns.arbitration import compose
from processors.campaigns.moment import Moment
from processors.campaigns.watched import look_again, told
from processors.consent import Suppression, seen_ms
from processors.effects import Effect, Mailing, Planned, TeachLook
from processors.feedback import remember
from processors.identity import hash64
from processors.leave_hazard import volume_arm
from processors.mail_credit import MILLION, mail_id, settle
from processors.mail_rules import MailRules
from processors.mail_worth import fatigue, stratum_of
from processors.profile import Profile
from processors.randomness import Randomness
from processors.replica import Replica
from processors.send_decision import hour_values, known_of
from processors.sending import DECIDED, EXPLORED, SENT, SILENCE, Mail, Sending
from processors.ways import Ways
from processors.week import DAY_MS, FOLD
from processors.zones import local_slot
from schemas.decisions import Digest, SendTime
from schemas.mail_labels import Weighed

NEEDS_NEWS: Final = frozenset({"digest", "reactivation"})
LOW_ARM_GAP_MS: Final = 7 * DAY_MS


def mail_or_not(
    profile: Profile,
    state: Sending,
    user_id: str,
    slot: int,
    now_ms: int,
    replica: Replica,
    rules: MailRules,
    wake_id: str,
    ways: Ways,
) -> list[Effect]:
    """The digest, or the reason why none goes; and what the price is to learn of it."""
    look_again(state, replica)
    listed = partial(ways.items, profile, user_id, now_ms, replica, rules.max_items)
    composed = compose(Moment(profile, state, user_id, now_ms, replica), listed, rules.max_items, ways.campaigns)
    items = composed.items
    known = known_of(profile, state, user_id, replica.hours, now_ms)
    acted = {action.item_id for action in profile.actions}
    news = sum(not ledger.was_mailed(state, item.item_id) and item.item_id not in acted for item in items)
    waited_d = (now_ms - state.looked_ms) / DAY_MS if state.looked_ms else 1.0
    state.looked_ms = now_ms
    tired = fatigue(state, now_ms)
    stratum = stratum_of(now_ms - seen_ms(profile, state), news)
    hour = float(np.exp(hour_values(known, replica.hours, np.array([slot]))[0]))
    expected = known.rate * hour * replica.worth.factor(stratum)
    score = replica.worth.score(known.rate, tired, rules)
    flags, reason = DECIDED, ""
    refused: Suppression | None
    if composed.refused is not None:
        refused, reason = composed.refused
    elif not items or (composed.campaign in NEEDS_NEWS and news < rules.min_new_items):
        refused, reason = "no_content", f"{news} of {len(items)} items are new; a mail needs {rules.min_new_items}"
    else:
        flags, refused, reason = _weighed(state, user_id, score, replica.worth.price, rules, ways, now_ms, wake_id)
    effects: list[Effect] = [
        TeachLook(
            Weighed(
                hash64(f"look/{wake_id}"), now_ms, score, refused is None, max(waited_d, 0.0), rules.budget_per_week
            )
        )
    ]
    if refused is None or flags & SILENCE:
        folded = int(FOLD[slot if known.zone.why == "told" else local_slot("UTC", now_ms)])
        expected_millionths = min(round(expected * MILLION), MILLION)
        state.mails.append(
            Mail(mail_id(wake_id), now_ms // 1000, folded, expected_millionths, 0, 0, flags, min(news, 255))
        )
        settle(state)
    if refused is not None:
        decision = SendTime(f"{wake_id}-not", user_id, now_ms, None, known.zone.name, reason, suppressed=refused)
        return [*effects, Planned(decision)]
    item_ids = [item.item_id for item in items]
    ledger.note(state, item_ids, now_ms, replica)
    told(state, item_ids, replica)
    if len(composed.features):
        remember(profile, wake_id, composed.listed, composed.features, now_ms)
    digest = Digest(wake_id, user_id, composed.campaign, now_ms, composed.subject, items, composed.reasons)
    return [*effects, Mailing(digest)]


def _weighed(
    state: Sending,
    user_id: str,
    score: float,
    price: float,
    rules: MailRules,
    ways: Ways,
    now_ms: int,
    wake_id: str,
) -> tuple[int, Suppression | None, str]:
    """Flags of the mail's entry, why it does not go, and the reason told."""
    arm = volume_arm(user_id) if rules.explored else None
    lately = any(m.flags & (SENT | DECIDED) and now_ms - m.at_s * 1000 < LOW_ARM_GAP_MS for m in state.mails)
    if arm == "low" and lately:
        return 0, "cap", "at most one a week: their volume is drawn, to learn what volume does"
    luck = Randomness(f"whether/{wake_id}").random() if rules.explored else 1.0
    if arm == "high" or ways.always or score > price:
        if luck < rules.explored and not ways.always:
            return SILENCE | EXPLORED, "holdout", "withheld at random, to learn what a mail is worth"
        return DECIDED, None, ""
    if luck < rules.explored:
        return DECIDED | EXPLORED, None, ""
    why = f"worth {score:.4f} apply-starts, less than the {price:.4f} that a mail costs today"
    return 0, "fatigue", why
