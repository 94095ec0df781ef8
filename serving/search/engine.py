"""The facade: one query in, one answer out.

    engine = SearchEngine(replica, "jobs")
    engine.put_item(item)  # each row of the topic items, and engine.retire_item(item_id) for a null
    engine.refresh()  # a few times a second
    engine.search("remote python jobs in austin over 90k", now_ms=now_ms)

The replica gives the person's own order and is kept by whoever reads `items` and `model`; the engine never changes it.
One thread owns both; facets are counted on another while it waits. No query raises, whatever it holds.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from msgspec import Struct, structs
from tantivy import Query

from processors.profile import Profile
from processors.replica import Replica
from processors.taste import taste_of
from schemas.catalogue import Item
from serving.search.answer import Found, Mended, SearchAnswer, Understood
from serving.search.facets import asked, facets
from serving.search.fields import FieldWeights
from serving.search.filters import NO_FILTERS, Filters, Near
from serving.search.index import Hit, Hits, ItemIndex
from serving.search.money import Domain
from serving.search.personal import PersonalWeights, is_known, recommendable, reordered
from serving.search.place_names import PlaceNames
from serving.search.says import says
from serving.search.suggestions import Suggestions
from serving.search.understanding import Understanding, understand, without
from serving.search.words import Wording

RELAXED_FIRST: Final = ("posted", "brand", "category", "salary", "price", "remote", "place")
"""The order in which filters are given up where nothing passes all of them."""
FIELDS_OF: Final = {
    "posted": ("posted_within_ms",),
    "brand": ("brands",),
    "category": ("categories",),
    "salary": ("salary",),
    "price": ("price",),
    "remote": ("remote",),
    "place": ("near", "near_me_km", "area", "cities"),
}

FILTER_FIELDS: Final = Filters.__struct_fields__
NOTHING: Final = Hits([], 0)
FEW: Final = 2_000
"""So many hits are all fetched at once: cheaper than a second search for those of them that a person may like."""


class SearchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How search is set up. `locale` chooses stemming and stop words; `home` (ISO 3166) settles namesakes of cities."""

    locale: str = "en"
    home: str = "US"
    synonyms: str = ""
    """A file in place of the one that ships."""
    fields: FieldWeights = FieldWeights()
    personal: PersonalWeights = PersonalWeights()


DEFAULT_SETTINGS: Final = SearchSettings()


