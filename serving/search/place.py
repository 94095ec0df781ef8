"""Places in a query: `in austin`, `near Portland, OR`, `within 20 km of berlin`, `in texas`, `near me`, `tampa fl`."""

import re
from collections.abc import Iterator
from typing import Final

from serving.search.filters import Area, Near
from serving.search.money import Domain
from serving.search.pieces import Piece
from serving.search.place_names import (
    AMBIGUOUS_CODES,
    AS_WORDS,
    COMMON_AFTER_IN,
    MOST_WORDS,
    PlaceNames,
    Spot,
    area_of_country,
    area_of_state,
    plain,
)

RADIUS_KM: Final = 40.0
"""Around a city where no distance is said: 25 miles, what people commute."""
BARE_PEOPLE: Final = 100_000
"""A city without `in` or `near` before it has so many people at least."""
KM: Final = {"k": 1.0, "m": 1.609344}
STATES_LESS_MEANT: Final = frozenset({"new york", "la", "quebec"})
"""States and codes of states that share their name with a city that is meant more often."""
MOST_KM: Final = 20_000.0

_DISTANCE: Final = (
    r"(?:(?:within|in|under|less\s+than|up\s+to|max(?:imum)?|no\s+more\s+than)\s+)?(?:a\s+)?"
    r"(?P<km>\d{1,5}(?:\.\d+)?)\s*-?\s*(?P<unit>km|kms|kilomet(?:er|re)s?|mi|miles?)\b(?:\s+(?:radius|away|range|drive))?"
)
_ME: Final = re.compile(
    rf"(?<!\w)(?:{_DISTANCE}\s*)?(?:(?:of|from|near|nearby|around|close\s+to|next\s+to|by)\s+"
    r"(?:me|my\s+(?:home|house|place|area|location|town))|close\s+to\s+home|in\s+my\s+(?:area|city|town|neighbou?rhood)"
    r"|near\s*by|nearby|nearme|around\s+here|near\s+here|close\s+by)(?!\w)"
)
_ALONE: Final = re.compile(rf"(?<![\w.]){_DISTANCE}(?!\w)")
_BEFORE: Final = re.compile(
    rf"(?<!\w)(?:{_DISTANCE}\s*(?:of|from|around|to|near)|in\s+or\s+near|in\s+and\s+around|in\s+the|in|near\s+to|near|nearby"
    r"|around|close\s+to|next\s+to|at|based\s+in|located\s+in|throughout|across|across\s+the)\s+(?:the\s+)?(?:city\s+of\s+|greater\s+|downtown\s+)?(?=\w)"
)
_WORD: Final = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*\.?")
_NOT: Final = re.compile(r"\b(?:not|except|outside|excluding|but|no|made|built|assembled|born|new|old)\s+(?:in\s*)?$")
_GAP: Final = re.compile(r"[\s,]+")


def places(query: str, text: str, domain: Domain, names: PlaceNames) -> Iterator[Piece]:
    """The first place of a query. `text` is the query in lower case, with what is understood already blanked out."""
    for match in _ME.finditer(text):
        end, after_km = _distance_after(text, match.end())
        yield Piece("place", match.start(), end, _km(match) or after_km or RADIUS_KM)
        return
    found = next(_after_words(text, names), None) or next(_bare(query, text, domain, names), None)
    if found is not None:
        yield found
        return
    for match in _ALONE.finditer(text):
        if (
            match.group().lstrip().startswith(("within", "in", "up"))
            or "radius" in match.group()
            or "away" in match.group()
        ):
            yield Piece("place", match.start(), match.end(), _km(match) or RADIUS_KM)
            return


def _after_words(text: str, names: PlaceNames) -> Iterator[Piece]:
    for match in _BEFORE.finditer(text):
        if _NOT.search(text[: match.start()]):
            continue
        km = _km(match)
        is_at = match.group().strip() == "at"
        found = _named(text, match.end(), names, is_bare=False)
        if found is None:
            continue
        means, end, is_sure = found
        if not is_sure and (is_at or not _is_end(text, end)):
            continue
        start = match.start()
        end, after_km = _distance_after(text, end)
        yield Piece("place", start, end, _with_radius(means, km or after_km))


def _bare(query: str, text: str, domain: Domain, names: PlaceNames) -> Iterator[Piece]:
    """A city with its state anywhere; a big city or a state at either end, in a catalogue of jobs."""
    words = list(_WORD.finditer(text))
    for word in words:
        found = _named(text, word.start(), names, is_bare=True)
        if found is None or _NOT.search(text[: word.start()]):
            continue
        means, end, is_sure = found
        is_pair = _is_pair(text[word.start() : end], names)
        at_edge = not text[: word.start()].strip(" ,-–()\x00") or _is_end(text, end)
        is_alone = not text[: word.start()].strip() and not text[end:].strip()
        if not is_pair:
            if domain != "jobs" or not at_edge or not is_sure:
                continue
            if isinstance(means, Spot) and means.people < BARE_PEOPLE:
                continue
            raw = query[word.start() : end].strip()
            if isinstance(means, Area) and len(raw) == 2 and (not raw.isupper() or query.isupper()) and not is_alone:
                continue
        end, km = _distance_after(text, end)
        yield Piece("place", word.start(), end, _with_radius(means, km))


