"""The list that is judged: the pipeline's own, for one person, at one moment.

`new` leaves out the person's own items, `cold` all that anyone acted on.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from processors.pack import Pack
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import listed
from processors.replica import Replica
from processors.taste import taste_of
from processors.top_list import Rows

LIST: Final = 20
"""Places that are judged."""
UNBOUNDED: Final = 1_000_000
_NONE: Final[Rows] = np.zeros(0, np.intp)


def judging_pack(pack: Pack) -> Pack:
    """The pack without what shapes a slate: caps, diversity, exploration, answers. Filters and weights stay."""
    return msgspec.structs.replace(
        pack, max_per_brand=UNBOUNDED, max_seen=UNBOUNDED, diversity=0.0, explore=0, answers=0
    )


def ask(profile: Profile, now_ms: int, replica: Replica, rng: Randomness, without: Rows = _NONE) -> list[str]:
    """The ids of the best `LIST` items that are not in the rows `without`."""
    marks = replica.marks

    def withheld(rows: Rows) -> npt.NDArray[np.bool_]:
        marks[rows] = 0
        marks[without] = 1
        found: npt.NDArray[np.bool_] = marks[rows] == 1
        return found

    taste = taste_of(profile, now_ms, replica)
    slate = listed(profile, taste, now_ms, replica, LIST, rng, withheld if len(without) else None)
    return [replica.catalogue.item_id(place.row) for place in slate.places]
