"""What people searched and then acted on, by prefix, the most and latest first.

A query counts once it led to a view, save or apply by the same person within half an hour; counts halve every
`half_life_s`, kept as the logarithm of what they would be at time 0, so that nothing has to be updated as time passes.
What one person does counts once a day for each query: nobody makes a suggestion alone before `least` people did.
Bounded: the weakest go.
"""

from math import exp, inf, log
from typing import Final

from processors.identity import hash64
from schemas.behaviour import Apply, ItemEvent, Save, Search
from serving.search.place_names import plain

WITHIN_MS: Final = 30 * 60_000
MOST_QUERIES: Final = 20_000
MOST_PENDING: Final = 50_000
PREFIX_CHARS: Final = 12
"""Prefixes are looked up by so many characters at most."""
MOST_CHARS: Final = 80
DAY_MS: Final = 86_400_000
BY_ACTION: Final = {Save: 2.0, Apply: 4.0}
"""What an action counts beside a view."""
KEPT_PEOPLE: Final = 8


class Suggestions:
    """Fed with `searches` and what follows. One thread owns it."""

    def __init__(self, half_life_s: float = 7 * 86_400.0, least_people: int = 2) -> None:
        if half_life_s <= 0.0:
            raise ValueError(f"half_life_s must be positive, not {half_life_s}")
        if least_people < 1:
            raise ValueError(f"least_people must be at least 1, not {least_people}")
        self._per_ms = log(2.0) / (half_life_s * 1000.0)
        self._least = least_people
        self._pending: dict[str, tuple[str, int]] = {}
        """Person -> their last query and when."""
        self._levels: dict[str, float] = {}
        """Query -> logarithm of its count at time 0."""
        self._people: dict[str, dict[int, int]] = {}
        """Query -> hashes of people who acted on it, and the day they last did; the latest few."""
        self._by_prefix: dict[str, set[str]] = {}

    def searched(self, search: Search) -> None:
        """Someone searched; it counts when they act."""
        query = " ".join(search.query.lower().split())[:MOST_CHARS]
        self._pending.pop(search.user_id, None)
        if not plain(query):
            return
        self._pending[search.user_id] = (query, search.ts_ms)
        if len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]

    def acted(self, event: ItemEvent) -> None:
        """Someone acted on an item, maybe after a search."""
        query, searched_ms = self._pending.get(event.user_id, ("", 0))
        if not query or not 0 <= event.ts_ms - searched_ms <= WITHIN_MS:
            return
        if isinstance(event, Save) and event.undo:
            return
        people = self._people.setdefault(query, {})
        person, day = hash64(f"searcher/{event.user_id}"), event.ts_ms // DAY_MS
        if people.get(person, -1) >= day and not isinstance(event, Save | Apply):
            return
        people.pop(person, None)
        people[person] = day
        if len(people) > max(KEPT_PEOPLE, self._least):
            del people[next(iter(people))]
        counts = BY_ACTION.get(type(event), 1.0)
        gained = log(counts) + self._per_ms * event.ts_ms
        level = self._levels.get(query)
        if level is None:
            self._learn(query)
            self._levels[query] = gained
        else:
            top = max(level, gained)
            self._levels[query] = top + log(exp(level - top) + exp(gained - top))
        if len(self._levels) > MOST_QUERIES:
            self._forget_weakest()

    def forget(self, user_id: str) -> None:
        """A person asked to be forgotten: their share in what is suggested cannot be told apart, but they can."""
        self._pending.pop(user_id, None)
        person = hash64(f"searcher/{user_id}")
        for query in [query for query, people in self._people.items() if person in people]:
            del self._people[query][person]

    def suggest(self, prefix: str, limit: int = 8) -> tuple[str, ...]:
        """The strongest queries that begin with `prefix`, in any of their words, itself left out."""
        start = plain(prefix[:MOST_CHARS])
        if not start:
            return ()
        found = [
            query
            for query in self._by_prefix.get(start[:PREFIX_CHARS], ())
            if len(self._people[query]) >= self._least and plain(query) != start and _begins(plain(query), start)
        ]
        found.sort(key=lambda query: (-self._levels[query], query))
        return tuple(found[:limit])

    def level(self, query: str, now_ms: int) -> float:
        """The base-2 logarithm of a query's count at `now_ms`; minus infinity where it has none."""
        level = self._levels.get(query)
        return -inf if level is None else (level - self._per_ms * now_ms) / log(2.0)

    def _learn(self, query: str) -> None:
        for prefix in _prefixes(query):
            self._by_prefix.setdefault(prefix, set()).add(query)

    def _forget_weakest(self) -> None:
        """A tenth at once, so that it is done seldom."""
        weakest = sorted(self._levels, key=lambda query: (self._levels[query], query))[: MOST_QUERIES // 10]
        for query in weakest:
            del self._levels[query], self._people[query]
            for prefix in _prefixes(query):
                queries = self._by_prefix[prefix]
                queries.discard(query)
                if not queries:
                    del self._by_prefix[prefix]


def _prefixes(query: str) -> set[str]:
    told = plain(query)
    starts = [0, *[place + 1 for place, char in enumerate(told) if char == " "]]
    return {told[start : start + length] for start in starts for length in range(1, PREFIX_CHARS + 1) if told[start:]}


def _begins(told: str, start: str) -> bool:
    return told.startswith(start) or f" {start}" in told
