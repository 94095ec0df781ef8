"""Who waits for something new: people who want to hear at once, by the words of what they asked for.

A new item asks this index, not the people: whoever's saved search or stated title has all its words in the item's title
or labels is looked at more closely (mailing.mail_at_once). A worker holds its own people only.
"""

from collections.abc import Iterable, Mapping

from processors.profile import Stated
from processors.words import words
from schemas.catalogue import Item

Query = frozenset[str]


class Waiting:
    """Queries by one of their words; `match` costs the lists of the item's words."""

    def __init__(self) -> None:
        self._queries: dict[bytes, tuple[Query, ...]] = {}
        self._by_word: dict[str, dict[Query, set[bytes]]] = {}

    def __len__(self) -> int:
        """How many people wait."""
        return len(self._queries)

    def put(self, key: bytes, stated: Mapping[str, Stated]) -> None:
        """Take what is stated of a person; who does not want to hear at once waits for nothing.

        >>> waiting, at_once = Waiting(), Stated(1, "users", "instant")
        >>> waiting.put(b"u1", {"frequency": at_once, "titles": Stated(1, "users", ["Night Nurse"])})
        >>> waiting.match(Item(item_id="j", title="Registered Nurse, nights and days", categories=("Night shift",)))
        [b'u1']
        """
        self.drop(key)
        queries = tuple(dict.fromkeys(_queries(stated)))
        if queries:
            self._queries[key] = queries
        for query in queries:
            self._by_word.setdefault(_anchor(query), {}).setdefault(query, set()).add(key)

    def drop(self, key: bytes) -> None:
        """Nobody waits under this key any more."""
        for query in self._queries.pop(key, ()):
            by_query = self._by_word[_anchor(query)]
            by_query[query].discard(key)
            if not by_query[query]:
                del by_query[query]

    def match(self, item: Item) -> list[bytes]:
        """Everybody who asked for such an item, in the order of their keys."""
        said = words_of(item)
        found: set[bytes] = set()
        for word in said:
            for query, keys in self._by_word.get(word, {}).items():
                if query <= said:
                    found |= keys
        return sorted(found)

    def clear(self) -> None:
        """Nobody waits."""
        self._queries.clear()
        self._by_word.clear()


def _queries(stated: Mapping[str, Stated]) -> Iterable[Query]:
    frequency = stated.get("frequency")
    if frequency is None or frequency.value != "instant":
        return
    for field in ("alerts", "titles"):
        said = stated.get(field)
        for text in said.value or () if said is not None else ():
            if query := frozenset(words(text)):
                yield query


def words_of(item: Item) -> frozenset[str]:
    """The words that a saved search is held against."""
    texts = (item.title, item.brand or "", *item.categories, *item.tags)
    return frozenset(word for text in texts for word in words(text))


def _anchor(query: Query) -> str:
    """The longest word: long words are rare."""
    return max(query, key=lambda word: (len(word), word))
