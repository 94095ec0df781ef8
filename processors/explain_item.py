"""Why one item is in a person's list, and at which place, or why it is not: `attune explain`."""

from typing import Final

import numpy as np
from msgspec import Struct

from processors.adjusted import costs
from processors.attributes import FEATURE
from processors.features import NAMES
from processors.profile import Profile
from processors.ranking import Ranking
from processors.reasons import explain
from processors.recommend import listed, ranked, ranked_all
from processors.replica import Replica
from processors.slate import Place
from processors.taste import taste_of
from processors.why_not import REFUSED_BY_SLATE, Objection, alike_dismissed, objections

MEANINGS: Final = {
    "covisitation": "people who dealt with the same items dealt with it",
    "text": "it reads like what they dealt with",
    "popularity": "it is popular",
    "freshness": "it is new",
    "location": "it is where they are",
    "affinity": "they like its brand or categories",
    "stated": "it fits what they asked for",
    "seen": "they dealt with it before",
}


class Contribution(Struct, frozen=True):
    """What one feature adds to the score, or takes from it. Under the learned blend, relative to other candidates."""

    feature: str
    adds: float
    words: str


class ItemExplanation(Struct, frozen=True):
    """`rank` is the place in the list of now, made without chance; None where the item is not in it, and `why_not`
    says why. `place` is its place by score among `candidates` (None where it is no candidate).
    """

    item_id: str
    title: str
    rank: int | None
    place: int | None
    candidates: int
    score: float | None
    contributions: tuple[Contribution, ...]
    reasons: tuple[str, ...]
    why_not: tuple[Objection, ...]


def explain_item(profile: Profile, item_id: str, now_ms: int, replica: Replica) -> ItemExplanation:
    """The explanation for a person at `now_ms`. The profile is only read."""
    row = replica.catalogue.row_of(item_id)
    taste = taste_of(profile, now_ms, replica)
    ranking = ranked(profile, taste, now_ms, replica)
    count = len(ranking.order)
    if row is None:
        gone = Objection("unknown", "there is no such item: it was never announced, or is retired")
        return ItemExplanation(item_id, "", None, None, count, None, (), (), (gone,))
    slate = listed(profile, taste, now_ms, replica, replica.pack.list_size)
    rank = next((rank for rank, place in enumerate(slate.places, 1) if place.row == row), None)
    against = () if rank is not None else tuple(objections(row, profile, taste, now_ms, replica))
    place = place_of(ranking, row)
    if place is None and not against:
        ranking = ranked_all(profile, taste, now_ms, replica)
        found = place_of(ranking, row)
    else:
        found = place
    if rank is None and not against:
        against += alike_dismissed(row, profile, now_ms, replica)
        refused = slate.refusal(row)
        if refused in REFUSED_BY_SLATE:
            against += (Objection(refused, REFUSED_BY_SLATE[refused]),)
        against += (_outranked(place, found, count, len(slate.places)),)
    title = " ".join(replica.catalogue.title(row).split())
    if found is None:
        return ItemExplanation(item_id, title, rank, None, count, None, (), (), against)
    position = int(ranking.order[found - 1])
    explained = explain([Place(ranking, position, row)], taste, now_ms, replica)[0]
    parts = ranking.parts([position])[0].tolist()
    told = [Contribution(name, part, MEANINGS[name]) for name, part in zip(NAMES, parts, strict=True) if part]
    if part := ranking.of_attributes(position):
        told.append(
            Contribution(FEATURE, part, f"how its {_listed(replica)} fits theirs, which the settings let count")
        )
    if cost := float(costs(ranking, profile, taste, now_ms, replica)[position]):
        told.append(Contribution("shown", -cost, "it was shown to them before, and they did not act on it"))
    told.sort(key=lambda contribution: -abs(contribution.adds))
    score = float(ranking.scores[position])
    return ItemExplanation(item_id, title, rank, place, count, score, tuple(told), explained.reasons, against)


def place_of(ranking: Ranking, row: int) -> int | None:
    """The place of a row by score, from 1; None where it is no candidate."""
    places = np.flatnonzero(ranking.candidates.rows[ranking.order] == row)
    return int(places[0]) + 1 if len(places) else None


def _listed(replica: Replica) -> str:
    """>>> from processors.pack import Pack
    >>> _listed(Replica(Pack(name="jobs", models="blend", attributes=("licence", "night"))))
    'licence, night'
    """
    return ", ".join(replica.attributes.listed) if replica.attributes is not None else ""


def _outranked(place: int | None, of_all: int | None, candidates: int, size: int) -> Objection:
    if place is not None:
        return Objection(
            "outranked", f"ranked {_ordinal(place)} of {candidates} candidates; the list has {size} places"
        )
    everywhere = f"; scored nevertheless it would be {_ordinal(of_all)}" if of_all is not None else ""
    return Objection("no_candidate", f"nothing led to it: it is not among {candidates} candidates{everywhere}")


def _ordinal(number: int) -> str:
    """>>> [_ordinal(n) for n in (1, 2, 3, 4, 11, 57, 112, 123)]
    ['1st', '2nd', '3rd', '4th', '11th', '57th', '112th', '123rd']
    """
    suffix = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
