"""A profile in the catalogue's terms: what the person did lately, where they are, what they asked for.

Nothing is stored: a taste is computed from the profile whenever someone is ranked.
"""

from collections.abc import Mapping
from math import exp2, isfinite
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from processors.actions import APPLY, evidence, weights
from processors.attributes import FEATURE
from processors.catalogue import Catalogue
from processors.decay import EMPTY
from processors.popularity import DAY_MS
from processors.profile import BRAND, CATEGORY, REGION, Profile
from processors.replica import Replica

HISTORY: Final = 20
"""The latest items that speak for a person's taste."""
BY_POSITION: Final = tuple((k + 1) ** -0.7 for k in range(HISTORY))
"""What the latest item weighs, the one before, and so on."""
STATED_TITLES: Final = 4
SEARCHES: Final = 2
"""Stated titles, and the latest searches, that are matched with what items say."""
SEARCHED_D: Final = 7.0
_NOTHING: Final = np.zeros(0, np.int64)
CITY_SHARE: Final = 0.7
"""Of the location feature, for the same city; the rest for the same region."""


class Place(Struct):
    """Where a person is, or looks: shares in [0, 1] by code, and coordinates where they are known."""

    cities: dict[int, float]
    regions: dict[int, float]
    lat: float | None = None
    lon: float | None = None
    is_stated: bool = False


class Wanted(Struct, frozen=True):
    """The places someone asked for, as codes."""

    cities: tuple[int, ...]
    regions: tuple[int, ...]
    countries: tuple[int, ...]
    around: tuple[int, ...]
    """Regions of the cities: they do not speak against an item that names no city."""
    centres: tuple[tuple[float, float], ...]
    """Latitude and longitude of the cities, where known."""


class Taste(Struct):
    """All that ranking knows of a person."""

    items: list[str]
    """The items of the latest deeds, at most `HISTORY`, the latest first."""
    actions: list[int]
    """What was done, by deed."""
    rows: list[int]
    """The item's row by deed, 0 where it is not live."""
    numbers: list[int]
    """The learner's number of the item by deed, 0 where nothing was learned of it."""
    weights: npt.NDArray[np.float64]
    """By deed: action, place in the order, and age; they sum to 1."""
    own_rows: list[int]
    """Live items of all kept actions."""
    excluded: npt.NDArray[np.int64]
    """Sorted hashes of items that must not be shown."""
    place: Place
    brands: dict[int, float]
    categories: dict[int, float]
    """Affinities by code, the largest 1."""
    titles: tuple[str, ...]
    """What was stated: titles, and the saved searches that are no older than they."""
    searches: tuple[str, ...]
    """What was searched for lately, the latest first."""
    wanted: Wanted | None
    min_salary: float | None
    wants_remote: bool
    radius_km: float
    """How far they go to work: as a saved search says, but at least the pack's `commute_km`."""
    attributes: dict[str, list[str]]
    """Those that the settings list (attributes.py)."""


def taste_of(profile: Profile, now_ms: int, replica: Replica) -> Taste:
    """The taste of one person at `now_ms`."""
    catalogue, pack = replica.catalogue, replica.pack
    by_action = weights(pack.actions)
    per_half_life = 1.0 / (pack.taste_half_life_d * DAY_MS)
    latest = profile.latest_actions()
    all_rows = catalogue.rows_of([done.item_id for done in latest])
    deeds = latest[:HISTORY]
    items = [done.item_id for done in deeds]
    latest_ms = deeds[0].ts_ms if deeds else now_ms
    weighed = [
        by_action[done.kind] * evidence(done.dwell_ms) * share * exp2((done.ts_ms - latest_ms) * per_half_life)
        for done, share in zip(deeds, BY_POSITION, strict=False)
    ]
    total = sum(weighed)
    weighed = [weight / total for weight in weighed]
    rows = all_rows[:HISTORY]
    min_salary = profile.said("min_salary")
    return Taste(
        items=items,
        actions=[done.kind for done in deeds],
        rows=rows,
        numbers=replica.numbers_of(items, rows),
        weights=np.array(weighed),
        own_rows=[row for row in all_rows if row],
        excluded=_excluded(profile, pack.applied == "exclude", catalogue),
        place=_place(profile, rows, weighed, catalogue),
        brands=_coded(profile, BRAND, catalogue.brands.spellings),
        categories=_coded(profile, CATEGORY, catalogue.categories.spellings),
        titles=_titles(profile),
        searches=_searched(profile, now_ms),
        wanted=_wanted(profile.said("places") or (), catalogue),
        min_salary=float(min_salary) if min_salary else None,
        wants_remote=profile.said("remote") is True,
        radius_km=max(pack.commute_km, profile.said("radius_km") or 0.0),
        attributes=profile.said(FEATURE) or {},
    )


