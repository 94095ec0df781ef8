"""`complements`: what goes with a purchase of a repeat customer, kinds of things they do not know yet first."""

from processors.actions import APPLY
from processors.campaigns.moment import Moment, Pick, Proposal
from processors.item_neighbours import complements
from processors.profile import CATEGORY
from processors.week import DAY_MS, HOUR_MS

MOST = 4
LEAST = 2


def propose(moment: Moment) -> Proposal | None:
    """Where people buy again, and this person did: what others take beside the latest purchase."""
    occasions, replica, now_ms = moment.occasions, moment.replica, moment.now_ms
    if replica.pack.applied != "allow":
        return None
    bought = [action for action in moment.profile.actions if action.kind == APPLY]
    if len(bought) < occasions.complements_from:
        return None
    latest = bought[-1]
    age_ms = now_ms - latest.ts_ms
    if not occasions.complements_after_h * HOUR_MS <= age_ms <= occasions.complements_within_d * DAY_MS:
        return None
    owned = {action.item_id for action in bought}
    explored = moment.profile.affinities.get(CATEGORY, {})
    found = [n.item_id for n in complements(latest.item_id, now_ms, replica, 40) or () if n.item_id not in owned]
    found = [item_id for item_id in found if moment.may_hold(item_id)]

    def is_known(item_id: str) -> bool:
        item = replica.item(item_id)
        return item is not None and any(category in explored for category in item.categories)

    chosen = sorted(found, key=is_known)[:MOST]
    if len(chosen) < LEAST:
        return None
    title = moment.title(latest.item_id)
    picks = tuple(Pick(item_id, f"goes well with “{title}”") for item_id in chosen)
    return Proposal("complements", picks, f"Goes well with {title}", f"you bought “{title}”")
