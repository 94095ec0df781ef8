"""Which items the learned blend looks at: the person's own, and what trails, session neighbours, text, popularity,
newness and nearness bring.

Each source brings its best few, so that no source can crowd out another; what may not be shown is left out.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.blend_features import People
from processors.distances import distances_from_km
from processors.eligibility import eligible
from processors.replica import Replica
from processors.retrieval import NO_EVIDENCE, Asked, Candidates, Evidence, alike, asked_for, listed, read_like
from processors.session_neighbours import KINDS, Neighbourhood, neighbourhood
from processors.taste import Taste
from processors.top_list import Rows
from processors.wishes import kind, kinds_of

Values = npt.NDArray[np.float64]

TRODDEN: Final = 120
NEIGHBOURLY: Final = 70
ALIKE: Final = 60
NEAR: Final = 100
PLACES: Final = 3
"""Latest places that items near by are looked for around."""
NEAR_KM: Final = 10.0
TEXT_BESIDE_NEAR: Final = 0.5
POPULAR_BESIDE_NEAR: Final = 0.3
WEEK: Final = 2
"""The place of the half-life of a week."""


class Shortlist(Struct, frozen=True):
    """Candidates with what trails say of each."""

    candidates: Candidates
    followed: Values
    preceded: Values
    after_last: Values
    kinds: Values
    """By category code, how far it is of what was asked for (wishes.py)."""
    sessions: npt.NDArray[np.float64] | None
    """What session neighbours say, where there are any: kinds × candidates."""


def shortlist(person: People, taste: Taste, now_ms: int, replica: Replica, only: Rows | None = None) -> Shortlist:
    """The candidates of one person, without duplicates; or exactly the distinct rows `only`, whatever they are."""
    scratch = replica.scratch
    trodden = replica.trails.read(person.numbers[: len(person.attention)], person.attention, now_ms)
    rows = replica.rows_of(trodden.numbers).astype(np.intp)
    text = alike(taste, replica) if only is None else NO_EVIDENCE
    wished = read_like(taste, replica)
    asked = asked_for(taste, wished, now_ms, replica)
    kinds = kinds_of(taste, wished, replica)
    followed, preceded, after_last, merit = scratch[:4]
    np.add.at(followed, rows, trodden.followed)
    np.add.at(preceded, rows, trodden.preceded)
    np.add.at(after_last, rows[: trodden.of_latest], trodden.followed[: trodden.of_latest])
    followed[0] = preceded[0] = after_last[0] = 0.0
    touched = rows
    found: list[Rows] = [*listed(taste, now_ms, replica)] if only is None else []
    if len(rows):
        once = _once(rows, replica)
        found.append(_best(once, followed.take(once) + preceded.take(once), TRODDEN))
    neighbours = neighbourhood(person.session, person.own_slot, replica.sessions)
    if len(neighbours.rows):
        found.append(_best(neighbours.rows, neighbours.said[0], NEIGHBOURLY))
    np.add.at(merit, text.rows, text.values)
    once = _once(text.rows, replica)
    found.append(_best(once, merit.take(once), ALIKE))
    found += [rows for rows, _ in asked]
    near = _once(replica.nearby.around(person.places[:PLACES] if only is None else []), replica)
    if len(near):
        km = distances_from_km(near, person.places[:1], replica.catalogue)[0]
        shares = replica.popularity.part(WEEK, replica.shelves.numbers.take(near), now_ms, replica.total_levels)
        score = 1.0 / (1.0 + km / NEAR_KM) + TEXT_BESIDE_NEAR * merit.take(near)
        score += POPULAR_BESIDE_NEAR * np.log1p(shares * len(replica.catalogue))
        if asked:
            score += kind(near, kinds, replica)
        found.append(_best(near, score, NEAR))
    merit[text.rows] = 0.0
    if only is None:
        chosen = _once(np.concatenate(found), replica)
        chosen = chosen[eligible(chosen, taste, now_ms, replica)]
    else:
        chosen = only
    after, before = followed.take(chosen), preceded.take(chosen)
    made = Shortlist(
        Candidates(
            chosen,
            after + before,
            np.zeros(len(chosen)),
            _titles(chosen, asked, replica),
            Evidence(person.deeds.take(trodden.owners), rows, trodden.followed + trodden.preceded),
            text,
        ),
        after,
        before,
        after_last.take(chosen),
        kinds,
        _said(neighbours, chosen, replica),
    )
    followed[touched] = preceded[touched] = after_last[touched] = 0.0
    return made


def narrowed(found: Shortlist, places: Rows) -> Shortlist:
    """The candidates at some places alone."""
    known, sessions = found.candidates, found.sessions
    candidates = Candidates(
        known.rows.take(places),
        known.covisitation.take(places),
        known.text.take(places),
        known.titles.take(places),
        known.by_covisitation,
        known.by_text,
    )
    return Shortlist(
        candidates,
        found.followed.take(places),
        found.preceded.take(places),
        found.after_last.take(places),
        found.kinds,
        None if sessions is None else sessions.take(places, axis=1),
    )


def every_item(person: People, taste: Taste, now_ms: int, replica: Replica) -> Shortlist:
    """All that may be shown; costs a look at every row."""
    rows = np.arange(1, replica.catalogue.rows)
    rows = rows[eligible(rows, taste, now_ms, replica)]
    nothing = np.zeros(len(rows))
    wished = read_like(taste, replica)
    titles = _titles(rows, asked_for(taste, wished, now_ms, replica), replica)
    candidates = Candidates(rows, nothing, nothing, titles, NO_EVIDENCE, NO_EVIDENCE)
    kinds = kinds_of(taste, wished, replica)
    return Shortlist(candidates, nothing, nothing, nothing, kinds, None)


def _titles(rows: Rows, asked: Asked, replica: Replica) -> Values:
    if not asked:
        return np.zeros(len(rows))
    best = replica.scratch[3]
    for matching, similarities in asked:
        np.maximum.at(best, matching, similarities)
    titles = best[rows]
    for matching, _ in asked:
        best[matching] = 0.0
    return titles


def _said(neighbours: Neighbourhood, rows: Rows, replica: Replica) -> npt.NDArray[np.float64] | None:
    if not len(neighbours.rows):
        return None
    said = np.zeros((KINDS, len(rows)))
    marks = replica.marks
    marks[rows] = -1
    marks[neighbours.rows] = np.arange(len(neighbours.rows))
    place = marks.take(rows)
    known = (place >= 0).nonzero()[0]
    said[:, known] = neighbours.said.take(place.take(known), axis=1)
    return said


def _once(rows: Rows, replica: Replica) -> Rows:
    """Each row but 0 once."""
    places = np.arange(len(rows))
    marks = replica.marks
    marks[rows] = places
    marks[0] = -1
    once: Rows = rows[marks.take(rows) == places]
    return once


def _best(rows: Rows, merit: Values, count: int) -> Rows:
    if len(rows) <= count:
        return rows
    best: Rows = rows.take((-merit).argpartition(count)[:count])
    return best
