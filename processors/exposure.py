"""How often each item was shown to a person, and what that takes from its score: impression discounting.

What was shown again and again and never acted on is less likely to be acted on the next time (Li, Lakshmanan, Zhang,
Basak and Lin, *Modeling impression discounting in large-scale recommender systems*, KDD 2014). Counts are kept by
source topic, because there is no order between topics, and each topic's are bounded by when an item was last shown.
"""

from collections.abc import Iterable
from math import exp2, log2
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.among import among
from processors.catalogue import Catalogue
from processors.identity import hash64
from processors.popularity import DAY_MS
from processors.profile import Profile
from processors.taste import Taste
from processors.top_list import Rows

MOST: Final = 24
"""Items kept for each topic."""
HALF_LIFE_D: Final = 7.0


def note_shown(profile: Profile, topic: str, item_ids: Iterable[str], ts_ms: int) -> None:
    """Count items as shown once more."""
    counts = profile.times_shown.setdefault(topic, {})
    for item_id in item_ids:
        hashed = hash64(item_id)
        count, last_ms = counts.get(hashed, (0, 0))
        counts[hashed] = (count + 1, max(last_ms, ts_ms))
    for _ in range(len(counts) - MOST):
        del counts[min(counts, key=lambda hashed: (counts[hashed][1], hashed))]


def times_shown(profile: Profile, now_ms: int) -> dict[int, float]:
    """Item's hash -> how often it was shown, each item's count halved every `HALF_LIFE_D` since it last was."""
    shown: dict[int, float] = {}
    for counts in profile.times_shown.values():
        for hashed, (count, last_ms) in counts.items():
            faded = count * exp2(-max(now_ms - last_ms, 0) / (HALF_LIFE_D * DAY_MS))
            shown[hashed] = shown.get(hashed, 0.0) + faded
    return shown


def discounts(rows: Rows, shown: dict[int, float], taste: Taste, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """By row, log2(1 + times shown) of what was shown and never acted on; 0 for everything else."""
    if not shown:
        return np.zeros(len(rows))
    hashes = catalogue.id_hash[rows]
    known = np.array(sorted(shown), np.int64)
    weights = np.array([log2(1.0 + shown[hashed]) for hashed in known.tolist()])
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    found = np.where(known[places] == hashes, weights[places], 0.0)
    found[among(rows, taste.own_rows)] = 0.0
    return found
