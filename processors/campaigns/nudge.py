"""`nudge`: looked at several times, saved, put into the cart or begun, and then nothing.

There is nothing to cancel: the nudge is what the profile says when the mail's hour has come. Whoever applied or bought
meanwhile, and whatever expired, sold out or was retired, is no occasion any more.
"""

from processors.campaigns.interest import Interest, interests
from processors.campaigns.moment import Moment, Pick, Proposal
from processors.item_neighbours import Neighbour, complements, similar
from processors.week import DAY_MS, HOUR_MS

SUBSTITUTES, COMPLEMENTS = 2, 2
NEAR = 20
"""Neighbours looked at."""


def propose(moment: Moment) -> Proposal | None:
    """The item that the person came closest to, two like it, and what goes with it."""
    occasions, now_ms = moment.occasions, moment.now_ms
    found = interests(moment.profile, now_ms - int(occasions.nudge_within_d * DAY_MS))
    wanted = [
        item_id
        for item_id, interest in found.items()
        if (interest.started or interest.saved or interest.views >= occasions.nudge_views)
        and now_ms - interest.last_ms >= occasions.nudge_after_h * HOUR_MS
        and moment.may_hold(item_id)
    ]
    if not wanted:
        return None
    item_id = max(wanted, key=lambda known: (found[known].strength, known))

    def beside(neighbours: list[Neighbour] | None, count: int, reason: str) -> list[Pick]:
        ids = [n.item_id for n in neighbours or () if n.item_id not in found and moment.may_hold(n.item_id)]
        return [Pick(other, reason) for other in ids[:count]]

    others = beside(similar(item_id, now_ms, moment.replica, NEAR), SUBSTITUTES, f"like “{moment.title(item_id)}”")
    others += beside(complements(item_id, now_ms, moment.replica, NEAR), COMPLEMENTS, "goes well with it")
    unique = {pick.item_id: pick for pick in reversed(others)}
    reason = _reason(found[item_id], occasions.deed)
    return Proposal(
        "nudge",
        (Pick(item_id, reason),),
        f"Still thinking about {moment.title(item_id)}?",
        reason,
        tuple(reversed(unique.values())),
    )


def _reason(interest: Interest, deed: str) -> str:
    if interest.started:
        return "you began and did not finish"
    if interest.saved:
        return f"you saved it and have not {deed} yet"
    return f"you looked at it {interest.views} times and have not {deed} yet"
