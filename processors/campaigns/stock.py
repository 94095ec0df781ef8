"""`stock`: something the person looked at could not be had, and can again."""

from processors.campaigns.moment import Moment, Pick, Proposal
from processors.week import DAY_MS

MOST = 3


def propose(moment: Moment) -> Proposal | None:
    """What is back, the latest look first."""
    since_s = (moment.now_ms - moment.occasions.interest_d * DAY_MS) / 1000
    watched = moment.state.watched
    back = [
        item_id
        for item_id, seen in watched.items()
        if seen.is_out and seen.seen_s >= since_s and moment.may_hold(item_id)
    ]
    if not back:
        return None
    chosen = sorted(back, key=lambda item_id: (-watched[item_id].seen_s, item_id))[:MOST]
    picks = tuple(Pick(item_id, "back in stock") for item_id in chosen)
    return Proposal("stock", picks, f"Back in stock: {moment.title(chosen[0])}", "something you looked at is back")
