"""Places that answer a save: who asks to keep an item is shown more of its kind, whatever the ranking makes of them.

A save is an explicit request, and one event among a person's many that a ranking may hardly notice. While the latest
saved item is among the latest `TEXT_DEEDS` that the person dealt with, `pack.answers` places of a list go to items
alike to it: of those at least half as alike as the most alike, by words, or where it has none by what people did around
it, the best ranked. They stand at every second place from the second on; what the ranking puts in the list of its own
accord counts.
"""

from typing import Final

from processors.actions import SAVE
from processors.among import among
from processors.ranking import Ranking
from processors.retrieval import TEXT_DEEDS, Evidence
from processors.slate import Place, Slate
from processors.taste import Taste

NEARLY: Final = 0.5


def saved_deed(taste: Taste) -> int | None:
    """The deed to answer, the latest save of a live item; None without one."""
    return next(
        (deed for deed, kind in enumerate(taste.actions[:TEXT_DEEDS]) if kind == SAVE and taste.rows[deed]), None
    )


def answers(ranking: Ranking, taste: Taste, deed: int) -> list[int]:
    """Positions in the ranking that answer a deed, the best ranked first."""
    candidates = ranking.candidates
    rows = candidates.rows[ranking.order]
    own = among(rows, taste.own_rows)
    alike = _alike(candidates.by_text, deed) or _alike(candidates.by_covisitation, deed)
    fits = among(rows, alike)
    positions: list[int] = ranking.order[fits & ~own].tolist()
    return positions


def answer(slate: Slate, ranking: Ranking, taste: Taste, deed: int, count: int) -> None:
    """Add to a slate, above its limit, what it lacks of `count` answers."""
    positions = answers(ranking, taste, deed)
    rows = ranking.candidates.rows
    given = {place.row for place in slate.places}
    missing = count - sum(int(rows[position]) in given for position in positions)
    place = 1
    for position in positions:
        if missing <= 0:
            return
        row = int(rows[position])
        if slate.refusal(row) is None:
            slate.add(Place(ranking, position, row, answers=deed), min(place, len(slate.places)))
            place, missing = place + 2, missing - 1


def _alike(evidence: Evidence, deed: int) -> list[int]:
    of_deed = evidence.owners == deed
    values = evidence.values[of_deed]
    if not len(values):
        return []
    rows: list[int] = evidence.rows[of_deed][values >= NEARLY * values.max()].tolist()
    return rows
