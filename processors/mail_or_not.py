"""Whether the mail whose hour has come goes: what it holds, what it is worth, and two draws that keep that honest.

Of mails worth sending `explored` are withheld at random, of those that are not as many go: without both nobody could
tell what sending does. Each is a decision with its reason.
"""

from hashlib import blake2b
from typing import Final

import numpy as np

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
from processors.sending import DECIDED, EXPLORED, MAX_MAILED, SENT, SILENCE, Mail, Sending
from processors.ways import Items, Ways
from processors.week import DAY_MS, FOLD
from processors.zones import Hour, local_slot
from schemas.decisions import Digest, SendTime
from schemas.mail_labels import Weighed

CAMPAIGN: Final = "digest"
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
    decided = ways.items(profile, user_id, now_ms, replica, rules.max_items)
    items = decided.items
    known = known_of(profile, state, user_id, replica.hours, now_ms)
    marks = set(_marks(state))
    acted = {action.item_id for action in profile.actions}
    news = sum(_mark(item.item_id) not in marks and item.item_id not in acted for item in items)
    waited_d = (now_ms - state.looked_ms) / DAY_MS if state.looked_ms else 1.0
    state.looked_ms = now_ms
    tired = fatigue(state, now_ms)
    stratum = stratum_of(now_ms - seen_ms(profile, state), news)
    hour = float(np.exp(hour_values(known, replica.hours, [Hour(now_ms, slot)])[0]))
    expected = known.rate * hour * replica.worth.factor(stratum)
    score = replica.worth.score(expected, tired, rules)
    flags, reason = DECIDED, ""
    refused: Suppression | None
    if not items or news < rules.min_new_items:
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
    _remember(state, items)
    if len(decided.features):
        remember(profile, wake_id, [item.item_id for item in items], decided.features, now_ms)
    reasons = tuple(dict.fromkeys(reason for item in items for reason in item.reasons))[:3]
    digest = Digest(wake_id, user_id, CAMPAIGN, now_ms, _subject(items, replica), items, reasons)
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
    luck = float(Randomness(f"whether/{wake_id}").generator.random()) if rules.explored else 1.0
    if arm == "high" or ways.always or score > price:
        if luck < rules.explored and not ways.always:
            return SILENCE | EXPLORED, "holdout", "withheld at random, to learn what a mail is worth"
        return DECIDED, None, ""
    if luck < rules.explored:
        return DECIDED | EXPLORED, None, ""
    why = f"worth {score:.4f} apply-starts, less than the {price:.4f} that a mail costs today"
    return 0, "fatigue", why


def _subject(items: Items, replica: Replica) -> str:
    first = replica.item(items[0].item_id)
    title = first.title if first is not None and first.title else "One"
    return title if len(items) == 1 else f"{title} and {len(items) - 1} more for you"


def _remember(state: Sending, items: Items) -> None:
    marks = [*_marks(state), *(_mark(item.item_id) for item in items)]
    state.mailed = np.array(list(dict.fromkeys(reversed(marks)))[:MAX_MAILED][::-1], "<u2").tobytes()


def _mark(item_id: str) -> int:
    return int.from_bytes(blake2b(item_id.encode(), digest_size=2).digest())


def _marks(state: Sending) -> list[int]:
    marks: list[int] = np.frombuffer(state.mailed, "<u2").tolist()
    return marks
