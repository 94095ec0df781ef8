"""What the blend learns from: features of the item acted on and of some that could have been shown instead.

The features are as they were before the event. A sample is drawn at every event until `EAGER` were learned, then at one
in `ONE_IN`, by a hash of the event's source: the same after a crash. An item that was no candidate teaches nothing:
features of an item alone, without the source that would have found it, would mislead. Nor does an item that nobody
acted on before: catalogues are often told with the first action, and "never acted on" would then mean "is the one".
"""

from typing import Final

import numpy as np

from processors.blend_ranking import features_beside
from processors.identity import hash64
from processors.profile import Profile
from processors.replica import Replica
from processors.taste import taste_of

EAGER: Final = 2_000
ONE_IN: Final = 4
OTHERS: Final = 26
"""Candidates drawn beside the item acted on: an example stays below 2 KB."""
MOST: Final = 60_000.0
"""Within the range of half precision."""


def candidate_sample(profile: Profile, item_id: str, source_id: str, now_ms: int, replica: Replica) -> bytes:
    """`schemas.learning.Example.candidates` of an event that the profile does not know yet; empty where none is due."""
    if replica.pack.models != "blend" or not profile.actions:
        return b""
    row = replica.catalogue.row_of(item_id)
    if row is None or not replica.shelves.numbers[row]:
        return b""
    seed = hash64(f"sample/{source_id}") & (2**64 - 1)
    if replica.blend_examples >= EAGER and seed % ONE_IN:
        return b""
    taste = taste_of(profile, now_ms, replica)
    matrix = features_beside(row, profile, taste, now_ms, replica, lambda count: _drawn(seed, count))
    if matrix is None or matrix.shape[1] < 2:
        return b""
    return np.clip(matrix.T, -MOST, MOST).astype("<f2").tobytes()


def _drawn(seed: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Uniform places below `count`, some maybe twice (splitmix64: Steele, Lea, Flood, OOPSLA 2014)."""
    mixed = np.uint64(seed) + np.arange(1, OTHERS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    drawn: np.ndarray[tuple[int], np.dtype[np.int64]] = (mixed >> np.uint64(33)).astype(np.int64) % count
    return drawn