def _named(text: str, start: int, names: PlaceNames, is_bare: bool) -> tuple[Spot | Area, int, bool] | None:
    """The longest name that begins at `start`: what it is, where it ends, and whether it can hardly be a mere word."""
    words = list(_WORD.finditer(text, start))[: MOST_WORDS + 3]
    if not words or words[0].start() != start:
        return None
    stop = 1
    while stop < len(words) and _GAP.fullmatch(text[words[stop - 1].end() : words[stop].start()]):
        stop += 1
    words = words[:stop]
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        if count > 1 and "," in text[start : words[count - 1].start()]:
            continue
        name, end = plain(text[start : words[count - 1].end()]), words[count - 1].end()
        if (city := names.city(name)) is not None:
            region = _region_after(name, words[count:], names)
            if region is not None:
                return region[0], region[1], True
            state, country = names.state(name), names.country(name)
            if state is not None and name not in STATES_LESS_MEANT:
                code, title, land = state
                return area_of_state(code, title, land), end, len(name) > 2 and name not in AS_WORDS
            if country is not None and city.people < 3_000_000 and name not in {"singapore", "luxembourg"}:
                return area_of_country(country[0]), end, name not in AS_WORDS
            if count == 1 and name in COMMON_AFTER_IN:
                return None
            if is_bare and (name in AS_WORDS or len(name) < 4) and name != "nyc":
                return (city, end, False)
            return city, end, name not in AS_WORDS and city.people >= 20_000
        if (state := names.state(name)) is not None:
            code, title, land = state
            is_sure = len(name) > 2 or name not in AMBIGUOUS_CODES
            if len(name) == 2 and is_bare and name in AMBIGUOUS_CODES:
                return None
            return area_of_state(code, title, land), end, is_sure and name not in AS_WORDS
        if (country := names.country(name)) is not None:
            if is_bare and name in {"us", "america"}:
                return None
            return area_of_country(country[0]), end, name not in AS_WORDS
    return None


def _region_after(name: str, rest: list[re.Match[str]], names: PlaceNames) -> tuple[Spot, int] | None:
    """The city in the state or country that follows its name."""
    for count in (3, 2, 1):
        if len(rest) < count:
            continue
        said = plain(rest[0].string[rest[0].start() : rest[count - 1].end()])
        raw = rest[0].string[rest[0].start() : rest[count - 1].end()].strip(".").lower()
        if (state := names.state(said) or names.state(raw)) is not None:
            if (city := names.city(name, state[0], state[2])) is not None:
                return city, rest[count - 1].end()
        elif (country := names.country(said)) is not None and (
            city := names.city(name, country=country[0])
        ) is not None:
            return city, rest[count - 1].end()
    return None


def _is_pair(text: str, names: PlaceNames) -> bool:
    """Whether a text is a city followed by its state or country."""
    words = list(_WORD.finditer(text))
    for count in range(1, len(words)):
        name = plain(text[: words[count - 1].end()])
        if names.city(name) is not None:
            region = _region_after(name, words[count:], names)
            if region is not None and region[1] >= len(text.rstrip()):
                return True
    return False


def _distance_after(text: str, end: int) -> tuple[int, float | None]:
    """`austin within 10 miles`, `austin + 10 km`: where the piece then ends, and the distance."""
    match = re.compile(rf"[\s,]*(?:\+|\()?\s*{_DISTANCE}\)?(?!\w)").match(text, end)
    return (end, None) if match is None else (match.end(), _km(match))


def _with_radius(means: Spot | Area, km: float | None) -> Near | Area:
    if isinstance(means, Area):
        return means
    return Near(
        lat=means.lat,
        lon=means.lon,
        radius_km=RADIUS_KM if km is None else km,
        city=means.city,
        region=means.region,
        country=means.country,
    )


def _km(match: re.Match[str]) -> float | None:
    amount, unit = match["km"], match["unit"]
    if amount is None:
        return None
    return min(max(float(amount) * KM[unit[0]], 0.1), MOST_KM)


def _is_end(text: str, end: int) -> bool:
    """Whether a part of the query ends here: its end, a comma or dash, or something understood."""
    rest = text[end:].lstrip(" ")
    return not rest or rest[0] in ",;-–/()\x00+&|"
