"""Session neighbours: what people did in the sessions most like this one, before and after the item they share with it.

V-SKNN (Ludewig, Jannach: Evaluation of session-based recommendation algorithms, UMUAI 28, 2018), over a stream. Of the
current session the last `ITEMS` distinct items x speak, g places from its end; each finds the `LATEST` latest sessions
that it is in. A session s is as similar as

    sim(s) = Σ exp(-g / FADING) idf(x)² over shared x, × exp(-age / LIFE),   idf(x) = ln((sessions + 1) / (with x + 1)),

its age in sessions begun since. The `NEIGHBOURS` most similar vote with sim^`SHARPNESS`, normalised to sum 1. An item c
that lies d places from the latest shared item in a neighbour gets

    after = Σ sim exp(-(d - 1) / REACH) for d > 0,   before = Σ sim exp((d + 1) / REACH_BACK) for d < 0,
    again = Σ sim for d = 0,                         next = Σ sim for d = 1,

and in all base = (after + BACK before + SELF again) idf(c)^RARITY. The person's own session is no neighbour of theirs.
"""

from collections.abc import Sequence
from math import exp, log
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.session_rows import LENGTH
from processors.session_view import SessionView

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

ITEMS: Final = 12
LATEST: Final = 500
NEIGHBOURS: Final = 500
FADING: Final = 1.6
LIFE: Final = 200_000.0
SHARPNESS: Final = 1.5
REACH: Final = 2.0
REACH_BACK: Final = 4.0
BACK: Final = 0.5
SELF: Final = 0.2
RARITY: Final = 0.75
LEAST_IDF: Final = 0.05
"""Where sessions are few, an item may be in nearly all of them."""

_PLACES: Final = np.arange(-LENGTH, LENGTH + 1)
_AFTER: Final = np.where(_PLACES > 0, np.exp(-(_PLACES - 1) / REACH), 0.0)
_BEFORE: Final = np.where(_PLACES < 0, np.exp((_PLACES + 1) / REACH_BACK), 0.0)
_NEXT: Final = (_PLACES == 1) * 1.0
_KINDS: Final = np.array([_AFTER + BACK * _BEFORE + SELF * (_PLACES == 0), _AFTER, _BEFORE, _NEXT])
"""Base, after, before and next, by place from the shared item."""


class Neighbourhood(Struct, frozen=True):
    """Live items of neighbours, by catalogue row, each once.

    `said` is kinds × items: base as a share of its sum over all of them, then after, before and next.
    """

    rows: Rows
    said: Values


KINDS: Final = 4
NO_NEIGHBOURS: Final = Neighbourhood(np.zeros(0, np.intp), np.zeros((KINDS, 0)))


def neighbourhood(codes: Sequence[int], own_slot: int | None, view: SessionView) -> Neighbourhood:
    """What neighbours of a session say; `codes` are its items, the latest first, 0 where an item is in no session."""
    slots, similarities, shared = _neighbours(codes, own_slot, view)
    if not len(slots):
        return NO_NEIGHBOURS
    items = view.items.take(slots, axis=0).ravel()
    said = (items != 0).nonzero()[0]
    found = items.take(said).astype(np.intp)
    owners = said // LENGTH
    places = said - LENGTH * owners
    meets = (found == shared.take(owners)).nonzero()[0]
    pivot = np.empty(len(slots), np.intp)
    pivot[owners.take(meets)] = places.take(meets)  # of several places, the last
    places -= (pivot - LENGTH).take(owners)
    marks = view.marks
    order = np.arange(len(found))
    marks[found] = order
    codes_once = found.take((marks.take(found) == order).nonzero()[0])
    marks[codes_once] = order[: len(codes_once)]
    entry = marks.take(found)
    votes = _KINDS.take(places, axis=1)
    votes *= similarities.take(owners)
    summed = np.array([np.bincount(entry, of_kind) for of_kind in votes])
    summed[0] *= _idf(view.frequency.take(codes_once), view) ** RARITY
    summed[0] /= summed[0].sum()
    rows = view.rows.take(codes_once)
    live = rows.nonzero()[0]
    return Neighbourhood(rows.take(live), summed.take(live, axis=1))


def _neighbours(
    codes: Sequence[int], own_slot: int | None, view: SessionView
) -> tuple[Rows, Values, npt.NDArray[np.int32]]:
    """Slots, votes, and the latest item of the session that each shares."""
    found, spoken, weights = [], [], []
    for code, place in _latest_of_each(codes):
        frequency = int(view.frequency[code])
        if frequency:
            idf = max(log((view.count + 1.0) / (frequency + 1.0)), LEAST_IDF)
            found.append(view.latest(code, LATEST))
            spoken.append(code)
            weights.append(exp(-place / FADING) * idf * idf)
    if not found:
        return _NONE
    slots = np.concatenate(found).astype(np.intp)
    speaker = np.arange(len(found)).repeat([len(one) for one in found])
    order = np.arange(len(slots))
    marks = view.marks
    marks[slots[::-1]] = order[::-1]
    entry = marks.take(slots)  # where each session is found first: by its latest shared item
    kept = (entry == order).nonzero()[0]
    if own_slot is not None:
        kept = kept[slots.take(kept) != own_slot]
    similarities = np.bincount(entry, np.array(weights).take(speaker)).take(kept)
    slots = slots.take(kept)
    similarities *= np.exp((view.numbers.take(slots) - view.newest) / LIFE)
    if len(slots) > NEIGHBOURS:
        best = np.argpartition(-similarities, NEIGHBOURS)[:NEIGHBOURS]
        slots, similarities, kept = slots.take(best), similarities.take(best), kept.take(best)
    if not len(slots):
        return _NONE
    votes = similarities**SHARPNESS
    votes /= votes.sum()
    return slots, votes, np.array(spoken, np.int32).take(speaker.take(kept))


_NONE: Final = (np.zeros(0, np.intp), np.zeros(0), np.zeros(0, np.int32))


def _latest_of_each(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Distinct known codes with their places from the end, at most `ITEMS`."""
    seen: dict[int, int] = {}
    for place, code in enumerate(codes):
        if code and code not in seen:
            seen[code] = place
            if len(seen) == ITEMS:
                break
    return list(seen.items())


def _idf(frequency: npt.NDArray[np.int64], view: SessionView) -> Values:
    idf: Values = np.maximum(np.log((view.count + 1.0) / (frequency + 1.0)), LEAST_IDF)
    return idf
