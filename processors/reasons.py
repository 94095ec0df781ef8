"""Why an item is in a list, in words that the person understands; the main reason first.

A reason is given for each feature that contributes enough. Similarity names the item that the person dealt with, and of
several that speak for an item the one that speaks loudest, unless the latest save or application speaks nearly as loud.
"""

from collections.abc import Sequence
from math import isnan
from typing import Final

import numpy as np
from msgspec import Struct

from processors.actions import VERBS, VIEW
from processors.distances import distances_km
from processors.features import (
    AFFINITY,
    COVISITATION,
    FRESHNESS,
    LOCATION,
    POPULARITY,
    SEEN,
    STATED,
    TEXT,
)
from processors.popularity import DAY_MS
from processors.replica import Replica
from processors.retrieval import Evidence
from processors.slate import Place
from processors.taste import Taste
from processors.top_list import Rows
from processors.words import words

MAX_REASONS: Final = 3
LEAST_SHARE: Final = 0.1
"""A feature is a reason when it contributes this share of all that speaks for the item."""
NEARLY: Final = 0.5
"""The latest save or application is named where it speaks at least this loud, relative to the loudest."""
MAX_TITLE: Final = 80
NEAR_KM: Final = 100.0

SOURCES: Final = {
    COVISITATION: "covisitation",
    TEXT: "text",
    POPULARITY: "popular",
    FRESHNESS: "fresh",
    LOCATION: "near",
    AFFINITY: "affinity",
    STATED: "stated",
}


class Explanation(Struct, frozen=True, gc=False):
    """The retriever that contributed most, and the reasons."""

    source: str
    reasons: tuple[str, ...]


Voices = dict[int, list[tuple[float, int]]]
"""Row -> (how loud, which deed) of all that speaks for it."""


class Story(Struct, frozen=True):
    """What the reasons of one list are told from."""

    taste: Taste
    now_ms: int
    replica: Replica
    latest: int
    """The latest deed that is more than a view, -1 without one."""
    by_covisitation: Voices
    by_text: Voices


def explain(places: Sequence[Place], taste: Taste, now_ms: int, replica: Replica) -> list[Explanation]:
    """Explain each place of a list. There is always a reason."""
    latest = next((deed for deed, action in enumerate(taste.actions) if action != VIEW), -1)
    explained: dict[int, Explanation] = {}
    for key, ranking in {id(place.ranking): place.ranking for place in places}.items():
        listed = [place for place in places if id(place.ranking) == key]
        rows = np.array([place.row for place in listed])
        candidates = ranking.candidates
        voices = [_voices(evidence, rows, replica) for evidence in (candidates.by_covisitation, candidates.by_text)]
        story = Story(taste, now_ms, replica, latest, *voices)
        parts = ranking.parts([place.position for place in listed])
        least = (LEAST_SHARE * np.maximum(parts, 0.0).sum(axis=1)).tolist()
        strongest = np.argsort(-parts, axis=1, kind="stable").tolist()
        for place, part, order, enough in zip(listed, parts.tolist(), strongest, least, strict=True):
            explained[place.row] = _explain(place, part, order, enough, story)
    return [explained[place.row] for place in places]


def _explain(place: Place, parts: list[float], strongest: list[int], least: float, story: Story) -> Explanation:
    reasons: list[str] = [_answered(place, story)] if place.answers >= 0 else []
    for feature in strongest:
        part = parts[feature]
        if part <= 0.0 or part < least or len(reasons) == MAX_REASONS:
            break
        if (reason := _reason(feature, place, story)) and reason not in reasons:
            reasons.append(reason)
    source = SOURCES.get(strongest[0], "own") if parts[strongest[0]] > 0.0 else "catalogue"
    return Explanation(source, tuple(reasons) or (_anything(place.row, story.replica),))


def _reason(feature: int, place: Place, story: Story) -> str | None:
    row, taste, replica = place.row, story.taste, story.replica
    if feature == COVISITATION:
        deed = _loudest(story.by_covisitation.get(row), story.latest)
        return None if deed is None else f"because you {VERBS[taste.actions[deed]]} {_named(deed, story)}"
    if feature == TEXT:
        deed = _loudest(story.by_text.get(row), story.latest)
        return None if deed is None else f"similar to {_named(deed, story)} that you {VERBS[taste.actions[deed]]}"
    if feature == POPULARITY:
        return "popular now"
    if feature == FRESHNESS:
        return _new(int(replica.catalogue.posted_ms[row]), story.now_ms)
    if feature == LOCATION:
        return _near(row, taste, replica)
    if feature == AFFINITY:
        return _liked(row, taste, replica)
    if feature == STATED:
        return _asked(place, taste, replica)
    return _again(row, taste) if feature == SEEN else None


