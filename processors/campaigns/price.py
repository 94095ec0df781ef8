"""`price`: something the person looked at costs less than it did then."""

from math import isfinite

from processors.campaigns.moment import Moment, Pick, Proposal
from processors.week import DAY_MS

MOST = 3


def propose(moment: Moment) -> Proposal | None:
    """What became cheaper, the largest drop first."""
    occasions, catalogue = moment.occasions, moment.replica.catalogue
    since_s = (moment.now_ms - occasions.interest_d * DAY_MS) / 1000
    drops: dict[str, float] = {}
    for item_id, watched in moment.state.watched.items():
        row = catalogue.row_of(item_id)
        if row is None or not watched.price or watched.seen_s < since_s:
            continue
        now = float(catalogue.price[row])
        if isfinite(now) and now <= watched.price * (1.0 - occasions.price_drop) and moment.may_hold(item_id):
            drops[item_id] = 1.0 - now / watched.price
    if not drops:
        return None
    chosen = sorted(drops, key=lambda item_id: (-drops[item_id], item_id))[:MOST]
    picks = tuple(Pick(item_id, f"{drops[item_id]:.0%} less than when you looked") for item_id in chosen)
    subject = f"{moment.title(chosen[0])}: {drops[chosen[0]]:.0%} less"
    return Proposal("price", picks, subject, "something you looked at costs less now")
