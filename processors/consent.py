"""Who may not be written to, and why: consent first, then the holdout; and from when on the caps allow a mail again."""

from typing import Final, Literal

from msgspec import Struct

from processors.experiment import HOLDOUT_SALT, unit_of
from processors.mail_rules import MailRules
from processors.profile import Profile
from processors.sending import DECIDED, SENT, Sending
from processors.week import DAY_MS, HOUR_MS
from processors.zones import local_day, offset_ms

Suppression = Literal["fatigue", "quiet_hours", "cap", "unsubscribed", "no_content", "holdout"]
WEEK_MS: Final = 7 * DAY_MS
WRITTEN: Final = SENT | DECIDED


class Refusal(Struct, frozen=True):
    """Why no mail goes; `until_ms` where it is known when one may go again."""

    suppressed: Suppression
    reason: str
    until_ms: int | None = None


def refusal(profile: Profile, state: Sending, user_id: str, rules: MailRules, now_ms: int) -> Refusal | None:
    """Why this person is not written to at `now_ms`, or None where nothing speaks against it."""
    opt_in = profile.stated.get("email_opt_in")
    if state.left_ms and not (opt_in is not None and opt_in.value is True and opt_in.ts_ms > state.left_ms):
        return Refusal("unsubscribed", "they unsubscribed, or their address does not exist")
    if opt_in is not None and opt_in.value is False:
        return Refusal("unsubscribed", "they did not opt in to mail")
    if profile.said("frequency") == "paused":
        return Refusal("unsubscribed", "they paused all mail")
    paused_until_ms = profile.said("pause_until_ms")
    if isinstance(paused_until_ms, int) and paused_until_ms > now_ms:
        return Refusal("unsubscribed", "they paused mail for a while", paused_until_ms)
    if rules.holdout and unit_of(HOLDOUT_SALT, user_id) < rules.holdout:
        return Refusal("holdout", "in the permanent holdout, which shows what all mail is worth")
    return None


def may_go_from_ms(profile: Profile, state: Sending, rules: MailRules, zone: str, now_ms: int) -> tuple[int, str]:
    """From when on the caps and the chosen frequency allow a mail, and what holds it back until then.

    A day is one of the person's calendar; a week is 168 hours; mails of all campaigns count.
    """
    sent_ms = [mail.at_s * 1000 for mail in state.mails if mail.flags & WRITTEN]
    allowed_ms, why = now_ms, ""
    if not sent_ms:
        return allowed_ms, why
    newest_ms = sent_ms[-1]
    today = local_day(zone, newest_ms)
    if len(sent_ms) >= rules.max_per_day and local_day(zone, sent_ms[-rules.max_per_day]) == today:
        allowed_ms, why = _later(allowed_ms, why, day_starts_ms(zone, today + 1), f"{rules.max_per_day} a day")
    week = 1 if profile.said("frequency") == "weekly" else rules.max_per_week
    if len(sent_ms) >= week:
        allowed_ms, why = _later(allowed_ms, why, sent_ms[-week] + WEEK_MS, f"{week} in 7 days")
    if now_ms - seen_ms(profile, state) > rules.dormant_after_d * DAY_MS:
        gap_ms = rules.dormant_gap_d * DAY_MS
        allowed_ms, why = _later(allowed_ms, why, newest_ms + gap_ms, f"1 in {rules.dormant_gap_d} days to the dormant")
    return allowed_ms, why


def seen_ms(profile: Profile, state: Sending) -> int:
    """When they last did something by themselves; of whom nothing was ever seen, when the oldest mail known went."""
    acted_ms = profile.actions[-1].ts_ms if profile.actions else 0
    found = max(state.seen_ms, acted_ms)
    return found or (state.mails[0].at_s * 1000 if state.mails else 0)


def _later(allowed_ms: int, why: str, other_ms: int, other_why: str) -> tuple[int, str]:
    return (other_ms, other_why) if other_ms > allowed_ms else (allowed_ms, why)


def day_starts_ms(zone: str, day: int) -> int:
    """When a day of the calendar begins there; where midnight is skipped, the hour after."""
    guess_ms = day * DAY_MS - offset_ms(zone, day * DAY_MS)
    start_ms = day * DAY_MS - offset_ms(zone, guess_ms)
    return start_ms if local_day(zone, start_ms) == day else start_ms + HOUR_MS
