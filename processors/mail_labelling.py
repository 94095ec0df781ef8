"""What is told to the learner of mails whose 48 hours are over, with what was known of the person before each."""

from processors.effects import TeachMail
from processors.identity import hash64
from processors.leave_hazard import volume_arm
from processors.mail_credit import MILLION, WINDOW_S, reward_of
from processors.mail_worth import fatigue, stratum_of
from processors.profile import Profile
from processors.replica import Replica
from processors.send_decision import known_of
from processors.sending import LEFT, SENT, SILENCE, STARTED, TAUGHT, Sending
from processors.week import Doubles
from processors.zones import local_slot
from schemas.mail_labels import MailLabel


def taught(profile: Profile, state: Sending, user_id: str, now_ms: int, replica: Replica) -> list[TeachMail]:
    """Labels of all that is settled and was not taught; marks them as taught."""
    labels: list[TeachMail] = []
    for mail in state.mails:
        ripe = mail.flags & (SENT | SILENCE) and not mail.flags & TAUGHT and mail.slot >= 0
        if not ripe or now_ms // 1000 - mail.at_s < WINDOW_S:
            continue
        mail.flags |= TAUGHT
        at_ms = mail.at_s * 1000
        known = known_of(profile, state, user_id, replica.hours, now_ms, before_ms=at_ms)
        before_ms = max((a.ts_ms for a in profile.actions if a.ts_ms < at_ms), default=at_ms)
        predicted = mail.expected / MILLION
        label = MailLabel(
            id=hash64(f"{user_id}/{mail.id}/{mail.at_s}"),
            at_ms=at_ms,
            slot=local_slot(known.zone.name, at_ms),
            segment=known.segment,
            reward=reward_of(mail),
            expected=known.rate,
            successes=_halves(known.successes),
            exposure=_halves(known.exposure),
            activity=_halves(known.activity),
            predicted=predicted,
            uplift=replica.worth.uplift(known.rate),
            stratum=stratum_of(at_ms - before_ms, mail.news),
            fatigue=fatigue(state, at_ms),
            started=bool(mail.flags & STARTED),
            left=bool(mail.flags & LEFT),
            is_withheld=bool(mail.flags & SILENCE),
            is_arm=volume_arm(user_id) is not None,
        )
        labels.append(TeachMail(label))
    return labels


def _halves(values: Doubles) -> bytes:
    return values.astype("<f2").tobytes()