def _titles(profile: Profile) -> tuple[str, ...]:
    """Stated titles, then saved searches: of what was said earlier than the titles nothing counts any more."""
    titles, alerts = profile.stated.get("titles"), profile.stated.get("alerts")
    said = list(profile.said("titles") or ())[:STATED_TITLES]
    if alerts is not None and (titles is None or alerts.ts_ms >= titles.ts_ms):
        said += profile.said("alerts") or ()
    return tuple(dict.fromkeys(said))[:STATED_TITLES]


def _searched(profile: Profile, now_ms: int) -> tuple[str, ...]:
    """What was searched for lately, the latest first; each once."""
    since_ms = now_ms - SEARCHED_D * DAY_MS
    lately = [asked.text for asked in reversed(profile.queries) if since_ms < asked.ts_ms]
    return tuple(dict.fromkeys(lately))[:SEARCHES]


def _excluded(profile: Profile, applied: bool, catalogue: Catalogue) -> npt.NDArray[np.int64]:
    row_of = catalogue.row_of
    ids = [item_id for item_id in profile.dismissed if profile.is_dismissed(item_id)]
    if applied:
        ids += [action.item_id for action in profile.actions if action.kind == APPLY]
    hashes = {int(catalogue.id_hash[row]) for item_id in ids if (row := row_of(item_id))}
    if applied:
        hashes.update(profile.applied_items)
    return np.array(sorted(hashes), np.int64) if hashes else _NOTHING


def _coded(profile: Profile, kind: str, codes: Mapping[str, int]) -> dict[int, float]:
    sketch = profile.affinities.get(kind)
    if not sketch:
        return {}
    level_of_top = max(sketch.values())[0]
    coded = {
        code: exp2(level - level_of_top) - (exp2(inherited - level_of_top) if inherited > EMPTY else 0.0)
        for name, (level, inherited) in sketch.items()
        if (code := codes.get(name))
    }
    top = max(coded.values(), default=0.0)
    return {code: share / top for code, share in coded.items()} if top > 0.0 else {}


def _place(profile: Profile, rows: list[int], weighed: list[float], catalogue: Catalogue) -> Place:
    """Stated, or else where the items of the last actions are."""
    stated = profile.said("location")
    if isinstance(stated, Mapping):
        city, region = stated.get("city"), stated.get("region")
        cities = [catalogue.city_code(city, region)] if region else list(catalogue.cities_named(city or ""))
        lat, lon = stated.get("lat"), stated.get("lon")
        return Place(
            cities={code: 1.0 for code in cities if code},
            regions={code: 1.0 for code in (catalogue.regions.code(region),) if code},
            lat=lat if lon is not None else None,
            lon=lon if lat is not None else None,
            is_stated=True,
        )
    place = Place({}, _coded(profile, REGION, catalogue.regions.spellings))
    shares: dict[int, float] = {}
    for row, weight in zip(rows, weighed, strict=True):
        if not row:
            continue
        if city := catalogue.city.item(row):
            shares[city] = shares.get(city, 0.0) + weight
        if place.lat is None:
            lat, lon = catalogue.lat.item(row), catalogue.lon.item(row)
            if isfinite(lat) and isfinite(lon):
                place.lat, place.lon = lat, lon
    top = max(shares.values(), default=0.0)  # decades before the latest action a weight is 0
    place.cities = {city: share / top for city, share in shares.items()} if top > 0.0 else {}
    return place


def _wanted(places: tuple[str, ...] | list[str], catalogue: Catalogue) -> Wanted | None:
    """The codes of stated places; None where none of them is known, for that speaks against no item."""
    cities: list[int] = []
    regions: list[int] = []
    countries: list[int] = []
    for place in places:
        name, _, rest = (part.strip() for part in place.partition(","))
        if rest and (code := catalogue.city_code(name, rest)):
            cities.append(code)
            continue
        cities += catalogue.cities_named(name)
        regions.append(catalogue.regions.code(name))
        countries.append(catalogue.countries.code(name))
    around = {catalogue.regions.code(catalogue.cities.name(code).partition("\t")[2]) for code in cities}
    centres = tuple(dict.fromkeys(catalogue.city_at[code] for code in sorted({*cities}) if code in catalogue.city_at))
    found = [tuple(sorted({*codes} - {0})) for codes in (cities, regions, countries, around)]
    wanted = Wanted(found[0], found[1], found[2], found[3], centres)
    return wanted if wanted.cities or wanted.regions or wanted.countries else None
