"""Logged examples of a made-up taste, for tests of the challenger."""

import numpy as np

from processors.blend import NAMES
from schemas.learning import Example
from tests.processors.market import NOW_MS

CANDIDATES = 12


def logged(count: int, curved: bool, seed: int = 1, first: int = 0) -> list[Example]:
    """What people chose among candidates: by the features named, or (`curved`) by one that is best in the middle."""
    rng = np.random.default_rng(seed)
    text, fresh = NAMES.index("text"), NAMES.index("fresh")
    made = []
    for k in range(count):
        table = np.zeros((CANDIDATES, len(NAMES)))
        table[:, [text, fresh]] = rng.random((CANDIDATES, 2))
        wish = table[:, text] + (9.0 * (np.abs(table[:, fresh] - 0.5) < 0.15) if curved else table[:, fresh])
        chosen = int((wish + rng.gumbel(size=CANDIDATES)).argmax())
        table[[0, chosen]] = table[[chosen, 0]]
        packed = table.astype("<f2").tobytes()
        made.append(Example(0, first + k, NOW_MS + k, 0, f"j{k % 50}", (), candidates=packed, features=len(NAMES)))
    return made
