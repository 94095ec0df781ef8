"""Which few hundred of all items are worth a closer look, and what speaks for them.

Items come from co-visitation with the last twenty deeds, from text alike to the last five or to stated titles, from
what is popular anywhere and in the person's region, from what is new near by, and from the person's own items.
Similar items fill the room (`pack.candidates`) that the short lists leave, the most similar first.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.eligibility import eligible
from processors.replica import Replica
from processors.taste import Taste
from processors.top_list import Rows

Values = npt.NDArray[np.float64]
Asked = list[tuple[Rows, npt.NDArray[np.float32]]]
"""Rows and similarities, for each of several texts."""

TEXT_DEEDS: Final = 5
REGIONS: Final = 2
CITIES: Final = 3
TITLE_BLEND: Final = 0.7
"""Of the stated feature, for the title, where places are stated too."""
COVISITATION, TEXT, STATED = range(3)
"""Rows of `replica.scratch`."""


class Evidence(Struct, frozen=True):
    """Which deed speaks for which row, and how much: three arrays of one length."""

    owners: Rows
    rows: Rows
    values: Values


NO_EVIDENCE: Final = Evidence(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))


class Candidates(Struct, frozen=True):
    """Eligible rows with what was found out about each while they were retrieved."""

    rows: Rows
    covisitation: Values
    text: Values
    titles: Values
    by_covisitation: Evidence
    by_text: Evidence


def retrieve(taste: Taste, now_ms: int, replica: Replica) -> Candidates:
    """The candidates of one person, without duplicates."""
    scratch = replica.scratch
    covisited = _covisited(taste, now_ms, replica)
    text = alike(taste, replica)
    asked = asked_for(taste, read_like(taste, replica), now_ms, replica)
    np.add.at(scratch[COVISITATION], covisited.rows, covisited.values)
    np.add.at(scratch[TEXT], text.rows, text.values)
    for rows, similarities in asked:
        np.maximum.at(scratch[STATED], rows, similarities)
    touched = [covisited.rows, text.rows, *[rows for rows, _ in asked]]
    scored = sum([len(rows) for rows in touched])
    rows = np.concatenate([*touched, *listed(taste, now_ms, replica)])
    places = np.arange(len(rows))
    replica.marks[rows] = places
    places = (replica.marks.take(rows) == places).nonzero()[0]  # each row once, where it is mentioned last
    touched_rows = rows[:scored]
    rows = rows.take(places)
    allowed = eligible(rows, taste, now_ms, replica)
    is_listed = places >= scored
    short, similar = rows[allowed & is_listed], rows[allowed & ~is_listed]
    room = max(replica.pack.candidates - len(short), replica.pack.candidates // 3)
    if len(similar) > room:
        kinds = scratch[: STATED + 1] if asked else scratch[:STATED]
        first, *others = [_scaled(values.take(similar)) for values in kinds]
        merit = sum(others, first)
        similar = similar.take((-merit).argpartition(room)[:room])
    rows = np.concatenate([short, similar])
    covisitation, alikeness, titles = [values.take(rows) for values in scratch[: STATED + 1]]
    for values in scratch[: STATED + 1]:
        values[touched_rows] = 0.0
    return Candidates(rows, covisitation, alikeness, titles, covisited, text)


def everything(taste: Taste, now_ms: int, replica: Replica) -> Candidates:
    """All eligible rows, for the rare person whose candidates do not fill a list; costs a look at every row."""
    rows = np.arange(1, replica.catalogue.rows)
    rows = rows[eligible(rows, taste, now_ms, replica)]
    nothing = np.zeros(len(rows))
    return Candidates(rows, nothing, nothing, nothing, NO_EVIDENCE, NO_EVIDENCE)


def _covisited(taste: Taste, now_ms: int, replica: Replica) -> Evidence:
    owners, numbers, similarities = replica.covisitation.neighbours(taste.numbers, now_ms)
    rows = replica.rows_of(numbers)
    live = rows.nonzero()[0]
    owners = owners.take(live)
    weighed = similarities.take(live) * taste.weights.take(owners)
    return Evidence(owners, rows.take(live).astype(np.intp), weighed)


def read_like(taste: Taste, replica: Replica) -> Asked:
    """What reads like each title, and then like each search."""
    return [replica.text.search(said) for said in (*taste.titles, *taste.searches)]


def asked_for(taste: Taste, alike: Asked, now_ms: int, replica: Replica) -> Asked:
    """For each title and search: what reads like it (`read_like`), and what people acted on after it."""
    found = alike[: len(taste.titles)]
    for rows, similarities in alike[len(taste.titles) :]:
        if len(rows):  # whoever searches means the best there is, however long its title
            found.append((rows, similarities / similarities.max()))
    for title in (*taste.titles, *taste.searches):
        item_ids, shares = replica.queries.led_to(title, now_ms)
        if item_ids:
            found.append((np.array(replica.catalogue.rows_of(item_ids), np.intp), shares.astype(np.float32)))
    return found


def alike(taste: Taste, replica: Replica) -> Evidence:
    """What reads like the latest deeds."""
    found = [(i, *replica.text.neighbours(row)) for i, row in enumerate(taste.rows[:TEXT_DEEDS]) if row]
    if not found:
        return NO_EVIDENCE
    owners = np.array([i for i, _, _ in found]).repeat([len(rows) for _, rows, _ in found])
    rows = np.concatenate([rows for _, rows, _ in found])
    similarities = np.concatenate([similarities for _, _, similarities in found])
    return Evidence(owners, rows, similarities * taste.weights.take(owners))


def listed(taste: Taste, now_ms: int, replica: Replica) -> list[Rows]:
    """The short lists of a person: their own, what is popular and new, anywhere and where they are."""
    shelves, place = replica.shelves, taste.place
    regions = sorted(place.regions, key=lambda code: (-place.regions[code], code))[:REGIONS]
    cities = sorted(place.cities, key=lambda code: (-place.cities[code], code))[:CITIES]
    if taste.wanted is not None:
        regions += taste.wanted.regions[:REGIONS]
        cities += taste.wanted.cities[:CITIES]
    lists = [np.array(taste.own_rows, np.intp), *shelves.popular(now_ms), shelves.new(now_ms)]
    lists += [shelves.new_in_city(city, now_ms) for city in cities]
    for region in regions:
        lists += [shelves.popular_in(region, now_ms), shelves.new_in_region(region, now_ms)]
    return lists


def _scaled(values: Values) -> Values:
    top = float(values.max()) if len(values) else 0.0
    return values / top if top > 0.0 else values
