"""The features of the learned blend: one row a feature, in the order of `pack.BlendPrior`, by candidate.

Counts are read against a base, what an item is due as its share of all that is done lately and ever:

    base = 0.5 share_week + 0.4 share_ever + 0.1 / live items

so that a feature tells what is *special*: popularity at a half-life is ln((share + base / 10) / base), a trail
ln(1 + s / (base / 20)). What session neighbours say is a share of their votes already: ln(1 + s / `SESSION_FLOOR`).
Items that the person acted on before have features of their own and 0 in the others: what brings someone back differs
from what is new to them. A source without data gives 0 everywhere.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.blend import NAMES, OWN
from processors.context import Context
from processors.distances import distances_from_km
from processors.popularity import half_lives_d
from processors.replica import Replica
from processors.top_list import Rows

Matrix = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]

COLUMN: Final = {name: place for place, name in enumerate(NAMES)}
FLOOR: Final = 0.1
TRAIL_FLOOR: Final = 0.05
SESSION_FLOOR: Final = 1e-4
LEVEL_SHIFT: Final = 7.0
HOUR_MS: Final = 3_600_000.0
SOME_KM: Final = 5.0
NEAR_KM: Final = 30.0
NEAR_DEEDS: Final = 5
LABEL_DEEDS: Final = 8
_REPEATED: Final = [COLUMN[name] for name in ("level", "text_last", "together", "hour", "session", "session_next")]
"""What the last features of own items repeat."""


class People(Struct, frozen=True):
    """A person's context, and where their latest deeds (or they themselves) are."""

    numbers: npt.NDArray[np.intp]
    rows: Rows
    ts_ms: Values
    attention: Values
    deeds: npt.NDArray[np.intp]
    session: list[int]
    own_slot: int | None
    places: list[tuple[float, float]]
    """Latitude and longitude, at most `NEAR_DEEDS`, the latest first."""
    shares: list[float]
    """Attention by place."""


def person_of(context: Context, stated: tuple[float, float] | None, replica: Replica) -> People:
    """`stated` is where the person says they are: it goes before where their deeds are."""
    catalogue = replica.catalogue
    rows = context.rows[:NEAR_DEEDS]
    lats, lons = catalogue.lat[rows].tolist(), catalogue.lon[rows].tolist()
    attention = context.attention[:NEAR_DEEDS].tolist()
    known = [(lat, lon, share) for lat, lon, share in zip(lats, lons, attention, strict=True) if lat == lat]  # noqa: PLR0124
    if stated is not None:
        known.insert(0, (*stated, 1.0))
    return People(
        context.numbers,
        context.rows,
        context.ts_ms,
        context.attention,
        context.deeds,
        context.session,
        context.own_slot,
        [(lat, lon) for lat, lon, _ in known[:NEAR_DEEDS]],
        [share for _, _, share in known[:NEAR_DEEDS]],
    )


def blend_features(
    rows: Rows,
    followed: Values,
    preceded: Values,
    after_last: Values,
    sessions: Matrix | None,
    wishes: Matrix,
    person: People,
    now_ms: int,
    replica: Replica,
) -> Matrix:
    """The matrix features × candidates; all finite."""
    matrix = np.zeros((len(NAMES), len(rows)))
    if not len(rows):
        return matrix
    count = len(half_lives_d(replica.pack))
    base = _popularity(matrix[: 1 + count], rows, now_ms, replica)
    trails = matrix[COLUMN["followed"] : COLUMN["after_last"] + 1]
    trails[0], trails[1], trails[3] = followed, preceded, after_last
    np.add(followed, preceded, out=trails[2])
    trails /= TRAIL_FLOOR * base
    np.log1p(trails, out=trails)
    if sessions is not None:
        np.log1p(sessions / SESSION_FLOOR, out=matrix[COLUMN["session"] : COLUMN["session_next"] + 1])
    _text(matrix, rows, person, replica)
    if person.places:
        _places(matrix, rows, person, replica)
    if len(person.rows):
        labels = replica.labels
        attention = person.attention[:LABEL_DEEDS]
        matrix[COLUMN["labels"]] = labels.shared(rows, person.rows[: len(attention)], attention)
    matrix[COLUMN["fresh"]] = _age(rows, now_ms, replica)
    matrix[COLUMN["stated"] : COLUMN["remote"] + 1] = wishes
    _own(matrix, rows, person, now_ms, replica)
    if replica.pack.muted:
        matrix[[COLUMN[name] for name in replica.pack.muted]] = 0.0
    return matrix


def _popularity(part: Matrix, rows: Rows, now_ms: int, replica: Replica) -> Values:
    """Fills level and trends; returns the base."""
    shares = replica.popularity.parts(replica.shelves.numbers[rows], now_ms, replica.total_levels)
    base: Values = 0.5 * shares[2] + 0.4 * shares[-1]
    base += 0.1 / max(len(replica.catalogue), 1)
    level = np.log(base)
    part[0] = level + LEVEL_SHIFT
    shares += FLOOR * base
    np.log(shares, out=part[1:])
    part[1:] -= level
    return base


def _text(matrix: Matrix, rows: Rows, person: People, replica: Replica) -> None:
    if replica.vectors.is_empty or not len(person.rows):
        return
    text = matrix[COLUMN["text"]]
    text[:], matrix[COLUMN["text_last"]] = replica.vectors.cosines(rows, person.rows, person.attention)
    logs = matrix[COLUMN["text_log"]]
    np.maximum(text, 0.0, out=logs)
    logs += 0.05
    np.log(logs, out=logs)


def _places(matrix: Matrix, rows: Rows, person: People, replica: Replica) -> None:
    km = distances_from_km(rows, person.places, replica.catalogue)
    first = COLUMN["distance"]
    logs = matrix[first : first + 2]
    np.minimum.reduce(km, axis=0, out=logs[0])
    logs[1] = km[0]
    logs += SOME_KM
    np.negative(np.log(logs, out=logs), out=logs)
    km /= -NEAR_KM
    matrix[first + 2] = person.shares @ np.exp(km, out=km)


def _age(rows: Rows, now_ms: int, replica: Replica) -> Values:
    """The logarithm of hours since an item was posted; 0 where that is unknown."""
    posted_ms = replica.catalogue.posted_ms.take(rows)
    hours = np.maximum(now_ms - posted_ms, 0) / HOUR_MS
    age: Values = np.log(0.1 + hours)
    age[posted_ms == 0] = 0.0
    return age


def _own(matrix: Matrix, rows: Rows, person: People, now_ms: int, replica: Replica) -> None:
    if not len(person.rows) or "own" in replica.pack.muted:
        return
    marks = replica.marks
    marks[rows] = -1
    deeds = np.arange(len(person.rows))
    marks[person.rows[::-1]] = deeds[::-1]  # of several deeds, the latest
    marks[0] = len(deeds)
    place = marks.take(rows)
    own = (place >= 0).nonzero()[0]
    if not len(own):
        return
    deed = place.take(own)
    others = matrix.take(own, axis=1)
    told = np.empty((len(NAMES) - OWN, len(own)))
    told[0] = 1.0
    told[1] = deed == 0
    told[2] = np.log1p(deed)
    told[3] = np.log(0.02 + np.maximum(now_ms - person.ts_ms[deed], 0.0) / HOUR_MS)
    told[4] = np.log(np.bincount(marks.take(person.rows)).take(deed))
    told[5:] = others.take(_REPEATED, axis=0)
    others[:OWN] = 0.0
    others[OWN:] = told
    matrix[:, own] = others
