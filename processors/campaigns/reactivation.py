"""`reactivation`: a person fell silent; one mail after 30, 60 and 90 days, and none between, with a control arm."""

from typing import Literal

from processors.campaigns.moment import Moment
from processors.consent import seen_ms
from processors.experiment import unit_of
from processors.sending import DECIDED, SENT
from processors.week import DAY_MS

SALT = "attune/reactivation"
Step = Literal["awake", "due", "rest", "control"]


def step_of(moment: Moment) -> Step:
    """Where a person stands: not silent, due a mail, between two, or in the control arm."""
    steps = moment.occasions.reactivation_steps_d
    seen = seen_ms(moment.profile, moment.state)
    silent_d = (moment.now_ms - seen) / DAY_MS
    if not steps or "reactivation" not in moment.occasions.enabled or silent_d < steps[0]:
        return "awake"
    if unit_of(SALT, moment.user_id) < moment.occasions.reactivation_control:
        return "control"
    from_ms = seen + steps[0] * DAY_MS
    sent = sum(mail.at_s * 1000 >= from_ms for mail in moment.state.mails if mail.flags & (SENT | DECIDED))
    return "due" if sent < sum(silent_d >= step for step in steps) else "rest"
