"""What is known of a place of a list when it is decided, for the heads of processors/response.py."""

from math import log2

import numpy as np
import numpy.typing as npt

from processors.actions import VIEW
from processors.decay import read
from processors.exposure import times_shown
from processors.features import freshness, popularity
from processors.popularity import DAY_MS
from processors.profile import Profile
from processors.replica import Replica
from processors.response import FEATURES, MOST, Matrix
from processors.slate import Place
from processors.taste import Taste


def features_of(
    places: list[Place], profile: Profile, taste: Taste, now_ms: int, replica: Replica, by_mail: bool
) -> Matrix:
    """The features of each place of a list, as they are now: places × `FEATURES`, in half precision already."""
    if not places:
        return np.zeros((0, len(FEATURES)))
    rows = np.array([place.row for place in places])
    scores = np.array([place.ranking.scores[place.position] for place in places])
    shown = times_shown(profile, now_ms)
    hashes = replica.catalogue.id_hash[rows].tolist()
    own = set(taste.own_rows)
    half_lives_d = replica.pack.counter_half_lives_d
    levels = profile.counters.get(VIEW)
    middle = len(half_lives_d) // 2
    views = read(levels[middle], now_ms, half_lives_d[middle] * DAY_MS) if levels else 0.0
    columns: list[npt.ArrayLike] = [
        scores,
        scores - scores.mean(),
        np.log2(np.arange(1.0, len(places) + 1.0)),
        [place is places[0] for place in places],
        freshness(rows, now_ms, replica),
        popularity(rows, now_ms, replica),
        [place.row in own for place in places],
        [log2(1.0 + shown.get(hashed, 0.0)) for hashed in hashes] if shown else 0.0,
        [place.propensity < 1.0 for place in places],
        log2(1.0 + views),
        by_mail,
    ]
    table = np.empty((len(FEATURES), len(places)))
    for place, column in enumerate(columns):
        table[place] = column
    table[np.isnan(table)] = 0.0
    np.minimum(np.maximum(table, -MOST, out=table), MOST, out=table)
    rounded: Matrix = table.T.astype(np.float16, order="C").astype(np.float64)
    return rounded
