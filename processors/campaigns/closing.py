"""`closing`: something the person was interested in ends within two days."""

from processors.campaigns.interest import interests
from processors.campaigns.moment import Moment, Pick, Proposal
from processors.catalogue import FOREVER_MS
from processors.week import DAY_MS, HOUR_MS

MOST = 3


def propose(moment: Moment) -> Proposal | None:
    """What was saved, begun or looked at twice, and is about to end; the strongest interest first."""
    occasions, now_ms, catalogue = moment.occasions, moment.now_ms, moment.replica.catalogue
    found = interests(moment.profile, now_ms - int(occasions.interest_d * DAY_MS))
    ending: dict[str, int] = {}
    for item_id, interest in found.items():
        row = catalogue.row_of(item_id)
        left_ms = int(catalogue.expires_ms[row]) - now_ms if row is not None else FOREVER_MS
        keen = interest.started or interest.saved or interest.views >= 2
        if keen and 0 < left_ms <= occasions.closing_h * HOUR_MS and moment.may_hold(item_id):
            ending[item_id] = left_ms
    if not ending:
        return None
    chosen = sorted(ending, key=lambda item_id: (found[item_id].strength, item_id), reverse=True)[:MOST]
    picks = tuple(Pick(item_id, f"closes in {_hours(ending[item_id])}") for item_id in chosen)
    subject = f"Closing soon: {moment.title(chosen[0])}"
    return Proposal("closing", picks, subject, "you showed interest, and it ends within two days")


def _hours(left_ms: int) -> str:
    hours = max(1, round(left_ms / HOUR_MS))
    return "an hour" if hours == 1 else f"{hours} hours"