class SearchEngine:
    """Understands, finds, orders, counts. Raises ValueError for settings that cannot be used."""

    def __init__(self, replica: Replica, domain: Domain, settings: SearchSettings = DEFAULT_SETTINGS) -> None:
        self._replica = replica
        self._domain = domain
        self._settings = settings
        self._names = PlaceNames(settings.home)
        self.index = ItemIndex(settings.locale, Path(settings.synonyms) if settings.synonyms else None, settings.fields)
        self.suggestions = Suggestions()
        self._counting = ThreadPoolExecutor(1, thread_name_prefix="facets")

    def put_item(self, item: Item) -> None:
        """An item is new or changed; searches see it after `refresh`."""
        self.index.put(item)

    def retire_item(self, item_id: str) -> None:
        """An item is gone, at once."""
        self.index.retire(item_id)

    def refresh(self) -> None:
        """Let searches see what was put."""
        self.index.refresh()

    def search(
        self,
        query: str,
        filters: Filters = NO_FILTERS,
        profile: Profile | None = None,
        now_ms: int = 0,
        limit: int = 20,
        *,
        literal: bool = False,
        with_facets: bool = True,
    ) -> SearchAnswer:
        """The best `limit` (1-200) items at `now_ms`.

        `filters` go before what the query says of the same. With `literal` the query is words and nothing else: what a
        page asks for after someone took back all that was understood. A `profile` makes the order the person's own.
        """
        limit = min(max(limit, 1), 200)
        query = query.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ").replace("\x01", " ")
        understood = understand(query, self._domain, self._names, self._known_brand, literal)
        together = self._placed(_merged(understood.filters, filters), profile, now_ms)
        words = self.index.wording(understood.text, understood.quoted)
        person = profile if profile is not None and is_known(profile) else None
        depth, few = (limit, 0) if person is None else (max(limit, self._settings.personal.reranked), FEW)
        found, matched, relaxed = self._find(words, together, now_ms, depth, few)
        hits, counted = found.hits, None
        if person is None:
            counted = self.index.aggregate(matched, asked(now_ms)) if with_facets and hits else None
        else:  # counting needs no Python, and ordering needs little else: side by side
            counting = (
                self._counting.submit(self.index.aggregate, matched, asked(now_ms)) if with_facets and hits else None
            )
            hits = self._own_order(found, depth, matched, person, now_ms)
            counted = None if counting is None else counting.result()
        return SearchAnswer(
            query=understood.query,
            text=understood.text,
            filters=together,
            items=_places(hits[:limit]),
            total=found.total,
            understood=_told(understood),
            mended=_mended(words),
            relaxed=relaxed,
            facets=() if counted is None else facets(counted, self.index.documents),
            suggestions=self.suggestions.suggest(query),
            is_personal=person is not None,
        )

    def _find(
        self, words: Wording, filters: Filters, now_ms: int, depth: int, few: int
    ) -> tuple[Hits, Query, tuple[str, ...]]:
        """Hits for as much of the query as has any, what they match, and what was relaxed.

        First a third of the words may be missing, then one filter goes, then all, one after the other, then words down
        to one.
        """
        needed = len(words.needed)
        some = needed // 3
        steps: list[tuple[Filters, int, tuple[str, ...]]] = [
            (filters, 0, ()),
            *([(filters, some, ("words",))] if some else []),
        ]
        narrow = [kind for kind in RELAXED_FIRST if _without_kind(filters, kind) != filters]
        steps += [(_without_kind(filters, kind), 0, (kind,)) for kind in narrow]
        kept = filters
        gone: tuple[str, ...] = ()
        for kind in narrow:
            kept, gone = _without_kind(kept, kind), (*gone, kind)
            if len(gone) > 1:
                steps.append((kept, 0, gone))
            if some:
                steps.append((kept, some, ("words", *gone)))
        steps += [(filters, missing, ("words",)) for missing in range(some + 1, needed)]
        if gone:
            steps += [(kept, missing, ("words", *gone)) for missing in range(some + 1, needed)]
        for tried, missing, relaxed in steps:
            query = self.index.query(words, tried, now_ms, missing)
            found = self.index.search(query, depth, few)
            if found.hits:
                return found, query, relaxed
        return NOTHING, Query.empty_query(), ()

    def _own_order(self, found: Hits, depth: int, query: Query, person: Profile, now_ms: int) -> list[Hit]:
        """The best `depth` that were found, and of the others what they would be recommended, in the person's order."""
        taste = taste_of(person, now_ms, self._replica)
        hits, others = found.hits[:depth], found.hits[depth:]
        if found.total > len(hits):
            item_ids = recommendable(person, taste, now_ms, self._replica)
            if found.total > len(found.hits):
                looked_at = {hit.item_id for hit in hits}
                more = self.index.search(self.index.among(query, item_ids), max(len(item_ids), 1)).hits
                hits = hits + [hit for hit in more if hit.item_id not in looked_at]
            else:
                wanted = set(item_ids)
                hits = hits + [hit for hit in others if hit.item_id in wanted]
        return reordered(hits, person, taste, now_ms, self._replica, self._settings.personal)

    def _placed(self, filters: Filters, profile: Profile | None, now_ms: int) -> Filters:
        """`near_me_km` as a place; left as it is where nobody knows where the person is."""
        if filters.near_me_km is None or filters.near is not None or profile is None:
            return filters
        place = taste_of(profile, now_ms, self._replica).place
        if place.lat is None or place.lon is None:
            return filters
        near = Near(lat=place.lat, lon=place.lon, radius_km=filters.near_me_km)
        return structs.replace(filters, near=near, near_me_km=None)

    def _known_brand(self, name: str) -> str | None:
        brands = self.index.documents.brands
        return brands.name(code) if (code := brands.code(name)) else None


def _merged(understood: Filters, given: Filters) -> Filters:
    """Of both, what was given where both say something; a place of any kind stands for all kinds of places."""
    place = FIELDS_OF["place"]
    fields = {name: value for name in FILTER_FIELDS if (value := getattr(given, name)) is not None and value != ()}
    if any(name in fields for name in place):
        fields |= {name: fields.get(name, getattr(NO_FILTERS, name)) for name in place}
    return structs.replace(understood, **fields)


def _without_kind(filters: Filters, kind: str) -> Filters:
    return structs.replace(filters, **{name: getattr(NO_FILTERS, name) for name in FIELDS_OF[kind]})


def _told(understood: Understanding) -> tuple[Understood, ...]:
    return tuple(
        [
            Understood(
                piece.kind, understood.query[piece.start : piece.end].strip(), says(piece), without(understood, piece)
            )
            for piece in understood.pieces
        ]
    )


def _mended(words: Wording) -> tuple[Mended, ...]:
    return tuple([Mended(term.typed, term.spellings[1].exact) for term in words.terms if term.is_mended])


def _places(hits: list[Hit]) -> tuple[Found, ...]:
    return tuple([Found(hit.item_id, rank, hit.score) for rank, hit in enumerate(hits, 1)])