def _answered(place: Place, story: Story) -> str:
    return f"similar to {_named(place.answers, story)} that you {VERBS[story.taste.actions[place.answers]]}"


def _again(row: int, taste: Taste) -> str:
    verb = VERBS[taste.actions[taste.rows.index(row)]] if row in taste.rows else "dealt with"
    return f"because you {verb} it before"


def _voices(evidence: Evidence, rows: Rows, replica: Replica) -> Voices:
    marks = replica.marks
    marks[evidence.rows] = 0
    marks[rows] = 1
    found = marks.take(evidence.rows).nonzero()[0]
    voices: Voices = {}
    told = [column.take(found).tolist() for column in (evidence.rows, evidence.values, evidence.owners)]
    for row, value, owner in zip(*told, strict=True):
        voices.setdefault(row, []).append((value, owner))
    return voices


def _loudest(voices: list[tuple[float, int]] | None, latest: int) -> int | None:
    """The deed to name, or None where none speaks for the item."""
    if not voices:
        return None
    top, loudest = voices[0]
    of_latest = 0.0
    for value, deed in voices:
        if value > top:
            top, loudest = value, deed
        if deed == latest:
            of_latest = value
    return latest if of_latest >= NEARLY * top else loudest


def _named(deed: int, story: Story) -> str:
    row = story.taste.rows[deed]
    title = " ".join(story.replica.catalogue.title(row).split()) if row else ""
    if len(title) > MAX_TITLE:
        title = f"{title[: MAX_TITLE - 1].rstrip()}…"
    return f"“{title or story.taste.items[deed]}”"


def _new(posted_ms: int, now_ms: int) -> str | None:
    age_d = (now_ms - posted_ms) / DAY_MS
    if not posted_ms or age_d >= 14.0:
        return None
    return "new today" if age_d < 1.0 else "new this week" if age_d < 7.0 else "new this month"


def _near(row: int, taste: Taste, replica: Replica) -> str | None:
    catalogue, place = replica.catalogue, taste.place
    if place.is_stated and place.lat is not None and place.lon is not None:
        km = float(distances_km(np.array([row]), place.lat, place.lon, catalogue)[0])
        if not isnan(km) and km <= NEAR_KM:
            return f"{max(round(km), 1)} km away"
    if int(catalogue.city[row]) in place.cities:
        return f"in {catalogue.city_name(row)}"
    if int(catalogue.region[row]) in place.regions:
        return f"in {catalogue.regions.name(int(catalogue.region[row]))}"
    if catalogue.remote[row] == 1:
        return "remote"
    return f"near you, in {catalogue.city_name(row)}" if catalogue.city[row] else "near you"


def _liked(row: int, taste: Taste, replica: Replica) -> str | None:
    catalogue = replica.catalogue
    liked = [(taste.categories.get(code, 0.0), code) for code in catalogue.category[:, row].tolist() if code]
    share, code = max(liked, default=(0.0, 0))
    brand = int(catalogue.brand[row])
    if taste.brands.get(brand, 0.0) > share:
        return f"from {catalogue.brands.name(brand)}, which you looked at before"
    return f"more in {catalogue.categories.name(code)}" if share > 0.0 else None


def _asked(place: Place, taste: Taste, replica: Replica) -> str:
    catalogue = replica.catalogue
    if place.ranking.candidates.titles[place.position] > 0.0:
        known = set(words(catalogue.title(place.row)))
        texts = (*taste.searches, *taste.titles)
        fits, said = max((len(known.intersection(words(text))) / (1 + len(words(text))), text) for text in texts)
        return f"matches “{said}”, which you asked for" if fits else f"others chose it after asking for “{said}”"
    if taste.wants_remote and catalogue.remote[place.row] == 1:
        return "remote, as you asked for"
    if taste.wanted is None or int(catalogue.city[place.row]) not in taste.wanted.cities:
        name = catalogue.categories.name(int(catalogue.category[0][place.row]))
        if name:
            return f"in {name}, like what you asked for"
    where = catalogue.city_name(place.row) or catalogue.regions.name(int(catalogue.region[place.row]))
    return f"in {where}, where you want to be" if where else "matches what you asked for"


def _anything(row: int, replica: Replica) -> str:
    city = replica.catalogue.city_name(row)
    return f"in {city}" if city else "something different"
