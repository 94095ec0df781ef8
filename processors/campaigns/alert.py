"""`alert`: something new that a saved search or a stated preference asks for."""

import numpy as np
import numpy.typing as npt

from processors.campaigns.moment import Moment, Pick, Proposal
from processors.campaigns.waiting import words_of
from processors.eligibility import Mask, eligible
from processors.replica import Replica
from processors.retrieval import Values
from processors.top_list import Rows
from processors.week import DAY_MS
from processors.words import words

MOST = 5
QUERIES = 8
SINCE_MS = 2 * DAY_MS


def propose(moment: Moment) -> Proposal | None:
    """What was posted since the last mail, two days at most, and reads like what was asked for."""
    queries = queries_of(moment)
    if not queries:
        return None
    replica, now_ms = moment.replica, moment.now_ms
    last_ms = max((mail.at_s * 1000 for mail in moment.state.mails), default=0)
    since_ms = max(last_ms, now_ms - SINCE_MS)
    found: dict[str, tuple[float, str]] = {}
    for query in queries:
        rows, alike_in_words = replica.text.search(query)
        fresh = replica.catalogue.posted_ms[rows] > since_ms
        likeness = _whole(query, rows, alike_in_words, fresh, replica)
        fresh &= likeness >= moment.occasions.alert_match
        rows, likeness = rows[fresh], likeness[fresh]
        fits = eligible(rows, moment.taste, now_ms, replica)
        for row, alike in zip(rows[fits].tolist(), likeness[fits].tolist(), strict=True):
            item_id = replica.catalogue.item_id(row)
            found[item_id] = max(found.get(item_id, (0.0, "")), (alike, query))
    chosen = [i for i in sorted(found, key=lambda i: (-found[i][0], i)) if moment.may_hold(i)][:MOST]
    if not chosen:
        return None
    picks = tuple(Pick(item_id, f"new, and matches “{found[item_id][1]}”") for item_id in chosen)
    return Proposal("alert", picks, f"New: {moment.title(chosen[0])}", f"you asked for “{found[chosen[0]][1]}”")


def _whole(query: str, rows: Rows, likeness: npt.NDArray[np.float32], fresh: Mask, replica: Replica) -> Values:
    """Likeness, 1 where an item has all words of the query, however long its title is."""
    asked = frozenset(words(query))
    found = likeness.astype(np.float64)
    for place in np.flatnonzero(fresh):
        if asked <= words_of(replica.catalogue.item(int(rows[place]))):
            found[place] = 1.0
    return found


def queries_of(moment: Moment) -> list[str]:
    """Saved searches first, then stated titles, each once."""
    said = [*(moment.profile.said("alerts") or ()), *(moment.profile.said("titles") or ())]
    return list(dict.fromkeys(said))[:QUERIES]
