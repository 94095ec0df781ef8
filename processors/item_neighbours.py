"""What goes with an item, whoever asks: what is like it, and what people take beside it."""

from typing import Final, Literal

import numpy as np
from msgspec import Struct

from processors.replica import Replica
from processors.top_list import Rows

COVISITATION_SHARE: Final = 0.6
"""Of the similarity, for what people dealt with together; the rest for text."""
ALIKE: Final = 0.6
"""Items whose text is more alike than this are the same thing again, and complement nothing."""


class Neighbour(Struct, frozen=True):
    """One item beside another; `score` in (0, 1]."""

    item_id: str
    score: float
    source: Literal["covisitation", "text"]


def similar(item_id: str, now_ms: int, replica: Replica, limit: int) -> list[Neighbour] | None:
    """Items like this one, the closest first; None where there is no such item."""
    return _around(item_id, now_ms, replica, limit, complements=False)


def complements(item_id: str, now_ms: int, replica: Replica, limit: int) -> list[Neighbour] | None:
    """Items that people deal with beside this one and that are something else; None where there is no such item.

    Something else: another first category, or a text that is not alike.
    """
    return _around(item_id, now_ms, replica, limit, complements=True)


def _around(item_id: str, now_ms: int, replica: Replica, limit: int, *, complements: bool) -> list[Neighbour] | None:
    row = replica.catalogue.row_of(item_id)
    if row is None:
        return None
    together = _together(row, now_ms, replica)
    text_rows, text = replica.text.neighbours(row)
    alike = dict(zip(text_rows.tolist(), text.tolist(), strict=True))
    category = int(replica.catalogue.category[0, row])
    scores: dict[int, tuple[float, Literal["covisitation", "text"]]] = {}
    for other in {*together, *alike}:
        beside, like = together.get(other, 0.0), alike.get(other, 0.0)
        if complements:
            same = like > ALIKE or (category and category == int(replica.catalogue.category[0, other]) and like > 0.0)
            if beside <= 0.0 or same:
                continue
            scores[other] = (beside, "covisitation")
        else:
            parts = COVISITATION_SHARE * beside, (1.0 - COVISITATION_SHARE) * like
            scores[other] = (sum(parts), "covisitation" if parts[0] >= parts[1] else "text")
    scores.pop(row, None)
    rows = [other for other in scores if _may_be_shown(other, now_ms, replica)]
    rows.sort(key=lambda other: (-scores[other][0], other))
    return [
        Neighbour(replica.catalogue.item_id(other), min(scores[other][0], 1.0), scores[other][1])
        for other in rows[:limit]
    ]


def _together(row: int, now_ms: int, replica: Replica) -> dict[int, float]:
    """Row -> how much people deal with it beside `row`, at most 1."""
    number = int(replica.shelves.numbers[row])
    if not number:
        return {}
    if replica.pack.models == "blend":
        trodden = replica.trails.read(np.array([number], np.intp), np.ones(1), now_ms)
        numbers, strength = trodden.numbers, np.maximum(trodden.followed, trodden.preceded)
    else:
        _, numbers, strength = replica.covisitation.neighbours([number], now_ms)
    rows: Rows = replica.rows_of(numbers).astype(np.intp)
    return {other: float(value) for other, value in zip(rows.tolist(), strength.tolist(), strict=True) if other}


def _may_be_shown(row: int, now_ms: int, replica: Replica) -> bool:
    catalogue = replica.catalogue
    return bool(catalogue.until_ms[row] > now_ms and catalogue.posted_ms[row] <= now_ms)
